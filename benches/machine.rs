//! What the machine gives beside a measurement.

#[cfg(feature = "flex")]
use vigc_pipeline::core::kernels::speed::{
    Arithmetic, MemoryProbe, peak_operations, two_thread_speedup,
};

/// Prints it, for the CPU.
#[allow(clippy::print_stdout, reason = "a bench talks to the terminal")]
pub(super) fn print() {
    #[cfg(feature = "flex")]
    {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let speed = |arithmetic| {
            peak_operations(arithmetic, threads)
                .map_or("none".to_owned(), |it| format!("{:.0}", it / 1e9))
        };
        println!(
            "machine: read {:.1} GB/s; operations f32 {}, bf16 {}, int8 {} G/s on {threads} threads; two threads get {:.2} \
             threads' time",
            MemoryProbe::new(1 << 30).bandwidth() / 1e9,
            speed(Arithmetic::F32),
            speed(Arithmetic::Bf16),
            speed(Arithmetic::Int8),
            two_thread_speedup()
        );
    }
}
