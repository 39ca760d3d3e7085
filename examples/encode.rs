//! What the network computes from one image and one prompt, as safetensors.
//!
//! ```text
//! cargo run --release --example encode -- --image photo.jpg --prompt "What is this?" --out encoded.safetensors
//! ```
//!
//! Writes f32 `pixel_values`, `image_embeds` (after `ln_vision`), `query_output`, `language_inputs` and
//! `logits` (visual tokens, then prompt), and i64 `input_ids`.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::path::PathBuf;

use burn::tensor::{DType, Tensor, TensorData};
use clap::Parser;
use vigc_pipeline::core::TokenBatch;
use vigc_pipeline::core::weights::save_tensors;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::model::{Connector, ImageEncoder};
use vigc_pipeline::vigc::Request;
use vigc_pipeline::vision::image::{ImageLimits, open_image};

/// Writes every stage of the network for one image and one prompt.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    model: vigc_examples::ModelArgs,
    /// The image
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// What the Q-Former and the language model read
    #[arg(long, value_name = "TEXT")]
    prompt: String,
    /// The tensors
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let model = args.model.open_instruct_blip()?;
    let tensors = stages(&model, &args)?;
    for (name, data) in &tensors {
        println!("{name:<16} {:?} {:?}", data.dtype(), data.shape().to_vec());
    }
    save_tensors(tensors, &args.out)?;
    Ok(())
}

fn stages(model: &InstructBlip, args: &Args) -> anyhow::Result<Vec<(String, TensorData)>> {
    let network = model.network();
    let image = open_image(&args.image, &ImageLimits::default())?;
    let pixel_values = model.image_preprocessor().batch(&[image], model.device());
    let image_embeds = network.image_encoder.forward(pixel_values.clone());
    let images = network.connector.connect(image_embeds.clone());
    let prompt = model.prompt_tokens(&args.prompt)?;
    let text = TokenBatch::pad_right(&[prompt.connector], 0);
    let query_output = network.connector.query_output(&images, &text);
    let language_inputs = network.connector.language_projection.forward(query_output.clone());
    let inputs = model.prompt_inputs(&[Request::new(&images, &args.prompt)])?;
    let lm = &network.language_model;
    let logits = lm.logits(lm.forward(inputs.embeds, inputs.mask, None));
    let ids: Vec<i64> = prompt.after.iter().map(|&id| i64::from(id)).collect();
    let shape = [1, ids.len()];
    Ok(vec![
        float("pixel_values", pixel_values),
        float("image_embeds", image_embeds),
        float("query_output", query_output),
        float("language_inputs", language_inputs),
        float("logits", logits),
        ("input_ids".to_owned(), TensorData::new(ids, shape)),
    ])
}

fn float<const D: usize>(name: &str, tensor: Tensor<D>) -> (String, TensorData) {
    (name.to_owned(), tensor.into_data().convert_dtype(DType::F32))
}
