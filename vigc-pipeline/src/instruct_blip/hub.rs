//! Models by name: folders of this machine and repositories of the Hugging Face hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use burn::tensor::Device;
use vigc_core::progress::Progress;
use vigc_core::weights::hub::{Files, Hub, RepoId};

use super::{InstructBlip, LoadOptions};
use crate::{Error, Result};

/// Where a model is, read from a name that a user gives.
///
/// ```
/// use vigc_pipeline::instruct_blip::ModelSource;
///
/// let named: ModelSource = "Salesforce/instructblip-vicuna-7b".parse()?;
/// assert!(matches!(named, ModelSource::Repository(_)));
/// # Ok::<(), vigc_pipeline::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// A folder that is there.
    Folder(PathBuf),
    /// A repository: `owner/name` or `owner/name@revision`.
    Repository(RepoId),
}

impl FromStr for ModelSource {
    type Err = Error;

    /// A folder that is there comes before a repository of the same name.
    fn from_str(name: &str) -> Result<Self> {
        if Path::new(name).is_dir() {
            return Ok(Self::Folder(name.into()));
        }
        let repo = name.parse().map_err(|_| Error::ModelSource { name: name.to_owned() })?;
        Ok(Self::Repository(repo))
    }
}

impl InstructBlip {
    /// Fetches a repository unless it is in the cache, and opens it as [`InstructBlip::from_dir_with`] does. The
    /// model calls itself by repository and commit.
    ///
    /// A part of a model, such as VIGC's own `.pth` files, is for [`ModelFiles`](super::ModelFiles); see [`fetch_part`].
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be fetched, [`Error::PartOfModel`] if the repository holds no whole model, and those of
    /// [`InstructBlip::from_dir`].
    pub fn from_hub(
        repo: &RepoId,
        hub: &Hub,
        progress: &Progress,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let (folder, name) = fetch_model(repo, hub, progress)?;
        Ok(Self { name, ..Self::from_dir_with(&folder, device, options)? })
    }
}

/// Fetches the folder of a whole model; also what the model calls itself: repository and commit.
pub(crate) fn fetch_model(
    repo: &RepoId,
    hub: &Hub,
    progress: &Progress,
) -> Result<(PathBuf, String)> {
    let folder = hub.fetch(repo, &Files::Model, progress)?;
    let parts = files_of_trainers(&folder)?;
    if !parts.is_empty() && !folder.join("config.json").is_file() {
        return Err(Error::PartOfModel { repo: repo.to_string(), files: parts });
    }
    let commit = folder.file_name().unwrap_or_default().to_string_lossy();
    let name = format!("{}@{commit}", repo.path());
    Ok((folder, name))
}

/// Fetches a part of a model unless it is in the cache: of a repository with a `.pth` file, as VIGC's own are, that file, of another its
/// folder.
///
/// # Errors
///
/// [`Error::Core`] if a file cannot be fetched, [`Error::SeveralParts`] if there is more than one `.pth` file.
pub fn fetch_part(repo: &RepoId, hub: &Hub, files: &Files, progress: &Progress) -> Result<PathBuf> {
    let folder = hub.fetch(repo, files, progress)?;
    let mut parts = files_of_trainers(&folder)?;
    match (parts.pop(), parts.is_empty()) {
        (None, _) => Ok(folder),
        (Some(part), true) => Ok(folder.join(part)),
        (Some(part), false) => {
            parts.push(part);
            Err(Error::SeveralParts { repo: repo.to_string(), files: parts })
        }
    }
}

/// The names of a folder's `.pth` files, in order.
fn files_of_trainers(folder: &Path) -> Result<Vec<String>> {
    let fail = |source| Error::Read { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".pth") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
