//! Activations in the form that a kernel reads.

use std::borrow::Cow;

use pulp::Arch;
use pulp::bytemuck::{cast_slice, cast_slice_mut};
use rayon::prelude::*;

use super::tile::Kernel;
use crate::quantization::BLOCK;

/// Activations per task.
const TASK: usize = 1 << 15;

/// Activations, row by row.
#[derive(Debug)]
pub(super) struct Activations<'a> {
    /// Words of 32 bits: one f32, two bf16, or four codes of 8 bits.
    pub(super) words: Cow<'a, [u32]>,
    /// Words of a row.
    pub(super) row: usize,
    /// A scale for every block of 8-bit codes.
    pub(super) scales: Vec<f32>,
    /// What the zero point of the weights adds to the sum of every block, negated.
    pub(super) corrections: Vec<i32>,
    /// Blocks of a row.
    pub(super) blocks: usize,
}

impl<'a> Activations<'a> {
    /// Prepares rows of `inputs` numbers.
    pub(super) fn new(kernel: Kernel, x: &'a [f32], inputs: usize) -> Self {
        match kernel {
            Kernel::F32 | Kernel::F16 => Self {
                words: Cow::Borrowed(cast_slice(x)),
                row: inputs,
                scales: Vec::new(),
                corrections: Vec::new(),
                blocks: 0,
            },
            Kernel::Bf16 => Self::pairs(x, inputs),
            Kernel::Q8 | Kernel::Unpacked { zero_point: 128 } => Self::codes(x, inputs, 128),
            Kernel::Q4 | Kernel::Unpacked { .. } => Self::codes(x, inputs, 8),
        }
    }

    /// Numbers rounded to bf16 and stored as f32. Rows are padded to an even number.
    pub(super) fn rounded(x: &[f32], inputs: usize) -> Self {
        let row = inputs.next_multiple_of(2);
        let pairs = Self::pairs(x, inputs);
        let mut words = vec![0u32; pairs.words.len() * 2];
        words.par_chunks_mut(2 * TASK).zip(pairs.words.par_chunks(TASK)).for_each(|(to, pairs)| {
            for (to, &pair) in to.as_chunks_mut().0.iter_mut().zip(pairs) {
                *to = [pair << 16, pair & 0xffff_0000];
            }
        });
        Self { words: Cow::Owned(words), row, ..pairs }
    }

    fn pairs(x: &[f32], inputs: usize) -> Self {
        let (rows, row) = (x.len() / inputs, inputs.div_ceil(2));
        let mut words = vec![0u32; rows * row];
        let per_task = (TASK / inputs).max(1);
        let tasks = words.par_chunks_mut(per_task * row).zip(x.par_chunks(per_task * inputs));
        let task = |(words, x): (&mut [u32], &[f32])| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (words, x) in words.chunks_exact_mut(row).zip(x.chunks_exact(inputs)) {
                        let halves: &mut [u16] = cast_slice_mut(words);
                        for (half, x) in halves.iter_mut().zip(x) {
                            *half = bf16(*x);
                        }
                    }
                },
            );
        };
        tasks.for_each(task);
        Self {
            words: Cow::Owned(words),
            row,
            scales: Vec::new(),
            corrections: Vec::new(),
            blocks: 0,
        }
    }

    fn codes(x: &[f32], inputs: usize, zero_point: i32) -> Self {
        let (rows, blocks) = (x.len() / inputs, inputs.div_ceil(BLOCK));
        let row = blocks * BLOCK / 4;
        let mut words = vec![0u32; rows * row];
        let (mut scales, mut corrections) = (vec![0.0; rows * blocks], vec![0; rows * blocks]);
        let per_task = (TASK / inputs).max(1);
        let tasks = words
            .par_chunks_mut(per_task * row)
            .zip(x.par_chunks(per_task * inputs))
            .zip(scales.par_chunks_mut(per_task * blocks))
            .zip(corrections.par_chunks_mut(per_task * blocks));
        tasks.for_each(|(((words, x), scales), corrections)| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    let rows = words.chunks_exact_mut(row).zip(x.chunks_exact(inputs));
                    let of_blocks =
                        scales.chunks_exact_mut(blocks).zip(corrections.chunks_exact_mut(blocks));
                    for ((words, x), (scales, corrections)) in rows.zip(of_blocks) {
                        let codes: &mut [i8] = cast_slice_mut(words);
                        let parts = codes.chunks_exact_mut(BLOCK).zip(x.chunks(BLOCK));
                        for (((codes, x), scale), correction) in parts.zip(scales).zip(corrections)
                        {
                            let mut block = [0.0; BLOCK];
                            block[..x.len()].copy_from_slice(x);
                            let sum;
                            (*scale, sum) = quantize(&block, codes);
                            *correction = -zero_point * sum;
                        }
                    }
                },
            );
        });
        Self { words: Cow::Owned(words), row, scales, corrections, blocks }
    }
}

/// The nearest bf16; ties go to the even one, and NaN stays NaN.
#[inline(always)]
fn bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    let quiet = bits >> 16 | 0x40;
    (if bits & 0x7fff_ffff > 0x7f80_0000 { quiet } else { rounded }) as u16
}

/// Quantizes a block to 8 bits; returns the scale and the sum of the codes. The scale is not finite if a number is not.
#[inline(always)]
fn quantize(x: &[f32; BLOCK], codes: &mut [i8]) -> (f32, i32) {
    /// Adding this to a number leaves the nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let mut largest = [0.0f32; 16];
    let mut check = [0.0f32; 16];
    for (i, &x) in x.iter().enumerate() {
        let lane = &mut largest[i % 16];
        *lane = if x.abs() > *lane { x.abs() } else { *lane };
        check[i % 16] += x * 0.0;
    }
    let largest = largest.into_iter().fold(0.0f32, f32::max);
    let check: f32 = check.into_iter().sum();
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    // The inverse of a very small number is infinite.
    let inverse = if inverse < f32::MAX { inverse } else { 0.0 };
    let mut sum = 0;
    for (code, &x) in codes.iter_mut().zip(x) {
        let rounded = (x * inverse + ROUND).to_bits().wrapping_sub(ROUND.to_bits()) as i32;
        *code = rounded as i8;
        sum += i32::from(rounded as i8);
    }
    (largest / 127.0 + check, sum)
}
