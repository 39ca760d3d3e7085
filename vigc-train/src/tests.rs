//! The engine on a model of a few hundred weights.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::Rng;
use vigc_core::weights::{KeyMap, save};

use vigc_core::random::splitmix64;

use super::*;
use crate::optimizer::{AdamWOptions, WeightDecay};

/// The CPU has one source of random numbers per process, so these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

pub(super) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Module, Debug)]
struct Toy {
    inner: Linear,
    norm: LayerNorm,
    dropout: Dropout,
    outer: Linear,
}

impl Toy {
    fn new(device: &Device) -> Self {
        device.seed(3);
        Self {
            inner: LinearConfig::new(4, 16).init(device),
            norm: LayerNormConfig::new(16).init(device),
            dropout: DropoutConfig::new(0.2).init(),
            outer: LinearConfig::new(16, 1).init(device),
        }
    }
}

/// Learns the sum of its inputs. Fails at one micro-step, as a killed process would.
struct Sums {
    fails_at: AtomicU64,
    seen: AtomicU64,
}

impl Sums {
    fn new(fails_at: u64) -> Self {
        Self { fails_at: AtomicU64::new(fails_at), seen: AtomicU64::new(0) }
    }
}

impl Objective for Sums {
    type Model = Toy;
    type Batch = Vec<f32>;

    fn batch(&self, draw: Draw) -> Result<Vec<f32>> {
        let mut rng = draw.rng(Stream::Rows);
        Ok((0..32).map(|_| rng.random_range(-1.0..1.0)).collect())
    }

    fn loss(&self, model: &Toy, batch: Vec<f32>) -> Result<Loss> {
        if self.seen.fetch_add(1, Ordering::Relaxed) == self.fails_at.load(Ordering::Relaxed) {
            return Err(TrainError::Producer);
        }
        let device = model.inner.weight.device();
        let x = Tensor::<2>::from_data(TensorData::new(batch, [8, 4]), &device);
        let y = model.norm.forward(model.inner.forward(x.clone())).tanh();
        let y = model.outer.forward(model.dropout.forward(y));
        let loss = (y - x.sum_dim(1)).square().mean();
        Ok(Loss { loss, samples: 8, metrics: vec![] })
    }
}

fn options(folder: &Path) -> RunOptions {
    RunOptions {
        name: "toy".to_owned(),
        folder: folder.to_owned(),
        seed: 11,
        updates: 20,
        accumulation: 2,
        schedule: Schedule { warmup_rate: 1e-6, rate: 2e-2, min_rate: 1e-3, warmup: 4, total: 40 },
        optimizer: AdamWOptions::default(),
        max_grad_norm: Some(1.0),
        checkpoint_updates: 3,
        checkpoint_every: Duration::from_secs(3600),
        validate_updates: 1000,
        max_time: None,
        workers: 2,
        fingerprint: "toy".to_owned(),
    }
}

/// A hash of the exact weights of a model.
fn weights(model: &Toy, folder: &Path) -> String {
    let path = folder.join("weights.safetensors");
    save(model, &KeyMap::IDENTITY, DType::F32, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let hash = bytes.iter().fold(0, |hash, &byte| splitmix64(hash ^ u64::from(byte)));
    format!("{hash:016x}")
}

#[test]
fn a_killed_run_resumes_and_ends_with_the_same_weights() {
    let _turn = turn();
    let device = Device::default().autodiff();
    let folder = tempfile::tempdir().unwrap();
    let unbroken = options(&folder.path().join("unbroken"));
    let whole =
        run(&Sums::new(u64::MAX), Toy::new(&device), &unbroken, false, &mut Silent).unwrap();
    // 15 micro-steps are 7 updates and one half of the next.
    let broken = options(&folder.path().join("broken"));
    run(&Sums::new(15), Toy::new(&device), &broken, false, &mut Silent).unwrap_err();
    let other = Toy::new(&device);
    let error = run(&Sums::new(u64::MAX), other.clone(), &broken, false, &mut Silent).unwrap_err();
    assert!(matches!(error, TrainError::Occupied { .. }), "{error}");
    let resumed = run(&Sums::new(u64::MAX), other, &broken, true, &mut Silent).unwrap();
    assert!(whole.finished && resumed.finished);
    assert_eq!(weights(&whole.model, folder.path()), weights(&resumed.model, folder.path()));
    let losses = |run: &str| {
        let rows = metrics::rows(&folder.path().join(run).join("metrics.jsonl")).unwrap();
        rows.iter().map(|row| (row.update, row.loss)).collect::<Vec<_>>()
    };
    assert_eq!(losses("unbroken"), losses("broken"));
    let kept = checkpoint::Checkpoints::new(broken.folder.join("checkpoints")).list().unwrap();
    assert_eq!(kept.iter().map(|kept| kept.0).collect::<Vec<_>>(), [18, 20]);
}

#[test]
fn the_time_limit_stops_between_updates_without_losing_any() {
    let _turn = turn();
    let device = Device::default().autodiff();
    let folder = tempfile::tempdir().unwrap();
    let unbroken = options(&folder.path().join("unbroken"));
    let whole =
        run(&Sums::new(u64::MAX), Toy::new(&device), &unbroken, false, &mut Silent).unwrap();
    let mut split = options(&folder.path().join("split"));
    split.max_time = Some(Duration::ZERO);
    let mut model =
        run(&Sums::new(u64::MAX), Toy::new(&device), &split, false, &mut Silent).unwrap();
    let mut runs = 1;
    while !model.finished {
        let fresh = Toy::new(&device);
        model = run(&Sums::new(u64::MAX), fresh, &split, true, &mut Silent).unwrap();
        runs += 1;
    }
    assert_eq!(runs, 20);
    assert_eq!(weights(&whole.model, folder.path()), weights(&model.model, folder.path()));
}

#[test]
fn settings_that_change_the_result_are_refused_on_resume() {
    let _turn = turn();
    let device = Device::default().autodiff();
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    run(&Sums::new(10), Toy::new(&device), &options, false, &mut Silent).unwrap_err();
    options.fingerprint = "another".to_owned();
    let error = run(&Sums::new(99), Toy::new(&device), &options, true, &mut Silent).unwrap_err();
    assert!(matches!(error, TrainError::OtherRun { .. }), "{error}");
}

#[test]
fn the_loss_falls_and_is_drawn() {
    let _turn = turn();
    let device = Device::default().autodiff();
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    (options.updates, options.schedule.total) = (150, 300);
    run(&Sums::new(u64::MAX), Toy::new(&device), &options, false, &mut Silent).unwrap();
    let rows = metrics::rows(&folder.path().join("metrics.jsonl")).unwrap();
    let mean = |rows: &[UpdateReport]| rows.iter().map(|row| row.loss).sum::<f64>() / 10.0;
    assert!(
        mean(&rows[140..]) < 0.5 * mean(&rows[..10]),
        "{} {}",
        mean(&rows[..10]),
        mean(&rows[140..])
    );
    let picture = std::fs::read_to_string(folder.path().join("loss.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("after 150 updates"), "{picture}");
}

#[test]
fn only_matrices_are_decayed() {
    let _turn = turn();
    let device = Device::default().autodiff();
    let (decayed, exempt) = WeightDecay::groups(&Toy::new(&device));
    assert_eq!(decayed, ["inner.weight", "outer.weight"]);
    assert_eq!(exempt, ["inner.bias", "norm.gamma", "norm.beta", "outer.bias"]);
}

#[test]
fn decay_is_applied_to_matrices_alone() {
    let _turn = turn();
    let device = Device::default().autodiff();
    let model = optimizer::with_stable_ids(Toy::new(&device).train());
    let mut optimizer = AdamWOptions { weight_decay: 0.5, ..Default::default() }.init(&model);
    // A loss without a gradient: only weight decay changes the weights.
    let x = Tensor::<2>::zeros([1, 16], &device);
    let loss = (model.outer.forward(x) * 0.0).sum() + model.norm.gamma.val().sum() * 0.0;
    let grads = burn_optim::GradientsParams::from_grads(loss.backward(), &model);
    let before = model.clone();
    let model = optimizer.step(0.1, model, grads);
    let change = |a: Tensor<2>, b: Tensor<2>| (a / b).inner().mean().into_scalar::<f32>();
    let decayed = change(model.outer.weight.val(), before.outer.weight.val());
    assert!((decayed - 0.95).abs() < 1e-6, "{decayed}");
    let (after, before) = (model.norm.gamma.val(), before.norm.gamma.val());
    after.into_data().assert_eq(&before.into_data(), true);
}

#[test]
fn the_schedule_equals_upstream() {
    #[derive(serde::Deserialize)]
    struct Row {
        schedule: Schedule,
        step: u64,
        rate: f64,
    }
    let rows: Vec<Row> = serde_json::from_str(include_str!("fixtures/schedule.json")).unwrap();
    for row in rows {
        let rate = row.schedule.at(row.step);
        assert!((rate - row.rate).abs() < 1e-12 * row.rate.max(1e-6), "{}: {rate}", row.step);
    }
}
