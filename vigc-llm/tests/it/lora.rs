//! Low-rank adapters against PEFT.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor, Tolerance};
use serde_json::Value;
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_llm::llama::{HUGGING_FACE_KEYS, Llama, LlamaConfig};
use vigc_llm::lora::{LoraAdapter, LoraConfig};

use crate::fixture;

fn base() -> Checkpoint {
    Checkpoint::open(fixture("llama/gqa.safetensors")).unwrap()
}

fn adapted(adapter: &LoraAdapter) -> Llama {
    let mut weights = base();
    adapter.merge_into(&mut weights).unwrap();
    let config: LlamaConfig = read_json(fixture("llama/gqa.json")).unwrap();
    let mut model = config.init(&Device::default());
    let report = weights.load(&mut model, &HUGGING_FACE_KEYS, Strictness::Strict).unwrap();
    assert!(!report.unused.iter().any(|name| name.contains("lora")), "{:?}", report.unused);
    model
}

fn assert_logits(model: &Llama, name: &str) {
    let device = Device::default();
    let golden = Checkpoint::open(fixture("lora/golden.safetensors")).unwrap();
    let ids = golden.tensor::<2>("input_ids", &device).unwrap().int();
    let mask = Tensor::<2, Int>::ones(ids.dims(), &device).bool();
    let logits = model.logits(model.forward(model.embed(ids), mask, None));
    let expected = golden.tensor::<3>(name, &device).unwrap().into_data();
    logits.into_data().assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-4, 1e-4));
}

#[test]
fn an_adapted_model_computes_what_peft_computes() {
    for (name, layers) in FOLDERS {
        let adapter = LoraAdapter::from_dir(fixture("lora").join(name)).unwrap();
        assert_eq!(adapter.layers().count(), layers);
        assert_logits(&adapted(&adapter), name);
    }
}

/// What PEFT saved, and how many layers it updates.
const FOLDERS: [(&str, usize); 3] = [("plain", 4), ("rslora", 6), ("patterns", 3)];

fn trained() -> LoraAdapter {
    let updates = Checkpoint::open(fixture("lora/trained.pth")).unwrap();
    LoraAdapter::new(LoraConfig::upstream(), updates).unwrap()
}

#[test]
fn a_trainers_file_has_the_layers_own_names() {
    assert_logits(&adapted(&trained()), "plain");
}

#[test]
fn weights_in_the_adapter_replace_those_of_the_model() {
    const OTHERS: KeyMap = KeyMap::new(&[(r"\.([qv]_proj)\.weight$", ".${1}.base_layer.weight")]);
    let mut updates = Checkpoint::open(fixture("lora/trained.pth")).unwrap();
    updates.extend(base().rename(&OTHERS));
    let adapter = LoraAdapter::new(LoraConfig::upstream(), updates).unwrap();
    let merged = adapter.merged(&Checkpoint::open(fixture("llama/mha.safetensors")).unwrap());
    assert!(merged.unwrap().keys().eq(base().keys()));
    assert_logits(&adapted(&adapter), "plain");
}

fn settings(folder: &Path) -> Value {
    read_json(folder.join("adapter_config.json")).unwrap()
}

fn targets(settings: &Value) -> Vec<&str> {
    let targets = settings["target_modules"].as_array().unwrap();
    let mut targets: Vec<_> = targets.iter().map(|name| name.as_str().unwrap()).collect();
    targets.sort_unstable();
    targets
}

#[test]
fn updates_are_saved_in_the_format_of_peft() {
    let (folder, device) = (tempfile::tempdir().unwrap(), Device::default());
    trained().with_base_model("vicuna-7b").save(folder.path()).unwrap();
    let open = |folder: &Path| Checkpoint::open(folder.join("adapter_model.safetensors")).unwrap();
    let (saved, expected) = (open(folder.path()), open(&fixture("lora/plain")));
    assert!(saved.keys().eq(expected.keys()));
    for name in expected.keys() {
        let [saved, expected] =
            [&saved, &expected].map(|file| file.tensor::<2>(name, &device).unwrap().into_data());
        saved.assert_eq(&expected, true);
    }

    let (saved, expected) = (settings(folder.path()), settings(&fixture("lora/plain")));
    assert_eq!(targets(&saved), targets(&expected));
    assert_eq!(saved["base_model_name_or_path"], "vicuna-7b");
    assert_eq!(saved["lora_alpha"].as_f64(), expected["lora_alpha"].as_f64());
    for (name, value) in saved.as_object().unwrap() {
        if !["target_modules", "base_model_name_or_path", "lora_alpha"].contains(&&**name) {
            assert_eq!((name, value), (name, &expected[name]));
        }
    }
}

#[test]
fn a_saved_adapter_computes_the_same() {
    for (name, _) in FOLDERS {
        let folder = tempfile::tempdir().unwrap();
        LoraAdapter::from_dir(fixture("lora").join(name)).unwrap().save(folder.path()).unwrap();
        assert_logits(&adapted(&LoraAdapter::from_dir(folder.path()).unwrap()), name);
        if name == "patterns" {
            let saved = settings(folder.path());
            let [first, up, second] = ["0.self_attn.v_proj", "1.mlp.up_proj", "1.self_attn.v_proj"]
                .map(|layer| format!("model.layers.{layer}"));
            assert_eq!(saved["r"], 2);
            assert_eq!(saved["rank_pattern"], serde_json::json!({ second.clone(): 3 }));
            assert_eq!(targets(&saved), [first, up, second]);
        }
    }
}

#[test]
fn other_tensors_than_updates_cannot_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut updates = Checkpoint::open(fixture("lora/trained.pth")).unwrap();
    updates.extend(base());
    let adapter = LoraAdapter::new(LoraConfig::upstream(), updates).unwrap();
    let error = adapter.save(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("trained.pth contains ") && error.contains("low-rank updates only"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn errors_name_an_adapter_that_does_not_fit() {
    let no_updates = LoraAdapter::new(LoraConfig::upstream(), base()).unwrap_err().to_string();
    assert!(no_updates.contains("gqa.safetensors updates no layer"), "{no_updates}");
    let adapter = LoraAdapter::from_dir(fixture("lora/plain")).unwrap();
    let mut other = Checkpoint::open(fixture("llama/mha.safetensors")).unwrap();
    let error = adapter.merge_into(&mut other).unwrap_err().to_string();
    assert!(error.contains("does not fit model.layers.0.self_attn"), "{error}");
    let mut none = base().scope("model.layers.0");
    let error = adapter.merge_into(&mut none).unwrap_err().to_string();
    assert!(error.contains("lacks a part"), "{error}");
    let dora = serde_json::from_str(r#"{"lora_alpha": 8, "use_dora": true}"#).unwrap();
    let error = LoraAdapter::new(dora, base()).unwrap_err().to_string();
    assert!(error.contains("use_dora"), "{error}");
    let error = LoraAdapter::from_dir(fixture("llama")).unwrap_err().to_string();
    assert!(error.contains("adapter_config.json"), "{error}");
}

#[test]
fn errors_name_an_empty_update() {
    let folder = tempfile::tempdir().unwrap();
    for (rank, inputs) in [(0, 2), (1, 0), (0, 0)] {
        let shapes = [
            ("l.weight", 3, inputs),
            ("l.lora_A.weight", rank, inputs),
            ("l.lora_B.weight", 3, rank),
        ];
        let mut end = 0;
        let mut entries = Vec::new();
        for (name, rows, columns) in shapes {
            let start = end;
            end += 4 * rows * columns;
            let shape = format!("[{rows},{columns}]");
            entries.push(format!(
                r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#
            ));
        }
        let header = format!("{{{}}}", entries.join(","));
        let length = (header.len() as u64).to_le_bytes();
        let path = folder.path().join("empty.safetensors");
        fs::write(&path, [&length[..], header.as_bytes(), &vec![0; end]].concat()).unwrap();
        let mut model = Checkpoint::open(&path).unwrap();
        let adapter = LoraAdapter::new(LoraConfig::upstream(), model.clone()).unwrap();
        let error = adapter.merge_into(&mut model).unwrap_err().to_string();
        assert!(error.contains("empty.safetensors updates l by"), "{error}");
    }
}
