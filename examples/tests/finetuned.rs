//! Recipes open; a LLaVA is finetuned by two, and asked with what was trained laid beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use vigc_pipeline::core::weights::Checkpoint;
use vigc_train::Recipe;

fn run(name: &str, arguments: &[&str]) -> Output {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let path = folder.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    Command::new(path).args(arguments).output().expect("the example starts")
}

fn printed(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn train(folder: &Path, name: &str, recipe: &str) {
    let text = format!(
        "output = \"{}\"\n{recipe}\n[optimization]\nupdates = 2\nbatch = 2\nrate = 1e-2\n",
        folder.join(name).display()
    );
    let path = folder.join(name).with_extension("toml");
    fs::write(&path, text).expect("written");
    printed("train", &["--recipe", &path.to_string_lossy()]);
}

/// A tiny LLaVA around vigc-mini's language model.
fn make_llava(folder: &Path) {
    let around = in_repository("vigc-mini/model");
    let recipe = format!(
        "stage = \"clip\"\n[inputs]\nmodel = \"{}\"\n[data.scenes]\nsplit = \"train\"\ncount = 4\n\
        [model.clip]\nhidden_size = 128\nintermediate_size = 512\nnum_hidden_layers = 1\n\
        num_attention_heads = 4\nimage_size = 112\npatch_size = 14\nhidden_act = \"gelu\"\n\
        [run]\nvalidate_updates = 0\n",
        around.display()
    );
    train(folder, "base", &recipe);
}

/// Its projector and low-rank updates, trained on two rows.
fn finetune(folder: &Path) {
    let rows = serde_json::json!([
        {"image": "scene-1.jpg", "question": "What is behind the car?", "answer": ["A wall."]},
        {"image": "scene-2.jpg", "question": "Is there a cup?", "answer": ["There is a red cup."]},
    ]);
    fs::write(folder.join("rows.json"), rows.to_string()).expect("written");
    let recipe = format!(
        "stage = \"finetune\"\n[inputs]\nmodel = \"{base}\"\n[model]\ntune = \"lora\"\nfrozen = \"bf16\"\n\
        [model.lora]\nr = 2\nalpha = 4\n\
        [[data.files]]\npath = \"{rows}\"\nimages = \"{images}\"\nformat = \"llava\"\n\
        topic = \"conversation\"\nform = \"vic\"\nratio = 1.0\n[run]\nvalidate_updates = 0\n",
        base = folder.join("base/model").display(),
        rows = folder.join("rows.json").display(),
        images = in_repository("examples/pictures").display(),
    );
    train(folder, "lora", &recipe);
}

#[test]
fn every_recipe_opens() {
    let mut opened = 0;
    for folder in ["mini", "finetune", "experiment"] {
        for entry in fs::read_dir(in_repository("recipes").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            // What the experiment consists of.
            if path.ends_with("experiment.toml") {
                continue;
            }
            Recipe::open(&path).unwrap_or_else(|error| panic!("{error:?}"));
            opened += 1;
        }
    }
    assert!(opened >= 25, "{opened}");
}

#[test]
fn what_was_trained_lies_beside_a_llava() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_llava(folder);
    finetune(folder);
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (base, merged) = (path("base/model"), path("merged"));
    let (projector, adapter) = (path("lora/projector.safetensors"), path("lora/adapter"));
    let beside = ["--model", &base, "--projector", &projector, "--adapter", &adapter];
    printed("convert", &[&beside[..], &["--out", &merged]].concat());

    let weights = |folder: &str, name: &str| {
        let file = Checkpoint::open(Path::new(folder).join("model.safetensors")).unwrap();
        file.tensor::<2>(name, &burn::tensor::Device::default()).unwrap().into_data()
    };
    for name in [
        "multi_modal_projector.linear_2.weight",
        "language_model.model.layers.0.self_attn.q_proj.weight",
    ] {
        assert_ne!(weights(&base, name), weights(&merged, name), "{name}");
    }
    let embeddings = "language_model.model.embed_tokens.weight";
    assert_eq!(weights(&base, embeddings), weights(&merged, embeddings));

    let picture = in_repository("examples/pictures/scene-1.jpg");
    let picture = picture.to_string_lossy();
    let ask =
        ["--image", &picture, "--prompt", "What is behind the car?", "--max-new-tokens", "12"];
    let answer = |model: &[&str]| printed("chat", &[model, &ask[..]].concat());
    let answers = [answer(&beside), answer(&["--model", &merged])];
    assert_eq!(answers[0], answers[1]);

    let refused = |arguments: &[&str]| {
        let output = run("chat", &[arguments, &ask[..]].concat());
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let error = refused(&["--adapter", &adapter]);
    assert!(error.contains("--model") && error.contains("--llm"), "{error}");
    let instruct_blip = in_repository("vigc-mini/model");
    let error = refused(&["--model", &instruct_blip.to_string_lossy(), "--adapter", &adapter]);
    assert!(error.contains("LLaVA") && error.contains("config.json"), "{error}");
}
