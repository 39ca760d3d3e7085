//! Trains a model of one's own with the engine: a line through noisy points. The run stops halfway and is resumed.
//!
//! ```text
//! cargo run --release -p vigc-train --example line
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use vigc_train::optimizer::AdamWOptions;
use vigc_train::{
    Draw, Loss, Objective, Result, RunOptions, Schedule, Silent, Stream, TrainError, run,
};

/// A line `y = slope * x + intercept`.
#[derive(Module, Debug)]
struct Line {
    line: Linear,
}

/// Points near `y = 3 x - 1`.
struct Points;

impl Objective for Points {
    type Model = Line;
    type Batch = Vec<[f32; 2]>;

    fn batch(&self, draw: Draw) -> Result<Self::Batch> {
        let mut rng = draw.rng(Stream::Rows);
        let point = |_| {
            let x = rng.random_range(-1.0..1.0f32);
            [x, 3.0 * x - 1.0 + rng.random_range(-0.1..0.1)]
        };
        Ok((0..32).map(point).collect())
    }

    fn loss(&self, model: &Line, batch: Self::Batch) -> Result<Loss> {
        let samples = batch.len();
        let points = TensorData::new(batch.concat(), [samples, 2]);
        let points = Tensor::<2>::from_data(points, &model.line.weight.device());
        let predicted = model.line.forward(points.clone().narrow(1, 0, 1));
        let loss = (predicted - points.narrow(1, 1, 1)).square().mean();
        Ok(Loss { loss, samples, metrics: Vec::new() })
    }
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(|source| {
        let path = std::env::temp_dir();
        TrainError::File { path, source }
    })?;
    let device = Device::default().autodiff();
    let line = || Line { line: LinearConfig::new(1, 1).init(&device) };
    let total = 400;
    let schedule = Schedule { warmup_rate: 0.0, rate: 5e-2, min_rate: 0.0, warmup: 20, total };
    let optimizer = AdamWOptions { weight_decay: 0.0, ..AdamWOptions::default() };
    let options =
        RunOptions { seed: 7, optimizer, ..RunOptions::new(folder.path(), total, schedule) };

    let half = RunOptions { updates: total / 2, ..options.clone() };
    let outcome = run(&Points, line(), &half, false, &mut Silent)?;
    println!("{} updates: {}", outcome.updates, describe(&outcome.model));

    // A new model: its weights come from the checkpoint.
    let outcome = run(&Points, line(), &options, true, &mut Silent)?;
    println!("{} updates: {}", outcome.updates, describe(&outcome.model));
    Ok(())
}

fn describe(Line { line }: &Line) -> String {
    let slope: f32 = line.weight.val().into_scalar();
    let intercept: f32 = line.bias.as_ref().map_or(0.0, |bias| bias.val().into_scalar());
    format!("y = {slope:.2} x + {intercept:.2}")
}
