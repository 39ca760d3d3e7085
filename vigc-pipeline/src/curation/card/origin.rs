//! What runs left out before there were rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::vigc::{Rejection, read_lines};

/// What the runs themselves left out, as their records beside the rows say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Texts of the model that were no usable question and answer, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Files that could not be used as pictures.
    pub skipped: u64,
}

#[derive(Deserialize)]
struct LeftOut {
    reason: Option<Rejection>,
    skipped: Option<String>,
}

impl Origin {
    /// Reads the records beside files of rows, where there are such.
    pub(in crate::curation) fn of(rows: &[PathBuf]) -> Result<Self> {
        let mut origin = Self::default();
        for path in rows.iter().map(|rows| record(rows)).filter(|path| path.exists()) {
            for left_out in read_lines::<LeftOut>(path)? {
                let LeftOut { reason, skipped } = left_out?;
                if let Some(reason) = reason {
                    *origin.rejected.entry(reason.to_string()).or_default() += 1;
                }
                origin.skipped += u64::from(skipped.is_some());
            }
        }
        Ok(origin)
    }
}

/// Where a [`Journal`](crate::vigc::Journal) records what is no row.
fn record(rows: &Path) -> PathBuf {
    let name = rows.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".rows.jsonl").unwrap_or(&name);
    rows.with_file_name(format!("{name}.rejected.jsonl"))
}
