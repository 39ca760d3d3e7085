//! The columns as Parquet and as `datasets` describe them.

use std::sync::Arc;

use ::parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use ::parquet::errors::Result;
use ::parquet::schema::types::{Type, TypePtr};
use serde_json::{Value, json};

use crate::curation::export::columns::{COLUMNS, Kind, Scalar};

/// The columns in Parquet's terms. Everything may be missing, as `datasets` has it.
pub(super) fn schema() -> Result<TypePtr> {
    let columns = COLUMNS.iter().map(|(name, kind)| match kind {
        Kind::One(scalar) => plain(name, *scalar),
        Kind::Image => {
            let bytes = Type::primitive_type_builder("bytes", Physical::BYTE_ARRAY);
            let bytes = bytes.with_repetition(Repetition::OPTIONAL).build()?;
            group(name, vec![Arc::new(bytes), plain("path", Scalar::String)?])
        }
        Kind::List(fields) => {
            let fields = fields.iter().map(|(name, scalar)| plain(name, *scalar));
            list(name, group("element", fields.collect::<Result<_>>()?)?)
        }
    });
    let columns = columns.collect::<Result<_>>()?;
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(columns).build()?))
}

fn plain(name: &str, scalar: Scalar) -> Result<TypePtr> {
    let (physical, logical) = match scalar {
        Scalar::String => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Scalar::Float => (Physical::FLOAT, None),
        Scalar::Bool => (Physical::BOOLEAN, None),
    };
    let builder = Type::primitive_type_builder(name, physical);
    let builder = builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
    Ok(Arc::new(builder.build()?))
}

fn group(name: &str, fields: Vec<TypePtr>) -> Result<TypePtr> {
    let builder = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
    Ok(Arc::new(builder.with_fields(fields).build()?))
}

fn list(name: &str, element: TypePtr) -> Result<TypePtr> {
    let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
    let repeated = repeated.with_fields(vec![element]).build()?;
    let builder = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
    let builder = builder.with_logical_type(Some(LogicalType::List));
    let builder = builder.with_converted_type(ConvertedType::LIST);
    Ok(Arc::new(builder.with_fields(vec![Arc::new(repeated)]).build()?))
}

/// What the key `huggingface` of a file's metadata holds. Lists of structs are written in the form that all versions of
/// `datasets` read.
pub(super) fn features() -> Value {
    let value = |scalar: &Scalar| json!({ "dtype": scalar.name(), "_type": "Value" });
    let columns = COLUMNS.iter().map(|(name, kind)| {
        let feature = match kind {
            Kind::Image => json!({ "_type": "Image" }),
            Kind::One(scalar) => value(scalar),
            Kind::List(fields) => {
                let fields =
                    fields.iter().map(|(name, scalar)| ((*name).to_owned(), value(scalar)));
                json!([Value::Object(fields.collect())])
            }
        };
        ((*name).to_owned(), feature)
    });
    json!({ "info": { "features": Value::Object(columns.collect()) } })
}
