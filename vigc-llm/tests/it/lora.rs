//! Low-rank adapters against PEFT.

use burn::tensor::{Device, Int, Tensor, Tolerance};
use vigc_core::config::read_json;
use vigc_core::weights::{Checkpoint, Strictness};
use vigc_llm::llama::{Llama, LlamaConfig, keys};
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
    let report = weights.load(&mut model, &keys::HUGGING_FACE, Strictness::Strict).unwrap();
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
    for (name, layers) in [("plain", 4), ("rslora", 6)] {
        let adapter = LoraAdapter::from_dir(fixture("lora").join(name)).unwrap();
        assert_eq!(adapter.layers().count(), layers);
        assert_logits(&adapted(&adapter), name);
    }
}

#[test]
fn a_trainers_file_has_the_layers_own_names() {
    let updates = Checkpoint::open(fixture("lora/trained.pth")).unwrap();
    let adapter = LoraAdapter::new(LoraConfig::reference(), updates).unwrap();
    assert_logits(&adapted(&adapter), "plain");
}

#[test]
fn an_adapter_that_does_not_fit_is_named() {
    let no_updates = LoraAdapter::new(LoraConfig::reference(), base()).unwrap_err().to_string();
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
fn an_update_of_no_numbers_is_named() {
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
        std::fs::write(&path, [&length[..], header.as_bytes(), &vec![0; end]].concat()).unwrap();
        let mut model = Checkpoint::open(&path).unwrap();
        let adapter = LoraAdapter::new(LoraConfig::reference(), model.clone()).unwrap();
        let error = adapter.merge_into(&mut model).unwrap_err().to_string();
        assert!(error.contains("empty.safetensors updates l by"), "{error}");
    }
}
