//! Weights of 8 and 4 bits: blocks of inputs that share a scale.
//!
//! The formats are those of llama.cpp's `Q8_0` and `Q4_0`, symmetric around zero, with codes and scales in tensors of
//! their own: a row of weights, `[inputs]`, has a scale for every [`BLOCK`] inputs (the last block may be shorter), and
//! `inputs` codes of 8 bits, or half as many bytes of which each holds two codes, the lower bits first.

use half::f16;

/// Inputs that share a scale.
pub const BLOCK: usize = 32;

/// What a code of 4 bits is counted from.
const MIDDLE: f32 = 8.0;

/// The number of scales of a row.
#[must_use]
pub fn scales_per_row(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK)
}

/// The number of bytes of a row of 4-bit codes.
#[must_use]
pub fn bytes_per_row(inputs: usize) -> usize {
    inputs.div_ceil(2)
}

/// Codes and scales of a row of 8-bit weights. The largest of a block is met exactly, up to its scale's rounding.
#[inline(always)]
pub fn encode_q8(weights: &[f32], codes: &mut Vec<i8>, scales: &mut Vec<f16>) {
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

/// Codes and scales of a row of 4-bit weights. The largest of a block has the code 0, with the scale's sign against it,
/// so that all sixteen codes are used.
#[inline(always)]
pub fn encode_q4(weights: &[f32], codes: &mut Vec<u8>, scales: &mut Vec<f16>) {
    for block in weights.chunks(BLOCK) {
        let largest = block.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let scale = f16::from_f32(largest.unwrap_or(0.0) / -MIDDLE);
        let inverse = inverse_of(scale);
        let code = |weight: f32| (weight * inverse + MIDDLE).round().clamp(0.0, 15.0) as u8;
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

/// A row of 8-bit weights.
#[inline(always)]
pub fn decode_q8(codes: &[i8], scales: &[f16], weights: &mut [f32]) {
    let blocks = weights.chunks_mut(BLOCK).zip(codes.chunks(BLOCK));
    for ((weights, codes), scale) in blocks.zip(scales) {
        let scale = scale.to_f32();
        for (weight, &code) in weights.iter_mut().zip(codes) {
            *weight = f32::from(code) * scale;
        }
    }
}

/// A row of 4-bit weights.
#[inline(always)]
pub fn decode_q4(codes: &[u8], scales: &[f16], weights: &mut [f32]) {
    let blocks = weights.chunks_mut(BLOCK).zip(codes.chunks(BLOCK / 2));
    for ((weights, codes), scale) in blocks.zip(scales) {
        let scale = scale.to_f32();
        for (pair, &code) in weights.chunks_mut(2).zip(codes) {
            pair[0] = (f32::from(code & 15) - MIDDLE) * scale;
            if let Some(high) = pair.get_mut(1) {
                *high = (f32::from(code >> 4) - MIDDLE) * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of several magnitudes, some zero.
    fn weights(count: usize) -> Vec<f32> {
        let wave = |i: usize| (i as f32 * 0.7).sin() * 10f32.powi((i % 5) as i32 - 3);
        (0..count).map(|i| if i % 11 == 0 { 0.0 } else { wave(i) }).collect()
    }

    /// The largest error of a block of weights, in steps of its scale.
    fn worst(weights: &[f32], decoded: &[f32], steps: f32) -> f32 {
        let blocks = weights.chunks(BLOCK).zip(decoded.chunks(BLOCK));
        let errors = blocks.map(|(weights, decoded)| {
            let largest = weights.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
            let error = |(a, b): (&f32, &f32)| (a - b).abs();
            let worst = weights.iter().zip(decoded).map(error).fold(0.0f32, f32::max);
            if largest == 0.0 { worst } else { worst / (largest / steps) }
        });
        errors.fold(0.0, f32::max)
    }

    #[test]
    fn codes_are_off_by_half_a_step_at_most() {
        for inputs in [1, 2, 31, 32, 33, 64, 75, 432] {
            let weights = weights(inputs);
            let mut decoded = vec![f32::NAN; inputs];
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            encode_q8(&weights, &mut codes, &mut scales);
            assert_eq!((codes.len(), scales.len()), (inputs, scales_per_row(inputs)));
            decode_q8(&codes, &scales, &mut decoded);
            // Half a step, and what the rounding of the scale moves the farthest code by.
            assert!(worst(&weights, &decoded, 127.0) < 0.6, "{inputs}");

            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            encode_q4(&weights, &mut codes, &mut scales);
            assert_eq!(
                (codes.len(), scales.len()),
                (bytes_per_row(inputs), scales_per_row(inputs))
            );
            decode_q4(&codes, &scales, &mut decoded);
            // The code 16 that the opposite of the largest weight would need is not there.
            assert!(worst(&weights, &decoded, 8.0) < 1.01, "{inputs}");
        }
    }

    #[test]
    fn nothing_stays_nothing() {
        let (mut codes, mut scales, mut decoded) = (Vec::new(), Vec::new(), vec![1.0; 40]);
        encode_q4(&[0.0; 40], &mut codes, &mut scales);
        decode_q4(&codes, &scales, &mut decoded);
        assert_eq!(decoded, [0.0; 40]);
    }
}
