//! Files of about one size.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::ColumnPath;

use super::row_group::RowGroup;
use super::schema::{features, schema};
use crate::curation::CurationError;

/// Files of about one size, which get their names when all are written.
pub(super) struct Shards {
    folder: PathBuf,
    limit: u64,
    written: Vec<PathBuf>,
    open: Option<(PathBuf, SerializedFileWriter<File>)>,
}

impl Shards {
    pub(super) fn new(folder: PathBuf, limit: u64) -> Self {
        Self { folder, limit, written: Vec::new(), open: None }
    }

    /// Writes a row group into the open file, or into the next if it would grow beyond the limit.
    pub(super) fn write(&mut self, group: RowGroup) -> Result<(), CurationError> {
        if group.rows == 0 {
            return Ok(());
        }
        let is_full = |file: &SerializedFileWriter<File>| {
            !file.flushed_row_groups().is_empty()
                && file.bytes_written() as u64 + group.bytes > self.limit
        };
        if self.open.as_ref().is_some_and(|(_, file)| is_full(file)) {
            self.close()?;
        }
        let (path, mut file) = match self.open.take() {
            Some(open) => open,
            None => self.create()?,
        };
        group.write(&mut file).map_err(failed(&path))?;
        self.open = Some((path, file));
        Ok(())
    }

    /// Closes the last file and names all of them `train-00000-of-00002.parquet` and so on.
    pub(super) fn finish(mut self) -> Result<Vec<PathBuf>, CurationError> {
        self.close()?;
        let count = self.written.len();
        let named = self.written.iter().enumerate().map(|(index, path)| {
            let name = self.folder.join(format!("train-{index:05}-of-{count:05}.parquet"));
            fs::rename(path, &name).map_err(CurationError::write(&name))?;
            Ok(name)
        });
        named.collect()
    }

    fn create(&self) -> Result<(PathBuf, SerializedFileWriter<File>), CurationError> {
        let path = self.folder.join(format!("train-{:05}.parquet.partial", self.written.len()));
        let file = File::create(&path).map_err(CurationError::write(&path))?;
        let properties = Arc::new(properties());
        let writer =
            schema().and_then(|schema| SerializedFileWriter::new(file, schema, properties));
        let writer = writer.map_err(failed(&path))?;
        Ok((path, writer))
    }

    fn close(&mut self) -> Result<(), CurationError> {
        let Some((path, file)) = self.open.take() else { return Ok(()) };
        let sync =
            |file: File| file.sync_all().map_err(|error| ParquetError::External(error.into()));
        file.into_inner().and_then(sync).map_err(failed(&path))?;
        self.written.push(path);
        Ok(())
    }
}

fn properties() -> WriterProperties {
    let pictures = || ColumnPath::new(vec!["image".to_owned(), "bytes".to_owned()]);
    let features = KeyValue::new("huggingface".to_owned(), features().to_string());
    WriterProperties::builder()
        .set_key_value_metadata(Some(vec![features]))
        .set_compression(Compression::SNAPPY)
        // Pictures are compressed, and their least and greatest bytes mean nothing.
        .set_column_compression(pictures(), Compression::UNCOMPRESSED)
        .set_column_statistics_enabled(pictures(), EnabledStatistics::None)
        // A picture with several rows is stored once: a row group's pictures are one dictionary.
        .set_column_dictionary_page_size_limit(pictures(), usize::MAX)
        .build()
}

fn failed(path: &Path) -> impl FnOnce(ParquetError) -> CurationError {
    let path = path.to_owned();
    |source| CurationError::Parquet { path, source }
}
