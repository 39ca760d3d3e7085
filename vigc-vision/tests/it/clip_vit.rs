use std::collections::BTreeMap;

use burn::tensor::Device;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_vision::clip_vit::{ClipVitConfig, HUGGING_FACE_KEYS};

use crate::fixture::{TOLERANCE, distance, json, path};

fn cases() -> BTreeMap<String, ClipVitConfig> {
    json("clip_vit/cases.json")
}

fn golden(name: &str) -> Checkpoint {
    Checkpoint::open(path(&format!("clip_vit/{name}.safetensors"))).unwrap()
}

#[test]
fn every_hidden_state_equals_transformers() {
    let device = Device::default();
    assert_eq!(cases().len(), 2);
    for (name, config) in cases() {
        config.validate().unwrap();
        let golden = golden(&name);
        let mut vit = config.init(&device);
        let report = golden.load(&mut vit, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
        let known = |name: &String| name.starts_with("input") || name.starts_with("output");
        assert!(report.unused.iter().all(known), "{name}: {:?}", report.unused);

        let images = golden.tensor::<4>("input.images", &device).unwrap();
        for layers in 0..=config.num_hidden_layers {
            let expected = golden.tensor(&format!("output.{layers}"), &device).unwrap();
            let states = vit.hidden_state(images.clone(), layers);
            assert!(distance(states, expected) < TOLERANCE, "{name}, {layers} layers");
        }
        let pooled = vit.pooled(vit.forward(images));
        let expected = golden.tensor("output.pooled", &device).unwrap();
        assert!(distance(pooled, expected) < TOLERANCE, "{name}");
    }
}

/// LLaVA reads the layer before the last: the last one need not be there.
#[test]
fn an_encoder_without_its_last_layer_gives_the_state_before() {
    let device = Device::default();
    let config = &cases()["patch14"];
    let layers = config.layers_for(-2).unwrap();
    let shorter = ClipVitConfig { num_hidden_layers: layers, ..config.clone() };
    let mut vit = shorter.init(&device);
    let golden = golden("patch14");
    golden.load(&mut vit, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
    let states = vit.forward(golden.tensor("input.images", &device).unwrap());
    let expected = golden.tensor(&format!("output.{layers}"), &device).unwrap();
    assert!(distance(states, expected) < TOLERANCE);
}

#[test]
fn the_training_path_computes_the_same() {
    let device = Device::default().autodiff();
    let config = &cases()["patch14"];
    let golden = golden("patch14");
    let mut vit = config.init(&device);
    golden.load(&mut vit, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
    let states = vit.forward(golden.tensor("input.images", &device).unwrap());
    let expected = golden.tensor("output.4", &device).unwrap();
    assert!(distance(states, expected) < TOLERANCE);
}
