//! Real texts at the cost of 7B: what the bundled model wrote about scenes, read and written again by the large one.
//!
//! The large model's weights are random and so would be its texts, of which no draft would come true. So it computes all
//! that it would compute, and is then told what it chose.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use burn::tensor::{Bool, Device, Distribution, Tensor};
use vigc_pipeline::Result as PipelineResult;
use vigc_pipeline::core::TokenBatch;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llm::generation::{GenerationConfig, NeverStop, generate_with_draft};
use vigc_pipeline::llm::{CausalLm, Logits, Session, SpeculativeSession};
use vigc_pipeline::model::Connector;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::{
    Correction, FinishReason, Generated, ImageInput, Request, Speedups, Vigc, VisualLm,
};
use vigc_pipeline::vision::image::{Rgb, RgbImage};
use vigc_scenes::{Scene, Split};

use super::Result;

/// Scenes of which one sample each is recorded.
const SCENES: u64 = 2;

/// A prompt and what was written.
#[derive(Debug, Clone)]
struct Call {
    /// Tokens that the language model reads.
    prompt: usize,
    guess: Vec<u32>,
    /// With the end token, if the model wrote one.
    text: Vec<u32>,
}

/// Recorded samples, each a draft and its corrections.
pub(super) struct Texts {
    /// Written to their ends.
    plain: Vec<Vec<Call>>,
    /// As far as needed, with what was expected.
    hinted: Vec<Vec<Call>>,
}

/// How the corrections are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// Token by token to the end.
    Plain,
    /// The same texts, checked against what was expected.
    Guessed,
    /// That, and no further than the sentence that is kept.
    Hinted,
}

impl Texts {
    pub(super) fn record() -> Result<Self> {
        let model = InstructBlip::bundled(&Device::default())?;
        Ok(Self {
            plain: samples(&model, Speedups::NONE)?,
            hinted: samples(&model, Speedups::default())?,
        })
    }

    /// Corrections in one way of writing.
    fn corrections(&self, writing: Writing) -> impl Iterator<Item = Call> {
        let calls = |samples: &[Vec<Call>]| {
            samples.iter().flat_map(|sample| sample[1..].to_vec()).collect::<Vec<_>>()
        };
        let (plain, hinted) = (calls(&self.plain), calls(&self.hinted));
        plain.into_iter().zip(hinted).map(move |(plain, hinted)| match writing {
            Writing::Plain => Call { guess: Vec::new(), ..plain },
            Writing::Guessed => Call { guess: hinted.guess, ..plain },
            Writing::Hinted => hinted,
        })
    }

    /// The lengths of the first sample's prompts and whole texts.
    pub(super) fn loop_calls(&self) -> Vec<(usize, usize)> {
        self.plain[0].iter().map(|call| (call.prompt, call.text.len())).collect()
    }
}

/// A draft and four corrections for every scene.
fn samples(model: &InstructBlip, savings: Speedups) -> Result<Vec<Vec<Call>>> {
    let decoding = GenerationConfig::greedy().with_max_new_tokens(120);
    let (mut samples, mut seed) = (Vec::new(), 0);
    while samples.len() < SCENES as usize {
        let recorder = Recorder { model, calls: RefCell::new(Vec::new()) };
        let scene = Scene::sample(Split::Val, 900 + seed).render(112);
        let vigc = Vigc::new(&recorder)
            .with_task(Task::DetailDescription)
            .with_decoding(decoding.clone())
            .with_correction(Correction::sentences(4))
            .with_speedups(savings);
        for record in vigc.run([ImageInput::pixels("scene", scene)], 1) {
            record?;
        }
        let calls = recorder.calls.into_inner();
        if calls.len() == 5 {
            samples.push(calls);
        }
        seed += 1;
    }
    Ok(samples)
}

/// Notes what the bundled model is asked and writes.
struct Recorder<'a> {
    model: &'a InstructBlip,
    calls: RefCell<Vec<Call>>,
}

impl VisualLm for Recorder<'_> {
    type Image = <InstructBlip as VisualLm>::Image;

    fn name(&self) -> &str {
        self.model.name()
    }

    fn encode(&self, images: &[RgbImage]) -> PipelineResult<Vec<Self::Image>> {
        VisualLm::encode(self.model, images)
    }

    fn generate(
        &self,
        requests: &[Request<'_, Self::Image>],
        decoding: &GenerationConfig,
    ) -> PipelineResult<Vec<Vec<Generated>>> {
        let texts = VisualLm::generate(self.model, requests, decoding)?;
        let tokenizer = self.model.text_tokenizer();
        for (request, texts) in requests.iter().zip(&texts) {
            let mut text = tokenizer.encode_target(&texts[0].text)?;
            if texts[0].finish != FinishReason::EndToken {
                text.pop();
            }
            let mut guess = tokenizer.encode_target(request.hint.draft)?;
            guess.pop();
            let prompt =
                self.model.config().num_query_tokens + tokenizer.encode(request.prompt)?.len();
            self.calls.borrow_mut().push(Call { prompt, guess, text });
        }
        Ok(texts)
    }

    fn score(
        &self,
        request: &Request<'_, Self::Image>,
        candidates: &[&str],
    ) -> PipelineResult<Vec<f32>> {
        self.model.score(request, candidates)
    }
}

/// A model that is told what it chose.
#[derive(Debug)]
struct Told<'a> {
    lm: &'a dyn CausalLm,
    text: &'a [u32],
    /// Seconds that reading the prompt took.
    prefill: Cell<f64>,
}

struct ToldSession<'a> {
    inner: Box<dyn Session + 'a>,
    told: &'a Told<'a>,
    read: Vec<u32>,
}

impl Told<'_> {
    /// Scores that choose the text's next token, behind what has been read.
    fn scores(&self, read: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        let follows = self.text.starts_with(read);
        let next = if follows { self.text.get(read.len()).copied() } else { None };
        scores[next.unwrap_or(0) as usize] = 10.0;
    }
}

impl CausalLm for Told<'_> {
    fn vocab_size(&self) -> usize {
        self.lm.vocab_size()
    }

    fn start(&self, embeds: Tensor<3>, mask: Tensor<2, Bool>) -> (Box<dyn Session + '_>, Logits) {
        let start = Instant::now();
        let (inner, mut logits) = self.lm.start(embeds, mask);
        self.prefill.set(self.prefill.get() + start.elapsed().as_secs_f64());
        self.scores(&[], logits.row_mut(0));
        (Box::new(ToldSession { inner, told: self, read: Vec::new() }), logits)
    }
}

impl Session for ToldSession<'_> {
    fn advance(&mut self, tokens: &[u32]) -> Logits {
        self.advance_by(&[tokens])
    }

    fn select(&mut self, rows: &[usize]) {
        self.inner.select(rows);
    }

    fn speculative(&mut self) -> Option<&mut dyn SpeculativeSession> {
        Some(self)
    }
}

impl SpeculativeSession for ToldSession<'_> {
    fn advance_by(&mut self, tokens: &[&[u32]]) -> Logits {
        let mut logits = self.inner.speculative().expect("the CPU rolls back").advance_by(tokens);
        for (i, &token) in tokens[0].iter().enumerate() {
            self.read.push(token);
            self.told.scores(&self.read, logits.row_mut(i));
        }
        logits
    }

    fn roll_back(&mut self, counts: &[usize]) {
        self.inner.speculative().expect("the CPU rolls back").roll_back(counts);
        self.read.truncate(self.read.len() - counts[0]);
    }
}

/// Seconds of a call: for the prompt and for the text.
fn write(model: &InstructBlip, embeds: Tensor<3>, call: &Call) -> Result<(f64, f64)> {
    let [_, tokens, _] = embeds.dims();
    let mask = Tensor::<2>::ones([1, tokens], &Device::default()).greater_elem(0.0);
    let told =
        Told { lm: &model.network().language_model, text: &call.text, prefill: Cell::new(0.0) };
    let eos = model.text_tokenizer().eos_id();
    let settings =
        GenerationConfig::greedy().with_max_new_tokens(call.text.len()).with_eos_ids(vec![eos]);
    let guesses = [call.guess.clone()];
    let start = Instant::now();
    let texts = generate_with_draft(&told, embeds, &mask, &settings, &[], &NeverStop, &guesses)?;
    let seconds = start.elapsed().as_secs_f64();
    let expected = call.text.strip_suffix(&[eos]).unwrap_or(&call.text);
    assert_eq!(texts[0][0].tokens, expected, "what it was told");
    let prefill = told.prefill.get();
    Ok((prefill, seconds - prefill))
}

fn random_embeds(model: &InstructBlip, tokens: usize) -> Tensor<3> {
    let hidden = model.config().text_config.hidden_size;
    let shape = [1, tokens, hidden];
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::default())
}

/// Seconds for writing all corrections, prompts left out.
pub(super) fn corrections(model: &InstructBlip, texts: &Texts, writing: Writing) -> Result<f64> {
    let mut seconds = 0.0;
    for call in texts.corrections(writing) {
        seconds += write(model, random_embeds(model, call.prompt), &call)?.1;
    }
    Ok(seconds)
}

/// Seconds for a whole sample: picture, draft and four corrections.
pub(super) fn whole_loop(model: &InstructBlip, texts: &Texts) -> Result<f64> {
    let picture =
        RgbImage::from_fn(640, 480, |x, y| Rgb([x, y, x ^ y].map(|value| (value % 256) as u8)));
    let start = Instant::now();
    let image = model.encode(&[picture])?.remove(0);
    for call in &texts.hinted[0] {
        // The Q-Former reads a text of that length; what the language model then reads has the recorded length.
        let text = "and ".repeat(call.prompt.saturating_sub(model.config().num_query_tokens));
        let text = model.prompt_tokens(&text)?.connector;
        let text = TokenBatch::pad_right(&[text], 0);
        drop(model.network().connector.visual_tokens(&image, &text));
        write(model, random_embeds(model, call.prompt), call)?;
    }
    Ok(start.elapsed().as_secs_f64())
}
