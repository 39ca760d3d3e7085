//! The work that is measured, by our model.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use vigc_benches::machine::bits_per_weight;
use vigc_pipeline::core::TokenBatch;
use vigc_pipeline::core::kernels::on_worker;
use vigc_pipeline::core::nn::Precision;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llm::{CausalLm, Session};
use vigc_pipeline::model::Connector;

use super::Result;
use super::replay::{self, Texts, Writing};

/// Tokens that a decoding step has behind it.
const PAST: usize = 128;
/// Tokens of a prompt.
const PROMPT: usize = 96;

const WRITINGS: [Writing; 3] = [Writing::Plain, Writing::Guessed, Writing::Hinted];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// One image through the encoder.
    Vit,
    /// 32 queries and 20 tokens through the Q-Former, the image's keys and values included.
    QFormer,
    /// A prompt.
    Prefill,
    /// A step of so many rows.
    Decode(usize),
    /// A draft and four corrections.
    Loop,
    /// Writing the corrections of recorded samples.
    Corrections(Writing),
}

impl Work {
    /// What is compared in a precision.
    pub(super) fn of(precision: Precision) -> Vec<Self> {
        let language = [Self::Prefill, Self::Decode(1), Self::Decode(5)];
        let corrections = WRITINGS.map(Self::Corrections);
        match precision {
            Precision::Bf16 => [&[Self::Vit, Self::QFormer][..], &language].concat(),
            Precision::Q4 => {
                [&language[..], &[Self::Decode(16), Self::Loop], &corrections].concat()
            }
            _ => [&language[..], &[Self::Decode(16)]].concat(),
        }
    }

    /// Who does the same, in what.
    pub(super) fn peers(self, precision: Precision) -> Vec<(&'static str, &'static str)> {
        let same_bits = match precision {
            Precision::Q8 => "q8_0",
            Precision::Q4 => "q4_0",
            _ => "bf16",
        };
        match self {
            Self::Vit | Self::QFormer => vec![("torch", "bf16")],
            Self::Prefill | Self::Decode(1 | 5) if same_bits == "bf16" => {
                vec![("llama.cpp", same_bits), ("torch", "bf16")]
            }
            Self::Prefill | Self::Decode(1 | 5) | Self::Loop => vec![("llama.cpp", same_bits)],
            Self::Decode(_) | Self::Corrections(_) => Vec::new(),
        }
    }

    /// Whether it is the language model's.
    pub(super) fn is_language(self) -> bool {
        !matches!(self, Self::Vit | Self::QFormer)
    }

    /// What the peer is told.
    pub(super) fn arguments(self) -> Vec<String> {
        let words = match self {
            Self::Vit => "--work vit".to_owned(),
            Self::QFormer => "--work qformer".to_owned(),
            Self::Prefill => format!("--work prefill --tokens {PROMPT}"),
            Self::Decode(rows) => format!("--work decode --rows {rows} --past {PAST}"),
            Self::Loop | Self::Corrections(_) => "--work loop".to_owned(),
        };
        words.split(' ').map(str::to_owned).collect()
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::Vit, Self::QFormer, Self::Prefill, Self::Loop];
        let decode = (1..=64).map(Self::Decode);
        let corrections = WRITINGS.map(Self::Corrections);
        let mut works = all.into_iter().chain(decode).chain(corrections);
        works.find(|work| work.to_string() == name).ok_or_else(|| {
            format!("{name} is no work; vit, qformer, prefill, decode-ROWS, loop and corrections-plain, -guessed or -hinted are")
        })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vit => f.write_str("vit"),
            Self::QFormer => f.write_str("qformer"),
            Self::Prefill => f.write_str("prefill"),
            Self::Decode(rows) => write!(f, "decode-{rows}"),
            Self::Loop => f.write_str("loop"),
            Self::Corrections(Writing::Plain) => f.write_str("corrections-plain"),
            Self::Corrections(Writing::Guessed) => f.write_str("corrections-guessed"),
            Self::Corrections(Writing::Hinted) => f.write_str("corrections-hinted"),
        }
    }
}

/// Work that is ready to be done.
pub(super) struct Ours<'a> {
    model: &'a InstructBlip,
    work: Work,
    /// A session of so many rows, for decoding.
    session: RefCell<Option<Box<dyn Session + 'a>>>,
    texts: Option<Texts>,
}

impl<'a> Ours<'a> {
    pub(super) fn new(model: &'a InstructBlip, work: Work) -> Result<Self> {
        let session = match work {
            Work::Decode(rows) => {
                let (mut session, _) = prompt(model, 1, PAST);
                session.select(&vec![0; rows]);
                Some(session)
            }
            _ => None,
        };
        let texts = match work {
            Work::Loop | Work::Corrections(_) => Some(Texts::record()?),
            _ => None,
        };
        Ok(Self { model, work, session: RefCell::new(session), texts })
    }

    /// Bytes of the weights that a step reads, where that is the limit.
    pub(super) fn bytes(&self) -> Option<f64> {
        let Work::Decode(_) = self.work else { return None };
        let bits = bits_per_weight(self.model.config().precisions.language);
        let config = &self.model.config().text_config;
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let layer = 4 * hidden * hidden + 3 * hidden * inner;
        let weights = config.num_hidden_layers * layer + config.vocab_size * hidden;
        Some(weights as f64 * bits / 8.0)
    }

    /// The lengths of the prompts and texts of a whole sample, for a peer.
    pub(super) fn calls(&self) -> Option<String> {
        let Work::Loop = self.work else { return None };
        let calls = self.texts.as_ref()?.loop_calls();
        let calls: Vec<_> = calls.iter().map(|(prompt, text)| format!("{prompt}:{text}")).collect();
        Some(calls.join(","))
    }

    /// Does it once; the seconds that took.
    pub(super) fn run(&self) -> Result<f64> {
        let network = self.model.network();
        let device = Device::default();
        match self.work {
            Work::Vit => {
                let pixels = Tensor::random([1, 3, 224, 224], Distribution::Default, &device);
                timed(|| drop(network.image_encoder.vision_model.forward(pixels.clone())), &device)
            }
            Work::QFormer => {
                let image = Tensor::<3>::random([1, 257, 1408], Distribution::Default, &device);
                let text = TokenBatch::pad_right(&[(4..24).collect()], 0);
                let run = || {
                    let image = network.connector.connect(image.clone());
                    drop(network.connector.query_output(&image, &text));
                };
                timed(run, &device)
            }
            Work::Prefill => timed(|| drop(prompt(self.model, 1, PROMPT)), &device),
            Work::Decode(rows) => {
                let mut session = self.session.borrow_mut();
                let session = session.as_mut().ok_or("no session")?;
                let session = session.speculative().ok_or("tokens cannot be rolled back")?;
                let start = Instant::now();
                drop(session.advance_by(&vec![&[7][..]; rows]));
                let seconds = start.elapsed().as_secs_f64();
                session.roll_back(&vec![1; rows]);
                Ok(seconds)
            }
            Work::Loop => replay::whole_loop(self.model, self.texts.as_ref().ok_or("no texts")?),
            Work::Corrections(writing) => {
                replay::corrections(self.model, self.texts.as_ref().ok_or("no texts")?, writing)
            }
        }
    }
}

/// Reads a prompt of random embeddings for every row.
pub(super) fn prompt(
    model: &InstructBlip,
    rows: usize,
    tokens: usize,
) -> (Box<dyn Session + '_>, vigc_pipeline::llm::Logits) {
    let lm = &model.network().language_model;
    let device = Device::default();
    let hidden = model.config().text_config.hidden_size;
    let embeds = Tensor::random([rows, tokens, hidden], Distribution::Normal(0.0, 1.0), &device);
    let mask = Tensor::<2>::ones([rows, tokens], &device).greater_elem(0.0);
    CausalLm::start(lm, embeds, mask)
}

fn timed(run: impl FnOnce() + Send, device: &Device) -> Result<f64> {
    let start = Instant::now();
    on_worker(run);
    device.sync()?;
    Ok(start.elapsed().as_secs_f64())
}
