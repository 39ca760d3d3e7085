//! The low-rank updates of the language model, alone.

use std::path::Path;

use vigc_core::weights::Checkpoint;
use vigc_llm::lora::{LoraAdapter, LoraConfig, is_lora_key};

use super::FileKind;
use super::keys::LANGUAGE;
use crate::Result;

/// Reads the low-rank updates of the language model from a folder of PEFT or from what a trainer saved, whose frozen
/// weights are left out. Of a trainer's file the scale is the reference's.
///
/// # Errors
///
/// [`Error::FileKind`](crate::Error::FileKind) if the file is of no kind that has some,
/// [`Error::Core`](crate::Error::Core) if it cannot be read, [`Error::Llm`](crate::Error::Llm) if it holds none.
pub fn read_updates(path: impl AsRef<Path>) -> Result<LoraAdapter> {
    let path = path.as_ref();
    if path.is_dir() {
        return Ok(LoraAdapter::from_dir(path)?);
    }
    let kind = FileKind::of(&Checkpoint::open(path)?);
    let mut updates = match kind {
        Some(FileKind::Adapter) => FileKind::Adapter.open(path)?,
        _ => FileKind::Lavis.open(path)?.scope(LANGUAGE),
    };
    updates.retain(is_lora_key);
    Ok(LoraAdapter::new(LoraConfig::upstream(), updates)?)
}
