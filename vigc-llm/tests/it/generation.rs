//! Generation on a model that is a table.

use burn::tensor::{Device, Tensor};
use vigc_llm::generation::{
    FinishReason, GenerationConfig, Hypothesis, Rules, Strategy, generate, generate_until,
};
use vigc_llm::{CausalLm, Error};

use crate::fake::{EOS, Table};

fn config() -> GenerationConfig {
    GenerationConfig::greedy().with_eos_ids([EOS]).with_max_new_tokens(6)
}

fn beams(beams: usize) -> GenerationConfig {
    config().with_strategy(Strategy::Beam { beams })
}

fn sample() -> GenerationConfig {
    config().with_strategy(Strategy::Sample { temperature: 1.0, top_k: 0, top_p: 0.9 })
}

fn run(lm: &Table, prompts: &[u32], config: &GenerationConfig) -> Vec<Vec<Hypothesis>> {
    let (embeds, mask) = Table::prompts(prompts);
    let seeds: Vec<u64> = prompts.iter().map(|&prompt| u64::from(prompt)).collect();
    generate(lm, embeds, &mask, config, &seeds).unwrap()
}

fn tokens(rows: &[Vec<Hypothesis>]) -> Vec<&[u32]> {
    rows.iter().map(|row| row[0].tokens.as_slice()).collect()
}

/// 1 -> 2 -> 3 -> end, 4 -> 4 -> …
fn chain() -> Table {
    Table::new(
        6,
        &[(1, &[(2, 0.9)]), (2, &[(3, 0.8)]), (3, &[(EOS, 0.7)]), (4, &[(4, 0.6), (5, 0.3)])],
    )
}

#[test]
fn greedy_follows_the_likeliest_tokens() {
    let rows = run(&chain(), &[1, 4, 3], &config());
    assert_eq!(tokens(&rows), [&[2, 3][..], &[4; 6], &[]]);
    let ends = [FinishReason::EndToken, FinishReason::MaxTokens, FinishReason::EndToken];
    assert!(rows.iter().zip(ends).all(|(row, end)| row[0].finish == end));
    let first = &rows[0][0];
    assert!((first.log_probs[0] - 0.9_f32.ln()).abs() < 1e-6);
    let mean = (0.9_f32.ln() + 0.8_f32.ln() + 0.7_f32.ln()) / 3.0;
    assert!((first.score - mean).abs() < 1e-6);
}

#[test]
fn one_beam_is_greedy() {
    for penalty in [1.0, 3.0] {
        let greedy = config().with_repetition_penalty(penalty);
        let one = greedy.clone().with_strategy(Strategy::Beam { beams: 1 });
        assert_eq!(run(&chain(), &[1, 4], &greedy), run(&chain(), &[1, 4], &one));
    }
}

#[test]
fn a_penalty_breaks_repetition_and_keeps_true_log_probs() {
    let rows = run(&chain(), &[4], &config().with_repetition_penalty(5.0));
    assert_eq!(rows[0][0].tokens[..2], [4, 5]);
    assert!((rows[0][0].log_probs[1] - 0.3_f32.ln()).abs() < 1e-6);
}

#[test]
fn a_minimum_delays_the_end() {
    for strategy in
        [config(), beams(3), beams(3).with_rules(Rules::Transformers4_28 { dummy_bos: 1 })]
    {
        let rows = run(&chain(), &[3, 1], &strategy.with_min_new_tokens(4));
        assert!(rows.iter().all(|row| row[0].tokens.len() >= 4), "{rows:?}");
    }
}

/// Greedy takes 1 (0.6) and then cannot do better than 0.3; starting with 2 reaches 0.4 * 0.9.
#[test]
fn beams_find_what_greedy_misses() {
    let lm = Table::new(
        5,
        &[(4, &[(1, 0.6), (2, 0.4)]), (1, &[(EOS, 0.3), (3, 0.25)]), (2, &[(EOS, 0.9)])],
    );
    assert_eq!(tokens(&run(&lm, &[4], &config())), [&[1]]);
    for rules in [Rules::Modern, Rules::Transformers4_28 { dummy_bos: 3 }] {
        let rows = run(&lm, &[4], &beams(2).with_rules(rules).with_n_best(2));
        assert_eq!(rows[0][0].tokens, [2], "{rules:?}");
        assert_eq!(rows[0].len(), 2);
        assert!(rows[0][0].score >= rows[0][1].score);
    }
}

#[test]
fn a_length_penalty_moves_the_choice() {
    let lm = Table::new(5, &[(4, &[(EOS, 0.5), (1, 0.5)]), (1, &[(2, 0.7)]), (2, &[(EOS, 0.9)])]);
    let best = |power| run(&lm, &[4], &beams(3).with_length_penalty(power))[0][0].tokens.len();
    assert_eq!((best(0.0), best(2.0)), (0, 2));
}

#[test]
fn the_dummy_token_is_penalized_under_the_rules_of_4_28() {
    let lm = Table::new(
        4,
        &[(3, &[(1, 0.5), (2, 0.4), (EOS, 0.05)]), (1, &[(EOS, 0.9)]), (2, &[(EOS, 0.9)])],
    );
    let with = |rules| run(&lm, &[3], &config().with_rules(rules).with_repetition_penalty(2.0));
    assert_eq!(tokens(&with(Rules::Modern)), [&[1]]);
    assert_eq!(tokens(&with(Rules::Transformers4_28 { dummy_bos: 1 })), [&[2]]);
}

#[test]
fn the_upstream_lengths_count_the_dummy_token() {
    let config = GenerationConfig::upstream().with_max_length(10).with_min_length(1);
    assert_eq!((config.max_new_tokens, config.min_new_tokens), (9, 0));
    assert_eq!((config.strategy, config.repetition_penalty), (Strategy::Beam { beams: 5 }, 1.5));
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    let lm = chain();
    let prompts = [1, 4, 3, 2, 5, 4, 1];
    for config in
        [config(), sample(), sample().with_n_best(3), beams(3).with_repetition_penalty(1.5)]
    {
        let together = run(&lm, &prompts, &config);
        for (prompt, row) in prompts.iter().zip(&together) {
            assert_eq!(&run(&lm, &[*prompt], &config)[0], row, "{config:?}");
        }
    }
}

#[test]
fn samples_differ_by_seed_and_repeat_by_seed() {
    let lm = Table::new(30, &[]);
    let (embeds, mask) = Table::prompts(&[1, 1, 1]);
    let config = sample().with_n_best(4);
    let once = generate(&lm, embeds.clone(), &mask, &config, &[1, 2, 1]).unwrap();
    assert_eq!(once[0], once[2]);
    assert_ne!(once[0], once[1]);
    assert_ne!(once[0][0].tokens, once[0][1].tokens);
    assert_eq!(once, generate(&lm, embeds, &mask, &config, &[1, 2, 1]).unwrap());
}

#[test]
fn a_stop_condition_ends_a_text_after_the_token_that_met_it() {
    let lm = chain();
    let (embeds, mask) = Table::prompts(&[1, 4]);
    let stop = |_: usize, tokens: &[u32]| tokens.ends_with(&[3]) || tokens.ends_with(&[4, 4]);
    let legacy = beams(2).with_rules(Rules::Transformers4_28 { dummy_bos: 1 });
    for config in [config(), beams(2), legacy] {
        let rows = generate_until(&lm, embeds.clone(), &mask, &config, &[], &stop).unwrap();
        assert_eq!(tokens(&rows), [&[2, 3], &[4, 4]], "{config:?}");
        assert!(rows.iter().all(|row| row[0].finish == FinishReason::Stopped));
    }
    let always = |_: usize, _: &[u32]| true;
    for config in [config(), beams(3), sample()] {
        let rows = generate_until(&lm, embeds.clone(), &mask, &config, &[1, 2], &always).unwrap();
        assert!(rows.iter().all(|row| row[0].tokens.len() == 1), "{config:?}");
    }
}

#[test]
fn several_end_tokens_are_known() {
    let rows = run(&chain(), &[1], &config().with_eos_ids([EOS, 3]));
    assert_eq!(tokens(&rows), [&[2]]);
    let rows = run(&chain(), &[1], &beams(2).with_eos_ids([EOS, 3]));
    assert_eq!(tokens(&rows), [&[2]]);
}

#[test]
fn bad_settings_are_errors() {
    let nucleus = |top_p, temperature| {
        config().with_strategy(Strategy::Sample { temperature, top_k: 0, top_p })
    };
    let cases = [
        (beams(0), "beams"),
        (config().with_repetition_penalty(0.0), "repetition_penalty"),
        (config().with_repetition_penalty(-1.0), "repetition_penalty"),
        (config().with_repetition_penalty(f32::NAN), "repetition_penalty"),
        (config().with_length_penalty(f32::INFINITY), "length_penalty"),
        (nucleus(0.0, 1.0), "top_p"),
        (nucleus(1.1, 1.0), "top_p"),
        (nucleus(f32::NAN, 1.0), "top_p"),
        (nucleus(0.9, 0.0), "temperature"),
        (beams(3).with_n_best(4), "n_best"),
        (config().with_n_best(2), "n_best"),
        (sample().with_n_best(0), "n_best"),
        (config().with_max_new_tokens(0), "max_new_tokens"),
        (config().with_min_new_tokens(7), "min_new_tokens"),
        (config().with_eos_ids([6]), "eos_ids"),
        (config().with_eos_ids([0, 1, 2, 3, 4, 5]), "eos_ids"),
        (config().with_rules(Rules::Transformers4_28 { dummy_bos: 9 }), "dummy_bos"),
    ];
    let (embeds, mask) = Table::prompts(&[1]);
    for (config, setting) in cases {
        let error = generate(&chain(), embeds.clone(), &mask, &config, &[1]).unwrap_err();
        assert!(matches!(error, Error::Setting { name, .. } if name == setting), "{error}");
    }
    let error = generate(&chain(), embeds, &mask, &sample(), &[]).unwrap_err().to_string();
    assert_eq!(error, "number of seeds is 0, expected one for every prompt");
}

#[test]
fn bad_prompts_and_scores_are_errors() {
    let device = Device::default();
    let (embeds, mask) = Table::prompts(&[1, 2]);
    let empty = Tensor::from_data([[true], [false]], &device);
    let error = generate(&chain(), embeds.clone(), &empty, &config(), &[]).unwrap_err();
    assert_eq!(error.to_string(), "row 1 of the prompts holds no token");
    let other = Tensor::from_data([[true]], &device);
    let error = generate(&chain(), embeds.clone(), &other, &config(), &[]).unwrap_err();
    let expected =
        "the mask of the prompts has the shape [1, 1], expected [2, 1] as the embeddings";
    assert_eq!(error.to_string(), expected);
    let broken = Table::new(6, &[(2, &[(3, f32::NAN)])]);
    for config in [config(), beams(2)] {
        let error = generate(&broken, embeds.clone(), &mask, &config, &[]).unwrap_err();
        assert!(matches!(error, Error::NotFinite { row: 1, tokens: 0 }), "{error}");
    }
}

#[test]
fn no_prompts_give_no_texts() {
    let lm: &dyn CausalLm = &chain();
    let device = Device::default();
    let (embeds, mask) = (Tensor::zeros([0, 3, 1], &device), Tensor::<2>::zeros([0, 3], &device));
    let rows = generate(lm, embeds, &mask.greater_elem(0.0), &config(), &[]).unwrap();
    assert_eq!(rows, Vec::<Vec<Hypothesis>>::new());
}
