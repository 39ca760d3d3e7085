//! Tiles with AVX2: eight outputs a vector, so a strip is two.
//!
//! There is no instruction for pairs of bf16 or for groups of four bytes. bf16 become f32 on the way. Bytes are multiplied in
//! pairs to 16 bits (`maddubs`): codes of 4 bits are so small that a block's sums fit there; codes of 8 bits give up their sign to
//! the activations first and are added up in 32 bits.
//!
//! Everything here is in bounds by itself; unsafe is only the call of a function with CPU features, after they were found.
#![allow(unsafe_code, reason = "calls of functions with CPU features")]

mod peak;

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_abs_epi8, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_and_si256, _mm256_castsi256_ps, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_fmadd_ps,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_slli_epi32, _mm256_srli_epi16, _mm256_xor_si256,
};

use pulp::bytemuck::cast_slice;
use pulp::cast;

pub(super) use self::peak::peak;

use super::STRIP;
use super::tile::{Kernel, Tile};
use crate::nn::blocks::BLOCK;

/// Vectors of a strip.
const HALVES: usize = 2;
/// Bytes of a vector.
const VECTOR: usize = 32;
/// Groups of four inputs in a block.
const GROUPS: usize = BLOCK / 4;
/// Bytes of a group of a strip's codes, of 8 bits for four inputs, of 4 bits for eight.
const GROUP: usize = HALVES * VECTOR;

/// Sums of `R` rows and `S` strips.
type Sums<const R: usize, const S: usize> = [[[__m256; HALVES]; S]; R];

/// Whether this machine has the instructions.
pub(super) fn can() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

/// Computes a tile.
pub(super) fn run(tile: &mut Tile<'_>, kernel: Kernel) {
    assert!(can(), "this machine lacks AVX2");
    if tile.units == 0 {
        return;
    }
    // SAFETY: the features were just found.
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
            for strip in 0..tile.strips {
                pairs::<R>(tile, strip);
            }
        }
        Kernel::Q8 => codes::<BYTES>(tile),
        Kernel::Q4 => codes::<NIBBLES>(tile),
        Kernel::Wide { offset: 8 } => codes::<SMALL>(tile),
        Kernel::Wide { .. } => codes::<WIDE>(tile),
    }
}

/// Weights that are numbers, so many strips at once that additions need not wait for one another.
#[target_feature(enable = "avx2,fma,f16c")]
fn numbers<const R: usize, const HALF: bool>(tile: &mut Tile<'_>) {
    let mut strip = 0;
    while strip < tile.strips {
        match (R, tile.strips - strip) {
            (1, 4..) => {
                strips_of_numbers::<R, 4, HALF>(tile, strip);
                strip += 4;
            }
            (1..=3, 2..) => {
                strips_of_numbers::<R, 2, HALF>(tile, strip);
                strip += 2;
            }
            _ => {
                strips_of_numbers::<R, 1, HALF>(tile, strip);
                strip += 1;
            }
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn strips_of_numbers<const R: usize, const S: usize, const HALF: bool>(
    tile: &mut Tile<'_>,
    strip: usize,
) {
    let mut sums = load_sums::<R, S>(tile, 0, strip);
    let x = rows::<R>(tile, 0, 1);
    let mut w: [&[u8]; S] = [&[]; S];
    for (s, w) in w.iter_mut().enumerate() {
        *w = &tile.w[(strip + s) * tile.w_strip..];
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
    store_sums(&sums, tile, 0, strip);
}

/// The first and the second of pairs of bf16, as f32.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn both(words: __m256i) -> [__m256; 2] {
    let high = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
    let first = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words));
    [first, _mm256_castsi256_ps(_mm256_and_si256(words, high))]
}

/// Pairs of bf16: the low half of a word is the first of them.
#[target_feature(enable = "avx2,fma,f16c")]
fn pairs<const R: usize>(tile: &mut Tile<'_>, strip: usize) {
    let mut sums = load_sums::<R, 1>(tile, 0, strip);
    let x = rows::<R>(tile, 0, 1);
    let w = &tile.w[strip * tile.w_strip..];
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
    store_sums(&sums, tile, 0, strip);
}

/// Codes: so few rows at once that sums, dot products and codes stay in registers.
#[target_feature(enable = "avx2,fma,f16c")]
fn codes<const KIND: u8>(tile: &mut Tile<'_>) {
    for strip in 0..tile.strips {
        let mut row = 0;
        while row < tile.rows {
            match tile.rows - row {
                1 => strip_of_codes::<1, KIND>(tile, row, strip),
                2 => strip_of_codes::<2, KIND>(tile, row, strip),
                _ => strip_of_codes::<3, KIND>(tile, row, strip),
            }
            row += 3;
        }
    }
}

const NIBBLES: u8 = 0;
const SMALL: u8 = 1;
const BYTES: u8 = 2;
const WIDE: u8 = 3;

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn strip_of_codes<const R: usize, const KIND: u8>(tile: &mut Tile<'_>, row: usize, strip: usize) {
    let mut sums = load_sums::<R, 1>(tile, row, strip);
    let x = rows::<R>(tile, row, GROUPS);
    let w = &tile.w[strip * tile.w_strip..];
    for unit in 0..tile.units {
        let w = &w[unit * tile.w_unit..];
        let scales = match KIND {
            NIBBLES => halves(&w[GROUPS / 2 * GROUP..]),
            BYTES => halves(&w[GROUPS * GROUP..]),
            _ => wide_scales(tile, strip, unit),
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
            let start = match KIND {
                NIBBLES | SMALL => _mm256_set1_epi32(tile.x_starts[block]),
                _ => _mm256_setzero_si256(),
            };
            for ((sum, dot), scales) in sums[0].iter_mut().zip(dots).zip(scales) {
                let dot = _mm256_cvtepi32_ps(_mm256_add_epi32(dot, start));
                *sum = _mm256_fmadd_ps(_mm256_mul_ps(dot, scale), scales, *sum);
            }
        }
    }
    store_sums(&sums, tile, row, strip);
}

/// Scales of a block whose codes were laid out anew.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn wide_scales(tile: &Tile<'_>, strip: usize, unit: usize) -> [__m256; HALVES] {
    let scales = cast_slice(&tile.w_scales[strip * tile.w_strip / BLOCK + unit * STRIP..]);
    [full(scales, 0), full(scales, 1)]
}

/// Dot products of a block.
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
    widened(dots)
}

/// Codes of 4 bits, one in a byte.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn small<const R: usize>(w: &[u8], x: [&[u32]; R]) -> Dots<R> {
    let mut dots = [[_mm256_setzero_si256(); HALVES]; R];
    for (group, w) in w[..GROUPS * GROUP].as_chunks::<GROUP>().0.iter().enumerate() {
        add_small(&mut dots, [ints(w, 0), ints(w, 1)], x, group);
    }
    widened(dots)
}

/// Adds products of codes below 16, which a block does not fill 16 bits with: 32 times 15 times 127.
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

/// Pairs of 16 bits added up in 32.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn widened<const R: usize>(mut dots: Dots<R>) -> Dots<R> {
    let ones = _mm256_set1_epi16(1);
    for dot in dots.as_flattened_mut() {
        *dot = _mm256_madd_epi16(*dot, ones);
    }
    dots
}

/// Codes of 8 bits, counted from 128.
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

/// Activations of each row, cut to what the units read.
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
    strip: usize,
) -> Sums<R, S> {
    let mut sums = [[[_mm256_setzero_ps(); HALVES]; S]; R];
    for (r, row) in sums.iter_mut().enumerate() {
        let from = tile.sums[(first + r) * tile.sums_row + strip * STRIP..].as_chunks().0;
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
    strip: usize,
) {
    for (r, row) in sums.iter().enumerate() {
        let to = tile.sums[(first + r) * tile.sums_row + strip * STRIP..].as_chunks_mut().0;
        for (numbers, &sum) in to.iter_mut().zip(row.as_flattened()) {
            *numbers = cast::<__m256, [f32; 8]>(sum);
        }
    }
}

/// A vector of f32 among some.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn full(bytes: &[u8], at: usize) -> __m256 {
    _mm256_castsi256_ps(ints(bytes, at))
}

/// A vector among some.
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
