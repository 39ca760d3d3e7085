//! The four stages one after the other, on tiny models.

use std::path::Path;

use burn::tensor::Device;

use crate::instruct_blip::InstructBlip;
use crate::train::tests::turn;
use crate::train::{Recipe, Silent, metrics, run_recipe};

/// The recipe of a stage with a few updates, its folders below `folder`.
fn recipe(stage: &str, folder: &Path, updates: u64, rest: &str) -> Recipe {
    let folder = folder.display();
    let text = format!(
        r#"
        stage = "{stage}"
        seed = 5
        output = "{folder}/{stage}"
        [data]
        scenes = {{ split = "train", count = 40 }}
        [data.ratios]
        vqa = 2
        vig_conversation = 1
        continue_reasoning = 1
        [optimisation]
        updates = {updates}
        batch = 4
        accumulation = 2
        rate = 3e-3
        [run]
        validate_updates = 2
        validate_samples = 8
        checkpoint_updates = 2
        {rest}
        "#
    );
    toml::from_str(&text.replace("FOLDER", &folder.to_string())).expect("a recipe")
}

const VISION: &str = r#"
    [model.vision]
    hidden_size = 16
    intermediate_size = 32
    num_hidden_layers = 1
    num_attention_heads = 2
    image_size = 112
    patch_size = 14
"#;
const LANGUAGE: &str = r#"
    [model]
    num_query_tokens = 8
    [model.language]
    vocab_size = 420
    hidden_size = 16
    intermediate_size = 32
    num_hidden_layers = 1
    num_attention_heads = 2
    [model.qformer]
    vocab_size = 200
"#;
const ALIGN: &str = r#"
    [inputs]
    vision = "FOLDER/vision"
    language = "FOLDER/language"
    [model]
    num_query_tokens = 8
    [model.qformer]
    hidden_size = 16
    num_hidden_layers = 2
    num_attention_heads = 2
    intermediate_size = 32
    hidden_dropout_prob = 0.1
    attention_probs_dropout_prob = 0.1
    max_position_embeddings = 128
"#;
const TUNE: &str = r#"
    [inputs]
    model = "FOLDER/align/model"
"#;

fn finish(recipe: &Recipe) {
    let outcome = run_recipe(recipe, &Device::default(), false, &mut Silent).expect("a run");
    assert!(outcome.finished);
}

#[test]
fn four_stages_make_a_model_that_opens() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    finish(&recipe("vision", folder, 2, VISION));
    finish(&recipe("language", folder, 2, LANGUAGE));
    finish(&recipe("align", folder, 2, ALIGN));
    finish(&recipe("tune", folder, 30, TUNE));
    let rows = metrics::rows(&folder.join("tune/metrics.jsonl")).unwrap();
    let mean = |rows: &[crate::train::UpdateReport]| rows.iter().map(|row| row.loss).sum::<f64>();
    assert!(mean(&rows[20..]) < mean(&rows[..10]), "{rows:?}");
    let device = Device::default();
    let open = |name: &str| InstructBlip::from_dir(folder.join(name), &device).unwrap();
    let (before, after) = (open("align/model"), open("tune/model"));
    let pixels = burn::tensor::Tensor::ones([1, 3, 112, 112], &device);
    let seen = |model: &InstructBlip| model.network().image_embeds(pixels.clone()).into_data();
    seen(&before).assert_eq(&seen(&after), true);
    let queries = |model: &InstructBlip| model.network().query_tokens.val().into_data();
    assert_ne!(queries(&before), queries(&after));
    assert!(std::fs::read_to_string(folder.join("tune/validation.jsonl")).unwrap().contains("vqa"));
}

#[test]
fn features_come_from_the_cache_the_second_time() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    finish(&recipe("vision", folder.path(), 1, VISION));
    finish(&recipe("language", folder.path(), 1, LANGUAGE));
    finish(&recipe("align", folder.path(), 2, ALIGN));
    let cache = folder.path().join("align/features/00000000.f16");
    assert_eq!(std::fs::metadata(&cache).unwrap().len(), 40 * 65 * 16 * 2);
    let written = std::fs::metadata(&cache).unwrap().modified().unwrap();
    run_recipe(&recipe("align", folder.path(), 2, ALIGN), &Device::default(), true, &mut Silent)
        .unwrap();
    assert_eq!(std::fs::metadata(&cache).unwrap().modified().unwrap(), written);
}
