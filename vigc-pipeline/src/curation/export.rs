//! Exports of the kept rows: formats that other programs read.

mod columns;
mod files;
mod json;
#[cfg(feature = "parquet")]
mod parquet;

pub use columns::{COLUMNS, ColumnKind, ScalarKind};
pub use files::{ExportFormat, ExportOptions, ExportedFiles, ParseExportFormatError};

pub(super) use files::KeptRows;

use super::error::CurationError;

/// Writes the kept rows in a format.
pub(super) fn write(
    mut kept: KeptRows<'_>,
    format: ExportFormat,
    options: ExportOptions,
) -> Result<ExportedFiles, CurationError> {
    let (paths, content_bytes) = match format {
        ExportFormat::Jsonl => (vec![kept.path.to_owned()], None),
        ExportFormat::Llava => (json::write_llava(&mut kept, options.joined)?, None),
        ExportFormat::Upstream => (json::write_upstream(&mut kept)?, None),
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => {
            let (paths, content_bytes) = parquet::write(&mut kept, options.shard_bytes)?;
            (paths, Some(content_bytes))
        }
        #[cfg(not(feature = "parquet"))]
        ExportFormat::Parquet => return Err(CurationError::NotCompiledIn { feature: "parquet" }),
    };
    kept.exported(format, &paths, content_bytes)
}
