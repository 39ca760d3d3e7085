//! The stages one after the other, on tiny models.

mod llava;

use std::path::Path;

use burn::tensor::Device;
use vigc_core::weights::Checkpoint;

use crate::tests::turn;
use crate::{Recipe, Silent, metrics, run_recipe};
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::model::ImageEncoder;

/// A recipe with a few updates whose output folder is in `folder`.
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
        [optimization]
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

/// Makes a tiny model, `align/model`, with the given number of updates per stage.
fn align(folder: &Path, updates: u64) {
    for (stage, rest) in [("vision", VISION), ("language", LANGUAGE), ("align", ALIGN)] {
        finish(&recipe(stage, folder, updates, rest));
    }
}

#[test]
fn four_stages_make_a_model_that_can_be_opened() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    align(folder, 2);
    finish(&recipe("tune", folder, 30, TUNE));
    // Validation uses the same rows every time, so its losses can be compared.
    let text = std::fs::read_to_string(folder.join("tune/validation.jsonl")).unwrap();
    let losses: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| row["metrics"]["loss"].as_f64().unwrap())
        .collect();
    assert_eq!(losses.len(), 15);
    assert!(losses[14] < losses[0] && text.contains("vqa"), "{losses:?}");
    let device = Device::default();
    let open = |name: &str| InstructBlip::from_dir(folder.join(name), &device).unwrap();
    let (before, after) = (open("align/model"), open("tune/model"));
    let pixels = burn::tensor::Tensor::ones([1, 3, 112, 112], &device);
    let seen =
        |model: &InstructBlip| model.network().image_encoder.forward(pixels.clone()).into_data();
    seen(&before).assert_eq(&seen(&after), true);
    let queries = |model: &InstructBlip| model.network().connector.query_tokens.val().into_data();
    assert_ne!(queries(&before), queries(&after));
}

#[test]
fn facts_are_learned_and_too_few_queries_are_refused() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    finish(&recipe("vision", folder, 1, VISION));
    finish(&recipe("language", folder, 1, LANGUAGE));
    let facts = |queries: &str| {
        let queries = format!("tokens = {queries}\n    focus_tokens = 2");
        recipe("facts", folder, 40, &ALIGN.replace("tokens = 8", &queries))
    };
    let run = |recipe| run_recipe(recipe, &Device::default(), false, &mut Silent);
    let refused = run(&facts("11")).unwrap_err().to_string();
    assert!(refused.contains("num_query_tokens"), "{refused}");
    std::fs::remove_dir_all(folder.join("facts")).unwrap();
    finish(&facts("12"));
    let rows = metrics::rows(&folder.join("facts/metrics.jsonl")).unwrap();
    let mean = |rows: &[crate::UpdateReport]| rows.iter().map(|row| row.loss).sum::<f64>();
    assert!(mean(&rows[30..]) < 0.9 * mean(&rows[..10]), "{rows:?}");
    let shares = rows.iter().flat_map(|row| row.metrics.values());
    assert!(
        shares.clone().count() > rows.len() && shares.into_iter().all(|s| (0.0..=1.0).contains(s))
    );
    InstructBlip::from_dir(folder.join("facts/model"), &Device::default()).unwrap();
}

#[test]
fn a_language_model_learns_to_read_focus_tokens() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let focused = LANGUAGE.replace("tokens = 8", "tokens = 14\n    focus_tokens = 2");
    finish(&recipe("language", folder.path(), 20, &focused));
    let rows = metrics::rows(&folder.path().join("language/metrics.jsonl")).unwrap();
    assert!(rows[19].loss < rows[0].loss, "{rows:?}");
    let mut further = recipe("language", folder.path(), 4, &focused);
    further.output = folder.path().join("further");
    further.inputs.language = Some(folder.path().join("language"));
    finish(&further);
    let weights = |stage: &str, key: &str| {
        let file = folder.path().join(stage).join("model.safetensors");
        let tensor = Checkpoint::open(file).unwrap().tensor::<2>(key, &Device::default());
        tensor.unwrap().into_data()
    };
    let kept = |key: &str| weights("language", key) == weights("further", key);
    assert!(kept("model.embed_tokens.weight") && !kept("lm_head.weight"));
}

#[test]
fn features_come_from_the_cache_the_second_time() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    align(folder.path(), 2);
    let cache = folder.path().join("align/features/00000000.f16");
    assert_eq!(std::fs::metadata(&cache).unwrap().len(), 40 * 65 * 16 * 2);
    let written = std::fs::metadata(&cache).unwrap().modified().unwrap();
    run_recipe(&recipe("align", folder.path(), 2, ALIGN), &Device::default(), true, &mut Silent)
        .unwrap();
    assert_eq!(std::fs::metadata(&cache).unwrap().modified().unwrap(), written);
}
