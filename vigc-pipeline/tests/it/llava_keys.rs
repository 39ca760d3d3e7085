//! The names and shapes of published LLaVA files against the network's.

use std::collections::BTreeSet;

use burn::tensor::Device;
use vigc_core::weights::KeyMap;
use vigc_pipeline::llava::{Layout, LlavaConfig, ProjectorKind, keys};
use vigc_vision::clip_vit::ClipVitConfig;

use crate::keys::{Shapes, assert_known, read, shapes_of, take};

/// A file's tensors under the network's names, without those that are known to be of no use.
fn renamed(stem: &str, names: &KeyMap) -> Shapes {
    let rename = names.compile();
    let file = read(stem).into_iter().map(|(name, shape)| (rename(&name), shape));
    file.filter(|(name, _)| !keys::is_unread(name, 23)).collect()
}

fn network(config: &LlavaConfig) -> Shapes {
    shapes_of(&config.init(&Device::default()))
}

/// The original program's model, whose vocabulary is Vicuna's.
fn original(mut config: LlavaConfig) -> LlavaConfig {
    config.text_config.vocab_size = 32_000;
    config.layout = Layout::Original {
        vision_tower: "openai/clip-vit-large-patch14-336".to_owned(),
        image_marks: false,
    };
    config
}

#[test]
fn whole_folders_are_the_network() {
    let (small, large) = (LlavaConfig::llava_1_5_7b(), LlavaConfig::llava_1_5_13b());
    for (stem, config) in [
        ("llava-1.5-7b-hf", small.clone()),
        ("llava-1.5-7b-hf-4.52", small.clone()),
        ("llava-1.5-7b-hf-5", small.clone()),
        ("llava-1.5-13b-hf", large),
        ("llava-v1.5-7b-with-tower", original(small)),
    ] {
        let mut network = network(&config);
        let rest = take(&mut network, renamed(stem, &keys::TO_NETWORK));
        assert_eq!((rest, network), (BTreeSet::new(), Shapes::new()), "{stem}");
    }
}

#[test]
fn original_folders_and_a_clip_make_up_the_network() {
    let (small, large) = (LlavaConfig::llava_1_5_7b(), LlavaConfig::llava_1_5_13b());
    let linear = LlavaConfig { projector: ProjectorKind::Linear, ..small.clone() };
    for (stem, config) in
        [("llava-v1.5-7b", small), ("llava-v1.5-13b", large), ("llava-v1-7b", linear)]
    {
        let mut network = network(&original(config));
        let rest = take(&mut network, renamed(stem, &keys::TO_NETWORK));
        assert_eq!(rest, BTreeSet::new(), "{stem}");
        assert!(
            network.keys().all(|name| name.starts_with("image_encoder.vision_tower.")),
            "{stem}"
        );
        let clip = take(&mut network, renamed("clip-vit-large-patch14-336", &keys::CLIP));
        let known = ["text_model.", "visual_projection.", "text_projection.", "logit_scale"];
        assert_known(&clip, &known);
        assert_eq!(network, Shapes::new(), "{stem}");
    }
}

#[test]
fn the_published_encoder_has_the_published_size() {
    let whole = ClipVitConfig::vit_l_14_336().init(&Device::default());
    let count = |shapes: &Shapes| -> usize {
        shapes.values().map(|shape| shape.iter().product::<usize>()).sum()
    };
    assert_eq!(count(&shapes_of(&whole)), 303_507_456);
}

#[test]
fn names_are_written_as_they_were_read() {
    let config = LlavaConfig::llava_1_5_7b();
    let rename = keys::TO_HUGGING_FACE.compile();
    let written: BTreeSet<_> = network(&config).into_keys().map(|name| rename(&name)).collect();
    let behind = "vision_tower.vision_model.encoder.layers.23.";
    let file = read("llava-1.5-7b-hf").into_keys().filter(|name| !name.starts_with(behind));
    assert_eq!(written, file.collect());

    let linear = LlavaConfig { projector: ProjectorKind::Linear, ..original(config.clone()) };
    for (stem, config, names) in [
        ("llava-v1.5-7b", original(config), keys::TO_ORIGINAL),
        ("llava-v1-7b", linear, keys::TO_ORIGINAL_LINEAR),
    ] {
        let rename = names.compile();
        let written = network(&config).into_keys().map(|name| rename(&name));
        let written: BTreeSet<_> = written.filter(|name| !name.contains("vision_tower")).collect();
        let file = read(stem).into_keys().filter(|name| !name.ends_with("inv_freq"));
        assert_eq!(written, file.collect(), "{stem}");
    }
}
