//! A third family of models, made of nothing but this file, runs through generation, correction, evaluation and training.
//!
//! It differs from InstructBLIP and LLaVA in what models of today differ in: its encoder sees a picture as four tiles, its
//! images have different numbers of visual tokens, and they stand in the middle of a chat template.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vigc_core::TokenBatch;
use vigc_core::files::read_json;
use vigc_core::nn::{Linear, LinearConfig};
use vigc_core::progress::Progress;
use vigc_core::weights::{Checkpoint, CheckpointOverlay, KeyMap};
use vigc_eval::answers::{AnswerJournal, AnswerMode, Query, QueryImage, QueryRunner};
use vigc_pipeline::Result;
use vigc_pipeline::llm::llama::LlamaConfig;
use vigc_pipeline::llm::tokenizer::train::llama_bpe;
use vigc_pipeline::llm::tokenizer::{SpecialTokens, TextTokenizer};
use vigc_pipeline::model::{
    Architecture, Connector, ImageBatch, ImageEncoder, ImagePreprocessor, ModelParts, Network,
    Padding, Precisions, PromptTokens, TokenizerFiles, VisionLanguageModel, VisualTokens,
    folder_name, read_generation_config,
};
use vigc_pipeline::prelude::*;
use vigc_pipeline::vision::image::{BlipImageProcessor, BlipImageProcessorConfig};
use vigc_scenes::{Scene, Split};
use vigc_train::{Recipe, RunListener, UpdateReport, run_finetuning};

/// The pictures' width and height, and those of a tile.
const SIDE: usize = 16;
const TILE: usize = SIDE / 2;

/// The configuration of the family, which is its `config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TilesConfig {
    model_type: String,
    text_config: LlamaConfig,
    #[serde(default)]
    precisions: Precisions,
}

/// Encodes each tile of a picture.
#[derive(Module, Debug)]
struct TileEncoder {
    tile: Linear,
}

impl ImageEncoder for TileEncoder {
    fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let [batch, ..] = pixel_values.dims();
        let tiles = pixel_values.reshape([batch, 3, 2, TILE, 2, TILE]);
        let tiles = tiles.permute([0, 2, 4, 1, 3, 5]).reshape([batch, 4, 3 * TILE * TILE]);
        self.tile.forward(tiles)
    }
}

/// Projects each tile. Of a picture whose first tile is dark, half of the tiles are dropped.
#[derive(Module, Debug)]
struct TileProjector {
    projection: Linear,
}

#[derive(Debug, Clone)]
struct TileTokens {
    tokens: Tensor<3>,
    lengths: Vec<usize>,
}

impl Connector for TileProjector {
    type Images = TileTokens;

    fn connect(&self, features: Tensor<3>) -> TileTokens {
        let first = features.clone().narrow(1, 0, 1).mean_dim(2).into_data();
        let lengths = first.iter::<f32>().map(|mean| if mean < 0.0 { 2 } else { 4 }).collect();
        TileTokens { tokens: self.projection.forward(features), lengths }
    }

    fn visual_tokens(&self, images: &TileTokens, _: &TokenBatch) -> VisualTokens {
        VisualTokens { tokens: images.tokens.clone(), lengths: images.lengths.clone() }
    }
}

impl ImageBatch for TileTokens {
    fn len(&self) -> usize {
        self.lengths.len()
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self::cat(
            rows.iter()
                .map(|&row| Self {
                    tokens: self.tokens.clone().narrow(0, row, 1),
                    lengths: vec![self.lengths[row]],
                })
                .collect(),
        )
    }

    fn cat(parts: Vec<Self>) -> Self {
        let lengths = parts.iter().flat_map(|part| part.lengths.clone()).collect();
        let tokens = parts.into_iter().map(|part| part.tokens).collect();
        Self { tokens: Tensor::cat(tokens, 0), lengths }
    }
}

impl Architecture for TilesConfig {
    type ImageEncoder = TileEncoder;
    type Connector = TileProjector;
    type Processor = BlipImageProcessor;

    const MODEL_TYPES: &'static [&'static str] = &["tiles"];
    const PADDING: Padding = Padding::Left;
    const MAX_TRAINED_PROMPT: usize = 64;
    const MAX_TRAINED_ANSWER: usize = 64;

    fn open(folder: &Path) -> Result<(ModelParts<Self>, CheckpointOverlay)> {
        let parts = ModelParts {
            name: folder_name(folder),
            config: read_json(folder.join("config.json"))?,
            processor: BlipImageProcessor::from_dir(folder)?,
            text_tokenizer: TextTokenizer::from_dir(folder)?,
            generation: read_generation_config(folder)?,
            tokenizer_files: TokenizerFiles::read(folder)?,
        };
        Ok((parts, CheckpointOverlay::default().with(Checkpoint::open(folder)?)))
    }

    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn depths(&self) -> Vec<(&'static str, usize)> {
        vec![("text_config.num_hidden_layers", self.text_config.num_hidden_layers)]
    }

    fn image_size(&self) -> usize {
        SIDE
    }

    fn precisions(&self) -> Precisions {
        self.precisions
    }

    fn set_precisions(&mut self, precisions: Precisions) {
        self.precisions = precisions;
    }

    fn init(&self, device: &Device) -> Network<TileEncoder, TileProjector> {
        let width = self.text_config.hidden_size;
        Network {
            image_encoder: TileEncoder { tile: LinearConfig::new(3 * TILE * TILE, 8).init(device) },
            connector: TileProjector { projection: LinearConfig::new(8, width).init(device) },
            language_model: self.text_config.init(device),
        }
    }

    fn image_preprocessor(processor: &BlipImageProcessor) -> &dyn ImagePreprocessor {
        processor
    }

    /// `</s>user <image> prompt assistant`.
    fn prompt_tokens(parts: &ModelParts<Self>, prompt: &str) -> Result<PromptTokens> {
        let pieces = |text: &str| parts.text_tokenizer.encode_pieces(text);
        Ok(PromptTokens {
            connector: Vec::new(),
            before: parts.text_tokenizer.encode("user")?,
            after: [pieces(prompt)?, pieces(" assistant")?].concat(),
        })
    }

    fn key_map(&self) -> KeyMap {
        KeyMap::IDENTITY
    }

    fn stored_config(parts: &ModelParts<Self>, _: DType) -> serde_json::Result<Value> {
        serde_json::to_value(&parts.config)
    }

    fn stored_processor(parts: &ModelParts<Self>) -> serde_json::Result<(&'static str, Value)> {
        Ok(("preprocessor_config.json", json!(parts.processor.config())))
    }
}

type Tiles = VisionLanguageModel<TilesConfig>;

/// An untrained model whose tokenizer knows the scenes' words.
fn tiles(device: &Device) -> Tiles {
    let texts = ["user assistant What is there? A red apple is on the left."];
    let files = tempfile::tempdir().unwrap();
    let tokenizer = llama_bpe(texts, 320).unwrap();
    tokenizer.save(files.path()).unwrap();
    let bytes = tokenizer.to_bytes();
    let text_tokenizer =
        TextTokenizer::from_bytes("tokenizer.json", &bytes, &SpecialTokens::upstream()).unwrap();
    let config = TilesConfig {
        model_type: "tiles".to_owned(),
        text_config: LlamaConfig::new(16)
            .with_vocab_size(text_tokenizer.vocab_size())
            .with_num_hidden_layers(1)
            .with_num_attention_heads(2),
        precisions: Precisions::default(),
    };
    let processor = BlipImageProcessorConfig::square(SIDE as u32);
    let parts = ModelParts {
        name: "tiles".to_owned(),
        processor: BlipImageProcessor::new(processor).unwrap(),
        text_tokenizer,
        generation: GenerationConfig::greedy().with_max_new_tokens(6),
        tokenizer_files: TokenizerFiles::read(files.path()).unwrap(),
        config: config.clone(),
    };
    device.seed(7);
    Tiles::new(parts, config.init(device), device).unwrap()
}

fn picture(seed: u64) -> RgbImage {
    Scene::sample(Split::Val, seed).render(64)
}

#[test]
fn it_writes_the_same_alone_and_in_a_batch_and_after_it_was_saved() {
    let device = Device::default();
    let model = tiles(&device);
    let images = model.encode(&[0, 1, 2, 3].map(picture)).unwrap();
    let lengths: Vec<_> = images.iter().map(|image| image.lengths[0]).collect();
    assert!(lengths.contains(&2) && lengths.contains(&4), "{lengths:?}");
    let prompts = ["What is there?", "Why?", "What is on the left of the red apple?", "Where?"];
    let requests: Vec<_> =
        images.iter().zip(prompts).map(|(image, prompt)| Request::new(image, prompt)).collect();
    let decoding = GenerationConfig::greedy().with_max_new_tokens(8);
    let together = model.generate(&requests, &decoding).unwrap();

    let folder = tempfile::tempdir().unwrap();
    model.save_pretrained(folder.path(), DType::F32).unwrap();
    let opened = Tiles::from_dir(folder.path(), &device).unwrap();
    for (request, texts) in requests.iter().zip(&together) {
        for model in [&model, &opened] {
            assert_eq!(model.generate(&[*request], &decoding).unwrap()[0][0].ids, texts[0].ids);
        }
    }
}

#[test]
fn it_runs_through_generation_correction_and_evaluation() {
    let model = tiles(&Device::default());
    let inputs: Vec<_> = (0..3)
        .map(|seed| vigc_pipeline::vigc::ImageInput::pixels(format!("{seed}.png"), picture(seed)))
        .collect();
    let vigc = Vigc::new(&model).with_decoding(model.generation_config().clone());
    assert_eq!(vigc.run(inputs, 2).map(Result::unwrap).count(), 3);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    picture(5).save(&path).unwrap();
    let query = |id: &str, mode| Query {
        id: id.to_owned(),
        image: QueryImage::File(path.clone()),
        prompt: "What is there?".to_owned(),
        mode,
    };
    let choices = ["apple", "left"].map(str::to_owned).to_vec();
    let queries = [
        query("written", AnswerMode::Generate),
        query("chosen", AnswerMode::Choose(choices.clone())),
    ];
    let runner = QueryRunner::new(&model, model.generation_config().clone());
    let mut journal =
        AnswerJournal::create(folder.path().join("answers.jsonl"), &runner.settings()).unwrap();
    let answers = runner.run(&queries, &mut journal, &Progress::none()).unwrap();
    assert!(choices.contains(&answers.texts["chosen"]) && answers.failures.is_empty());
}

/// Keeps the losses.
#[derive(Default)]
struct Losses(Vec<f64>);

impl RunListener for Losses {
    fn started(&mut self, _: &str, _: u64, _: u64) {}

    fn updated(&mut self, report: &UpdateReport) {
        self.0.push(report.loss);
    }
}

#[test]
fn it_is_finetuned() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::default();
    let recipe = format!(
        r#"
        stage = "finetune"
        output = "{}"
        [data]
        scenes = {{ split = "train", count = 8 }}
        [data.ratios]
        vqa = 1
        [model]
        tune = "full"
        [optimisation]
        updates = 30
        batch = 4
        rate = 1e-2
        [run]
        validate_updates = 0
        "#,
        folder.path().display()
    );
    let recipe: Recipe = toml::from_str(&recipe).unwrap();
    let mut losses = Losses::default();
    let model = tiles(&device);
    let training = device.clone().autodiff();
    let outcome = run_finetuning(&recipe, &model, &training, false, &mut losses).unwrap();
    assert!(outcome.finished);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    assert!(mean(&losses.0[20..]) < 0.9 * mean(&losses.0[..5]), "{:?}", losses.0);
    Tiles::from_dir(folder.path().join("model"), &device).unwrap();
}
