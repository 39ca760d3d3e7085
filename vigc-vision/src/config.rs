//! What the configurations of the networks share.

use serde::{Deserialize, Serialize};
use vigc_core::config::MAX_SIZE;

use crate::{Error, Result};

/// An activation function, named as in Hugging Face configurations.
///
/// The networks here use one; a checkpoint that asks for another is refused rather than computed
/// wrongly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HiddenAct {
    /// The exact GELU, by the error function.
    #[default]
    #[serde(rename = "gelu")]
    Gelu,
}

/// Fails unless `divisor` divides `value`.
pub(crate) fn check_divides(field: &'static str, value: usize, divisor: usize) -> Result<()> {
    if divisor != 0 && value != 0 && value.is_multiple_of(divisor) {
        return Ok(());
    }
    let value = format!("{value} over {divisor}");
    Err(Error::Config { field, value, reason: "must be a positive multiple" })
}

/// Fails if one of the sizes is larger than any model's.
pub(crate) fn check_sizes(sizes: &[(&'static str, usize)]) -> Result<()> {
    match sizes.iter().find(|(_, size)| *size > MAX_SIZE) {
        Some(&(field, size)) => {
            let reason = "must be at most 1048576";
            Err(Error::Config { field, value: size.to_string(), reason })
        }
        None => Ok(()),
    }
}
