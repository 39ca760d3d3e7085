//! Rows with their pictures as Parquet, in the form that Hugging Face's library `datasets` writes and reads.
//!
//! The columns are [`COLUMNS`]. A picture is a struct of `bytes`, its unchanged file, and `path`. The key `huggingface`
//! of each file's metadata declares it as an image (`Features` of `datasets`), so the hub shows pictures.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, FloatType};
use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde_json::{Value as Json, json};

use super::columns::{COLUMNS, ColumnKind, ScalarKind};
use super::files::KeptRows;
use crate::curation::error::{CurationError, write_error};
use crate::curation::rows::{Pictures, Row};
use crate::vigc::StopReason;

/// The size at which a row group is written, in bytes. A picture counts once for all its rows.
const ROW_GROUP_BYTES: u64 = 32 << 20;

/// Writes `data/train-*.parquet`, one row group at a time. Returns the files, and the size of the rows before
/// compression in bytes.
pub(super) fn write(
    kept: &mut KeptRows<'_>,
    shard_bytes: u64,
) -> Result<(Vec<PathBuf>, u64), CurationError> {
    let folder = kept.folder.join("data");
    fs::create_dir_all(&folder).map_err(write_error(&folder))?;
    let mut shards = Shards::new(folder, shard_bytes);
    let mut files = PictureFiles { pictures: kept.pictures, read: HashMap::new() };
    let mut group = RowGroup::new();
    let mut content_bytes = 0;
    for (index, located) in kept.rows().enumerate() {
        let row = located?.row;
        let is_new = !files.read.contains_key(row.image());
        let picture = files.read(&row)?;
        let picture_bytes = picture.len() as u64;
        let values = values(&row, index + 1, picture, &files.pictures.name(&row))?;
        let other_bytes = group.push(values);
        content_bytes += picture_bytes + other_bytes;
        group.bytes += other_bytes + if is_new { picture_bytes } else { 0 };
        if group.bytes >= ROW_GROUP_BYTES.min(shard_bytes) {
            shards.write(std::mem::replace(&mut group, RowGroup::new()))?;
            files.read.clear();
        }
    }
    shards.write(group)?;
    Ok((shards.finish()?, content_bytes))
}

/// The picture files of a row group.
struct PictureFiles<'a> {
    pictures: &'a Pictures,
    read: HashMap<String, ByteArray>,
}

impl PictureFiles<'_> {
    fn read(&mut self, row: &Row) -> Result<ByteArray, CurationError> {
        if let Some(bytes) = self.read.get(row.image()) {
            return Ok(bytes.clone());
        }
        let path = self.pictures.file(row);
        let bytes = fs::read(&path).map_err(|source| CurationError::Picture { path, source })?;
        let bytes = ByteArray::from(bytes);
        self.read.insert(row.image().to_owned(), bytes.clone());
        Ok(bytes)
    }
}

/// The value of a column in one row.
enum Value {
    Image(ByteArray, ByteArray),
    Scalar(Option<Scalar>),
    List(Vec<Vec<Scalar>>),
}

/// A single value.
enum Scalar {
    Text(ByteArray),
    Number(f32),
    Flag(bool),
}

/// The values of all columns in one row.
fn values(
    row: &Row,
    line: usize,
    picture: ByteArray,
    picture_name: &str,
) -> Result<[Value; COLUMNS.len()], CurationError> {
    let scalar = |value: &str| Value::Scalar(Some(text(value)));
    let settings = row
        .settings()
        .map_err(|source| vigc_core::Error::Json { path: "settings".into(), source })?;
    Ok([
        Value::Image(picture, picture_name.into()),
        scalar(&format!("{}-{}-{line}", row.image_id(), row.task())),
        scalar(row.image_id()),
        scalar(row.task().name()),
        scalar(row.question()),
        scalar(row.answer()),
        scalar(row.draft()),
        conversations(row),
        answers(row),
        Value::Scalar(changed(row).map(Scalar::Flag)),
        Value::Scalar(row.log_prob_per_token().map(Scalar::Number)),
        Value::Scalar(stop(row).map(|stop| text(&stop))),
        scalar(row.instruction()),
        scalar(row.model()),
        scalar(&settings),
    ])
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

fn conversations(row: &Row) -> Value {
    let turns = row.to_llava().conversations.into_iter();
    Value::List(turns.map(|turn| vec![text(&turn.from), text(&turn.value)]).collect())
}

fn answers(row: &Row) -> Value {
    let Row::Knowledge(row) = row else { return Value::List(Vec::new()) };
    let answers = row.answers.iter();
    let answer = answers.map(|answer| vec![text(&answer.text), Scalar::Number(answer.weight)]);
    Value::List(answer.collect())
}

fn changed(row: &Row) -> Option<bool> {
    match row {
        Row::Instruction(sample) if sample.stop != StopReason::NotCorrected => {
            Some(sample.is_changed())
        }
        Row::Instruction(_) | Row::Knowledge(_) => None,
    }
}

fn stop(row: &Row) -> Option<String> {
    let Row::Instruction(sample) = row else { return None };
    serde_json::to_value(sample.stop).ok()?.as_str().map(str::to_owned)
}

/// Rows in memory, column by column, until they are written.
struct RowGroup {
    leaves: Vec<Leaf>,
    rows: u64,
    /// Their size in bytes, which the caller counts.
    bytes: u64,
}

/// A leaf column: its values with their definition and repetition levels.
struct Leaf {
    values: Values,
    defined: Vec<i16>,
    repeated: Vec<i16>,
}

enum Values {
    Texts(Vec<ByteArray>),
    Numbers(Vec<f32>),
    Flags(Vec<bool>),
}

/// The definition level of a value of a picture: neither picture nor value is null.
const IN_IMAGE: i16 = 2;
/// The definition level of a value in a list: list, entry, struct and value are present.
const IN_LIST: i16 = 4;
/// The definition level of an empty list.
const EMPTY_LIST: i16 = 1;

impl RowGroup {
    fn new() -> Self {
        let leaves = COLUMNS.iter().flat_map(|(_, kind)| match kind {
            ColumnKind::Image => vec![Leaf::new(ScalarKind::String), Leaf::new(ScalarKind::String)],
            ColumnKind::Scalar(scalar) => vec![Leaf::new(*scalar)],
            ColumnKind::List(fields) => {
                fields.iter().map(|(_, scalar)| Leaf::new(*scalar)).collect()
            }
        });
        Self { leaves: leaves.collect(), rows: 0, bytes: 0 }
    }

    /// Adds a row and returns its size in bytes, without its picture.
    fn push(&mut self, values: [Value; COLUMNS.len()]) -> u64 {
        self.rows += 1;
        let mut rest = self.leaves.as_mut_slice();
        let mut bytes = 0;
        for (value, (_, kind)) in values.into_iter().zip(&COLUMNS) {
            let (leaves, others) = std::mem::take(&mut rest).split_at_mut(kind.leaves());
            rest = others;
            match value {
                Value::Image(picture, name) => {
                    leaves[0].push(Scalar::Text(picture), IN_IMAGE);
                    bytes += leaves[1].push(Scalar::Text(name), IN_IMAGE);
                }
                Value::Scalar(Some(scalar)) => bytes += leaves[0].push(scalar, 1),
                Value::Scalar(None) => leaves[0].defined.push(0),
                Value::List(entries) => bytes += push_list(leaves, entries),
            }
        }
        bytes
    }

    /// Writes the rows as a row group.
    fn write<W: Write + Send>(self, file: &mut SerializedFileWriter<W>) -> ParquetResult<()> {
        let mut group = file.next_row_group()?;
        for leaf in self.leaves {
            if let Some(column) = group.next_column()? {
                leaf.write(column)?;
            }
        }
        group.close().map(drop)
    }
}

fn push_list(leaves: &mut [Leaf], entries: Vec<Vec<Scalar>>) -> u64 {
    if entries.is_empty() {
        for leaf in leaves {
            leaf.defined.push(EMPTY_LIST);
            leaf.repeated.push(0);
        }
        return 0;
    }
    let mut bytes = 0;
    for (index, entry) in entries.into_iter().enumerate() {
        for (leaf, scalar) in leaves.iter_mut().zip(entry) {
            bytes += leaf.push(scalar, IN_LIST);
            leaf.repeated.push(i16::from(index > 0));
        }
    }
    bytes
}

impl Leaf {
    fn new(kind: ScalarKind) -> Self {
        let values = match kind {
            ScalarKind::String => Values::Texts(Vec::new()),
            ScalarKind::Float => Values::Numbers(Vec::new()),
            ScalarKind::Bool => Values::Flags(Vec::new()),
        };
        Self { values, defined: Vec::new(), repeated: Vec::new() }
    }

    /// Adds a value and returns its size in bytes.
    fn push(&mut self, scalar: Scalar, defined: i16) -> u64 {
        self.defined.push(defined);
        match (&mut self.values, scalar) {
            (Values::Texts(texts), Scalar::Text(text)) => {
                let bytes = text.len() as u64;
                texts.push(text);
                bytes
            }
            (Values::Numbers(numbers), Scalar::Number(number)) => {
                numbers.push(number);
                4
            }
            (Values::Flags(flags), Scalar::Flag(flag)) => {
                flags.push(flag);
                1
            }
            _ => unreachable!("values have the kinds of their columns"),
        }
    }

    fn write(&self, mut column: SerializedColumnWriter<'_>) -> ParquetResult<()> {
        let defined = Some(self.defined.as_slice());
        let repeated = (!self.repeated.is_empty()).then_some(self.repeated.as_slice());
        match &self.values {
            Values::Texts(texts) => {
                column.typed::<ByteArrayType>().write_batch(texts, defined, repeated)
            }
            Values::Numbers(numbers) => {
                column.typed::<FloatType>().write_batch(numbers, defined, repeated)
            }
            Values::Flags(flags) => {
                column.typed::<BoolType>().write_batch(flags, defined, repeated)
            }
        }?;
        column.close()
    }
}

/// The columns as a Parquet schema. Every value may be null, as `datasets` writes it.
fn schema() -> ParquetResult<TypePtr> {
    let columns = COLUMNS.iter().map(|(name, kind)| match kind {
        ColumnKind::Scalar(scalar) => scalar_type(name, *scalar),
        ColumnKind::Image => {
            let bytes = Type::primitive_type_builder("bytes", Physical::BYTE_ARRAY);
            let bytes = bytes.with_repetition(Repetition::OPTIONAL).build()?;
            struct_type(name, vec![Arc::new(bytes), scalar_type("path", ScalarKind::String)?])
        }
        ColumnKind::List(fields) => {
            let fields = fields.iter().map(|(name, scalar)| scalar_type(name, *scalar));
            list_type(name, struct_type("element", fields.collect::<ParquetResult<_>>()?)?)
        }
    });
    let columns = columns.collect::<ParquetResult<_>>()?;
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(columns).build()?))
}

fn scalar_type(name: &str, scalar: ScalarKind) -> ParquetResult<TypePtr> {
    let (physical, logical) = match scalar {
        ScalarKind::String => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ScalarKind::Float => (Physical::FLOAT, None),
        ScalarKind::Bool => (Physical::BOOLEAN, None),
    };
    let builder = Type::primitive_type_builder(name, physical);
    let builder = builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
    Ok(Arc::new(builder.build()?))
}

fn struct_type(name: &str, fields: Vec<TypePtr>) -> ParquetResult<TypePtr> {
    let builder = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
    Ok(Arc::new(builder.with_fields(fields).build()?))
}

fn list_type(name: &str, element: TypePtr) -> ParquetResult<TypePtr> {
    let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
    let repeated = repeated.with_fields(vec![element]).build()?;
    let builder = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
    let builder = builder.with_logical_type(Some(LogicalType::List));
    let builder = builder.with_converted_type(ConvertedType::LIST);
    Ok(Arc::new(builder.with_fields(vec![Arc::new(repeated)]).build()?))
}

/// The value of the key `huggingface` in a file's metadata. Lists of structs have the form that all versions of
/// `datasets` read.
fn features() -> Json {
    let value = |scalar: &ScalarKind| json!({ "dtype": scalar.name(), "_type": "Value" });
    let columns = COLUMNS.iter().map(|(name, kind)| {
        let feature = match kind {
            ColumnKind::Image => json!({ "_type": "Image" }),
            ColumnKind::Scalar(scalar) => value(scalar),
            ColumnKind::List(fields) => {
                let fields =
                    fields.iter().map(|(name, scalar)| ((*name).to_owned(), value(scalar)));
                json!([Json::Object(fields.collect())])
            }
        };
        ((*name).to_owned(), feature)
    });
    json!({ "info": { "features": Json::Object(columns.collect()) } })
}

/// Files of about the same size. They get their final names when all of them are written.
struct Shards {
    folder: PathBuf,
    limit: u64,
    written: Vec<PathBuf>,
    open: Option<(PathBuf, SerializedFileWriter<File>)>,
}

impl Shards {
    fn new(folder: PathBuf, limit: u64) -> Self {
        Self { folder, limit, written: Vec::new(), open: None }
    }

    /// Writes a row group into the open file, or into a new one if the open file would exceed the limit.
    fn write(&mut self, group: RowGroup) -> Result<(), CurationError> {
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
        group.write(&mut file).map_err(parquet_error(&path))?;
        self.open = Some((path, file));
        Ok(())
    }

    /// Closes the last file and gives all files their names, such as `train-00000-of-00002.parquet`.
    fn finish(mut self) -> Result<Vec<PathBuf>, CurationError> {
        self.close()?;
        let count = self.written.len();
        let named = self.written.iter().enumerate().map(|(index, path)| {
            let name = self.folder.join(format!("train-{index:05}-of-{count:05}.parquet"));
            fs::rename(path, &name).map_err(write_error(&name))?;
            Ok(name)
        });
        named.collect()
    }

    fn create(&self) -> Result<(PathBuf, SerializedFileWriter<File>), CurationError> {
        let path = self.folder.join(format!("train-{:05}.parquet.partial", self.written.len()));
        let file = File::create(&path).map_err(write_error(&path))?;
        let properties = Arc::new(properties());
        let writer =
            schema().and_then(|schema| SerializedFileWriter::new(file, schema, properties));
        let writer = writer.map_err(parquet_error(&path))?;
        Ok((path, writer))
    }

    fn close(&mut self) -> Result<(), CurationError> {
        let Some((path, file)) = self.open.take() else { return Ok(()) };
        let sync =
            |file: File| file.sync_all().map_err(|error| ParquetError::External(error.into()));
        file.into_inner().and_then(sync).map_err(parquet_error(&path))?;
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
        // Image files are compressed already, and their smallest and largest bytes mean nothing.
        .set_column_compression(pictures(), Compression::UNCOMPRESSED)
        .set_column_statistics_enabled(pictures(), EnabledStatistics::None)
        // A picture of several rows is stored once, because the pictures of a row group form one dictionary.
        .set_column_dictionary_page_size_limit(pictures(), usize::MAX)
        .build()
}

fn parquet_error(path: &Path) -> impl FnOnce(ParquetError) -> CurationError {
    let path = path.to_owned();
    |source| CurationError::Parquet { path, source }
}
