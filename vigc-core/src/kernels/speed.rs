//! How fast this machine is: the roofline that the kernels are measured against.

#[cfg(target_arch = "x86_64")]
mod x86;

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::huge_pages;

/// The type of numbers that are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// f32: fused multiplication and addition.
    F32,
    /// Pairs of bf16, added up in f32.
    Bf16,
    /// Groups of four bytes, added up in 32 bits.
    Int8,
}

/// The peak arithmetic speed on a number of threads, in operations per second, without any access to memory. A
/// multiplication and an addition are two operations. `None` if the machine has no instruction for the arithmetic.
#[must_use]
pub fn peak_operations(arithmetic: Arithmetic, threads: usize) -> Option<f64> {
    const ROUNDS: usize = 3_000_000;
    let each = multiply(arithmetic, 0)?;
    let start = Instant::now();
    (0..threads).into_par_iter().for_each(|_| {
        black_box(multiply(arithmetic, ROUNDS));
    });
    let operations = each * ROUNDS * threads;
    Some(operations as f64 / start.elapsed().as_secs_f64())
}

/// Multiplies numbers in registers for some rounds. Returns the number of operations of a round, or `None` if the
/// machine has no instruction for the arithmetic.
fn multiply(arithmetic: Arithmetic, rounds: usize) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    let found = match arithmetic {
        Arithmetic::F32 => x86::multiply_f32(rounds),
        Arithmetic::Bf16 => x86::multiply_bf16(rounds),
        Arithmetic::Int8 => x86::multiply_int8(rounds),
    };
    #[cfg(not(target_arch = "x86_64"))]
    let found = None;
    match arithmetic {
        Arithmetic::F32 => found.or_else(|| Some(Arch::new().dispatch(PortableF32 { rounds }))),
        Arithmetic::Bf16 | Arithmetic::Int8 => found,
    }
}

/// f32 on machines without the instructions in `x86`.
struct PortableF32 {
    rounds: usize,
}

impl WithSimd for PortableF32 {
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

/// A block of memory whose read bandwidth is measured.
#[derive(Debug)]
pub struct MemoryProbe(burn::tensor::Bytes);

impl MemoryProbe {
    /// A block of so many bytes, allocated like packed weights. It should be larger than any cache.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(huge_pages::filled(bytes, |bytes| bytes.fill(1)))
    }

    /// Reads all of it with the threads of the pool; returns the bandwidth in bytes per second.
    #[must_use]
    pub fn bandwidth(&self) -> f64 {
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

/// The speedup of two threads over one: close to 2, or less on a machine that others use at the same time.
#[must_use]
pub fn two_thread_speedup() -> f64 {
    const ROUNDS: usize = 10_000_000;
    let one = || {
        black_box(multiply(Arithmetic::F32, ROUNDS));
    };
    let start = Instant::now();
    one();
    let alone = start.elapsed();
    let start = Instant::now();
    std::thread::scope(|scope| {
        // The scope joins this thread.
        scope.spawn(one);
        one();
    });
    2.0 * alone.as_secs_f64() / start.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_plausible() {
        let f32 = peak_operations(Arithmetic::F32, 1);
        assert!(f32.is_some_and(|speed| speed > 1e8 && speed < 1e13));
        for arithmetic in [Arithmetic::Bf16, Arithmetic::Int8] {
            let speed = peak_operations(arithmetic, 1);
            assert!(speed.is_none_or(|speed| speed > 1e8 && speed < 1e14));
        }
        let bandwidth = MemoryProbe::new(1 << 24).bandwidth();
        assert!(bandwidth > 1e7 && bandwidth < 1e13, "{bandwidth}");
    }
}
