//! Continues a prompt with a LLaMA from a Hugging Face folder.
//!
//! ```text
//! cargo run --release -p vigc-llm --features flex --example llama_to_text -- models/vicuna-7b "The capital of France is"
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Device;
use clap::Parser;
use vigc_core::TokenBatch;
use vigc_core::files::read_json;
use vigc_core::nn::Precision;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_llm::generation::{GenerationConfig, Strategy, TextGenerator};
use vigc_llm::llama::{HUGGING_FACE_KEYS, LlamaConfig};
use vigc_llm::tokenizer::TextTokenizer;

/// Continues a prompt with a LLaMA from a Hugging Face folder.
#[derive(Parser, Debug)]
struct Args {
    /// The folder: config.json, a tokenizer, and weights as safetensors or PyTorch files
    folder: PathBuf,
    /// The prompt
    prompt: String,
    /// Maximum number of new tokens
    #[arg(long, default_value_t = 64)]
    max_new_tokens: usize,
    /// greedy, beam:K, nucleus:P or sample:T:K:P
    #[arg(long, default_value_t = Strategy::Greedy)]
    strategy: Strategy,
    /// Seed of a strategy that samples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How weights are stored: f32, f16, bf16, q8 or q4
    #[arg(long, default_value_t = Precision::F32)]
    precision: Precision,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let device = Device::default();
    let tokenizer = TextTokenizer::from_dir(&args.folder)?;
    let config: LlamaConfig = read_json(args.folder.join("config.json"))?;
    let config = LlamaConfig { precision: args.precision, ..config };
    let mut llama = config.init(&device);
    Checkpoint::open(&args.folder)?.load(&mut llama, &HUGGING_FACE_KEYS, Strictness::Strict)?;

    let generator = TextGenerator::new(&llama, &tokenizer);
    let prompt = TokenBatch::pad_left(&[tokenizer.encode(&args.prompt)?], generator.padding_id());
    let embeds = llama.embed(prompt.ids(&device));
    let mask = prompt.mask(&device);
    let settings = GenerationConfig::default()
        .with_strategy(args.strategy)
        .with_max_new_tokens(args.max_new_tokens);
    let start = Instant::now();
    let texts = generator.generate(embeds, &mask, &settings, &[args.seed], &[])?;
    let seconds = start.elapsed().as_secs_f64();

    let text = &texts[0][0];
    println!("{}", text.text);
    let (tokens, finish) = (text.tokens.len(), text.finish);
    println!("\n{tokens} tokens in {seconds:.1} s, finish reason {finish:?}");
    Ok(())
}
