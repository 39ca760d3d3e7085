//! The loss against torch's cross-entropy.

use burn::tensor::{Device, TensorData, Tolerance};
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_llm::llama::{LlamaConfig, keys};
use vigc_llm::loss::{NextTokens, next_token_loss};

use crate::fixture;

#[derive(serde::Deserialize)]
struct Golden {
    labels: Vec<Vec<i64>>,
    loss: f32,
    log_probs: Vec<f32>,
    gradient_of_hidden: Vec<f32>,
}

#[test]
fn matches_torch() {
    let golden: Golden = read_json(fixture("loss/loss.json")).unwrap();
    let device = Device::default().autodiff();
    let config: LlamaConfig = read_json(fixture("llama/mha.json")).unwrap();
    let mut model = config.init(&device);
    let checkpoint = Checkpoint::open(fixture("llama/mha.safetensors")).unwrap();
    checkpoint.load(&mut model, &keys::HUGGING_FACE, Strictness::Strict).unwrap();
    let hidden = checkpoint.tensor::<3>("output_hidden", &device).unwrap().require_grad();
    let next = NextTokens::from_labels(&golden.labels);

    let tolerance = Tolerance::<f32>::rel_abs(1e-4, 1e-5);
    let log_probs = next.log_probs(model.logits(next.select(hidden.clone())));
    let count = golden.log_probs.len();
    let expected = TensorData::new(golden.log_probs, [count]);
    log_probs.to_data().assert_approx_eq(&expected, tolerance);

    let loss = next_token_loss(&model, hidden.clone(), &next);
    loss.to_data().assert_approx_eq(&TensorData::from([golden.loss]), tolerance);
    let gradient = hidden.grad(&loss.backward()).unwrap();
    let expected = TensorData::new(golden.gradient_of_hidden, hidden.dims());
    gradient.to_data().assert_approx_eq(&expected, tolerance);
}
