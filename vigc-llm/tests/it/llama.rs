//! The model against transformers' `LlamaForCausalLM`.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData, Tolerance};
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_llm::llama::{KvCache, Llama, LlamaConfig, keys};

use crate::fixture;

/// f32 sums in another order.
const TOLERANCE: f32 = 1e-4;

const VARIANTS: [&str; 2] = ["mha", "gqa"];

struct Golden {
    checkpoint: Checkpoint,
    model: Llama,
    embeds: Tensor<3>,
    mask: Tensor<2, Bool>,
}

fn golden(name: &str) -> Golden {
    let device = Device::default();
    let path = fixture(&format!("llama/{name}.safetensors"));
    let checkpoint = Checkpoint::open(path).unwrap();
    let config: LlamaConfig = read_json(fixture(&format!("llama/{name}.json"))).unwrap();
    let mut model = config.init(&device);
    let report = checkpoint.load(&mut model, &keys::HUGGING_FACE, Strictness::Strict).unwrap();
    assert!(
        report.unused.iter().all(|key| key.starts_with("input_") || key.starts_with("output_"))
    );
    let ids = checkpoint.tensor::<2>("input_ids", &device).unwrap().int();
    let mask = checkpoint.tensor::<2>("input_mask", &device).unwrap().greater_elem(0.5);
    Golden { embeds: model.embed(ids), checkpoint, model, mask }
}

/// Compares where there are tokens; what stands at padding means nothing.
fn assert_close_at_tokens(actual: Tensor<3>, expected: Tensor<3>, mask: &Tensor<2, Bool>) {
    let width = actual.dims()[2];
    let tokens: Tensor<3> = mask.clone().float().unsqueeze_dim(2).repeat_dim(2, width);
    let (actual, expected) = (actual * tokens.clone(), expected * tokens);
    let tolerance = Tolerance::rel_abs(TOLERANCE, TOLERANCE);
    actual.to_data().assert_approx_eq::<f32>(&expected.to_data(), tolerance);
}

#[test]
fn matches_transformers_with_padding_on_either_side() {
    for name in VARIANTS {
        let golden = golden(name);
        let hidden = golden.model.forward(golden.embeds, golden.mask.clone(), None);
        let logits = golden.model.logits(hidden.clone());
        let expect = |key| golden.checkpoint.tensor::<3>(key, &Device::default()).unwrap();
        assert_close_at_tokens(hidden, expect("output_hidden"), &golden.mask);
        assert_close_at_tokens(logits, expect("output_logits"), &golden.mask);
    }
}

#[test]
fn reading_in_pieces_gives_the_same_states() {
    for name in VARIANTS {
        let golden = golden(name);
        let [batch, seq, width] = golden.embeds.dims();
        let full = golden.model.forward(golden.embeds.clone(), golden.mask.clone(), None);
        for pieces in [vec![3, 4], vec![4, 1, 1, 1], vec![1; 7]] {
            let mut cache = KvCache::new();
            let mut parts = Vec::new();
            for len in pieces {
                let (past, end) = (cache.len(), cache.len() + len);
                let embeds = golden.embeds.clone().slice([0..batch, past..end, 0..width]);
                let mask = golden.mask.clone().slice([0..batch, 0..end]);
                parts.push(golden.model.forward(embeds, mask, Some(&mut cache)));
            }
            assert_eq!(cache.len(), seq);
            assert_close_at_tokens(Tensor::cat(parts, 1), full.clone(), &golden.mask);
        }
    }
}

#[test]
fn a_long_cache_and_moved_rows_give_the_same_states() {
    let golden = golden("gqa");
    let device = Device::default();
    let seq = 150; // more than two of the cache's chunks
    let ids: Vec<i32> = (0..2 * seq).map(|i| i * 7 % 37).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [2, seq as usize]), &device);
    let embeds = golden.model.embed(ids);
    let [_, seq, width] = embeds.dims();
    let mask = |rows: usize, seq| Tensor::<2, Int>::ones([rows, seq], &device).bool();
    let mut cache = KvCache::new();
    let mut last = None;
    for at in 0..seq {
        let token = embeds.clone().slice([0..2, at..at + 1, 0..width]);
        // From the middle on, the rows stand in another order, one of them twice.
        let order = Tensor::<1, Int>::from_data([1, 0, 1], &device);
        let token = if at < 70 { token } else { token.select(0, order) };
        if at == 70 {
            cache.select(&[0, 1]);
            cache.select(&[1, 0, 1]);
        }
        let rows = token.dims()[0];
        last = Some(golden.model.forward(token, mask(rows, at + 1), Some(&mut cache)));
    }
    let full = golden.model.forward(embeds, mask(2, seq), None);
    let full = full.slice([0..2, seq - 1..seq, 0..width]);
    let full = full.select(0, Tensor::<1, Int>::from_data([1, 0, 1], &device));
    assert_close_at_tokens(last.unwrap(), full, &mask(3, 1));
}

#[test]
fn padding_does_not_change_what_a_row_means() {
    let golden = golden("mha");
    let device = Device::default();
    let width = golden.embeds.dims()[2];
    let row = golden.embeds.clone().slice([2..3, 0..4, 0..width]);
    let junk = golden.embeds.clone().slice([0..1, 0..3, 0..width]).mul_scalar(100.0);
    let alone = golden.model.forward(row.clone(), Tensor::from_data([[true; 4]], &device), None);
    let cases = [
        (vec![junk.clone(), row.clone()], [false, false, false, true, true, true, true], 3),
        (vec![row, junk], [true, true, true, true, false, false, false], 0),
    ];
    for (parts, mask, start) in cases {
        let mask = Tensor::from_data([mask], &device);
        let padded = golden.model.forward(Tensor::cat(parts, 1), mask, None);
        let padded = padded.slice([0..1, start..start + 4, 0..width]);
        assert_close_at_tokens(padded, alone.clone(), &Tensor::from_data([[true; 4]], &device));
    }
}

#[test]
fn gradients_reach_every_parameter_and_the_input() {
    let device = Device::default().autodiff();
    let model = LlamaConfig::new(20, 12, 2, 3).with_num_key_value_heads(1).init(&device).train();
    let ids = Tensor::<2, Int>::from_data([[3, 4, 5], [6, 7, 0]], &device);
    let mask = Tensor::from_data([[true, true, true], [true, true, false]], &device);
    let embeds = model.embed(ids);
    let soft = Tensor::<3>::ones([2, 1, 12], &device).require_grad();
    let mask = Tensor::cat(vec![Tensor::from_data([[true], [true]], &device), mask], 1);
    let hidden = model.forward(Tensor::cat(vec![soft.clone(), embeds], 1), mask, None);
    let next =
        vigc_llm::loss::NextTokens::from_labels(&[vec![-100, 3, 4, 5], vec![-100, -100, 7, -100]]);
    let grads = vigc_llm::loss::next_token_loss(&model, hidden, &next).backward();
    let moved = |grad: Tensor<3>| grad.abs().sum().into_scalar::<f32>() > 0.0;
    assert!(moved(soft.grad(&grads).unwrap()));
    struct Visitor<'a>(&'a burn::tensor::Gradients, usize);
    impl burn::module::ModuleVisitor for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            let grad = param.val().grad(self.0).expect("every parameter has a gradient");
            assert!(grad.abs().sum().into_scalar::<f32>() > 0.0);
            self.1 += 1;
        }
    }
    let mut visitor = Visitor(&grads, 0);
    model.visit(&mut visitor);
    assert_eq!(visitor.1, 2 * 9 + 3);
}

#[test]
fn frozen_embeddings_are_the_same_and_learn_nothing() {
    struct Learning<'a>(&'a burn::tensor::Gradients, usize);
    impl burn::module::ModuleVisitor for Learning<'_> {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            self.1 += usize::from(param.val().grad(self.0).is_some());
        }
    }
    let device = Device::default().autodiff();
    let model = LlamaConfig::new(12, 8, 1, 2).init(&device);
    let ids = || Tensor::<2, Int>::from_data([[3, 1, 4]], &device);
    let (free, frozen) = (model.embed(ids()), model.embed_frozen(ids()));
    free.to_data().assert_eq(&frozen.to_data(), true);
    for (embeds, expected) in [(free, 1), (frozen, 0)] {
        let x = Tensor::<3>::ones([1, 3, 8], &device).require_grad();
        let grads = (embeds * x).sum().backward();
        let mut learning = Learning(&grads, 0);
        model.visit(&mut learning);
        assert_eq!(learning.1, expected);
    }
}
