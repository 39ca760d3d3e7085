//! Rows with their pictures as Parquet, as the library `datasets` writes and reads them.
//!
//! Columns are those of [`COLUMNS`](super::COLUMNS). A picture is a struct of `bytes`, its file as it is, and `path`. The key `huggingface`
//! of each file's metadata says that it is one (`Features` of `datasets`), so that pictures are shown on the hub.

mod row_group;
mod schema;
mod shards;
mod values;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use ::parquet::data_type::ByteArray;

use self::row_group::RowGroup;
use self::shards::Shards;
use self::values::values;
use super::{ExportFormat, Kept, Written};
use crate::curation::{CurationError, Pictures, Row};

/// What is in memory before it is written, in bytes. A picture counts once for all its rows.
const ROW_GROUP_BYTES: u64 = 32 << 20;

/// Writes `data/train-*.parquet`, a row group at a time.
pub(super) fn write(kept: &mut Kept<'_>, shard_bytes: u64) -> Result<Written, CurationError> {
    let folder = kept.folder.join("data");
    fs::create_dir_all(&folder).map_err(CurationError::write(&folder))?;
    let mut shards = Shards::new(folder, shard_bytes);
    let mut files = Files { pictures: kept.pictures, read: HashMap::new() };
    let mut group = RowGroup::new();
    let mut content_bytes = 0;
    for (index, located) in kept.rows().enumerate() {
        let row = located?.row;
        let new = !files.read.contains_key(row.image());
        let picture = files.read(&row)?;
        let bytes = picture.len() as u64;
        let values = values(&row, index + 1, picture, &files.pictures.name(&row))?;
        let others = group.push(values);
        content_bytes += bytes + others;
        group.bytes += others + if new { bytes } else { 0 };
        if group.bytes >= ROW_GROUP_BYTES.min(shard_bytes) {
            shards.write(std::mem::replace(&mut group, RowGroup::new()))?;
            files.read.clear();
        }
    }
    shards.write(group)?;
    let paths = shards.finish()?;
    kept.written(ExportFormat::Parquet, &paths, content_bytes)
}

/// The pictures of a row group.
struct Files<'a> {
    pictures: &'a Pictures,
    read: HashMap<String, ByteArray>,
}

impl Files<'_> {
    fn read(&mut self, row: &Row) -> Result<ByteArray, CurationError> {
        if let Some(bytes) = self.read.get(row.image()) {
            return Ok(bytes.clone());
        }
        let path: PathBuf = self.pictures.file(row);
        let bytes = fs::read(&path).map_err(|source| CurationError::Picture { path, source })?;
        let bytes = ByteArray::from(bytes);
        self.read.insert(row.image().to_owned(), bytes.clone());
        Ok(bytes)
    }
}
