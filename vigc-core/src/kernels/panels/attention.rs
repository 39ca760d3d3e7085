//! Attention whose keys are panels: over whole tensors with gradients, and over a cache in pages.

mod forward;
#[cfg(feature = "train")]
mod gradient;
mod heads;
mod mask;
mod paged;

pub(in crate::kernels) use forward::{attention, self_attention};
#[cfg(feature = "train")]
pub(in crate::kernels) use gradient::{attention_gradients, self_attention_gradient};
pub use paged::{PAGE, PagedKeyValues, PagedRow};
