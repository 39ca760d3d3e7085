//! Tiles with AVX2. A vector has eight outputs, so a panel is two vectors.
//!
//! AVX2 has no instruction for pairs of bf16 or for groups of four bytes. bf16 weights are converted to f32 before they are
//! multiplied. Bytes are multiplied in pairs to 16 bits (`maddubs`). Codes of 4 bits are so small that a block's sums fit into
//! 16 bits. The sign of 8-bit codes moves to the activations first, and their products are added up in 32 bits.
//!
//! All accesses are checked. The only unsafe code is the call of functions with CPU features, after they were detected.
#![allow(unsafe_code, reason = "calls of functions with CPU features")]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_abs_epi8, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_and_si256, _mm256_castsi256_ps, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_fmadd_ps,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_slli_epi32, _mm256_srli_epi16, _mm256_xor_si256,
};

use pulp::bytemuck::cast_slice;
use pulp::cast;

use super::format::PANEL;
use super::tile::{Kernel, Tile};
use crate::quantization::BLOCK;

/// Vectors of a panel.
const HALVES: usize = 2;
/// Bytes of a vector.
const VECTOR: usize = 32;
/// Groups of four inputs in a block.
const GROUPS: usize = BLOCK / 4;
/// Bytes of a group of a panel's codes: 8-bit codes of four inputs, or 4-bit codes of eight.
const GROUP: usize = HALVES * VECTOR;

/// Sums of `R` rows and `S` panels.
type Sums<const R: usize, const S: usize> = [[[__m256; HALVES]; S]; R];

/// Whether this machine has the instructions.
pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

/// Computes a tile.
pub(super) fn run(tile: &mut Tile<'_>, kernel: Kernel) {
    assert!(is_supported(), "this machine lacks AVX2");
    if tile.units == 0 {
        return;
    }
    // SAFETY: the features were just detected.
    unsafe {
        match tile.rows {
            1 => sized::<1>(tile, kernel),
            2 => sized::<2>(tile, kernel),
            3 => sized::<3>(tile, kernel),
            4 => sized::<4>(tile, kernel),
            5 => sized::<5>(tile, kernel),
            6 => sized::<6>(tile, kernel),
            _ => unreachable!("a tile has at most six rows"),
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn sized<const R: usize>(tile: &mut Tile<'_>, kernel: Kernel) {
    match kernel {
        Kernel::F32 => numbers::<R, false>(tile),
        Kernel::F16 => numbers::<R, true>(tile),
        Kernel::Bf16 => {
            for panel in 0..tile.panels {
                pairs::<R>(tile, panel);
            }
        }
        Kernel::Q8 => codes::<BYTES>(tile),
        Kernel::Q4 => codes::<NIBBLES>(tile),
        Kernel::Unpacked { zero_point: 8 } => codes::<SMALL>(tile),
        Kernel::Unpacked { .. } => codes::<UNPACKED>(tile),
    }
}

/// Multiplies floating-point weights, with so many panels at once that additions do not wait for one another.
#[target_feature(enable = "avx2,fma,f16c")]
fn numbers<const R: usize, const HALF: bool>(tile: &mut Tile<'_>) {
    let mut panel = 0;
    while panel < tile.panels {
        match (R, tile.panels - panel) {
            (1, 4..) => {
                panels_of_numbers::<R, 4, HALF>(tile, panel);
                panel += 4;
            }
            (1..=3, 2..) => {
                panels_of_numbers::<R, 2, HALF>(tile, panel);
                panel += 2;
            }
            _ => {
                panels_of_numbers::<R, 1, HALF>(tile, panel);
                panel += 1;
            }
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn panels_of_numbers<const R: usize, const S: usize, const HALF: bool>(
    tile: &mut Tile<'_>,
    panel: usize,
) {
    let mut sums = load_sums::<R, S>(tile, 0, panel);
    let x = rows::<R>(tile, 0, 1);
    let mut w: [&[u8]; S] = [&[]; S];
    for (s, w) in w.iter_mut().enumerate() {
        *w = &tile.w[(panel + s) * tile.w_panel..];
    }
    for unit in 0..tile.units {
        let mut weights = [[_mm256_setzero_ps(); HALVES]; S];
        for (weights, w) in weights.iter_mut().zip(&w) {
            let w = &w[unit * tile.w_unit..];
            *weights = if HALF { halves(w) } else { [full(w, 0), full(w, 1)] };
        }
        for (sums, x) in sums.iter_mut().zip(&x) {
            let x = _mm256_set1_ps(f32::from_bits(x[unit]));
            for (sums, weights) in sums.iter_mut().zip(&weights) {
                for (sum, &weights) in sums.iter_mut().zip(weights) {
                    *sum = _mm256_fmadd_ps(weights, x, *sum);
                }
            }
        }
    }
    store_sums(&sums, tile, 0, panel);
}

/// The first and the second halves of pairs of bf16, as f32.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn both(words: __m256i) -> [__m256; 2] {
    let high = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
    let first = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words));
    [first, _mm256_castsi256_ps(_mm256_and_si256(words, high))]
}

/// Multiplies pairs of bf16. The lower half of a word is the first of the pair.
#[target_feature(enable = "avx2,fma,f16c")]
fn pairs<const R: usize>(tile: &mut Tile<'_>, panel: usize) {
    let mut sums = load_sums::<R, 1>(tile, 0, panel);
    let x = rows::<R>(tile, 0, 1);
    let w = &tile.w[panel * tile.w_panel..];
    for unit in 0..tile.units {
        let w = &w[unit * tile.w_unit..];
        let weights = [both(ints(w, 0)), both(ints(w, 1))];
        for ([sums], x) in sums.iter_mut().zip(&x) {
            let x = both(_mm256_set1_epi32(x[unit].cast_signed()));
            for (sum, weights) in sums.iter_mut().zip(&weights) {
                *sum = _mm256_fmadd_ps(weights[0], x[0], *sum);
                *sum = _mm256_fmadd_ps(weights[1], x[1], *sum);
            }
        }
    }
    store_sums(&sums, tile, 0, panel);
}

/// Multiplies codes, with so few rows at once that sums, dot products and codes stay in registers.
#[target_feature(enable = "avx2,fma,f16c")]
fn codes<const KIND: u8>(tile: &mut Tile<'_>) {
    for panel in 0..tile.panels {
        let mut row = 0;
        while row < tile.rows {
            match tile.rows - row {
                1 => panel_of_codes::<1, KIND>(tile, row, panel),
                2 => panel_of_codes::<2, KIND>(tile, row, panel),
                _ => panel_of_codes::<3, KIND>(tile, row, panel),
            }
            row += 3;
        }
    }
}

const NIBBLES: u8 = 0;
const SMALL: u8 = 1;
const BYTES: u8 = 2;
const UNPACKED: u8 = 3;

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn panel_of_codes<const R: usize, const KIND: u8>(tile: &mut Tile<'_>, row: usize, panel: usize) {
    let mut sums = load_sums::<R, 1>(tile, row, panel);
    let x = rows::<R>(tile, row, GROUPS);
    let w = &tile.w[panel * tile.w_panel..];
    for unit in 0..tile.units {
        let w = &w[unit * tile.w_unit..];
        let scales = match KIND {
            NIBBLES => halves(&w[GROUPS / 2 * GROUP..]),
            BYTES => halves(&w[GROUPS * GROUP..]),
            _ => unpacked_scales(tile, panel, unit),
        };
        let mut words: [&[u32]; R] = [&[]; R];
        for (words, x) in words.iter_mut().zip(&x) {
            *words = &x[unit * GROUPS..][..GROUPS];
        }
        let dots = match KIND {
            NIBBLES => nibbles(w, words),
            SMALL => small(w, words),
            _ => bytes(w, words),
        };
        for (r, (sums, dots)) in sums.iter_mut().zip(dots).enumerate() {
            let block = (row + r) * tile.x_blocks + unit;
            let scale = _mm256_set1_ps(tile.x_scales[block]);
            let correction = match KIND {
                NIBBLES | SMALL => _mm256_set1_epi32(tile.x_corrections[block]),
                _ => _mm256_setzero_si256(),
            };
            for ((sum, dot), scales) in sums[0].iter_mut().zip(dots).zip(scales) {
                let dot = _mm256_cvtepi32_ps(_mm256_add_epi32(dot, correction));
                *sum = _mm256_fmadd_ps(_mm256_mul_ps(dot, scale), scales, *sum);
            }
        }
    }
    store_sums(&sums, tile, row, panel);
}

/// The scales of a block that was unpacked.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn unpacked_scales(tile: &Tile<'_>, panel: usize, unit: usize) -> [__m256; HALVES] {
    let scales = cast_slice(&tile.w_scales[panel * tile.w_panel / BLOCK + unit * PANEL..]);
    [full(scales, 0), full(scales, 1)]
}

/// The dot products of a block.
type Dots<const R: usize> = [[__m256i; HALVES]; R];

/// Codes of 4 bits, two in a byte.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn nibbles<const R: usize>(w: &[u8], x: [&[u32]; R]) -> Dots<R> {
    let low_half = _mm256_set1_epi8(15);
    let mut dots = [[_mm256_setzero_si256(); HALVES]; R];
    for (group, w) in w[..GROUPS / 2 * GROUP].as_chunks::<GROUP>().0.iter().enumerate() {
        let both = [ints(w, 0), ints(w, 1)];
        let [mut low, mut high] = [both; 2];
        for (low, high) in low.iter_mut().zip(&mut high) {
            *low = _mm256_and_si256(*low, low_half);
            *high = _mm256_and_si256(_mm256_srli_epi16::<4>(*high), low_half);
        }
        add_small(&mut dots, low, x, 2 * group);
        add_small(&mut dots, high, x, 2 * group + 1);
    }
    widen_pairs(dots)
}

/// Codes of 4 bits, one in a byte.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn small<const R: usize>(w: &[u8], x: [&[u32]; R]) -> Dots<R> {
    let mut dots = [[_mm256_setzero_si256(); HALVES]; R];
    for (group, w) in w[..GROUPS * GROUP].as_chunks::<GROUP>().0.iter().enumerate() {
        add_small(&mut dots, [ints(w, 0), ints(w, 1)], x, group);
    }
    widen_pairs(dots)
}

/// Adds products of codes below 16. A block's sum is at most 32 × 15 × 127 / 2 per lane, which fits into 16 bits.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn add_small<const R: usize>(
    dots: &mut Dots<R>,
    codes: [__m256i; HALVES],
    x: [&[u32]; R],
    group: usize,
) {
    for (dots, x) in dots.iter_mut().zip(x) {
        let x = _mm256_set1_epi32(x[group].cast_signed());
        for (dot, codes) in dots.iter_mut().zip(codes) {
            *dot = _mm256_add_epi16(*dot, _mm256_maddubs_epi16(codes, x));
        }
    }
}

/// Adds pairs of 16 bits up in 32 bits.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn widen_pairs<const R: usize>(mut dots: Dots<R>) -> Dots<R> {
    let ones = _mm256_set1_epi16(1);
    for dot in dots.as_flattened_mut() {
        *dot = _mm256_madd_epi16(*dot, ones);
    }
    dots
}

/// Codes of 8 bits with the zero point 128.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn bytes<const R: usize>(w: &[u8], x: [&[u32]; R]) -> Dots<R> {
    let offset = _mm256_set1_epi8(-128);
    let ones = _mm256_set1_epi16(1);
    let mut dots = [[_mm256_setzero_si256(); HALVES]; R];
    for half in 0..HALVES {
        for (group, w) in w[..GROUPS * GROUP].as_chunks::<GROUP>().0.iter().enumerate() {
            let codes = _mm256_xor_si256(ints(w, half), offset);
            let sizes = _mm256_abs_epi8(codes);
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = _mm256_set1_epi32(x[group].cast_signed());
                let products = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(x, codes));
                dots[half] = _mm256_add_epi32(dots[half], _mm256_madd_epi16(products, ones));
            }
        }
    }
    dots
}

/// The activations of each row, cut to the words that the units are multiplied with.
#[inline(always)]
fn rows<'a, const R: usize>(tile: &Tile<'a>, first: usize, words: usize) -> [&'a [u32]; R] {
    let mut rows: [&[u32]; R] = [&[]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &tile.x[(first + r) * tile.x_row..][..tile.units * words];
    }
    rows
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn load_sums<const R: usize, const S: usize>(
    tile: &Tile<'_>,
    first: usize,
    panel: usize,
) -> Sums<R, S> {
    let mut sums = [[[_mm256_setzero_ps(); HALVES]; S]; R];
    for (r, row) in sums.iter_mut().enumerate() {
        let from = tile.sums[(first + r) * tile.sums_row + panel * PANEL..].as_chunks().0;
        for (sum, numbers) in row.as_flattened_mut().iter_mut().zip(from) {
            *sum = cast::<[f32; 8], __m256>(*numbers);
        }
    }
    sums
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn store_sums<const R: usize, const S: usize>(
    sums: &Sums<R, S>,
    tile: &mut Tile<'_>,
    first: usize,
    panel: usize,
) {
    for (r, row) in sums.iter().enumerate() {
        let to = tile.sums[(first + r) * tile.sums_row + panel * PANEL..].as_chunks_mut().0;
        for (numbers, &sum) in to.iter_mut().zip(row.as_flattened()) {
            *numbers = cast::<__m256, [f32; 8]>(sum);
        }
    }
}

/// The vector of f32 at an index.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn full(bytes: &[u8], at: usize) -> __m256 {
    _mm256_castsi256_ps(ints(bytes, at))
}

/// The vector of integers at an index.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn ints(bytes: &[u8], at: usize) -> __m256i {
    cast::<[u8; VECTOR], __m256i>(bytes.as_chunks().0[at])
}

/// Sixteen f16 as f32.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn halves(bytes: &[u8]) -> [__m256; HALVES] {
    let halves = bytes.as_chunks::<{ VECTOR / 2 }>().0;
    [
        _mm256_cvtph_ps(cast::<[u8; 16], __m128i>(halves[0])),
        _mm256_cvtph_ps(cast::<[u8; 16], __m128i>(halves[1])),
    ]
}
