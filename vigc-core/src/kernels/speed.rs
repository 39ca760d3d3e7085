//! How fast this machine is: what the speed of products is measured against.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::strips::{filled, peak};

/// What numbers are multiplied as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// f32, fused multiplication and addition.
    F32,
    /// Pairs of bf16, added up in f32.
    Bf16,
    /// Groups of four bytes, added up in 32 bits.
    Int8,
}

/// Operations per second in registers (a multiplication and an addition are two), on so many threads; `None` if the
/// machine has no instruction for them.
#[must_use]
pub fn operations(arithmetic: Arithmetic, threads: usize) -> Option<f64> {
    const ROUNDS: usize = 3_000_000;
    let each = match arithmetic {
        Arithmetic::F32 if peak(arithmetic, 0).is_none() => Arch::new().dispatch(F32 { rounds: 0 }),
        _ => peak(arithmetic, 0)?,
    };
    let start = Instant::now();
    (0..threads).into_par_iter().for_each(|_| {
        black_box(match peak(arithmetic, ROUNDS) {
            Some(sum) => sum,
            None => Arch::new().dispatch(F32 { rounds: ROUNDS }),
        });
    });
    let operations = each * ROUNDS * threads;
    Some(operations as f64 / start.elapsed().as_secs_f64())
}

/// f32 on machines without AVX-512.
struct F32 {
    rounds: usize,
}

impl WithSimd for F32 {
    type Output = usize;

    /// The operations of a round.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let mut sums = [simd.splat_f32s(0.0); 12];
        let x = simd.splat_f32s(black_box(1.0));
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(x, x, *sum);
            }
            sums = black_box(sums);
        }
        2 * sums.len() * S::F32_LANES
    }
}

/// Memory to be read, larger than any cache.
#[derive(Debug)]
pub struct Memory(burn::tensor::Bytes);

impl Memory {
    /// So many bytes, where weights would lie.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(filled(bytes, |bytes| bytes.fill(1)))
    }

    /// Bytes per second at which all of it is read, by the threads of the pool.
    #[must_use]
    pub fn read(&self) -> f64 {
        let start = Instant::now();
        let sum: u64 = self.0.par_chunks(1 << 22).map(sum).sum();
        black_box(sum);
        self.0.len() as f64 / start.elapsed().as_secs_f64()
    }
}

fn sum(bytes: &[u8]) -> u64 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0u32; 64];
            for bytes in bytes.as_chunks::<256>().0 {
                for (lane, bytes) in lanes.iter_mut().zip(bytes.as_chunks().0) {
                    *lane = lane.wrapping_add(u32::from_le_bytes(*bytes));
                }
            }
            lanes.into_iter().map(u64::from).sum()
        },
    )
}

/// How many threads' worth of time two threads get: close to two, or to one on a machine that others use.
#[must_use]
pub fn two_threads() -> f64 {
    const ROUNDS: usize = 10_000_000;
    let one = || {
        if peak(Arithmetic::F32, ROUNDS).is_none() {
            black_box(Arch::new().dispatch(F32 { rounds: ROUNDS }));
        }
    };
    let start = Instant::now();
    one();
    let alone = start.elapsed();
    let start = Instant::now();
    std::thread::scope(|scope| {
        // It is waited for when the scope ends.
        scope.spawn(one);
        one();
    });
    2.0 * alone.as_secs_f64() / start.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_those_of_a_computer() {
        assert!(operations(Arithmetic::F32, 1).is_some_and(|speed| speed > 1e8 && speed < 1e13));
        for arithmetic in [Arithmetic::Bf16, Arithmetic::Int8] {
            assert!(operations(arithmetic, 1).is_none_or(|speed| speed > 1e8 && speed < 1e14));
        }
        let read = Memory::new(1 << 24).read();
        assert!(read > 1e7 && read < 1e13, "{read}");
    }
}
