use std::collections::BTreeMap;

use burn::tensor::{Device, Distribution, Tensor};
use serde::Deserialize;
use vigc_core::TokenBatch;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_vision::qformer::{
    HUGGING_FACE_KEYS, ImageKeyValues, QFormer, QFormerConfig, TO_HUGGING_FACE_KEYS,
};

use crate::fixture::{TOLERANCE, distance, json, path};

#[derive(Deserialize)]
struct Case {
    config: QFormerConfig,
    text: Option<Vec<Vec<u32>>>,
}

impl Case {
    fn text(&self) -> Option<TokenBatch> {
        self.text.as_ref().map(|rows| TokenBatch::pad_right(rows, 0))
    }
}

fn cases() -> BTreeMap<String, Case> {
    json("qformer/cases.json")
}

fn load(name: &str, config: &QFormerConfig, device: &Device) -> (QFormer, Checkpoint) {
    config.validate().unwrap();
    let golden = Checkpoint::open(path(&format!("qformer/{name}.safetensors"))).unwrap();
    let mut qformer = config.init(device);
    let report = golden.load(&mut qformer, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
    let known = |name: &String| name.starts_with("input") || name.starts_with("output");
    assert!(report.unused.iter().all(known), "{name}: {:?}", report.unused);
    (qformer, golden)
}

#[test]
fn equals_transformers() {
    let device = Device::default();
    let cases = cases();
    assert_eq!(cases.len(), 4);
    for (name, case) in cases {
        let (qformer, golden) = load(&name, &case.config, &device);
        let images =
            qformer.image_key_values(golden.tensor("input.image_embeds", &device).unwrap());
        let queries = golden.tensor("input.query_tokens", &device).unwrap();
        let output = qformer.forward(queries, case.text().as_ref(), &images);
        let expected = golden.tensor("output.queries", &device).unwrap();
        assert!(distance(output, expected) < TOLERANCE, "{name}");
    }
}

#[test]
fn the_training_path_without_dropout_computes_the_same() {
    let device = Device::default().autodiff();
    for (name, case) in cases() {
        let config = case.config.clone().with_dropout(0.0);
        let (qformer, golden) = load(&name, &config, &device);
        let images =
            qformer.image_key_values(golden.tensor("input.image_embeds", &device).unwrap());
        let queries = golden.tensor("input.query_tokens", &device).unwrap();
        let output = qformer.forward(queries, case.text().as_ref(), &images);
        let expected = golden.tensor("output.queries", &device).unwrap();
        assert!(distance(output, expected) < TOLERANCE, "{name}");
    }
}

#[test]
fn dropout_acts_in_training_only() {
    let config = QFormerConfig::new(16)
        .with_num_hidden_layers(2)
        .with_num_attention_heads(2)
        .with_vocab_size(30)
        .with_encoder_hidden_size(8);
    for (device, differ) in [(Device::default(), false), (Device::default().autodiff(), true)] {
        let qformer = config.init(&device);
        let images = Tensor::random([1, 5, 8], Distribution::Default, &device);
        let queries = Tensor::random([1, 3, 16], Distribution::Default, &device);
        let run =
            || qformer.forward(queries.clone(), None, &qformer.image_key_values(images.clone()));
        assert_eq!(distance(run(), run()) > 1e-3, differ);
    }
}

fn run(qformer: &QFormer, images: &ImageKeyValues, rows: &[Vec<u32>]) -> Tensor<3> {
    let device = Device::default();
    let queries = Tensor::ones([1, 4, 16], &device).cumsum(1) / 7.0;
    qformer.forward(queries, Some(&TokenBatch::pad_right(rows, 0)), images)
}

#[test]
fn a_selected_image_equals_an_encoded_one() {
    let device = Device::default();
    let qformer = QFormerConfig::new(16)
        .with_num_hidden_layers(3)
        .with_num_attention_heads(2)
        .with_vocab_size(30)
        .with_encoder_hidden_size(8)
        .init(&device);
    let embeds = Tensor::<3>::random([3, 5, 8], Distribution::Default, &device);
    let image = |i: usize| embeds.clone().slice([i..=i]);
    let texts = [vec![3, 9, 2], vec![4, 2], vec![3, 9, 2], vec![7, 7, 7, 7]];

    let all = qformer.image_key_values(embeds.clone());
    let selected = run(&qformer, &all.select(&[2, 0, 0, 1]), &texts);

    let repeated = Tensor::cat([2, 0, 0, 1].map(image).to_vec(), 0);
    let encoded = run(&qformer, &qformer.image_key_values(repeated), &texts);
    assert!(distance(selected.clone(), encoded) < 1e-6);

    let joined = [2, 0, 0, 1].map(|i| qformer.image_key_values(image(i)));
    assert_eq!(joined[0].batch(), Some(1));
    let joined = run(&qformer, &ImageKeyValues::cat(joined.to_vec()), &texts);
    assert!(distance(selected, joined) < 1e-6);
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    let device = Device::default();
    let qformer = QFormerConfig::new(16)
        .with_num_hidden_layers(4)
        .with_num_attention_heads(4)
        .with_vocab_size(30)
        .with_encoder_hidden_size(8)
        .init(&device);
    let embeds = Tensor::random([3, 5, 8], Distribution::Default, &device);
    let images = qformer.image_key_values(embeds);
    let texts = [vec![3, 9, 2], vec![4], vec![5, 6, 7, 8, 9, 10]];
    let together = run(&qformer, &images, &texts);
    for (i, text) in texts.iter().enumerate() {
        let alone = run(&qformer, &images.select(&[i]), std::slice::from_ref(text));
        assert!(distance(together.clone().slice([i..=i]), alone) < 1e-5, "{i}");
    }
}

#[test]
fn an_empty_text_is_no_text() {
    let device = Device::default();
    let qformer = QFormerConfig::new(16)
        .with_num_hidden_layers(2)
        .with_num_attention_heads(2)
        .with_vocab_size(30)
        .with_encoder_hidden_size(8)
        .init(&device);
    let images = Tensor::random([2, 5, 8], Distribution::Default, &device);
    let images = qformer.image_key_values(images);
    let queries = Tensor::<3>::ones([1, 4, 16], &device);
    let none = qformer.forward(queries.clone(), None, &images);
    let empty = TokenBatch::pad_right(&[vec![], vec![]], 0);
    assert!(distance(none, qformer.forward(queries, Some(&empty), &images)) == 0.0);
}

#[test]
#[should_panic(expected = "a text of 513 tokens exceeds the 512 positions")]
fn a_text_that_is_too_long_panics() {
    let device = Device::default();
    let qformer = QFormerConfig::new(16)
        .with_num_hidden_layers(1)
        .with_num_attention_heads(2)
        .with_vocab_size(30)
        .with_encoder_hidden_size(8)
        .init(&device);
    let images = qformer.image_key_values(Tensor::zeros([1, 5, 8], &device));
    let _ = run(&qformer, &images, &[vec![1; 513]]);
}

#[test]
fn saved_keys_are_those_of_hugging_face() {
    for name in ["layer.0.attention.output.LayerNorm.weight", "embeddings.layernorm.bias"] {
        assert_eq!(TO_HUGGING_FACE_KEYS.apply(&HUGGING_FACE_KEYS.apply(name)), name);
    }
}
