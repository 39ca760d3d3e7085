//! LLaMA with random weights: reading a prompt, and writing a token for one row and for five beams.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
use vigc_pipeline::core::nn::Precision;
use vigc_pipeline::llm::llama::{Llama, LlamaConfig};
use vigc_pipeline::llm::{CausalLm, Logits, Session};

use super::bench::{Bench, Case};
use super::group::Scale;
use crate::machine::bits_per_weight;
use crate::random_weights::{fill, tensor};

/// Tokens of a prompt.
const PROMPT: usize = 96;
/// Tokens after which a session begins again, so that its length hardly changes what a step costs.
const STEPS: usize = 64;
/// The rows that beams go on from: two beams end and two are doubled, in every step.
const PARENTS: [usize; 5] = [0, 0, 1, 1, 2];

pub(super) fn run(bench: &mut Bench<'_>, scale: Scale) {
    let in_f32 = match scale {
        Scale::Tiny => LlamaConfig::new(32)
            .with_vocab_size(64)
            .with_num_hidden_layers(1)
            .with_num_attention_heads(2),
        Scale::Normal => LlamaConfig { num_hidden_layers: 1, ..LlamaConfig::vicuna_7b() },
        Scale::Full => LlamaConfig { num_hidden_layers: 4, ..LlamaConfig::vicuna_7b() },
    };
    let device = bench.device();
    for precision in Precision::ALL {
        let config = LlamaConfig { precision, ..in_f32.clone() };
        let model = OnceCell::new();
        let model = || model.get_or_init(|| fill(config.init(&device), &in_f32.init(&device)));

        bench.measure(prompt_case(&config), |sampler| {
            let llama = model();
            sampler.run_timed(|times| {
                let start = Instant::now();
                for _ in 0..times {
                    drop(read_prompt(llama, 1, &config, &device));
                }
                Ok(start.elapsed())
            })
        });
        bench.measure(step_case("a token, greedy", &config, 1), |sampler| {
            let llama = model();
            let mut steps = Steps::new(llama, &config, &device, &[0]);
            sampler.run_timed(|times| Ok((0..times).map(|_| steps.next()).sum()))
        });
        let beams = PARENTS.len();
        bench.measure(step_case("a token, five beams", &config, beams), |sampler| {
            let llama = model();
            let mut steps = Steps::new(llama, &config, &device, &PARENTS);
            sampler.run_timed(|times| Ok((0..times).map(|_| steps.next()).sum()))
        });
    }
}

/// Reads a prompt of random embeddings for every row.
fn read_prompt<'a>(
    llama: &'a Llama,
    rows: usize,
    config: &LlamaConfig,
    device: &Device,
) -> (Box<dyn Session + 'a>, Logits) {
    let embeds = tensor([rows, PROMPT, config.hidden_size], device);
    let mask = Tensor::<2>::ones([rows, PROMPT], device).greater_elem(0.0);
    CausalLm::start(llama, embeds, mask)
}

/// Writes tokens, over and over.
struct Steps<'a> {
    llama: &'a Llama,
    config: &'a LlamaConfig,
    device: &'a Device,
    /// The row that each row goes on from.
    parents: &'a [usize],
    session: Option<(Box<dyn Session + 'a>, Logits)>,
    written: usize,
}

impl<'a> Steps<'a> {
    fn new(
        llama: &'a Llama,
        config: &'a LlamaConfig,
        device: &'a Device,
        parents: &'a [usize],
    ) -> Self {
        Self { llama, config, device, parents, session: None, written: 0 }
    }

    /// How long the next step takes: the choice of the likeliest tokens, the move of the beams and the model.
    fn next(&mut self) -> Duration {
        if self.written.is_multiple_of(STEPS) {
            let (mut session, logits) = read_prompt(self.llama, 1, self.config, self.device);
            session.select(&vec![0; self.parents.len()]);
            let logits =
                Logits::new(logits.row(0).repeat(self.parents.len()), self.config.vocab_size);
            self.session = Some((session, logits));
        }
        self.written += 1;
        let (session, logits) = self.session.as_mut().expect("the first step begins one");
        let start = Instant::now();
        let rows = self.parents.iter();
        let tokens: Vec<_> = rows.map(|&row| likeliest(logits.row(row))).collect();
        if tokens.len() > 1 {
            session.select(self.parents);
        }
        *logits = session.advance(&tokens);
        start.elapsed()
    }
}

fn likeliest(scores: &[f32]) -> u32 {
    let best = scores.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map_or(0, |(token, _)| token as u32)
}

/// Weights of the layers, and those of the output layer.
fn weights(config: &LlamaConfig) -> (usize, usize) {
    let (width, inner) = (config.hidden_size, config.intermediate_size);
    let layer = 4 * width * width + 3 * width * inner;
    (config.num_hidden_layers * layer, config.vocab_size * width)
}

/// Every token passes the layers, the last one the output layer, too.
fn prompt_case(config: &LlamaConfig) -> Case {
    let (layers, head) = weights(config);
    // Half of the scores are hidden by the causal mask.
    let attention = config.num_hidden_layers * PROMPT * PROMPT * config.hidden_size;
    case(&format!("a prompt of {PROMPT} tokens"), config)
        .makes(PROMPT, "tokens")
        .computes(config.precision, 2.0 * (PROMPT * layers + attention + head) as f64)
}

fn step_case(what: &str, config: &LlamaConfig, rows: usize) -> Case {
    let (layers, head) = weights(config);
    // Of the beams one becomes the text.
    case(what, config)
        .makes(1, "tokens")
        .computes(config.precision, 2.0 * (rows * (layers + head)) as f64)
}

fn case(what: &str, config: &LlamaConfig) -> Case {
    let (layers, head) = weights(config);
    let name = format!(
        "LLaMA, {} × {}, {}: {what}",
        config.hidden_size, config.num_hidden_layers, config.precision
    );
    Case::new(name).reads(bits_per_weight(config.precision) / 8.0 * (layers + head) as f64)
}
