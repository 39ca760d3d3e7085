//! Products in registers with AVX-512 and AVX2.
//!
//! Each function runs some rounds and returns the number of operations of a round, or `None` if this machine lacks the
//! instructions.
#![allow(unsafe_code, reason = "calls of functions with CPU features")]

use std::arch::x86_64::{
    __m512bh, __m512i, _mm256_add_epi16, _mm256_fmadd_ps, _mm256_maddubs_epi16, _mm256_set1_epi32,
    _mm256_set1_ps, _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_ps,
};
use std::hint::black_box;
use std::mem::transmute;

/// Independent chains of products, so that none waits for the one before.
const CHAINS_512: usize = 16;
/// The same with fewer registers.
const CHAINS_256: usize = 12;

/// Lanes of 32 bits.
const LANES_512: usize = 16;
const LANES_256: usize = 8;

pub(super) fn multiply_f32(rounds: usize) -> Option<usize> {
    if has_avx512() {
        // SAFETY: the features were just detected, and only registers are read or written.
        unsafe { f32_512(rounds) };
        Some(2 * LANES_512 * CHAINS_512)
    } else if has_avx2() {
        // SAFETY: as above.
        unsafe { f32_256(rounds) };
        Some(2 * LANES_256 * CHAINS_256)
    } else {
        None
    }
}

pub(super) fn multiply_bf16(rounds: usize) -> Option<usize> {
    if !(has_avx512() && is_x86_feature_detected!("avx512bf16")) {
        return None;
    }
    // SAFETY: the features were just detected, and only registers are read or written.
    unsafe { bf16_512(rounds) };
    Some(2 * 2 * LANES_512 * CHAINS_512)
}

pub(super) fn multiply_int8(rounds: usize) -> Option<usize> {
    if has_avx512() && is_x86_feature_detected!("avx512vnni") {
        // SAFETY: the features were just detected, and only registers are read or written.
        unsafe { int8_512(rounds) };
        Some(2 * 4 * LANES_512 * CHAINS_512)
    } else if has_avx2() {
        // SAFETY: as above.
        unsafe { int8_256(rounds) };
        Some(2 * 4 * LANES_256 * CHAINS_256)
    } else {
        None
    }
}

fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

#[target_feature(enable = "avx512f")]
fn f32_512(rounds: usize) {
    let x = _mm512_set1_ps(black_box(1.0));
    let mut sums = [x; CHAINS_512];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(x, x, *sum);
        }
    }
    black_box(sums);
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16_512(rounds: usize) {
    let bits = _mm512_set1_epi32(black_box(0x3f80_3f80));
    // SAFETY: both are 64 bytes of which any bits are a value.
    let x = unsafe { transmute::<__m512i, __m512bh>(bits) };
    let mut sums = [_mm512_setzero_ps(); CHAINS_512];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_dpbf16_ps(*sum, x, x);
        }
    }
    black_box(sums);
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn int8_512(rounds: usize) {
    let x = _mm512_set1_epi32(black_box(0x0101_0101));
    let mut sums = [x; CHAINS_512];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_dpbusd_epi32(*sum, x, x);
        }
    }
    black_box(sums);
}

#[target_feature(enable = "avx2,fma")]
fn f32_256(rounds: usize) {
    let x = _mm256_set1_ps(black_box(1.0));
    let mut sums = [x; CHAINS_256];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(x, x, *sum);
        }
    }
    black_box(sums);
}

#[target_feature(enable = "avx2")]
fn int8_256(rounds: usize) {
    let x = _mm256_set1_epi32(black_box(0x0101_0101));
    let mut sums = [x; CHAINS_256];
    for _ in 0..rounds {
        for sum in &mut sums {
            // One factor changes, so that the product is computed in every round.
            *sum = _mm256_add_epi16(*sum, _mm256_maddubs_epi16(*sum, x));
        }
    }
    black_box(sums);
}
