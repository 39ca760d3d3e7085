use std::collections::BTreeMap;

use burn::tensor::Device;
use vigc_core::nn::LayerNorm;
use vigc_core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_vision::eva_vit::{EvaVitConfig, HUGGING_FACE_KEYS};

use crate::fixture::{TOLERANCE, distance, json, path};

#[test]
fn equals_transformers() {
    let device = Device::default();
    let cases: BTreeMap<String, EvaVitConfig> = json("eva_vit/cases.json");
    assert_eq!(cases.len(), 2);
    for (name, config) in cases {
        config.validate().unwrap();
        let golden = Checkpoint::open(path(&format!("eva_vit/{name}.safetensors"))).unwrap();
        let mut vit = config.init(&device);
        let report = golden.load(&mut vit, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
        let others = ["input", "output", "post_layernorm"];
        let known = |name: &String| others.iter().any(|other| name.starts_with(other));
        assert!(report.unused.iter().all(known), "{name}: {:?}", report.unused);

        let encoded = vit.forward(golden.tensor("input.images", &device).unwrap());
        let expected = golden.tensor("output.encoder", &device).unwrap();
        assert!(distance(encoded.clone(), expected) < TOLERANCE, "{name}");

        let mut norm = LayerNorm::new(config.hidden_size, config.layer_norm_eps, &device);
        let weights = golden.scope("post_layernorm");
        weights.load(&mut norm, &KeyMap::IDENTITY, Strictness::Strict).unwrap();
        let expected = golden.tensor("output.normed", &device).unwrap();
        assert!(distance(norm.forward(encoded), expected) < TOLERANCE, "{name}");
    }
}

#[test]
fn the_training_path_computes_the_same() {
    let device = Device::default();
    let config: BTreeMap<String, EvaVitConfig> = json("eva_vit/cases.json");
    let config = &config["patch14"];
    let golden = Checkpoint::open(path("eva_vit/patch14.safetensors")).unwrap();
    let training = device.autodiff();
    let mut vit = config.init(&training);
    golden.load(&mut vit, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
    let encoded = vit.forward(golden.tensor("input.images", &training).unwrap());
    let expected = golden.tensor("output.encoder", &training).unwrap();
    assert!(distance(encoded, expected) < TOLERANCE);
}
