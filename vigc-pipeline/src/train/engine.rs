//! The loop: batches, losses, gradients, updates, checkpoints.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn_optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use vigc_core::kernels::on_worker;

use super::checkpoint::{Checkpoints, Position};
use super::error::{Result, TrainError};
use super::metrics::MetricsLog;
use super::optimizer::{AdamWOptions, clip_global_norm, with_stable_ids};
use super::progress::{Progress, UpdateReport};
use super::schedule::Schedule;
use vigc_core::random::{Draw, Stream};

/// What is learned: batches as a function of the position, and their loss.
pub trait Objective: Sync {
    /// What is trained. Frozen parts live in the objective itself.
    type Model: Module;
    /// What a background thread prepares for one micro-step.
    type Batch: Send;

    /// The batch of a micro-step: a pure function of `draw`, or a resumed run would differ.
    ///
    /// # Errors
    ///
    /// Whatever the data sets report.
    fn batch(&self, draw: Draw) -> Result<Self::Batch>;

    /// The loss of a batch on the device of the model.
    ///
    /// # Errors
    ///
    /// Whatever the model reports.
    fn loss(&self, model: &Self::Model, batch: Self::Batch) -> Result<Loss>;

    /// Held-out batches, measured without gradients now and then.
    ///
    /// # Errors
    ///
    /// Whatever the data sets report.
    fn held_out(&self) -> Result<Vec<Self::Batch>> {
        Ok(Vec::new())
    }
}

/// The loss of one micro-batch and what was measured on the way.
#[derive(Debug)]
pub struct Loss {
    /// The loss, a scalar that carries the graph.
    pub loss: Tensor<1>,
    /// How many samples the batch held.
    pub samples: usize,
    /// Other measurements, by name.
    pub metrics: Vec<(String, f64)>,
}

/// How a run goes, whatever it learns.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOptions {
    /// The stage's name, for listeners and pictures.
    pub name: String,
    /// The output folder.
    pub folder: PathBuf,
    /// The seed of everything random.
    pub seed: u64,
    /// Updates in all.
    pub updates: u64,
    /// Micro-steps per update.
    pub accumulation: u64,
    /// The learning rate.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: AdamWOptions,
    /// The bound on the gradient's norm; the reference has none.
    pub max_grad_norm: Option<f64>,
    /// A checkpoint every so many updates,
    pub checkpoint_updates: u64,
    /// and whenever this much time went by since the last one.
    pub checkpoint_every: Duration,
    /// Held-out data is measured every so many updates; never for 0.
    pub validate_updates: u64,
    /// Stops cleanly after this much time; resuming goes on.
    pub max_time: Option<Duration>,
    /// Threads that prepare batches.
    pub workers: usize,
    /// Names the settings: a checkpoint with another fingerprint is refused.
    pub fingerprint: String,
}

/// What a run ended with.
#[derive(Debug)]
pub struct Outcome<M> {
    /// The trained model.
    pub model: M,
    /// Updates done.
    pub updates: u64,
    /// Whether all updates are done, rather than the time used up.
    pub finished: bool,
}

/// Runs an objective to the end, or until the time is up.
///
/// With `resume` the newest checkpoint of the folder is loaded into `model` first; without, the
/// folder must hold none.
///
/// # Errors
///
/// [`TrainError::Occupied`] if the folder holds a run and `resume` is false,
/// [`TrainError::Diverged`] if the loss is no longer a number, and those of the objective.
pub fn run<O: Objective>(
    objective: &O,
    model: O::Model,
    options: &RunOptions,
    resume: bool,
    progress: &mut dyn Progress,
) -> Result<Outcome<O::Model>> {
    std::fs::create_dir_all(&options.folder).map_err(TrainError::file(&options.folder))?;
    let checkpoints = Checkpoints::new(options.folder.join("checkpoints"));
    if !resume && !checkpoints.list()?.is_empty() {
        return Err(TrainError::Occupied { path: options.folder.clone() });
    }
    let mut model = with_stable_ids(model.train());
    let optimizer = options.optimizer.init(&model);
    let (optimizer, done) = checkpoints.read_newest(&mut model, optimizer, &options.fingerprint)?;
    let metrics = MetricsLog::open(&options.folder, done)?;
    progress.started(&options.name, done, options.updates);
    let mut run = Run { objective, options, model, optimizer, checkpoints, metrics, done };
    let finished = run.go(progress)?;
    run.metrics.draw(&options.name)?;
    Ok(Outcome { model: run.model.valid(), updates: run.done, finished })
}

struct Run<'a, O: Objective> {
    objective: &'a O,
    options: &'a RunOptions,
    model: O::Model,
    optimizer: ModuleOptimizer,
    checkpoints: Checkpoints,
    metrics: MetricsLog,
    done: u64,
}

impl<O: Objective> Run<'_, O> {
    fn go(&mut self, progress: &mut dyn Progress) -> Result<bool> {
        let first = self.done * self.options.accumulation;
        let end = self.options.updates * self.options.accumulation;
        let (objective, options) = (self.objective, self.options);
        thread::scope(|scope| {
            let workers = options.workers.max(1) as u64;
            let mut batches = Vec::new();
            for worker in 0..workers {
                let (sender, receiver) = sync_channel(2);
                batches.push(receiver);
                let steps = (first..end).skip(usize::try_from(worker).unwrap_or(0));
                let steps = steps.step_by(options.workers.max(1));
                scope.spawn(move || prepare(objective, options.seed, steps, &sender));
            }
            self.updates(&batches, progress)
        })
    }

    fn updates(
        &mut self,
        batches: &[Receiver<Result<O::Batch>>],
        progress: &mut dyn Progress,
    ) -> Result<bool> {
        let started = Instant::now();
        let mut saved = Instant::now();
        let mut saved_update = self.done;
        while self.done < self.options.updates {
            let report = self.update(batches)?;
            self.metrics.append(&report)?;
            progress.updated(&report);
            if self.done.is_multiple_of(self.options.validate_updates) {
                self.validate(progress)?;
            }
            let out_of_time = self.options.max_time.is_some_and(|limit| started.elapsed() >= limit);
            let due = self.done.is_multiple_of(self.options.checkpoint_updates.max(1))
                || saved.elapsed() >= self.options.checkpoint_every
                || self.done == self.options.updates
                || out_of_time;
            if due && saved_update != self.done {
                self.save(progress)?;
                (saved, saved_update) = (Instant::now(), self.done);
            }
            if out_of_time {
                break;
            }
        }
        Ok(self.done == self.options.updates)
    }

    /// Measures held-out data without gradients and dropout.
    fn validate(&mut self, progress: &mut dyn Progress) -> Result<()> {
        let model = self.model.valid();
        let mut tally = Tally::default();
        for batch in self.objective.held_out()? {
            tally.add(&self.objective.loss(&model, batch)?);
        }
        if tally.samples > 0 {
            let means = tally.means();
            self.metrics.append_validation(self.done, &means)?;
            progress.validated(self.done, &means);
        }
        Ok(())
    }

    fn save(&self, progress: &mut dyn Progress) -> Result<()> {
        let fingerprint = self.options.fingerprint.clone();
        let position = Position { update: self.done, fingerprint };
        self.checkpoints.write(&self.model, &self.optimizer, &position)?;
        self.metrics.draw(&self.options.name)?;
        progress.saved(self.done);
        Ok(())
    }

    fn update(&mut self, batches: &[Receiver<Result<O::Batch>>]) -> Result<UpdateReport> {
        let started = Instant::now();
        let accumulation = self.options.accumulation;
        let mut gradients = GradientsAccumulator::new();
        let mut tally = Tally::default();
        for micro in 0..accumulation {
            let micro_step = self.done * accumulation + micro;
            let waited = Instant::now();
            let from = usize::try_from(micro_step).unwrap_or(0) % batches.len();
            let batch = batches[from].recv().map_err(|_| TrainError::Producer)??;
            tally.waiting += waited.elapsed();
            let draw = Draw { seed: self.options.seed, micro_step };
            self.device().seed(draw.number(Stream::Dropout));
            let (objective, model) = (self.objective, self.model.clone());
            let (loss, grads) = on_worker(move || -> Result<_> {
                let loss = objective.loss(&model, batch)?;
                #[allow(clippy::cast_precision_loss, reason = "a handful of micro-steps")]
                let share = loss.loss.clone().div_scalar(accumulation as f64);
                Ok((loss, GradientsParams::from_grads(share.backward(), &model)))
            })?;
            tally.add(&loss);
            gradients.accumulate(&self.model, grads);
        }
        let mut grads = gradients.grads();
        let mean_loss = tally.mean("loss");
        if !mean_loss.is_finite() {
            return Err(TrainError::Diverged { update: self.done, loss: mean_loss });
        }
        if let Some(limit) = self.options.max_grad_norm {
            clip_global_norm(&self.model, &mut grads, limit);
        }
        let learning_rate = self.options.schedule.at((self.done + 1) * accumulation - 1);
        self.model = self.optimizer.step(learning_rate, self.model.clone(), grads);
        self.done += 1;
        Ok(tally.report(self.done, self.options.updates, learning_rate, started.elapsed()))
    }

    fn device(&self) -> Device {
        self.model.devices().into_iter().next().unwrap_or_default()
    }
}

/// Prepares the batches of some micro-steps until nobody takes them any more.
fn prepare<O: Objective>(
    objective: &O,
    seed: u64,
    steps: impl Iterator<Item = u64>,
    sender: &SyncSender<Result<O::Batch>>,
) {
    for micro_step in steps {
        let batch = objective.batch(Draw { seed, micro_step });
        let failed = batch.is_err();
        if sender.send(batch).is_err() || failed {
            return;
        }
    }
}

#[derive(Default)]
struct Tally {
    sums: BTreeMap<String, (f64, usize)>,
    samples: usize,
    waiting: Duration,
}

impl Tally {
    fn add(&mut self, loss: &Loss) {
        let value: f32 = loss.loss.clone().into_scalar();
        self.samples += loss.samples;
        for (name, value) in loss.metrics.iter().chain([&("loss".to_owned(), f64::from(value))]) {
            let sum = self.sums.entry(name.clone()).or_default();
            *sum = (sum.0 + value, sum.1 + 1);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of one update")]
    fn mean(&self, name: &str) -> f64 {
        self.sums.get(name).map_or(0.0, |&(sum, count)| sum / count as f64)
    }

    fn means(&self) -> BTreeMap<String, f64> {
        self.sums.keys().map(|name| (name.clone(), self.mean(name))).collect()
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of one update")]
    fn report(&self, update: u64, total: u64, learning_rate: f64, time: Duration) -> UpdateReport {
        let seconds = time.as_secs_f64().max(1e-9);
        let mut metrics = self.means();
        metrics.remove("loss");
        UpdateReport {
            update,
            total,
            learning_rate,
            loss: self.mean("loss"),
            metrics,
            samples_per_second: self.samples as f64 / seconds,
            waiting: self.waiting.as_secs_f64() / seconds,
        }
    }
}
