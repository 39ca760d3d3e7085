//! Tiles in loops that the compiler vectorizes.

use super::format::{PANEL, f16_to_f32};
use super::tile::{Kernel, Tile};
use crate::quantization::BLOCK;

/// The sums of a panel, one for each output.
type Lanes = [f32; PANEL];

/// Computes a tile.
#[inline(always)]
pub(super) fn run(tile: &mut Tile<'_>, kernel: Kernel) {
    for row in 0..tile.rows {
        for panel in 0..tile.panels {
            let at = row * tile.sums_row + panel * PANEL;
            let mut sums: Lanes = [0.0; PANEL];
            sums.copy_from_slice(&tile.sums[at..at + PANEL]);
            let x = &tile.x[row * tile.x_row..];
            for unit in 0..tile.units {
                let w = &tile.w[panel * tile.w_panel + unit * tile.w_unit..];
                let w = &w[..kernel.unit_bytes()];
                match kernel {
                    Kernel::F32 => full(&mut sums, f32::from_bits(x[unit]), w),
                    Kernel::F16 => half(&mut sums, f32::from_bits(x[unit]), w),
                    Kernel::Bf16 => pair(&mut sums, x[unit], w),
                    Kernel::Q8 | Kernel::Q4 | Kernel::Unpacked { .. } => {
                        let words = &x[unit * BLOCK / 4..(unit + 1) * BLOCK / 4];
                        let block = row * tile.x_blocks + unit;
                        let mut dots = [tile.x_corrections[block]; PANEL];
                        let bytes = if kernel == Kernel::Q4 {
                            nibbles(&mut dots, words, &w[..BLOCK / 2 * PANEL]);
                            BLOCK / 2 * PANEL
                        } else {
                            bytes(&mut dots, words, &w[..BLOCK * PANEL]);
                            BLOCK * PANEL
                        };
                        let mut scales: Lanes = [0.0; PANEL];
                        if matches!(kernel, Kernel::Unpacked { .. }) {
                            let at = panel * tile.w_panel / BLOCK + unit * PANEL;
                            scales.copy_from_slice(&tile.w_scales[at..at + PANEL]);
                        } else {
                            for (scale, &bits) in scales.iter_mut().zip(w[bytes..].as_chunks().0) {
                                *scale = f16_to_f32(u16::from_le_bytes(bits));
                            }
                        }
                        for lane in 0..PANEL {
                            sums[lane] += dots[lane] as f32 * tile.x_scales[block] * scales[lane];
                        }
                    }
                }
            }
            tile.sums[at..at + PANEL].copy_from_slice(&sums);
        }
    }
}

#[inline(always)]
fn full(sums: &mut Lanes, x: f32, w: &[u8]) {
    for (sum, &w) in sums.iter_mut().zip(w.as_chunks().0) {
        *sum += x * f32::from_le_bytes(w);
    }
}

#[inline(always)]
fn half(sums: &mut Lanes, x: f32, w: &[u8]) {
    for (sum, &w) in sums.iter_mut().zip(w.as_chunks().0) {
        *sum += x * f16_to_f32(u16::from_le_bytes(w));
    }
}

/// Products of bf16 are exact in f32, so only the order of the additions matters.
#[inline(always)]
fn pair(sums: &mut Lanes, x: u32, w: &[u8]) {
    let low = |word: u32| f32::from_bits(word << 16);
    let high = |word: u32| f32::from_bits(word & 0xffff_0000);
    for (sum, &w) in sums.iter_mut().zip(w.as_chunks().0) {
        let w = u32::from_le_bytes(w);
        *sum += low(x) * low(w);
        *sum += high(x) * high(w);
    }
}

#[inline(always)]
fn bytes(dots: &mut [i32; PANEL], words: &[u32], w: &[u8]) {
    for (word, group) in words.iter().zip(w.as_chunks::<{ 4 * PANEL }>().0) {
        let x = word.to_le_bytes().map(|x| i32::from(x.cast_signed()));
        for (dot, w) in dots.iter_mut().zip(group.as_chunks::<4>().0) {
            for i in 0..4 {
                *dot += x[i] * i32::from(w[i]);
            }
        }
    }
}

#[inline(always)]
fn nibbles(dots: &mut [i32; PANEL], words: &[u32], w: &[u8]) {
    for (pair, group) in words.chunks_exact(2).zip(w.as_chunks::<{ 4 * PANEL }>().0) {
        let [low, high] =
            [pair[0], pair[1]].map(|word| word.to_le_bytes().map(|x| i32::from(x.cast_signed())));
        for (dot, w) in dots.iter_mut().zip(group.as_chunks::<4>().0) {
            for i in 0..4 {
                *dot += low[i] * i32::from(w[i] & 15) + high[i] * i32::from(w[i] >> 4);
            }
        }
    }
}
