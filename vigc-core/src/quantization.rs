//! What weights are stored in: [`Precision`], and the block formats of 8 and 4 bits.
//!
//! The block formats are those of llama.cpp's `Q8_0` and `Q4_0`, with codes and scales in separate tensors. A row of
//! weights, `[inputs]`, has one scale (f16) for every [`BLOCK`] inputs; the last block may be shorter. Its codes take
//! one byte per input in 8 bits. In 4 bits a byte holds the codes of two inputs, the first one in its lower half. A
//! weight is its code, counted from 0 (8 bits, signed) or from 8 (4 bits), times its block's scale.

use std::fmt;
use std::str::FromStr;

use burn::tensor::DType;
use half::f16;
use serde::{Deserialize, Serialize};

/// The storage type of the weights of linear layers. Everything is computed in f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits per weight; the only precision that can be trained.
    #[default]
    F32,
    /// 16 bits per weight, with 11 significant bits.
    F16,
    /// 16 bits per weight, with 8 significant bits and the range of f32.
    Bf16,
    /// 8 bits per weight, and a scale for every [`BLOCK`] inputs.
    Q8,
    /// 4 bits per weight, and a scale for every [`BLOCK`] inputs.
    Q4,
}

impl Precision {
    /// Every precision, from the most to the least exact.
    pub const ALL: [Self; 5] = [Self::F32, Self::F16, Self::Bf16, Self::Q8, Self::Q4];

    /// The name in settings and on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Q8 => "q8",
            Self::Q4 => "q4",
        }
    }

    /// The type of embedding tables in a model of this precision. Tables are looked up and never multiplied, so they
    /// are bf16 where the linear layers have blocks.
    #[must_use]
    pub fn table_dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 | Self::Q8 | Self::Q4 => DType::BF16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of a [`Precision`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision {name:?}, expected f32, f16, bf16, q8 or q4")]
pub struct ParsePrecisionError {
    name: String,
}

impl FromStr for Precision {
    type Err = ParsePrecisionError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|precision| precision.name() == name);
        found.ok_or_else(|| ParsePrecisionError { name: name.to_owned() })
    }
}

/// The number of inputs that share a scale.
pub const BLOCK: usize = 32;

/// The 4-bit code of a weight of 0.
const Q4_ZERO_POINT: f32 = 8.0;

/// The number of scales of a row.
#[must_use]
pub(crate) fn scales_per_row(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK)
}

/// The number of bytes of a row of 4-bit codes.
#[must_use]
pub(crate) fn q4_bytes_per_row(inputs: usize) -> usize {
    inputs.div_ceil(2)
}

/// Appends the 8-bit codes and the scales of a row of weights. The largest weight of a block is exact up to the
/// rounding of the scale.
#[inline(always)]
pub(crate) fn quantize_q8(weights: &[f32], codes: &mut Vec<i8>, scales: &mut Vec<f16>) {
    for block in weights.chunks(BLOCK) {
        let largest = block.iter().fold(0.0f32, |largest, weight| largest.max(weight.abs()));
        let scale = f16::from_f32(largest / 127.0);
        let inverse = inverse_of(scale);
        codes.extend(
            block.iter().map(|weight| (weight * inverse).round().clamp(-127.0, 127.0) as i8),
        );
        scales.push(scale);
    }
}

/// Appends the 4-bit codes and the scales of a row of weights. The largest weight of a block gets the code 0 and the
/// scale the opposite sign, so that all sixteen codes are used.
#[inline(always)]
pub(crate) fn quantize_q4(weights: &[f32], codes: &mut Vec<u8>, scales: &mut Vec<f16>) {
    for block in weights.chunks(BLOCK) {
        let largest = block.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let scale = f16::from_f32(largest.unwrap_or(0.0) / -Q4_ZERO_POINT);
        let inverse = inverse_of(scale);
        let code = |weight: f32| (weight * inverse + Q4_ZERO_POINT).round().clamp(0.0, 15.0) as u8;
        codes.extend(block.chunks(2).map(|pair| {
            let high = pair.get(1).map_or(0, |&weight| code(weight));
            code(pair[0]) | high << 4
        }));
        scales.push(scale);
    }
}

#[inline(always)]
fn inverse_of(scale: f16) -> f32 {
    let scale = scale.to_f32();
    if scale == 0.0 { 0.0 } else { scale.recip() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        let error = "int8".parse::<Precision>().unwrap_err().to_string();
        assert!(error.contains("\"int8\"") && error.contains("q8"), "{error}");
    }

    /// Weights of several magnitudes, some of them zero.
    fn weights(count: usize) -> Vec<f32> {
        let wave = |i: usize| (i as f32 * 0.7).sin() * 10f32.powi((i % 5) as i32 - 3);
        (0..count).map(|i| if i % 11 == 0 { 0.0 } else { wave(i) }).collect()
    }

    fn dequantize(codes: impl Iterator<Item = f32>, scales: &[f16]) -> Vec<f32> {
        codes.enumerate().map(|(input, code)| code * scales[input / BLOCK].to_f32()).collect()
    }

    fn through_q8(weights: &[f32]) -> Vec<f32> {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        quantize_q8(weights, &mut codes, &mut scales);
        assert_eq!((codes.len(), scales.len()), (weights.len(), scales_per_row(weights.len())));
        dequantize(codes.into_iter().map(f32::from), &scales)
    }

    fn through_q4(weights: &[f32]) -> Vec<f32> {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        quantize_q4(weights, &mut codes, &mut scales);
        let expected = (q4_bytes_per_row(weights.len()), scales_per_row(weights.len()));
        assert_eq!((codes.len(), scales.len()), expected);
        let codes = codes.into_iter().flat_map(|pair| [pair & 15, pair >> 4]).take(weights.len());
        dequantize(codes.map(|code| f32::from(code) - Q4_ZERO_POINT), &scales)
    }

    /// The largest error of a block of weights, in steps of its scale.
    fn worst(weights: &[f32], stored: &[f32], steps: f32) -> f32 {
        let blocks = weights.chunks(BLOCK).zip(stored.chunks(BLOCK));
        let errors = blocks.map(|(weights, stored)| {
            let largest = weights.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
            let error = |(a, b): (&f32, &f32)| (a - b).abs();
            let worst = weights.iter().zip(stored).map(error).fold(0.0f32, f32::max);
            if largest == 0.0 { worst } else { worst / (largest / steps) }
        });
        errors.fold(0.0, f32::max)
    }

    #[test]
    fn codes_are_off_by_half_a_step_at_most() {
        for inputs in [1, 2, 31, 32, 33, 64, 75, 432] {
            let weights = weights(inputs);
            // Half a step, and the effect of the scale's rounding on the largest code.
            assert!(worst(&weights, &through_q8(&weights), 127.0) < 0.6, "{inputs}");
            // The weight opposite to the largest one would need the code 16, which does not exist.
            assert!(worst(&weights, &through_q4(&weights), 8.0) < 1.01, "{inputs}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        assert_eq!(through_q8(&[0.0; 40]), [0.0; 40]);
        assert_eq!(through_q4(&[0.0; 40]), [0.0; 40]);
    }
}
