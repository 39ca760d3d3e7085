//! What the configurations of the networks share.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use vigc_core::kernels;
use vigc_core::nn::MAX_SIZE;

use crate::{Error, Result};

/// An activation function, named as in Hugging Face configurations.
///
/// A checkpoint that asks for another is refused rather than computed wrongly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HiddenAct {
    /// The exact GELU, by the error function.
    #[default]
    #[serde(rename = "gelu")]
    Gelu,
    /// `x * sigmoid(1.702 x)`, as OpenAI's CLIP has it.
    #[serde(rename = "quick_gelu")]
    QuickGelu,
}

impl HiddenAct {
    /// Applies the function to every number.
    #[must_use]
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => kernels::gelu(x),
            Self::QuickGelu => kernels::quick_gelu(x),
        }
    }
}

/// Fails unless `divisor` divides `value`.
pub(crate) fn check_divides(field: &'static str, value: usize, divisor: usize) -> Result<()> {
    if divisor != 0 && value != 0 && value.is_multiple_of(divisor) {
        return Ok(());
    }
    let value = format!("{value} over {divisor}");
    Err(Error::Config { field, value, reason: "must be a positive multiple" })
}

/// Fails unless an image holds at least one patch.
pub(crate) fn check_patches(patch_size: usize, image_size: usize) -> Result<()> {
    if patch_size != 0 && image_size >= patch_size {
        return Ok(());
    }
    let value = format!("{patch_size} with image_size {image_size}");
    let reason = "an image must hold at least one patch";
    Err(Error::Config { field: "patch_size", value, reason })
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
