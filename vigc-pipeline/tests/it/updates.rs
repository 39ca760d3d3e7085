//! Low-rank updates of the language model as VIGC's trainer saves them, against PEFT.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, Tolerance};
use vigc_core::weights::{Checkpoint, KeyMap, LoadReport, save_checkpoint};
use vigc_pipeline::Result;
use vigc_pipeline::instruct_blip::{FileKind, InstructBlip, ModelFiles, read_updates};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/instruct_blip")
}

fn file(name: &str) -> PathBuf {
    fixtures().join("containers").join(name)
}

fn files() -> ModelFiles {
    ModelFiles::new(file("vicuna"), file("eva_vit.pth"), file("pretrained.pth"))
        .with_finetuned(file("finetuned.pth"))
}

/// What the trainer saved: updates in two places, what is frozen below `llm`.
fn updated() -> Checkpoint {
    Checkpoint::open(file("updated.pth")).unwrap()
}

/// Fails unless the files' language model computes what PEFT does; returns the reports.
fn assert_logits(files: &ModelFiles) -> Vec<LoadReport> {
    let device = Device::default();
    let tiny = InstructBlip::from_dir(fixtures().join("tiny"), &device).unwrap();
    let mut network = tiny.config().init(&device);
    let reports = files.load(&mut network).unwrap();
    let golden = Checkpoint::open(file("updated.safetensors")).unwrap();
    let ids = golden.tensor::<2>("input_ids", &device).unwrap().int();
    let mask = Tensor::<2, Int>::ones(ids.dims(), &device).bool();
    let lm = &network.language_model;
    let logits = lm.logits(lm.forward(lm.embed(ids), mask, None)).into_data();
    let expected = golden.tensor::<3>("logits", &device).unwrap().into_data();
    logits.assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-4, 1e-4));
    reports
}

fn load(finetuned: &Path) -> Result<Vec<LoadReport>> {
    let device = Device::default();
    let mut network =
        InstructBlip::from_dir(fixtures().join("tiny"), &device)?.config().init(&device);
    files().with_finetuned(finetuned).load(&mut network)
}

fn save(checkpoint: &Checkpoint, folder: &Path) -> PathBuf {
    let path = folder.join("updated.safetensors");
    save_checkpoint(checkpoint, &path).unwrap();
    path
}

#[test]
fn a_trainers_file_computes_what_peft_computes() {
    let reports = assert_logits(&files().with_finetuned(file("updated.pth")));
    let [vicuna, .., finetuned, updated] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((updated.copies.len(), &updated.unused), (16, &Vec::new()));
    assert!(updated.copies.iter().all(|name| {
        name.starts_with("llm.base_model.model.model.layers.") && name.contains(".lora_")
    }));
    // The frozen weights come with the updates, so nothing of Vicuna is left, and the projection is trained once more.
    assert!(vicuna.applied.is_empty() && updated.applied.len() == vicuna.overwritten.len() + 2);
    assert!(finetuned.overwritten.contains(&"connector.language_projection.weight".to_owned()));
}

#[test]
fn one_tree_or_both_are_the_same_model() {
    const FIRST: KeyMap = KeyMap::new(&[(r"^llm\.base_model\.model\.", "llm_model.")]);
    const OLD_PEFT: KeyMap = KeyMap::new(&[(r"\.base_layer\.", ".")]);
    let second = |name: &str| name.starts_with("llm.");
    let first = updated().rename(&FIRST);
    let mut both = updated();
    both.extend(first.clone());
    let mut only_second = updated();
    only_second.retain(|name| !name.starts_with("llm_model."));
    let mut updates = updated();
    updates.retain(|name| !second(name));
    let copies = both.keys().filter(|name| second(name)).count();
    let cases = [
        (both.clone(), copies),
        (both.rename(&OLD_PEFT), copies),
        (only_second, 0),
        (first, 0),
        // Of a trainer that saves nothing that is frozen.
        (updates, 0),
    ];
    for (checkpoint, copies) in cases {
        let folder = tempfile::tempdir().unwrap();
        let reports = assert_logits(&files().with_finetuned(save(&checkpoint, folder.path())));
        let report = reports.last().unwrap();
        assert_eq!((report.copies.len(), &report.unused), (copies, &Vec::new()));
    }
}

#[test]
fn a_copy_that_differs_is_named() {
    const OTHER: KeyMap = KeyMap::new(&[(r"^llm_model\.(.*)\.1\.", "llm_model.${1}.0.")]);
    const TURNED: KeyMap =
        KeyMap::new(&[(r"^llm_model\.(.*)\.lora_B\.", "llm_model.${1}.lora_A.")]);
    let cases = [
        ("llm_model.model.layers.1.self_attn.q_proj.lora_A", OTHER, "has other values"),
        ("llm_model.model.layers.0.self_attn.q_proj.lora_B", TURNED, "has the shape [8, 16]"),
    ];
    for (taken, renamed, expected) in cases {
        let mut other = updated();
        other.retain(|name| name.starts_with(taken));
        let mut checkpoint = updated();
        checkpoint.extend(other.rename(&renamed));
        let folder = tempfile::tempdir().unwrap();
        let error = load(&save(&checkpoint, folder.path())).unwrap_err().to_string();
        let copy =
            "updated.safetensors: llm.base_model.model.model.layers.0.self_attn.q_proj.lora_A";
        assert!(error.contains(copy) && error.contains(expected), "{error}");
    }
}

#[test]
fn updates_are_read_alone_and_saved_as_an_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = folder.path().join("adapter");
    read_updates(file("updated.pth")).unwrap().save(&adapter).unwrap();
    let reports = assert_logits(&files().with_adapter(&adapter));
    assert_eq!(reports.last().unwrap().applied.len(), 8);
    assert_eq!(read_updates(&adapter).unwrap().layers().count(), 8);
    let alone = adapter.join("adapter_model.safetensors");
    assert_eq!(read_updates(&alone).unwrap().layers().count(), 8);

    // An adapter counts after frozen weights that a finetuning holds once more.
    let mut frozen = updated();
    frozen.retain(|name| !name.contains(".lora_"));
    let frozen = save(&frozen, folder.path());
    assert_logits(&files().with_finetuned(&frozen).with_adapter(&adapter));

    let cases = [
        (frozen, "updates no layer"),
        (file("finetuned.pth"), "updates no layer"),
        (file("minigpt4.pth"), "is a MiniGPT-4 checkpoint"),
        (file("vicuna"), "adapter_config.json"),
    ];
    for (path, expected) in cases {
        let error = read_updates(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_language_model_alone_is_a_file_of_vigc() {
    let name = FileKind::Lavis.network_names();
    for tree in ["llm_model.", "llm."] {
        let mut alone = updated();
        alone.retain(|name| name.starts_with(tree));
        assert_eq!(FileKind::of(&alone), Some(FileKind::Lavis));
        for key in alone.keys() {
            let inner = key.trim_start_matches("llm_model.");
            let inner = inner.trim_start_matches("llm.base_model.model.");
            assert_eq!(name(key), format!("language_model.{}", inner.replace(".base_layer", "")));
        }
    }
}
