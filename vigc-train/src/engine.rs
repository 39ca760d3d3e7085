//! The training loop: batches, losses, gradients, updates and checkpoints.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn_optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use vigc_core::kernels::on_worker;
use vigc_core::random::{Draw, Stream};

use crate::checkpoint::{Checkpoints, Position};
use crate::error::{Result, TrainError};
use crate::listener::{RunListener, UpdateReport};
use crate::metrics::MetricsLog;
use crate::optimizer::{AdamWOptions, Schedule, clip_global_norm, with_stable_ids};

/// A training objective: batches, and the loss of a batch.
pub trait Objective: Sync {
    /// The trained parts. Frozen parts belong to the objective.
    type Model: Module;
    /// A batch, which a background thread prepares.
    type Batch: Send;

    /// The batch of a micro-step. It must depend only on `draw`: otherwise a resumed run would see other batches.
    ///
    /// # Errors
    ///
    /// Those of the data sets.
    fn batch(&self, draw: Draw) -> Result<Self::Batch>;

    /// The loss of a batch, on the device of the model.
    ///
    /// # Errors
    ///
    /// Those of the model.
    fn loss(&self, model: &Self::Model, batch: Self::Batch) -> Result<Loss>;

    /// Held-out batches for validation. They are evaluated without gradients and dropout.
    ///
    /// # Errors
    ///
    /// Those of the data sets.
    fn held_out(&self) -> Result<Vec<Self::Batch>> {
        Ok(Vec::new())
    }
}

/// The loss and the metrics of one micro-step.
#[derive(Debug)]
pub struct Loss {
    /// The loss: one number, with the autodiff graph.
    pub loss: Tensor<1>,
    /// The number of samples in the batch.
    pub samples: usize,
    /// Other metrics, by name.
    pub metrics: Vec<(String, f64)>,
}

/// The settings of a run, independent of its objective.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOptions {
    /// The name of the run, for progress reports and plots.
    pub name: String,
    /// The output folder.
    pub folder: PathBuf,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The number of updates.
    pub updates: u64,
    /// The number of micro-steps in an update. Their gradients are averaged.
    pub accumulation: u64,
    /// The schedule of the learning rate.
    pub schedule: Schedule,
    /// The settings of the optimizer.
    pub optimizer: AdamWOptions,
    /// The limit for the global norm of the gradients. The upstream program does not clip gradients.
    pub max_grad_norm: Option<f64>,
    /// The number of updates between checkpoints.
    pub checkpoint_updates: u64,
    /// The longest time between checkpoints.
    pub checkpoint_every: Duration,
    /// The number of updates between validations; 0 for no validation.
    pub validate_updates: u64,
    /// The run stops cleanly after this time. It can be resumed.
    pub max_time: Option<Duration>,
    /// The number of threads that prepare batches.
    pub workers: usize,
    /// A name for the settings. A checkpoint with another fingerprint is refused.
    pub fingerprint: String,
}

impl RunOptions {
    /// A run of `updates` updates with one micro-step each, without gradient clipping, validation and time limit. It writes a
    /// checkpoint every 500 updates or five minutes.
    ///
    /// ```
    /// use vigc_train::{RunOptions, Schedule};
    ///
    /// let (updates, rate) = (200, 1e-3);
    /// let schedule = Schedule { warmup_rate: 0.0, rate, min_rate: 0.0, warmup: 20, total: updates };
    /// let options = RunOptions { seed: 7, ..RunOptions::new("runs/line", updates, schedule) };
    /// assert_eq!(options.accumulation, 1);
    /// ```
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, updates: u64, schedule: Schedule) -> Self {
        Self {
            name: "training".to_owned(),
            folder: folder.into(),
            seed: 0,
            updates,
            accumulation: 1,
            schedule,
            optimizer: AdamWOptions::default(),
            max_grad_norm: None,
            checkpoint_updates: 500,
            checkpoint_every: Duration::from_secs(5 * 60),
            validate_updates: 0,
            max_time: None,
            workers: 1,
            fingerprint: String::new(),
        }
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome<M> {
    /// The trained model.
    pub model: M,
    /// The number of updates done.
    pub updates: u64,
    /// Whether all updates are done. Otherwise the time was up.
    pub finished: bool,
}

/// Trains a model until all updates are done or the time is up.
///
/// With `resume`, the run continues from the newest checkpoint in the folder, if there is one. Without it, the folder must
/// not contain checkpoints.
///
/// A run that was killed and resumed ends with the same weights, bit for bit, as one that was not. For that, checkpoints
/// store weights, optimizer state and position, and everything random depends only on the seed and the position.
///
/// # Errors
///
/// [`TrainError::Occupied`] if the folder contains checkpoints and `resume` is false, [`TrainError::OtherRun`] if they belong
/// to a run with other settings, [`TrainError::Diverged`] if the loss is not finite, and those of the objective.
pub fn run<O: Objective>(
    objective: &O,
    model: O::Model,
    options: &RunOptions,
    resume: bool,
    listener: &mut dyn RunListener,
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
    listener.started(&options.name, done, options.updates);
    let mut run = Run { objective, options, model, optimizer, checkpoints, metrics, done };
    let finished = run.go(listener)?;
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
    fn go(&mut self, listener: &mut dyn RunListener) -> Result<bool> {
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
            self.updates(&batches, listener)
        })
    }

    fn updates(
        &mut self,
        batches: &[Receiver<Result<O::Batch>>],
        listener: &mut dyn RunListener,
    ) -> Result<bool> {
        let started = Instant::now();
        let mut saved = Instant::now();
        let mut saved_update = self.done;
        while self.done < self.options.updates {
            let report = self.update(batches)?;
            self.metrics.append(&report)?;
            listener.updated(&report);
            if self.done.is_multiple_of(self.options.validate_updates) {
                self.validate(listener)?;
            }
            let out_of_time = self.options.max_time.is_some_and(|limit| started.elapsed() >= limit);
            let due = self.done.is_multiple_of(self.options.checkpoint_updates.max(1))
                || saved.elapsed() >= self.options.checkpoint_every
                || self.done == self.options.updates
                || out_of_time;
            if due && saved_update != self.done {
                self.save(listener)?;
                (saved, saved_update) = (Instant::now(), self.done);
            }
            if out_of_time {
                break;
            }
        }
        Ok(self.done == self.options.updates)
    }

    /// Evaluates the held-out batches without gradients and dropout.
    fn validate(&mut self, listener: &mut dyn RunListener) -> Result<()> {
        let model = self.model.valid();
        let mut sums = MeanMetrics::default();
        for batch in self.objective.held_out()? {
            sums.add(&self.objective.loss(&model, batch)?);
        }
        if sums.samples > 0 {
            let means = sums.all();
            self.metrics.append_validation(self.done, &means)?;
            listener.validated(self.done, &means);
        }
        Ok(())
    }

    fn save(&self, listener: &mut dyn RunListener) -> Result<()> {
        let fingerprint = self.options.fingerprint.clone();
        let position = Position { update: self.done, fingerprint };
        self.checkpoints.write(&self.model, &self.optimizer, &position)?;
        self.metrics.draw(&self.options.name)?;
        listener.saved(self.done);
        Ok(())
    }

    fn update(&mut self, batches: &[Receiver<Result<O::Batch>>]) -> Result<UpdateReport> {
        let started = Instant::now();
        let accumulation = self.options.accumulation;
        let mut gradients = GradientsAccumulator::new();
        let mut sums = MeanMetrics::default();
        for micro in 0..accumulation {
            let micro_step = self.done * accumulation + micro;
            let waited = Instant::now();
            let from = usize::try_from(micro_step).unwrap_or(0) % batches.len();
            let batch = batches[from].recv().map_err(|_| TrainError::Producer)??;
            sums.waiting += waited.elapsed();
            let draw = Draw { seed: self.options.seed, micro_step };
            self.device().seed(draw.number(Stream::Dropout));
            let (objective, model) = (self.objective, self.model.clone());
            let (loss, grads) = on_worker(move || -> Result<_> {
                let loss = objective.loss(&model, batch)?;
                #[allow(clippy::cast_precision_loss, reason = "a handful of micro-steps")]
                let share = loss.loss.clone().div_scalar(accumulation as f64);
                Ok((loss, GradientsParams::from_grads(share.backward(), &model)))
            })?;
            sums.add(&loss);
            gradients.accumulate(&self.model, grads);
        }
        let mut grads = gradients.grads();
        let mean_loss = sums.mean("loss");
        if !mean_loss.is_finite() {
            return Err(TrainError::Diverged { update: self.done, loss: mean_loss });
        }
        if let Some(limit) = self.options.max_grad_norm {
            clip_global_norm(&self.model, &mut grads, limit);
        }
        let learning_rate = self.options.schedule.at((self.done + 1) * accumulation - 1);
        self.model = self.optimizer.step(learning_rate, self.model.clone(), grads);
        self.done += 1;
        Ok(sums.report(self.done, self.options.updates, learning_rate, started.elapsed()))
    }

    fn device(&self) -> Device {
        self.model.devices().into_iter().next().unwrap_or_default()
    }
}

/// Prepares the batches of some micro-steps, until the receiver is gone.
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

/// The metrics of several micro-steps, to be averaged.
#[derive(Default)]
struct MeanMetrics {
    sums: BTreeMap<String, (f64, usize)>,
    samples: usize,
    waiting: Duration,
}

impl MeanMetrics {
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

    fn all(&self) -> BTreeMap<String, f64> {
        self.sums.keys().map(|name| (name.clone(), self.mean(name))).collect()
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of one update")]
    fn report(&self, update: u64, total: u64, learning_rate: f64, time: Duration) -> UpdateReport {
        let seconds = time.as_secs_f64().max(1e-9);
        let mut metrics = self.all();
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
