//! Tensor pieces that more than one model needs: masks, positions, a norm, and a linear layer that hides
//! what its weights are stored in.

pub mod blocks;
mod layer_norm;
mod linear;
mod low_rank;
mod mask;
mod precision;

pub use layer_norm::LayerNorm;
pub use linear::{Linear, LinearConfig, PackedWeight};
pub use low_rank::LowRankUpdate;
pub use mask::{forbid_padding, positions};
pub use precision::{ParsePrecisionError, Precision};
