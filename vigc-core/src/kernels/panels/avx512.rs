//! Tiles with AVX-512. One instruction multiplies pairs of bf16, or groups of four bytes, for sixteen outputs.
//!
//! This file holds most of the workspace's unsafe code. The rest is one line of `product.rs` and calls of functions with CPU
//! features in `avx2.rs` and `speed/x86.rs`. The invariants here:
//!
//! - A kernel is called only if [`is_supported`] found its instructions; [`run`] asserts that.
//! - A kernel reads and writes only what [`Tile::check`] has checked the slices for: `units` units of `panels` panels,
//!   `rows` rows of as many words and blocks, and `rows` rows of sums of `panels` panels. All indices below are products of
//!   counters below these bounds and the strides that were checked with them.
//! - All loads and stores are unaligned, and any bits are a valid value of the vector types.
#![allow(
    unsafe_code,
    reason = "loads and stores through pointers, and calls of functions with CPU features"
)]

use std::arch::x86_64::{
    __m256i, __m512, __m512bh, __m512i, _MM_HINT_T0, _MM_HINT_T1, _mm_prefetch, _mm256_loadu_si256,
    _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_cvtph_ps, _mm512_dpbf16_ps, _mm512_dpbusd_epi32,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_srli_epi16,
    _mm512_storeu_ps,
};
use std::mem::transmute;

use super::format::PANEL;
use super::tile::{Kernel, Tile};
use crate::quantization::BLOCK;

/// Groups of four inputs in a block.
const GROUPS: usize = BLOCK / 4;
/// How many bytes ahead weights are prefetched for a few rows. A single row is slower with it, and the weights of many rows are
/// in the cache.
const AHEAD: usize = 2048;
/// Bytes of a vector.
const VECTOR: usize = 64;

/// Whether this machine has the instructions of a kernel.
pub(super) fn is_supported(kernel: Kernel) -> bool {
    let basic = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    basic
        && match kernel {
            Kernel::F32 | Kernel::F16 => true,
            Kernel::Bf16 => is_x86_feature_detected!("avx512bf16"),
            Kernel::Q8 | Kernel::Q4 | Kernel::Unpacked { .. } => {
                is_x86_feature_detected!("avx512vnni")
            }
        }
}

/// Computes a tile whose slices have been checked.
pub(super) fn run(tile: &mut Tile<'_>, kernel: Kernel) {
    assert!(is_supported(kernel), "this machine lacks the instructions of {kernel:?}");
    if tile.units == 0 {
        return;
    }
    // SAFETY: the features were just detected, `Isa::run` checked the slices, and the constants are the tile's.
    unsafe {
        match (tile.rows, tile.panels) {
            (1, 1) => sized::<1, 1>(tile, kernel),
            (1, 2) => sized::<1, 2>(tile, kernel),
            (1, 4) => sized::<1, 4>(tile, kernel),
            (2, 1) => sized::<2, 1>(tile, kernel),
            (2, 2) => sized::<2, 2>(tile, kernel),
            (2, 4) => sized::<2, 4>(tile, kernel),
            (3, 1) => sized::<3, 1>(tile, kernel),
            (3, 2) => sized::<3, 2>(tile, kernel),
            (3, 4) => sized::<3, 4>(tile, kernel),
            (4, 1) => sized::<4, 1>(tile, kernel),
            (4, 2) => sized::<4, 2>(tile, kernel),
            (4, 4) => sized::<4, 4>(tile, kernel),
            (5, 1) => sized::<5, 1>(tile, kernel),
            (5, 2) => sized::<5, 2>(tile, kernel),
            (5, 4) => sized::<5, 4>(tile, kernel),
            (6, 1) => sized::<6, 1>(tile, kernel),
            (6, 2) => sized::<6, 2>(tile, kernel),
            (6, 4) => sized::<6, 4>(tile, kernel),
            _ => unreachable!("a tile has at most six rows, and one, two or four panels"),
        }
    }
}

unsafe fn sized<const R: usize, const S: usize>(tile: &mut Tile<'_>, kernel: Kernel) {
    // SAFETY: as the caller's.
    unsafe {
        match kernel {
            Kernel::F32 => numbers::<R, S, false>(tile),
            Kernel::F16 => numbers::<R, S, true>(tile),
            Kernel::Bf16 => pairs::<R, S>(tile),
            Kernel::Q8 => bytes::<R, S, false>(tile),
            Kernel::Unpacked { .. } => bytes::<R, S, true>(tile),
            Kernel::Q4 => nibbles::<R, S>(tile),
        }
    }
}

type Sums<const R: usize, const S: usize> = [[__m512; S]; R];

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load_sums<const R: usize, const S: usize>(tile: &Tile<'_>) -> Sums<R, S> {
    let mut sums = [[_mm512_setzero_ps(); S]; R];
    for (r, row) in sums.iter_mut().enumerate() {
        for (s, sum) in row.iter_mut().enumerate() {
            // SAFETY: in the bounds of the sums, see above.
            *sum =
                unsafe { _mm512_loadu_ps(tile.sums.as_ptr().add(r * tile.sums_row + s * PANEL)) };
        }
    }
    sums
}

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn store_sums<const R: usize, const S: usize>(sums: &Sums<R, S>, tile: &mut Tile<'_>) {
    for (r, row) in sums.iter().enumerate() {
        for (s, &sum) in row.iter().enumerate() {
            // SAFETY: in the bounds of the sums, see above.
            unsafe {
                _mm512_storeu_ps(tile.sums.as_mut_ptr().add(r * tile.sums_row + s * PANEL), sum);
            }
        }
    }
}

/// Multiplies floating-point weights, f16 or f32.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn numbers<const R: usize, const S: usize, const HALF: bool>(tile: &mut Tile<'_>) {
    // SAFETY: in the bounds of the tile, see above.
    unsafe {
        let mut sums = load_sums::<R, S>(tile);
        let (x, w) = (tile.x.as_ptr(), tile.w.as_ptr());
        for unit in 0..tile.units {
            let mut weights = [_mm512_setzero_ps(); S];
            for (s, weights) in weights.iter_mut().enumerate() {
                let at = w.add(s * tile.w_panel + unit * tile.w_unit);
                *weights = if HALF { halves(at) } else { _mm512_loadu_ps(at.cast()) };
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = _mm512_set1_ps(f32::from_bits(*x.add(r * tile.x_row + unit)));
                for (sum, &weights) in sums.iter_mut().zip(&weights) {
                    *sum = _mm512_fmadd_ps(weights, x, *sum);
                }
            }
        }
        store_sums(&sums, tile);
    }
}

/// Sixteen f16 as f32.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn halves(at: *const u8) -> __m512 {
    // SAFETY: the caller has checked 32 bytes.
    _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(at.cast::<__m256i>()) })
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pairs<const R: usize, const S: usize>(tile: &mut Tile<'_>) {
    // SAFETY: in the bounds of the tile, see above; vectors of bf16 are bits like any other.
    unsafe {
        let mut sums = load_sums::<R, S>(tile);
        let (x, w) = (tile.x.as_ptr(), tile.w.as_ptr());
        for unit in 0..tile.units {
            let mut weights = [_mm512_setzero_si512(); S];
            for (s, weights) in weights.iter_mut().enumerate() {
                *weights = load(w.add(s * tile.w_panel + unit * VECTOR));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = _mm512_set1_epi32(x.add(r * tile.x_row + unit).read().cast_signed());
                for (sum, &weights) in sums.iter_mut().zip(&weights) {
                    *sum = _mm512_dpbf16_ps(*sum, halves_of(weights), halves_of(x));
                }
            }
        }
        store_sums(&sums, tile);
    }
}

/// Reinterprets bits as pairs of bf16.
#[target_feature(enable = "avx512f")]
#[inline]
fn halves_of(bits: __m512i) -> __m512bh {
    // SAFETY: both are 64 bytes of which any bits are a value.
    unsafe { transmute::<__m512i, __m512bh>(bits) }
}

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load(at: *const u8) -> __m512i {
    // SAFETY: the caller has checked 64 bytes.
    unsafe { _mm512_loadu_si512(at.cast()) }
}

/// Dot products of a block, set to the corrections of its activations.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn corrections<const R: usize, const S: usize>(
    tile: &Tile<'_>,
    unit: usize,
) -> [[__m512i; S]; R] {
    let mut dots = [[_mm512_setzero_si512(); S]; R];
    for (r, dots) in dots.iter_mut().enumerate() {
        // SAFETY: in the bounds of the blocks, see above.
        let correction = unsafe { *tile.x_corrections.as_ptr().add(r * tile.x_blocks + unit) };
        *dots = [_mm512_set1_epi32(correction); S];
    }
    dots
}

/// Adds the dot products of a block, scaled, to the sums.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn add_block<const R: usize, const S: usize>(
    sums: &mut Sums<R, S>,
    dots: &[[__m512i; S]; R],
    scales: &[__m512; S],
    tile: &Tile<'_>,
    unit: usize,
) {
    for (r, (sums, dots)) in sums.iter_mut().zip(dots).enumerate() {
        // SAFETY: in the bounds of the blocks, see above.
        let x = _mm512_set1_ps(unsafe { *tile.x_scales.as_ptr().add(r * tile.x_blocks + unit) });
        for ((sum, &dot), &scale) in sums.iter_mut().zip(dots).zip(scales) {
            let dot = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), x);
            *sum = _mm512_fmadd_ps(dot, scale, *sum);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn bytes<const R: usize, const S: usize, const UNPACKED: bool>(tile: &mut Tile<'_>) {
    // SAFETY: in the bounds of the tile, see above.
    unsafe {
        let mut sums = load_sums::<R, S>(tile);
        let (x, w) = (tile.x.as_ptr(), tile.w.as_ptr());
        for unit in 0..tile.units {
            let mut dots = corrections::<R, S>(tile, unit);
            for group in 0..GROUPS {
                let mut weights = [_mm512_setzero_si512(); S];
                for (s, weights) in weights.iter_mut().enumerate() {
                    *weights = load(w.add(s * tile.w_panel + unit * tile.w_unit + group * VECTOR));
                }
                for (r, dots) in dots.iter_mut().enumerate() {
                    let word = *x.add(r * tile.x_row + unit * GROUPS + group);
                    let x = _mm512_set1_epi32(word.cast_signed());
                    for (dot, &weights) in dots.iter_mut().zip(&weights) {
                        *dot = _mm512_dpbusd_epi32(*dot, weights, x);
                    }
                }
            }
            let mut scales = [_mm512_setzero_ps(); S];
            for (s, scales) in scales.iter_mut().enumerate() {
                *scales = if UNPACKED {
                    let at = s * (tile.w_panel / BLOCK) + unit * PANEL;
                    _mm512_loadu_ps(tile.w_scales.as_ptr().add(at))
                } else {
                    halves(w.add(s * tile.w_panel + unit * tile.w_unit + GROUPS * VECTOR))
                };
            }
            add_block(&mut sums, &dots, &scales, tile, unit);
        }
        store_sums(&sums, tile);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn nibbles<const R: usize, const S: usize>(tile: &mut Tile<'_>) {
    // SAFETY: in the bounds of the tile, see above.
    unsafe {
        let mut sums = load_sums::<R, S>(tile);
        let (x, w) = (tile.x.as_ptr(), tile.w.as_ptr());
        let low_half = _mm512_set1_epi8(15);
        for unit in 0..tile.units {
            let mut dots = corrections::<R, S>(tile, unit);
            for group in 0..GROUPS / 2 {
                let mut weights = [[_mm512_setzero_si512(); 2]; S];
                for (s, [low, high]) in weights.iter_mut().enumerate() {
                    let at = w.add(s * tile.w_panel + unit * tile.w_unit + group * VECTOR);
                    if R > 3 {
                        _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(AHEAD).cast());
                    }
                    let both = load(at);
                    *low = _mm512_and_si512(both, low_half);
                    *high = _mm512_and_si512(_mm512_srli_epi16::<4>(both), low_half);
                }
                for (r, dots) in dots.iter_mut().enumerate() {
                    let words = x.add(r * tile.x_row + unit * GROUPS + 2 * group);
                    let first = _mm512_set1_epi32((*words).cast_signed());
                    let second = _mm512_set1_epi32((*words.add(1)).cast_signed());
                    for (dot, [low, high]) in dots.iter_mut().zip(&weights) {
                        *dot = _mm512_dpbusd_epi32(*dot, *low, first);
                        *dot = _mm512_dpbusd_epi32(*dot, *high, second);
                    }
                }
            }
            let mut scales = [_mm512_setzero_ps(); S];
            for (s, scales) in scales.iter_mut().enumerate() {
                *scales =
                    halves(w.add(s * tile.w_panel + unit * tile.w_unit + GROUPS / 2 * VECTOR));
            }
            add_block(&mut sums, &dots, &scales, tile, unit);
        }
        store_sums(&sums, tile);
    }
}

/// Prefetches bytes to the second-level cache.
pub(super) fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(VECTOR) {
        // SAFETY: every x86-64 has the instruction, which reads nothing into registers and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}
