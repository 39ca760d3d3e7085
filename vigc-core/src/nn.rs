//! Tensor pieces that several models need: masks, positions, a layer norm and a linear layer.

mod layer_norm;
mod linear;
mod mask;

pub use layer_norm::LayerNorm;
pub(crate) use linear::PACKED_TYPES;
pub use linear::{Linear, LinearConfig, LowRankUpdate};
pub use mask::{forbid_padding, positions};

pub use crate::quantization::{ParsePrecisionError, Precision};

/// The largest width, count or side that the configuration of a model may name.
///
/// Published models stay far below it, and products of up to three such sizes fit into a `usize`.
pub const MAX_SIZE: usize = 1 << 20;
