//! What the CPU can do at the moment: the roofs that measurements are compared with.

use std::fmt;

use serde::{Deserialize, Serialize};
use vigc_pipeline::core::kernels::speed::{
    Arithmetic, MemoryProbe, peak_operations, two_thread_speedup,
};
use vigc_pipeline::core::nn::Precision;

/// Measures the roofs, on the threads of the [`rayon`] pool.
#[derive(Debug)]
pub struct Machine {
    memory: MemoryProbe,
}

/// Roofs of the CPU at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Roofs {
    /// Bytes read from memory per second.
    pub read: f64,
    /// f32 operations per second; a fused multiply-add counts as two.
    pub f32: f64,
    /// bf16 operations per second, if the CPU has an instruction for them.
    pub bf16: Option<f64>,
    /// 8-bit integer operations per second, if the CPU has an instruction for them.
    pub int8: Option<f64>,
    /// The CPU time that two threads get, in threads: close to 2, or less on a shared machine.
    pub two_threads: f64,
}

impl Machine {
    /// Allocates the memory that is read, which should be several times the size of the cache.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { memory: MemoryProbe::new(bytes) }
    }

    /// Measures the roofs, which takes about a fifth of a second.
    ///
    /// # Panics
    ///
    /// Panics on a machine without f32 arithmetic, of which there is none.
    #[must_use]
    pub fn roofs(&self) -> Roofs {
        let threads = rayon::current_num_threads();
        // A peak takes a few milliseconds, in which another program may have had the CPU.
        let peak = |arithmetic| {
            let mut speeds = [peak_operations(arithmetic, threads)?; 3];
            for speed in &mut speeds[1..] {
                *speed = peak_operations(arithmetic, threads)?;
            }
            speeds.sort_by(f64::total_cmp);
            Some(speeds[1])
        };
        Roofs {
            read: self.memory.bandwidth(),
            f32: peak(Arithmetic::F32).expect("every machine multiplies f32"),
            bf16: peak(Arithmetic::Bf16),
            int8: peak(Arithmetic::Int8),
            two_threads: two_thread_speedup(),
        }
    }
}

impl Roofs {
    /// The peak of the fastest instruction that can multiply weights of this precision, with its name.
    #[must_use]
    pub fn arithmetic(&self, precision: Precision) -> (&'static str, f64) {
        let own = match precision {
            Precision::Bf16 => self.bf16.map(|peak| ("bf16", peak)),
            Precision::Q8 | Precision::Q4 => self.int8.map(|peak| ("int8", peak)),
            _ => None,
        };
        own.unwrap_or(("f32", self.f32))
    }
}

impl fmt::Display for Roofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read {:.1} GB/s; f32 {:.0}", self.read / 1e9, self.f32 / 1e9)?;
        for (name, peak) in [("bf16", self.bf16), ("int8", self.int8)] {
            if let Some(peak) = peak {
                write!(f, ", {name} {:.0}", peak / 1e9)?;
            }
        }
        write!(f, " GFLOP/s; two threads get the time of {:.2}", self.two_threads)
    }
}

/// Bits that a weight takes in memory, scales included.
#[must_use]
pub fn bits_per_weight(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 32.0,
        Precision::Q8 => 8.5,
        Precision::Q4 => 4.5,
        _ => 16.0,
    }
}
