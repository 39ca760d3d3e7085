//! Rows in memory, column by column, until they are written.

use std::io::Write;

use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, FloatType};
use ::parquet::errors::Result;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use super::values::{Plain, Value};
use crate::curation::export::columns::{COLUMNS, Kind, Scalar};

/// Rows in memory.
pub(super) struct RowGroup {
    leaves: Vec<Leaf>,
    pub(super) rows: u64,
    /// What they take, as far as the caller counted it.
    pub(super) bytes: u64,
}

/// A column of the file: its values, and how deep each is defined and repeated.
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

/// How deep a value of a picture is defined: picture and value are there.
const IN_IMAGE: i16 = 2;
/// How deep a value within a list is defined: list, entry, struct and value are there.
const IN_LIST: i16 = 4;
/// A list that is there and empty.
const EMPTY_LIST: i16 = 1;

impl RowGroup {
    pub(super) fn new() -> Self {
        let leaves = COLUMNS.iter().flat_map(|(_, kind)| match kind {
            Kind::Image => vec![Leaf::new(Scalar::String), Leaf::new(Scalar::String)],
            Kind::One(scalar) => vec![Leaf::new(*scalar)],
            Kind::List(fields) => fields.iter().map(|(_, scalar)| Leaf::new(*scalar)).collect(),
        });
        Self { leaves: leaves.collect(), rows: 0, bytes: 0 }
    }

    /// Adds a row; tells how many bytes it takes, its picture aside.
    pub(super) fn push(&mut self, values: [Value; COLUMNS.len()]) -> u64 {
        self.rows += 1;
        let mut rest = self.leaves.as_mut_slice();
        let mut bytes = 0;
        for (value, (_, kind)) in values.into_iter().zip(&COLUMNS) {
            let (leaves, others) = std::mem::take(&mut rest).split_at_mut(kind.leaves());
            rest = others;
            match value {
                Value::Image(picture, name) => {
                    leaves[0].push(Plain::Text(picture), IN_IMAGE);
                    bytes += leaves[1].push(Plain::Text(name), IN_IMAGE);
                }
                Value::One(Some(plain)) => bytes += leaves[0].push(plain, 1),
                Value::One(None) => leaves[0].defined.push(0),
                Value::List(entries) => bytes += push_list(leaves, entries),
            }
        }
        bytes
    }

    /// Writes the rows as a row group.
    pub(super) fn write<W: Write + Send>(self, file: &mut SerializedFileWriter<W>) -> Result<()> {
        let mut group = file.next_row_group()?;
        for leaf in self.leaves {
            if let Some(column) = group.next_column()? {
                leaf.write(column)?;
            }
        }
        group.close().map(drop)
    }
}

fn push_list(leaves: &mut [Leaf], entries: Vec<Vec<Plain>>) -> u64 {
    if entries.is_empty() {
        for leaf in leaves {
            leaf.defined.push(EMPTY_LIST);
            leaf.repeated.push(0);
        }
        return 0;
    }
    let mut bytes = 0;
    for (index, entry) in entries.into_iter().enumerate() {
        for (leaf, plain) in leaves.iter_mut().zip(entry) {
            bytes += leaf.push(plain, IN_LIST);
            leaf.repeated.push(i16::from(index > 0));
        }
    }
    bytes
}

impl Leaf {
    fn new(scalar: Scalar) -> Self {
        let values = match scalar {
            Scalar::String => Values::Texts(Vec::new()),
            Scalar::Float => Values::Numbers(Vec::new()),
            Scalar::Bool => Values::Flags(Vec::new()),
        };
        Self { values, defined: Vec::new(), repeated: Vec::new() }
    }

    /// Adds a value and tells how many bytes it takes.
    fn push(&mut self, plain: Plain, defined: i16) -> u64 {
        self.defined.push(defined);
        match (&mut self.values, plain) {
            (Values::Texts(texts), Plain::Text(text)) => {
                let bytes = text.len() as u64;
                texts.push(text);
                bytes
            }
            (Values::Numbers(numbers), Plain::Number(number)) => {
                numbers.push(number);
                4
            }
            (Values::Flags(flags), Plain::Flag(flag)) => {
                flags.push(flag);
                1
            }
            _ => unreachable!("values have the kinds of their columns"),
        }
    }

    fn write(&self, mut column: SerializedColumnWriter<'_>) -> Result<()> {
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
