//! What the instructions can do at most.
#![allow(unsafe_code, reason = "calls of functions with CPU features")]

use std::arch::x86_64::{
    _mm256_add_epi16, _mm256_fmadd_ps, _mm256_maddubs_epi16, _mm256_set1_epi32, _mm256_set1_ps,
};
use std::hint::black_box;

use super::{VECTOR, can};
use crate::kernels::speed::Arithmetic;

/// So many rounds of products in registers; the operations of a round, if this machine has the instructions.
pub(in crate::kernels::strips) fn peak(arithmetic: Arithmetic, rounds: usize) -> Option<usize> {
    if !can() {
        return None;
    }
    // SAFETY: the features were just found.
    let lanes = unsafe {
        match arithmetic {
            Arithmetic::F32 => {
                peak_of_f32(rounds);
                VECTOR / 4
            }
            Arithmetic::Bf16 => return None,
            Arithmetic::Int8 => {
                peak_of_bytes(rounds);
                VECTOR
            }
        }
    };
    Some(2 * lanes * CHAINS)
}

/// Products that do not wait for one another.
const CHAINS: usize = 12;

#[target_feature(enable = "avx2,fma")]
fn peak_of_f32(rounds: usize) {
    let x = _mm256_set1_ps(black_box(1.0));
    let mut sums = [x; CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(x, x, *sum);
        }
    }
    black_box(sums);
}

#[target_feature(enable = "avx2")]
fn peak_of_bytes(rounds: usize) {
    let x = _mm256_set1_epi32(black_box(0x0101_0101));
    let mut sums = [x; CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            // What is multiplied changes, so that it is done in every round.
            *sum = _mm256_add_epi16(*sum, _mm256_maddubs_epi16(*sum, x));
        }
    }
    black_box(sums);
}
