//! Where images come from: files, folders, patterns, or pixels in memory.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use glob::MatchOptions;
use image::RgbImage;
use rayon::prelude::*;
use vigc_vision::image::{ImageLimits, open_image};
use walkdir::{DirEntry, WalkDir};

use crate::{Error, Result};

/// An image to be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInput {
    /// Its name, which seeds are derived from. It should not change when the image is moved.
    pub id: String,
    /// Its file, or what to call it in rows.
    pub path: PathBuf,
    pixels: Option<RgbImage>,
}

impl ImageInput {
    /// An image file, named by its file name without extension.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let id = name_below(&path, path.parent().unwrap_or(Path::new("")));
        Self { id, path, pixels: None }
    }

    /// An image in memory.
    #[must_use]
    pub fn pixels(id: impl Into<String>, pixels: RgbImage) -> Self {
        let id = id.into();
        Self { path: PathBuf::from(&id), id, pixels: Some(pixels) }
    }

    /// The path as rows and journals hold it.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The image's pixels.
    ///
    /// # Errors
    ///
    /// Tells why the file cannot be used.
    pub fn open(&self, limits: &ImageLimits) -> Result<RgbImage, vigc_vision::Error> {
        self.pixels
            .as_ref()
            .map_or_else(|| open_image(&self.path, limits), |pixels| Ok(pixels.clone()))
    }
}

impl<P: Into<PathBuf>> From<P> for ImageInput {
    fn from(path: P) -> Self {
        Self::file(path)
    }
}

/// The files of folders and patterns, in order.
///
/// Folders are searched with everything below them, hidden files and folders aside; each folder's
/// entries come sorted by name. Files are not opened here: what is no image is skipped, with its
/// reason, by the run that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFolder {
    inputs: Vec<ImageInput>,
}

impl ImageFolder {
    /// The files of one folder.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Read`] if the folder, or one below it, cannot be read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::find([folder])
    }

    /// The files that paths name: files, folders, or patterns such as `pictures/**/*.jpg`. A file that several of them name appears once.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Read`] if a path does not exist, a pattern fits nothing or a folder cannot
    /// be read, [`Error::Pattern`] if a pattern is not valid.
    pub fn find(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut inputs = Vec::new();
        for path in paths {
            let path = path.as_ref();
            if is_pattern(path) && !path.exists() {
                collect_pattern(path, &mut inputs)?;
            } else {
                collect(path, &mut inputs)?;
            }
        }
        let mut seen = HashSet::new();
        inputs.retain(|input| seen.insert(input.path.clone()));
        Ok(Self { inputs })
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }
}

impl IntoIterator for ImageFolder {
    type Item = ImageInput;
    type IntoIter = std::vec::IntoIter<ImageInput>;

    fn into_iter(self) -> Self::IntoIter {
        self.inputs.into_iter()
    }
}

fn collect(path: &Path, inputs: &mut Vec<ImageInput>) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|source| read_error(path, source))?;
    if metadata.is_dir() {
        return collect_folder(path, inputs);
    }
    inputs.push(ImageInput::file(path));
    Ok(())
}

fn collect_folder(root: &Path, inputs: &mut Vec<ImageInput>) -> Result<()> {
    let is_shown = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
    };
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(is_shown) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let path = entry.into_path();
                inputs.push(ImageInput { id: name_below(&path, root), path, pixels: None });
            }
            // A link to a folder above it would go round forever; a link to nothing is a file to be
            // skipped.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => match error.path().filter(|path| path.is_symlink()) {
                Some(path) => inputs.push(ImageInput {
                    id: name_below(path, root),
                    path: path.to_owned(),
                    pixels: None,
                }),
                None => {
                    let path = error.path().unwrap_or(root).to_owned();
                    return Err(read_error(&path, error.into()));
                }
            },
        }
    }
    Ok(())
}

fn collect_pattern(pattern: &Path, inputs: &mut Vec<ImageInput>) -> Result<()> {
    let text = pattern.to_string_lossy();
    let invalid = |reason: glob::PatternError| Error::Pattern {
        pattern: text.to_string(),
        reason: reason.msg.to_owned(),
    };
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let mut is_empty = true;
    for path in glob::glob_with(&text, options).map_err(invalid)? {
        let path = path.map_err(|error| {
            let path = error.path().to_owned();
            read_error(&path, error.into())
        })?;
        is_empty = false;
        collect(&path, inputs)?;
    }
    if is_empty { Err(read_error(pattern, std::io::ErrorKind::NotFound.into())) } else { Ok(()) }
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// A file's path below a folder, with `/`, without its extension.
fn name_below(path: &Path, folder: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path).with_extension("");
    let parts = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}

fn read_error(path: &Path, source: std::io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}

/// Opens the images side by side.
pub(super) fn open<T>(
    admitted: &[T],
    input: impl Fn(&T) -> &ImageInput,
    limits: &ImageLimits,
) -> Vec<vigc_vision::Result<RgbImage>> {
    let inputs = admitted.iter().map(input).collect::<Vec<_>>();
    inputs.par_iter().map(|input| input.open(limits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: ImageFolder, root: &Path) -> Vec<(String, String)> {
        let relative = |input: &ImageInput| {
            input.path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()
        };
        folder.into_iter().map(|input| (relative(&input), input.id)).collect()
    }

    #[test]
    fn folders_files_and_patterns_are_found_in_order() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        for file in ["z.png", "a.jpg", "b/2.png", "b/c/1.gif", "b/.hidden", "notes.txt"] {
            fs::write(root.join(file), "").unwrap();
        }
        let found = ImageFolder::open(root).unwrap();
        let expected = [
            ("a.jpg", "a"),
            ("b/2.png", "b/2"),
            ("b/c/1.gif", "b/c/1"),
            ("notes.txt", "notes"),
            ("z.png", "z"),
        ];
        assert_eq!(names(found, root), expected.map(|(path, id)| (path.into(), id.into())));

        let found =
            ImageFolder::find([root.join("?.png"), root.join("b/*"), root.join("z.png")]).unwrap();
        let expected = [("z.png", "z"), ("b/2.png", "2"), ("b/c/1.gif", "1")];
        assert_eq!(names(found, root), expected.map(|(path, id)| (path.into(), id.into())));

        for missing in ["none.png", "*.bmp", "none/*.png"] {
            let error = ImageFolder::find([root.join(missing)]).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.png"), "").unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("loop")).unwrap();
        assert_eq!(ImageFolder::open(root.path()).unwrap().len(), 1);
    }
}
