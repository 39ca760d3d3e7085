//! Questions about one picture.
//!
//! ```text
//! cargo run --release --example chat -- --image cat.png --prompt "What color is the cat?"
//! cargo run --release --example chat -- --image cat.png
//! ```
//!
//! Without `--prompt`, each line that is typed is a question.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Parser;
use vigc_pipeline::any_model::{AnyImage, AnyModel};
use vigc_pipeline::vigc::{GenerationConfig, ImageInput, Request, VisualLm};

/// Answers questions about an image.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    model: vigc_examples::ModelArgs,
    /// The image
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// The question [default: questions are read from the terminal]
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    #[command(flatten)]
    decode: vigc_examples::DecodeArgs,
    /// Seed of sampling
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let pixels = ImageInput::file(&args.image).open(&Default::default())?;
    let model = args.model.open()?;
    let decoding = args.decode.apply(model.generation_config().clone());
    let image = model.encode(&[pixels])?.remove(0);
    let chat = Chat { image, decoding, seed: args.seed, model };
    match &args.prompt {
        Some(prompt) => println!("{}", chat.answer(prompt)?),
        None => chat.answer_lines()?,
    }
    Ok(())
}

struct Chat {
    model: AnyModel,
    image: AnyImage,
    decoding: GenerationConfig,
    seed: u64,
}

impl Chat {
    fn answer(&self, prompt: &str) -> anyhow::Result<String> {
        let request = Request::new(&self.image, prompt).with_seed(self.seed);
        let texts = self.model.generate(&[request], &self.decoding)?;
        Ok(texts[0][0].text.clone())
    }

    fn answer_lines(&self) -> anyhow::Result<()> {
        let is_typed = io::stdin().is_terminal();
        let ask = || {
            if is_typed {
                print!("> ");
            }
            io::stdout().flush()
        };
        ask()?;
        for line in io::stdin().lock().lines() {
            let line = line?;
            if !line.trim().is_empty() {
                println!("{}", self.answer(line.trim())?);
            }
            ask()?;
        }
        Ok(())
    }
}
