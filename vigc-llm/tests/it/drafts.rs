//! A draft changes how long a text takes, never the text.

use std::cell::Cell;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vigc_llm::generation::{
    GenerationConfig, Hypothesis, NeverStop, Strategy, generate, generate_with_draft,
};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_llm::{CausalLm, Logits, Session, SpeculativeSession};

const VOCAB: u32 = 60;

/// Counts the forward passes of a model.
#[derive(Debug)]
struct Counting<'a> {
    llama: &'a Llama,
    passes: Cell<usize>,
}

struct CountingSession<'a> {
    inner: Box<dyn Session + 'a>,
    passes: &'a Cell<usize>,
}

impl CausalLm for Counting<'_> {
    fn vocab_size(&self) -> usize {
        CausalLm::vocab_size(self.llama)
    }

    fn start(&self, embeds: Tensor<3>, mask: Tensor<2, Bool>) -> (Box<dyn Session + '_>, Logits) {
        let (inner, logits) = self.llama.start(embeds, mask);
        (Box::new(CountingSession { inner, passes: &self.passes }), logits)
    }
}

impl Session for CountingSession<'_> {
    fn advance(&mut self, tokens: &[u32]) -> Logits {
        self.passes.set(self.passes.get() + 1);
        self.inner.advance(tokens)
    }

    fn select(&mut self, rows: &[usize]) {
        self.inner.select(rows);
    }

    fn speculative(&mut self) -> Option<&mut dyn SpeculativeSession> {
        Some(self)
    }
}

impl SpeculativeSession for CountingSession<'_> {
    fn advance_by(&mut self, tokens: &[&[u32]]) -> Logits {
        self.passes.set(self.passes.get() + 1);
        self.inner.speculative().unwrap().advance_by(tokens)
    }

    fn roll_back(&mut self, counts: &[usize]) {
        self.inner.speculative().unwrap().roll_back(counts);
    }
}

/// Prompts of several lengths, padded on the left.
fn prompts(rng: &mut ChaCha8Rng, rows: usize) -> Vec<Vec<u32>> {
    let tokens = |rng: &mut ChaCha8Rng| {
        let len = rng.random_range(1..20);
        (0..len).map(|_| rng.random_range(1..VOCAB)).collect()
    };
    (0..rows).map(|_| tokens(rng)).collect()
}

fn inputs(llama: &Llama, prompts: &[Vec<u32>]) -> (Tensor<3>, Tensor<2, Bool>) {
    let device = Device::default();
    let seq = prompts.iter().map(Vec::len).max().unwrap();
    let pad = |prompt: &Vec<u32>| {
        let mut row = vec![0; seq - prompt.len()];
        row.extend(prompt.iter().map(|&token| token as i32));
        row
    };
    let ids: Vec<i32> = prompts.iter().flat_map(pad).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [prompts.len(), seq]), &device);
    let mask = ids.clone().greater_elem(0);
    (llama.embed(ids), mask)
}

/// A text with some tokens replaced, removed and inserted.
fn changed(rng: &mut ChaCha8Rng, text: &[u32]) -> Vec<u32> {
    let mut draft = Vec::new();
    for &token in text {
        match rng.random_range(0..12) {
            0 => draft.push(rng.random_range(0..VOCAB)),
            1 => {}
            2 => draft.extend([token, rng.random_range(0..VOCAB)]),
            _ => draft.push(token),
        }
    }
    draft
}

#[test]
fn thousands_of_texts_are_the_same_with_any_draft_and_in_any_batch() {
    let device = Device::default();
    device.seed(3);
    let llama = LlamaConfig::new(32)
        .with_vocab_size(VOCAB as usize)
        .with_num_hidden_layers(2)
        .with_num_attention_heads(2)
        .init(&device);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let greedy = GenerationConfig::greedy().with_max_new_tokens(24).with_eos_ids([0]);
    let sample = Strategy::Sample { temperature: 0.2, top_k: 10, top_p: 0.9 };
    let settings = [
        greedy.clone(),
        greedy.clone().with_repetition_penalty(1.5).with_min_new_tokens(6),
        greedy.clone().with_strategy(sample).with_n_best(2),
    ];
    let (mut texts, mut passes, mut draft_passes) = (0, 0, 0);
    for round in 0..600 {
        let config = &settings[round % settings.len()];
        let prompts = prompts(&mut rng, 4);
        let seeds: Vec<u64> = (0..4).map(|_| rng.random_range(0..1000)).collect();
        let alone: Vec<Vec<Hypothesis>> = prompts
            .iter()
            .zip(&seeds)
            .map(|(prompt, &seed)| {
                let (embeds, mask) = inputs(&llama, std::slice::from_ref(prompt));
                generate(&llama, embeds, &mask, config, &[seed]).unwrap().remove(0)
            })
            .collect();
        let drafts: Vec<_> = alone.iter().map(|row| changed(&mut rng, &row[0].tokens)).collect();
        let counting = Counting { llama: &llama, passes: Cell::new(0) };
        let (embeds, mask) = inputs(&llama, &prompts);
        let plain = generate(&counting, embeds.clone(), &mask, config, &seeds).unwrap();
        passes += counting.passes.take();
        let drafted =
            generate_with_draft(&counting, embeds, &mask, config, &seeds, &NeverStop, &drafts)
                .unwrap();
        draft_passes += counting.passes.take();
        // Bit for bit, scores included.
        assert_eq!(plain, alone, "{config:?}");
        assert_eq!(drafted, alone, "{config:?}");
        texts += alone.iter().map(Vec::len).sum::<usize>();
    }
    assert!(texts > 3000, "{texts} texts");
    assert!(draft_passes * 5 < passes * 4, "{draft_passes} passes instead of {passes}");
}
