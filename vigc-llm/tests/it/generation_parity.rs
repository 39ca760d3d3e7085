//! Generation against what transformers wrote, token for token.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::Deserialize;
use vigc_core::TokenBatch;
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_llm::generation::{FinishReason, GenerationConfig, Hypothesis, Rules, Strategy, generate};
use vigc_llm::llama::{Llama, LlamaConfig, keys};

use crate::fixture;

#[derive(Deserialize)]
struct Golden {
    prompts: Vec<Vec<u32>>,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    settings: Settings,
    /// All prompts in one batch, padded on the left.
    batch: Vec<Vec<Expected>>,
    /// Every prompt for itself.
    alone: Vec<Vec<Expected>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    num_beams: Option<usize>,
    repetition_penalty: Option<f32>,
    length_penalty: Option<f32>,
    num_return_sequences: Option<usize>,
    max_new_tokens: Option<usize>,
    min_new_tokens: Option<usize>,
    max_length: Option<usize>,
    min_length: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    ended: bool,
    score: Option<f32>,
}

impl Settings {
    fn config(&self, rules: Rules) -> GenerationConfig {
        let without_dummy = |len: Option<usize>| len.map(|len| len - 1);
        let most = self.max_new_tokens.or(without_dummy(self.max_length)).unwrap();
        let least = self.min_new_tokens.or(without_dummy(self.min_length)).unwrap_or(0);
        let beams = self.num_beams.unwrap_or(1);
        GenerationConfig::greedy()
            .with_strategy(Strategy::Beam { beams })
            .with_rules(rules)
            .with_max_new_tokens(most)
            .with_min_new_tokens(least)
            .with_repetition_penalty(self.repetition_penalty.unwrap_or(1.0))
            .with_length_penalty(self.length_penalty.unwrap_or(1.0))
            .with_n_best(self.num_return_sequences.unwrap_or(1))
    }
}

fn model() -> Llama {
    let config: LlamaConfig = read_json(fixture("generation/config.json")).unwrap();
    let mut model = config.init(&Device::default());
    let checkpoint = Checkpoint::open(fixture("generation/model.safetensors")).unwrap();
    checkpoint.load(&mut model, &keys::HUGGING_FACE, Strictness::Strict).unwrap();
    model
}

fn run(model: &Llama, batch: &TokenBatch, config: &GenerationConfig) -> Vec<Vec<Hypothesis>> {
    let device = Device::default();
    let embeds = model.embed(batch.ids(&device));
    generate(model, embeds, &batch.mask(&device), config, &[]).unwrap()
}

fn assert_same(actual: &[Vec<Hypothesis>], expected: &[Vec<Expected>], case: &str) {
    assert_eq!(actual.len(), expected.len(), "{case}");
    for (row, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert_eq!(actual.len(), expected.len(), "{case}, row {row}");
        for (actual, expected) in actual.iter().zip(expected) {
            assert_eq!(actual.tokens, expected.tokens, "{case}, row {row}");
            assert_eq!(actual.log_probs.len(), actual.tokens.len());
            assert_eq!(
                actual.finish == FinishReason::EndToken,
                expected.ended,
                "{case}, row {row}"
            );
            if let Some(score) = expected.score {
                let difference = (actual.score - score).abs();
                assert!(difference < 1e-4 * (1.0 + score.abs()), "{case}: {actual:?} {score}");
            }
        }
    }
}

fn check(file: &str, rules: Rules) {
    let golden: Golden = read_json(fixture(file)).unwrap();
    let model = model();
    assert!(golden.cases.len() >= 10);
    for (name, case) in &golden.cases {
        let config = case.settings.config(rules);
        let left = run(&model, &TokenBatch::pad_left(&golden.prompts, 0), &config);
        assert_same(&left, &case.batch, &format!("{name}, padded left"));
        let right = run(&model, &TokenBatch::pad_right(&golden.prompts, 0), &config);
        assert_same(&right, &case.batch, &format!("{name}, padded right"));
        for (prompt, expected) in golden.prompts.iter().zip(&case.alone) {
            let batch = TokenBatch::pad_right(std::slice::from_ref(prompt), 0);
            let alone = run(&model, &batch, &config);
            assert_same(&alone, std::slice::from_ref(expected), &format!("{name}, alone"));
        }
    }
}

#[test]
fn modern_rules_match_transformers_5() {
    check("generation/modern.json", Rules::Modern);
}

#[test]
fn reference_rules_match_transformers_4_28() {
    check("generation/v4_28.json", Rules::Transformers4_28 { dummy_bos: 1 });
}

/// The fixture holds a row that 4.28.1 searches differently in a batch.
#[test]
fn the_fixture_shows_the_batch_quirk_of_4_28() {
    let tokens = |rows: &[Vec<Expected>]| -> Vec<Vec<Vec<u32>>> {
        rows.iter().map(|row| row.iter().map(|best| best.tokens.clone()).collect()).collect()
    };
    let differs = |file| {
        let golden: Golden = read_json(fixture(file)).unwrap();
        golden.cases.values().any(|case| tokens(&case.batch) != tokens(&case.alone))
    };
    assert!(differs("generation/v4_28.json"));
    assert!(!differs("generation/modern.json"));
}
