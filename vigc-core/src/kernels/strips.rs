//! Packed weights as the CPU multiplies them: strips of sixteen outputs.
//!
//! A strip holds what sixteen outputs need of one input after the other, so one vector instruction serves all sixteen and
//! a strip is read from its first byte to its last. Every product is a chain of additions over the inputs in their order,
//! whatever the number of rows, strips and threads: **a row's result is the same bits in any company**.
//!
//! | format | unit | bytes of a unit |
//! |---|---|---|
//! | f16 | 1 input | 16 weights |
//! | bf16 | 2 inputs | 16 pairs of weights |
//! | 8 bits | 32 inputs | 8 times 16 groups of four codes, counted from 128, then 16 scales (f16) |
//! | 4 bits | 32 inputs | 4 times 16 groups of eight codes, counted from 8: the low halves of four bytes hold the first four, then 16 scales |
//!
//! `avx512` and `avx2` compute tiles with instructions that the compiler would not find, `portable` in loops.
//!
//! Activations are f32 for f32 and f16 weights, rounded to bf16 for bf16 weights, and to 8 bits with a scale for every 32
//! for the others, as the peers do it (oneDNN, llama.cpp).

mod activations;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod backend;
mod dense;
mod memory;
mod pack;
mod pages;
mod portable;
mod product;
#[cfg(test)]
mod tests;
mod tile;

pub(super) use backend::full_product;
#[cfg(feature = "train")]
pub(super) use backend::strips_gradient;
pub(super) use backend::strips_product;
pub(super) use dense::{attention, self_attention};
#[cfg(feature = "train")]
pub(super) use dense::{attention_gradients, self_attention_gradient};
pub(super) use memory::filled;
pub(crate) use pack::{Line, pack, unpack, unpack_all};
pub use pages::{PAGE, PagedRow, Pages};

use super::speed::Arithmetic;
use crate::nn::Precision;
use crate::nn::blocks::BLOCK;

/// Outputs of a strip: the lanes of the widest vectors.
const STRIP: usize = 16;

/// What the weights of strips are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    F16,
    Bf16,
    Q8,
    Q4,
}

impl Format {
    const ALL: [Self; 4] = [Self::F16, Self::Bf16, Self::Q8, Self::Q4];

    /// The format of a precision other than f32.
    pub(crate) fn of(precision: Precision) -> Option<Self> {
        match precision {
            Precision::F32 => None,
            Precision::F16 => Some(Self::F16),
            Precision::Bf16 => Some(Self::Bf16),
            Precision::Q8 => Some(Self::Q8),
            Precision::Q4 => Some(Self::Q4),
        }
    }

    /// Whether weights are numbers of 16 bits.
    pub(crate) fn is_half(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16)
    }

    /// The format whose units have that many bytes.
    pub(crate) fn of_unit(bytes: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.unit_bytes() == bytes)
    }

    /// Inputs that a unit covers.
    const fn unit_inputs(self) -> usize {
        match self {
            Self::F16 => 1,
            Self::Bf16 => 2,
            Self::Q8 | Self::Q4 => BLOCK,
        }
    }

    /// Bytes of a unit.
    const fn unit_bytes(self) -> usize {
        match self {
            Self::F16 => 2 * STRIP,
            Self::Bf16 => 4 * STRIP,
            Self::Q8 => (BLOCK + 2) * STRIP,
            Self::Q4 => (BLOCK / 2 + 2) * STRIP,
        }
    }

    /// Strips, units and bytes of the weights of a layer, `[outputs, inputs]`; both are rounded up.
    pub(crate) fn shape(self, [outputs, inputs]: [usize; 2]) -> [usize; 3] {
        [outputs.div_ceil(STRIP), inputs.div_ceil(self.unit_inputs()), self.unit_bytes()]
    }
}

/// An f16 as f32, in steps that a compiler vectorizes.
#[inline(always)]
fn half_to_full(bits: u16) -> f32 {
    /// What the two exponents are apart.
    const APART: f32 = f32::from_bits((127 + 112) << 23);
    let (sign, size) = (u32::from(bits >> 15) << 31, u32::from(bits & 0x7fff) << 13);
    let number = (f32::from_bits(size) * APART).to_bits();
    // Infinities, and what is no number.
    let special = if size >= 0x1f << 23 { 0xff << 23 } else { 0 };
    f32::from_bits(number | special | sign)
}

/// So many rounds of products in registers; the operations of a round, if this machine has instructions for them.
pub(super) fn peak(arithmetic: Arithmetic, rounds: usize) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    return avx512::peak(arithmetic, rounds).or_else(|| avx2::peak(arithmetic, rounds));
    #[cfg(not(target_arch = "x86_64"))]
    None.filter(|_: &usize| arithmetic == Arithmetic::F32 && rounds == 0)
}
