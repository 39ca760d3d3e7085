//! Measuring cases, one after the other, within a budget of time.

use std::any::Any;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use burn::tensor::Device;
use vigc_pipeline::core::kernels::on_worker;
use vigc_pipeline::core::nn::Precision;

use super::group::Group;
use super::report::{Bound, Rate, Row, Time, seconds};
use crate::Result;
use crate::machine::{Machine, Roofs};

/// The least seconds of a sample: work that takes less is repeated.
const SHORTEST_SAMPLE: f64 = 0.005;

/// Something to measure, with what the roofline needs to know about it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    what: String,
    /// How often one run does what is named.
    per_run: usize,
    /// What one of what is named makes, and how many.
    items: Option<(&'static str, usize)>,
    bytes: Option<f64>,
    operations: Option<(Precision, f64)>,
}

impl Case {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), per_run: 1, items: None, bytes: None, operations: None }
    }

    /// One run does what is named so many times; the time is of one.
    pub(super) fn per_run(self, times: usize) -> Self {
        Self { per_run: times, ..self }
    }

    /// It makes so many tokens, images or samples, whose rate is shown.
    pub(super) fn makes(self, count: usize, unit: &'static str) -> Self {
        Self { items: Some((unit, count)), ..self }
    }

    /// It reads so many bytes that no cache holds.
    pub(super) fn reads(self, bytes: f64) -> Self {
        Self { bytes: Some(bytes), ..self }
    }

    /// It computes so many operations with weights of this precision; a multiplication and an addition are two.
    pub(super) fn computes(self, precision: Precision, operations: f64) -> Self {
        Self { operations: Some((precision, operations)), ..self }
    }
}

/// Measures the cases of a group on a device.
pub(super) struct Bench<'a> {
    device: &'a Device,
    planned: usize,
    /// Nothing while cases are only counted.
    measuring: Option<Measuring<'a>>,
}

/// What is measured, with which limits, and the rows so far.
pub(super) struct Measuring<'a> {
    pub(super) group: Group,
    pub(super) device_name: &'a str,
    /// Measures the roofs, if they are this device's.
    pub(super) machine: Option<&'a Machine>,
    /// When the group's time is over.
    pub(super) deadline: Instant,
    /// When the suite's time is over.
    pub(super) end: Instant,
    /// The most samples of a case.
    pub(super) most_samples: usize,
    pub(super) rows: Vec<Row>,
    pub(super) log: &'a mut dyn FnMut(&str),
}

impl<'a> Bench<'a> {
    /// A bench that measures nothing and counts the cases.
    pub(super) fn counting(device: &'a Device) -> Self {
        Self { device, planned: 0, measuring: None }
    }

    pub(super) fn new(device: &'a Device, planned: usize, measuring: Measuring<'a>) -> Self {
        Self { device, planned, measuring: Some(measuring) }
    }

    pub(super) fn device(&self) -> Device {
        self.device.clone()
    }

    /// The cases counted so far, or to be measured.
    pub(super) fn planned(&self) -> usize {
        self.planned
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        self.measuring.map_or_else(Vec::new, |measuring| measuring.rows)
    }

    /// Measures a case: `run` makes what it needs and gives the work to the sampler. A case for which no time is left, or
    /// that fails, becomes a row that says so. Nothing expensive may happen outside of `run`, which is not called
    /// while cases are counted.
    pub(super) fn measure(&mut self, case: Case, run: impl FnOnce(&mut Sampler<'_>) -> Result<()>) {
        let Some(measuring) = &mut self.measuring else {
            self.planned += 1;
            return;
        };
        measuring.announce(&case, self.planned);
        let now = Instant::now();
        let left = measuring.deadline.saturating_duration_since(now);
        let cases = self.planned.saturating_sub(measuring.rows.len()).max(1);
        let mut sampler = Sampler {
            slice: left.div_f64(cases as f64),
            deadline: measuring.deadline,
            most: measuring.most_samples,
            machine: measuring.machine,
            roofs: None,
            seconds: Vec::new(),
        };
        let outcome = if left.is_zero() {
            Err("no time left".to_owned())
        } else {
            // One case out of memory, or an operation that a backend lacks, must not lose the others' figures.
            match catch_unwind(AssertUnwindSafe(|| run(&mut sampler))) {
                Ok(Ok(())) => {
                    Time::of(sampler.seconds, case.per_run).ok_or("nothing was run".to_owned())
                }
                Ok(Err(error)) => Err(format!("failed: {error}")),
                Err(panic) => Err(format!("failed: {}", message(panic.as_ref()))),
            }
        };
        measuring.note(case, outcome, sampler.roofs);
    }
}

impl Measuring<'_> {
    fn announce(&mut self, case: &Case, planned: usize) {
        let left = self.end.saturating_duration_since(Instant::now()).as_secs();
        let number = self.rows.len() + 1;
        (self.log)(&format!(
            "{} {} {number}/{planned}, at most {}:{:02} left: {} … ",
            self.device_name,
            self.group,
            left / 60,
            left % 60,
            case.what
        ));
    }

    fn note(&mut self, case: Case, outcome: Result<Time, String>, roofs: Option<Roofs>) {
        let (time, problem) = match outcome {
            Ok(time) => (Some(time), None),
            Err(problem) => (None, Some(problem)),
        };
        let per_second = |count: f64| Some(count / time?.median);
        let row = Row {
            group: self.group.to_string(),
            rate: case.items.and_then(|(unit, count)| {
                Some(Rate { unit: unit.to_owned(), per_second: per_second(count as f64)? })
            }),
            bytes_per_second: case.bytes.and_then(per_second),
            operations_per_second: case.operations.and_then(|(_, count)| per_second(count)),
            bound: time.and_then(|time| bound(&case, time, &roofs?)),
            what: case.what,
            device: self.device_name.to_owned(),
            time,
            problem,
            roofs,
            speedup: None,
        };
        let told = row.problem.clone().or(row.time.map(|time| seconds(time.median)));
        (self.log)(&format!("{}\n", told.unwrap_or_default()));
        self.rows.push(row);
    }
}

/// The roof that a case meets first.
fn bound(case: &Case, time: Time, roofs: &Roofs) -> Option<Bound> {
    let memory = case.bytes.map(|bytes| ("memory", roofs.read, bytes));
    let arithmetic = case.operations.map(|(precision, operations)| {
        let (name, peak) = roofs.arithmetic(precision);
        (name, peak, operations)
    });
    let roofs = memory.into_iter().chain(arithmetic);
    let bounds = roofs.map(|(name, roof, amount)| Bound {
        name: name.to_owned(),
        per_second: roof,
        share: amount / roof / time.median,
    });
    bounds.max_by(|a, b| a.share.total_cmp(&b.share))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

/// The least samples of a case, as long as its group has time left.
const LEAST_SAMPLES: usize = 3;

/// Runs work until there are enough samples or its time is over.
pub(super) struct Sampler<'a> {
    /// The time for sampling, from the first run on.
    slice: Duration,
    /// When the group's time is over.
    deadline: Instant,
    /// The most samples.
    most: usize,
    machine: Option<&'a Machine>,
    /// Measured right before the samples are taken.
    roofs: Option<Roofs>,
    seconds: Vec<f64>,
}

impl Sampler<'_> {
    /// Times work that ends when the device has done it. It runs on a worker thread of the pool, as models do.
    pub(super) fn run<T: Send>(
        &mut self,
        device: &Device,
        mut work: impl FnMut() -> T + Send,
    ) -> Result<()> {
        self.run_timed(|times| {
            let start = Instant::now();
            on_worker(|| {
                for _ in 0..times {
                    black_box(work());
                }
            });
            device.sync()?;
            Ok(start.elapsed())
        })
    }

    /// Samples `run`, which does its work so many times and returns how long that took.
    pub(super) fn run_timed(
        &mut self,
        mut run: impl FnMut(usize) -> Result<Duration>,
    ) -> Result<()> {
        let end = Instant::now() + self.slice;
        // Pages are touched and programs of a GPU compiled before anything counts.
        run(1)?;
        let once = run(1)?.as_secs_f64();
        self.roofs = self.machine.map(Machine::roofs);
        if Instant::now() >= self.deadline {
            self.seconds.push(once);
            return Ok(());
        }
        let times = (SHORTEST_SAMPLE / once).ceil().clamp(1.0, 1000.0) as usize;
        let least = LEAST_SAMPLES.min(self.most);
        loop {
            self.seconds.push(run(times)?.as_secs_f64() / times as f64);
            let (taken, now) = (self.seconds.len(), Instant::now());
            if taken >= self.most || now >= self.deadline || (taken >= least && now >= end) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(slice: u64, left: u64) -> Sampler<'static> {
        Sampler {
            slice: Duration::from_secs(slice),
            deadline: Instant::now() + Duration::from_secs(left),
            most: 9,
            machine: None,
            roofs: None,
            seconds: Vec::new(),
        }
    }

    #[test]
    fn short_work_is_repeated_and_long_work_cut_off() {
        let millisecond = |times: usize| Ok(Duration::from_millis(1) * times as u32);
        let (mut repeated, mut most) = (sampler(60, 60), 0);
        repeated
            .run_timed(|times| {
                most = most.max(times);
                millisecond(times)
            })
            .unwrap();
        assert_eq!((repeated.seconds.len(), most), (9, 5));
        assert!(repeated.seconds.iter().all(|seconds| (seconds - 0.001).abs() < 1e-9));

        let mut slice_over = sampler(0, 60);
        slice_over.run_timed(millisecond).unwrap();
        assert_eq!(slice_over.seconds.len(), LEAST_SAMPLES);

        let mut group_over = sampler(60, 0);
        group_over.run_timed(millisecond).unwrap();
        assert_eq!(group_over.seconds, [0.001]);
    }

    #[test]
    fn the_roof_that_takes_longest_is_the_limit() {
        let roofs =
            Roofs { read: 10.0, f32: 100.0, bf16: None, int8: Some(400.0), two_threads: 2.0 };
        let time = Time { median: 2.0, first_quartile: 2.0, third_quartile: 2.0, samples: 1 };
        let case = Case::new("product").reads(10.0);
        let memory = bound(&case.clone().computes(Precision::Bf16, 50.0), time, &roofs).unwrap();
        assert_eq!((memory.name.as_str(), memory.share), ("memory", 0.5));
        let f32 = bound(&case.clone().computes(Precision::Bf16, 150.0), time, &roofs).unwrap();
        assert_eq!((f32.name.as_str(), f32.share), ("f32", 0.75));
        let int8 = bound(&case.computes(Precision::Q4, 600.0), time, &roofs).unwrap();
        assert_eq!((int8.name.as_str(), int8.share), ("int8", 0.75));
        assert!(bound(&Case::new("sample"), time, &roofs).is_none());
    }

    #[test]
    fn failures_and_missing_time_become_rows() {
        let device = Device::default();
        let mut lines = String::new();
        let mut log = |text: &str| lines.push_str(text);
        let rows = |budget, log: &mut dyn FnMut(&str)| {
            let (group, device_name, machine) = (Group::Kernels, "flex", None);
            let deadline = Instant::now() + budget;
            let (end, most_samples, rows) = (deadline, 1, Vec::new());
            let measuring =
                Measuring { group, device_name, machine, deadline, end, most_samples, rows, log };
            let mut bench = Bench::new(&device, 2, measuring);
            bench.measure(Case::new("error"), |_| Err("no such weights".into()));
            bench.measure(Case::new("panic"), |_| panic!("out of memory"));
            bench.into_rows().into_iter().map(|row| row.problem.unwrap()).collect::<Vec<_>>()
        };
        let failed = rows(Duration::from_secs(9), &mut log);
        assert_eq!(failed, ["failed: no such weights", "failed: out of memory"]);
        assert_eq!(rows(Duration::ZERO, &mut log), ["no time left"; 2]);
        assert!(lines.contains("flex kernels 2/2") && lines.contains("panic … failed"), "{lines}");
    }
}
