//! The JSON files of a model's folder: the input as each of them, beside files that are whole.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use vigc_core::files::read_json;
use vigc_core::weights::Checkpoint;
use vigc_fuzz::{FOLDER, read_tensors, show, write};
use vigc_llm::llama::LlamaConfig;
use vigc_llm::lora::LoraAdapter;
use vigc_pipeline::instruct_blip::{InstructBlip, InstructBlipConfig};
use vigc_vision::image::ImageProcessor;

/// Folders of files that are whole; each is fuzzed in one of them.
static FOLDERS: LazyLock<()> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let lora = tests.join("vigc-llm/tests/fixtures/lora/plain/adapter_model.safetensors");
    let tiny = tests.join("vigc-pipeline/tests/fixtures/instruct_blip/tiny");
    let copy = |from: &Path, to: &str| drop(write(to, &std::fs::read(from).expect("a fixture")));
    for file in [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "qformer_tokenizer/tokenizer.json",
    ] {
        copy(&tiny.join(file), &format!("model/{file}"));
    }
    copy(&lora, "lora/adapter_model.safetensors");
    copy(&lora, "safetensors/model-00001-of-00002.safetensors");
    let pickle = "pytorch_model-00001-of-00002.bin";
    copy(&tiny.join("../containers/vicuna").join(pickle), &format!("pickles/{pickle}"));
});

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&FOLDERS);
    shards(bytes);
    adapter(bytes);
    said(ImageProcessor::from_dir(folder_with("images/processor_config.json", bytes)));
    said(ImageProcessor::from_dir(folder_with("image/preprocessor_config.json", bytes)));
    let llama = write("llama.json", bytes);
    said(read_json::<LlamaConfig>(&llama));
    for name in ["config.json", "generation_config.json", "tokenizer_config.json"] {
        model(name, bytes);
    }
});

/// An index of shards, in a folder where one of them is.
fn shards(bytes: &[u8]) {
    write("safetensors/model.safetensors.index.json", bytes);
    read_tensors(&FOLDER.join("safetensors"));
    write("pickles/pytorch_model.bin.index.json", bytes);
    read_tensors(&FOLDER.join("pickles"));
}

/// The configuration of low-rank updates.
fn adapter(bytes: &[u8]) {
    let folder = folder_with("lora/adapter_config.json", bytes);
    match LoraAdapter::from_dir(&folder) {
        Ok(adapter) => {
            let model = Checkpoint::open(folder.join("adapter_model.safetensors"));
            said(model.map(|mut model| said(adapter.merge_into(&mut model))));
        }
        Err(error) => show(&error),
    }
}

/// A model of which one file is fuzzed; only if that can be told at once to be wrong, it is not opened.
fn model(name: &str, bytes: &[u8]) {
    let path = FOLDER.join("model").join(name);
    let whole = std::fs::read(&path).expect("it was copied");
    write(&format!("model/{name}"), bytes);
    let is_read = match name {
        "config.json" => read_json::<InstructBlipConfig>(&path)
            .map_err(|error| show(&error))
            .is_ok_and(|config| config.validate().map_err(|error| show(&error)).is_ok()),
        _ => serde_json::from_slice::<serde_json::Map<_, _>>(bytes).is_ok(),
    };
    if is_read {
        said(InstructBlip::from_dir(FOLDER.join("model"), &Device::default()));
    }
    write(&format!("model/{name}"), &whole);
}

fn folder_with(name: &str, bytes: &[u8]) -> std::path::PathBuf {
    write(name, bytes).parent().expect("it is in a folder").to_owned()
}

fn said<T, E: std::error::Error>(result: Result<T, E>) {
    if let Err(error) = result {
        show(&error);
    }
}
