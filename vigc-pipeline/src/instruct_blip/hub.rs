//! Models by name: folders of this machine and repositories of the Hugging Face hub.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use burn::tensor::Device;
use vigc_core::weights::hub::{Files, Hub, Progress, RepoId};

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
    /// A part of a model, such as VIGC's own `.pth` files, is for [`ModelFiles`](super::ModelFiles).
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be fetched, and those of [`InstructBlip::from_dir`].
    pub fn from_hub(
        repo: &RepoId,
        hub: &Hub,
        progress: &mut dyn Progress,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let folder = hub.fetch(repo, &Files::Model, progress)?;
        let commit = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}@{commit}", repo.path());
        Ok(Self { name, ..Self::from_dir_with(&folder, device, options)? })
    }
}
