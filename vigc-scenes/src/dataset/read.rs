//! The scenes of a split that was written.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::DatasetError;
use crate::Scene;

/// The scenes of a split's folder, by their pictures' file names.
///
/// # Errors
///
/// If `scenes.jsonl` or the pictures' folder cannot be read, a line is no scene, or there are more or fewer lines than
/// pictures.
pub fn open_scenes(folder: impl AsRef<Path>) -> Result<HashMap<String, Scene>, DatasetError> {
    let (path, images) = (folder.as_ref().join("scenes.jsonl"), folder.as_ref().join("images"));
    let failed = |source| DatasetError::Read { path: path.clone(), source };
    let text = fs::read_to_string(&path).map_err(failed)?;
    let mut names = fs::read_dir(&images)
        .and_then(|entries| {
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            entries.map(|entry| entry.map(name)).collect::<Result<Vec<_>, _>>()
        })
        .map_err(|source| DatasetError::Read { path: images.clone(), source })?;
    names.sort_unstable();
    let scene = |(line, text): (usize, &str)| {
        serde_json::from_str(text).map_err(|source| DatasetError::Scene {
            path: path.clone(),
            line: line + 1,
            source,
        })
    };
    let scenes = text.lines().enumerate().map(scene).collect::<Result<Vec<Scene>, _>>()?;
    if scenes.len() != names.len() {
        let (scenes, pictures) = (scenes.len(), names.len());
        return Err(DatasetError::Pictures { path, scenes, pictures });
    }
    Ok(names.into_iter().zip(scenes).collect())
}
