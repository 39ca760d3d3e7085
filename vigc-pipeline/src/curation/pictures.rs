//! Where the rows' pictures are.

use std::path::{Path, PathBuf};

use super::Row;

/// Where the rows' pictures are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pictures {
    folder: Option<PathBuf>,
}

impl Pictures {
    /// Where the rows say.
    #[must_use]
    pub fn as_recorded() -> Self {
        Self::default()
    }

    /// Below a folder, under the names that they had below the folder that the run was given.
    #[must_use]
    pub fn below(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// The file of a row's picture.
    #[must_use]
    pub fn file(&self, row: &Row) -> PathBuf {
        let name = self.name(row);
        self.folder.as_ref().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
    }

    /// What the picture is called in exports: its path below the folder, else its path in the row.
    #[must_use]
    pub fn name(&self, row: &Row) -> String {
        let extension = Path::new(row.image()).extension();
        match (&self.folder, extension) {
            (None, _) => row.image().to_owned(),
            (Some(_), None) => row.image_id().to_owned(),
            (Some(_), Some(extension)) => {
                format!("{}.{}", row.image_id(), extension.to_string_lossy())
            }
        }
    }
}
