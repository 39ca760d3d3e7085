//! From a picture file to visual tokens.
//!
//! ```text
//! cargo run --release -p vigc-vision --example picture_to_tokens -- photo.jpg --model models/instructblip-vicuna-7b
//! ```
//!
//! The model is a Hugging Face folder of InstructBLIP. Without one, the example uses small random weights.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Distribution, Tensor};
use clap::Parser;
use serde::Deserialize;
use vigc_core::files::read_json;
use vigc_core::nn::LayerNorm;
use vigc_core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_vision::eva_vit::{self, EvaVit, EvaVitConfig};
use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig, ImageLimits, open_image};
use vigc_vision::qformer::{self, QFormer, QFormerConfig};

/// Prints the visual tokens of a picture.
#[derive(Parser, Debug)]
struct Args {
    /// The picture
    picture: PathBuf,
    /// A Hugging Face folder of InstructBLIP; without one, the weights are small and random
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
}

/// The fields of InstructBLIP's `config.json` that the vision half needs.
#[derive(Deserialize)]
struct Config {
    vision_config: EvaVitConfig,
    qformer_config: QFormerConfig,
    num_query_tokens: usize,
}

/// The vision half of InstructBLIP.
struct Model {
    processor: BlipImageProcessor,
    encoder: EvaVit,
    norm: LayerNorm,
    qformer: QFormer,
    /// `[1, queries, hidden]`.
    query_tokens: Tensor<3>,
}

impl Model {
    fn random(device: &Device) -> anyhow::Result<Self> {
        let vision_config = EvaVitConfig::new(64)
            .with_num_hidden_layers(2)
            .with_num_attention_heads(4)
            .with_image_size(112);
        let qformer_config = QFormerConfig::new(32)
            .with_num_hidden_layers(2)
            .with_num_attention_heads(4)
            .with_encoder_hidden_size(64);
        let processor = BlipImageProcessor::new(BlipImageProcessorConfig::square(112))?;
        device.seed(0);
        Ok(Self::init(
            &Config { vision_config, qformer_config, num_query_tokens: 8 },
            processor,
            device,
        ))
    }

    fn from_dir(folder: &Path, device: &Device) -> anyhow::Result<Self> {
        let config: Config = read_json(folder.join("config.json"))?;
        config.vision_config.validate()?;
        config.qformer_config.validate()?;
        let mut model = Self::init(&config, BlipImageProcessor::from_dir(folder)?, device);
        let weights = Checkpoint::open(folder)?;
        let vision = weights.scope("vision_model");
        vision.load(&mut model.encoder, &eva_vit::HUGGING_FACE_KEYS, Strictness::Strict)?;
        let norm = vision.scope("post_layernorm");
        norm.load(&mut model.norm, &KeyMap::IDENTITY, Strictness::Strict)?;
        let qformer = weights.scope("qformer");
        qformer.load(&mut model.qformer, &qformer::HUGGING_FACE_KEYS, Strictness::Strict)?;
        model.query_tokens = weights.tensor("query_tokens", device)?;
        Ok(model)
    }

    fn init(config: &Config, processor: BlipImageProcessor, device: &Device) -> Self {
        let Config { vision_config, qformer_config, num_query_tokens } = config;
        let (width, eps) = (vision_config.hidden_size, vision_config.layer_norm_eps);
        let queries = [1, *num_query_tokens, qformer_config.hidden_size];
        Self {
            processor,
            encoder: vision_config.init(device),
            norm: LayerNorm::new(width, eps, device),
            qformer: qformer_config.init(device),
            query_tokens: Tensor::random(queries, Distribution::Normal(0.0, 0.02), device),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let device = Device::default();
    let picture = open_image(&args.picture, &ImageLimits::default())?;
    let model = match &args.model {
        Some(folder) => Model::from_dir(folder, &device)?,
        None => {
            println!(
                "There is no --model, so the weights are random and the numbers mean nothing."
            );
            Model::random(&device)?
        }
    };

    println!("picture        {} x {} pixels", picture.width(), picture.height());
    let pixels = model.processor.batch(&[picture], &device);
    println!("pixel values   {:?}", pixels.dims());
    let image_embeds = model.norm.forward(model.encoder.forward(pixels));
    println!("image embeds   {:?}", image_embeds.dims());
    let image = model.qformer.image_key_values(image_embeds);
    let visual_tokens = model.qformer.forward(model.query_tokens, None, &image);
    println!("visual tokens  {:?}", visual_tokens.dims());

    let [_, tokens, width] = visual_tokens.dims();
    let (rows, columns) = (tokens.min(3), width.min(5));
    let numbers: Vec<f32> =
        visual_tokens.slice([0..1, 0..rows, 0..columns]).into_data().iter::<f32>().collect();
    for row in numbers.chunks(columns) {
        let row: Vec<_> = row.iter().map(|number| format!("{number:8.4}")).collect();
        println!("               {} …", row.join(" "));
    }
    Ok(())
}
