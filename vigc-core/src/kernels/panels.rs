//! Packed weights in the order in which the CPU multiplies them: panels of sixteen outputs.
//!
//! A panel holds the weights of sixteen outputs, one input after the other. One vector instruction serves all sixteen
//! outputs, and a panel is read from its first byte to its last. Every product is a chain of additions over the inputs
//! in their order, whatever the number of rows, panels and threads. A row's result is therefore **bitwise independent
//! of the other rows**.
//!
//! A unit is the smallest number of inputs whose weights lie together:
//!
//! | format | unit | bytes of a unit |
//! |---|---|---|
//! | f16 | 1 input | 16 weights |
//! | bf16 | 2 inputs | 16 pairs of weights |
//! | 8 bits | 32 inputs | 8 × 16 groups of four codes with the zero point 128, then 16 scales (f16) |
//! | 4 bits | 32 inputs | 4 × 16 groups of eight codes with the zero point 8, then 16 scales (f16); the lower halves of four bytes hold the first four codes of a group |
//!
//! Activations are f32 for f32 and f16 weights. They are rounded to bf16 for bf16 weights, and to 8 bits with a scale for
//! every 32 inputs for quantized weights, as oneDNN and llama.cpp do it.
//!
//! | file | what it holds |
//! |---|---|
//! | `format`, `pack` | the layout, and weights to panels and back |
//! | `tile` | a few rows times a few panels: what a kernel computes |
//! | `portable`, `avx2`, `avx512` | kernels: loops, and instructions that the compiler would not find |
//! | `isa` | the choice of a kernel |
//! | `activations`, `weights`, `product` | whole products, split over tiles and threads |
//! | `attention` | attention whose keys are panels |

mod activations;
pub(super) mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod format;
mod isa;
mod pack;
mod portable;
mod product;
#[cfg(test)]
mod tests;
mod tile;
mod weights;

pub(crate) use format::Format;
pub(crate) use pack::{PackedRow, dequantize, pack, unpack};
#[cfg(feature = "train")]
pub(super) use product::panels_gradient;
pub(super) use product::{full_product, panels_product};
