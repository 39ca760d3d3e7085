//! Tensor pieces that more than one model needs: masks, positions, and a linear layer that hides what
//! its weights are stored in.

pub mod blocks;
mod linear;
mod mask;
mod precision;

pub use linear::{Linear, LinearConfig, PackedWeight};
pub use mask::{forbid_padding, positions};
pub use precision::{ParsePrecisionError, Precision};
