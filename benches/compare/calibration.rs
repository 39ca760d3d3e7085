//! What the machine gives at the moment.

use vigc_pipeline::core::kernels::speed::{
    Arithmetic, MemoryProbe, peak_operations, two_thread_speedup,
};

/// Memory to read and threads to do it with.
pub(super) struct Machine {
    memory: MemoryProbe,
    threads: usize,
}

/// The machine between two measurements.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Bytes per second.
    pub(super) read: f64,
    /// Threads' worth of time that two threads get.
    pub(super) two_threads: f64,
}

impl Machine {
    pub(super) fn new(threads: usize) -> Self {
        Self { memory: MemoryProbe::new(1 << 30), threads }
    }

    pub(super) fn now(&self) -> State {
        let mut reads: Vec<_> = (0..3).map(|_| self.memory.bandwidth()).collect();
        reads.sort_by(f64::total_cmp);
        State { read: reads[1], two_threads: two_thread_speedup() }
    }

    /// Operations per second, as a line of text.
    pub(super) fn peaks(&self) -> String {
        let peak = |arithmetic| {
            let speed = peak_operations(arithmetic, self.threads);
            speed.map_or("none".to_owned(), |speed| format!("{:.0} G/s", speed / 1e9))
        };
        let State { read, two_threads } = self.now();
        format!(
            "operations f32 {}, bf16 {}, int8 {}; read {:.1} GB/s; two threads get {two_threads:.2} threads' time\n",
            peak(Arithmetic::F32),
            peak(Arithmetic::Bf16),
            peak(Arithmetic::Int8),
            read / 1e9
        )
    }
}
