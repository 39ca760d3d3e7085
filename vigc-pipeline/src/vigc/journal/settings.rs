//! The settings of a run beside its record, so that it is not resumed with others.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use vigc_core::files::read_json;

use crate::{Error, Result};

/// The neighbour of a file whose name goes on with `suffix`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, ToOwned::to_owned);
    name.push(suffix);
    path.with_file_name(name)
}

/// Renames an earlier file to `….previous`, unless it is empty.
pub fn keep_previous(path: &Path) -> Result<()> {
    if fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0) {
        let fail = |source| Error::Write { path: path.to_owned(), source };
        fs::rename(path, beside(path, ".previous")).map_err(fail)?;
    }
    Ok(())
}

/// Refuses to go on with a record whose settings, which are in `file`, are others than `settings`.
pub fn compare(file: &Path, record: &Path, settings: &impl Serialize) -> Result<()> {
    let begun = read_json::<Value>(file)?;
    // Through text, so that numbers are rounded as those that were read.
    let error = |source| vigc_core::Error::Json { path: file.to_owned(), source };
    let now = serde_json::to_string(settings)
        .and_then(|text| serde_json::from_str(&text))
        .map_err(error)?;
    let mut differences = Vec::new();
    find_differences("", &begun, &now, &mut differences);
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Error::OtherSettings { path: record.to_owned(), differences }),
    }
}

/// Names each value in which two JSON values differ.
fn find_differences(name: &str, begun: &Value, now: &Value, differences: &mut Vec<String>) {
    if let (Some(old), Some(new)) = (begun.as_object(), now.as_object()) {
        let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
        for key in keys {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            let value = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or_default();
            find_differences(&name, &value(old), &value(new), differences);
        }
    } else if begun != now {
        differences.push(format!("{name} was {begun}, is {now}"));
    }
}
