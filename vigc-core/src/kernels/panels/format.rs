//! The layout of weights in panels.

use crate::quantization::{BLOCK, Precision};

/// The number of outputs of a panel: the lanes of the widest vectors.
pub(super) const PANEL: usize = 16;

/// What the weights of panels are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    F16,
    Bf16,
    Q8,
    Q4,
}

impl Format {
    pub(super) const ALL: [Self; 4] = [Self::F16, Self::Bf16, Self::Q8, Self::Q4];

    /// The format of a precision; f32 has none.
    pub(crate) fn of(precision: Precision) -> Option<Self> {
        match precision {
            Precision::F32 => None,
            Precision::F16 => Some(Self::F16),
            Precision::Bf16 => Some(Self::Bf16),
            Precision::Q8 => Some(Self::Q8),
            Precision::Q4 => Some(Self::Q4),
        }
    }

    /// Whether weights are 16-bit floating-point numbers.
    pub(crate) fn is_half(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16)
    }

    /// The format whose units have that many bytes.
    pub(crate) fn of_unit(bytes: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.unit_bytes() == bytes)
    }

    /// The number of inputs of a unit.
    pub(super) const fn unit_inputs(self) -> usize {
        match self {
            Self::F16 => 1,
            Self::Bf16 => 2,
            Self::Q8 | Self::Q4 => BLOCK,
        }
    }

    /// The number of bytes of a unit.
    pub(super) const fn unit_bytes(self) -> usize {
        match self {
            Self::F16 => 2 * PANEL,
            Self::Bf16 => 4 * PANEL,
            Self::Q8 => (BLOCK + 2) * PANEL,
            Self::Q4 => (BLOCK / 2 + 2) * PANEL,
        }
    }

    /// Panels, units and bytes of a unit for the weights of a layer, `[outputs, inputs]`. Both are rounded up.
    pub(crate) fn shape(self, [outputs, inputs]: [usize; 2]) -> [usize; 3] {
        [outputs.div_ceil(PANEL), inputs.div_ceil(self.unit_inputs()), self.unit_bytes()]
    }

    /// The number of bytes of a panel.
    pub(super) fn panel_bytes(self, inputs: usize) -> usize {
        inputs.div_ceil(self.unit_inputs()) * self.unit_bytes()
    }

    /// The code of a weight of 0.
    pub(super) const fn zero_point(self) -> u16 {
        match self {
            Self::F16 | Self::Bf16 => 0,
            Self::Q8 => 128,
            Self::Q4 => 8,
        }
    }
}

/// Converts f16 to f32, in steps that a compiler vectorizes.
#[inline(always)]
pub(super) fn f16_to_f32(bits: u16) -> f32 {
    /// The difference between the two exponent biases.
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    let (sign, size) = (u32::from(bits >> 15) << 31, u32::from(bits & 0x7fff) << 13);
    let number = (f32::from_bits(size) * REBIAS).to_bits();
    // Infinities and NaN.
    let special = if size >= 0x1f << 23 { 0xff << 23 } else { 0 };
    f32::from_bits(number | special | sign)
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn conversion_of_f16_is_exact() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (f16_to_f32(bits), f16::from_bits(bits).to_f32());
            let same =
                found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
            assert!(same, "{bits:#x}: {found} for {expected}");
        }
    }
}
