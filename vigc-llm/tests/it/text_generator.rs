//! From prompts to texts, with hints.

use burn::tensor::{Bool, Device, Tensor};
use vigc_core::TokenBatch;
use vigc_llm::CausalLm;
use vigc_llm::generation::{
    FinishReason, Generated, GenerationConfig, GenerationHint, TextEnd, TextGenerator,
};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_llm::tokenizer::TextTokenizer;

use super::fixture;

/// A text is long enough with so many characters.
#[derive(Debug)]
struct Length(usize);

impl TextEnd for Length {
    fn is_enough(&self, text: &str) -> bool {
        text.chars().count() >= self.0
    }
}

fn hint<'a>(end: &'a Length, draft: &'a str) -> GenerationHint<'a> {
    GenerationHint { draft, until: Some(end), stops_beams: false }
}

fn model() -> (Llama, TextTokenizer) {
    let device = Device::default();
    device.seed(7);
    let tokenizer = TextTokenizer::from_dir(fixture("tokenizer/llama")).unwrap();
    (
        LlamaConfig::new(32)
            .with_vocab_size(tokenizer.vocab_size())
            .with_num_hidden_layers(2)
            .with_num_attention_heads(4)
            .init(&device),
        tokenizer,
    )
}

fn prompts(
    llama: &Llama,
    tokenizer: &TextTokenizer,
    prompts: &[&str],
) -> (Tensor<3>, Tensor<2, Bool>) {
    let device = Device::default();
    let ids: Vec<_> = prompts.iter().map(|text| tokenizer.encode(text).unwrap()).collect();
    let batch = TokenBatch::pad_left(&ids, TextGenerator::new(llama, tokenizer).padding_id());
    (llama.embed(batch.ids(&device)), batch.mask(&device))
}

#[test]
fn hints_end_texts_and_leave_their_beginnings_alone() {
    let (llama, tokenizer) = model();
    let generator = TextGenerator::new(&llama, &tokenizer);
    let (embeds, mask) = prompts(&llama, &tokenizer, &["A cat", "Where is the red ball?"]);
    let write = |config: &GenerationConfig, hints: &[GenerationHint<'_>]| -> Vec<Generated> {
        let texts = generator.generate(embeds.clone(), &mask, config, &[], hints).unwrap();
        texts.into_iter().map(|mut row| row.remove(0)).collect()
    };
    let ends = [Length(8), Length(0)];
    let config = GenerationConfig::greedy().with_max_new_tokens(30);
    let whole = write(&config, &[]);
    let short = write(&config, &[hint(&ends[0], &whole[0].text), hint(&ends[1], "")]);
    for (i, (whole, short)) in whole.iter().zip(&short).enumerate() {
        assert_eq!(short.finish, FinishReason::Stopped);
        assert!(short.tokens.len() < whole.tokens.len());
        // Their ends may differ: a short text can break off inside a character.
        for (short, whole) in short.tokens.iter().zip(&whole.tokens) {
            assert!((short.log_prob - whole.log_prob).abs() < 1e-4, "text {i}");
        }
    }
    assert_eq!(short[1].tokens.len(), 1);

    let beams = GenerationConfig::beam_search(3).with_max_new_tokens(30);
    let hints = ends.each_ref().map(|end| hint(end, ""));
    assert_eq!(write(&beams, &hints), write(&beams, &[]), "beams look only if they are told to");
    let hints = hints.map(|hint| GenerationHint { stops_beams: true, ..hint });
    let finish: Vec<_> = write(&beams, &hints).iter().map(|text| text.finish).collect();
    assert_eq!(finish, [FinishReason::Stopped; 2]);
}

#[test]
fn candidates_get_the_log_probabilities_of_their_tokens_one_by_one() {
    let (llama, tokenizer) = model();
    let (embeds, mask) = prompts(&llama, &tokenizer, &["Is it red?"]);
    let candidates = ["yes", "no, it is a blue ball", ""];
    let generator = TextGenerator::new(&llama, &tokenizer);
    let found = generator.log_probs(embeds.clone(), mask.clone(), &candidates).unwrap();
    for (candidate, found) in candidates.iter().zip(found) {
        let (mut session, mut logits) = llama.start(embeds.clone(), mask.clone());
        let mut expected = 0.0;
        for token in tokenizer.encode_target(candidate).unwrap() {
            let row = logits.row(0);
            let total = row.iter().map(|score| score.exp()).sum::<f32>().ln();
            expected += row[token as usize] - total;
            logits = session.advance(&[token]);
        }
        assert!((found - expected).abs() < 1e-3, "{candidate:?}: {found}, expected {expected}");
    }
    assert!(generator.log_probs(embeds, mask, &[]).unwrap().is_empty());
}
