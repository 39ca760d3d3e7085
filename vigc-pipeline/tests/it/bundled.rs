//! The bundled model: what transformers makes of it, and the whole pipeline with it.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::Deserialize;
use vigc_llm::generation::GenerationConfig;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::{Correction, ImageFolder, Journal, Record, Request, Vigc, VisualLm};
use vigc_vision::image::{ImageLimits, open_image};

/// What transformers wrote about a picture.
#[derive(Deserialize)]
struct Row {
    picture: String,
    prompt: String,
    tokens: Vec<u32>,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pictures() -> PathBuf {
    root().join("../examples/pictures")
}

#[test]
fn transformers_writes_the_same_tokens() {
    let golden = fs::read(root().join("tests/fixtures/vigc_mini/golden.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_slice(&golden).unwrap();
    let model = InstructBlip::bundled(&Device::default()).unwrap();
    let settings = GenerationConfig::greedy().with_max_new_tokens(120);
    for row in &rows {
        let picture = open_image(pictures().join(&row.picture), &ImageLimits::default()).unwrap();
        let image = &model.encode(&[picture]).unwrap()[0];
        let request = Request::new(image, &row.prompt);
        let written = &model.generate(&[request], &settings).unwrap()[0][0];
        let expected: Vec<u32> = row.tokens.iter().copied().take_while(|&id| id != 2).collect();
        assert_eq!(written.ids, expected, "{} {}", row.picture, row.prompt);
        assert_eq!(written.text, row.text);
    }
    assert_eq!(rows.len(), 20);
}

#[test]
fn the_folder_and_the_bundle_are_one_model() {
    let device = Device::default();
    let bundled = InstructBlip::bundled(&device).unwrap();
    let folder = root().join("../vigc-mini/model");
    let opened = InstructBlip::from_dir(&folder, &device).unwrap();
    assert_eq!(bundled.config(), opened.config());
    // A model from a folder has the folder's name.
    assert_eq!((bundled.name(), opened.name()), ("vigc-mini", "model"));
    assert_eq!(bundled.generation_config(), opened.generation_config());
    let size: u64 =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(size < 10_000_000, "{size} bytes");
}

#[test]
fn images_become_corrected_rows_and_a_resumed_run_adds_nothing() {
    let model = InstructBlip::bundled(&Device::default()).unwrap();
    let vigc = |model| {
        Vigc::new(model)
            .with_tasks(Task::LLAVA)
            .with_decoding(GenerationConfig::greedy().with_max_new_tokens(120))
            .with_correction(Correction::until_end(4))
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let images = || ImageFolder::open(pictures()).unwrap().into_iter().take(3);

    let mut journal = Journal::create(&path, Format::Vigc, &vigc(&model).settings()).unwrap();
    let mut records = 0;
    for record in vigc(&model).run(images(), 4) {
        let record = record.unwrap();
        if let Record::Sample(sample) = &record {
            assert!(!sample.question.is_empty() && !sample.answer.is_empty());
        }
        journal.append(&record).unwrap();
        records += 1;
    }
    journal.finish().unwrap();
    assert_eq!(records, 9, "three images, three tasks");

    let journal = Journal::resume(&path, Format::Vigc, &vigc(&model).settings()).unwrap();
    let finished = journal.finished().clone();
    assert_eq!(vigc(&model).with_finished(finished).run(images(), 4).count(), 0);
}

/// Skipped, and says so, where this machine has no adapter that wgpu can use.
#[cfg(feature = "wgpu")]
#[test]
fn wgpu_writes_what_the_processor_writes() {
    let device = match vigc_pipeline::backend::device("wgpu") {
        Ok(device) => device,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let written = |device: &Device| {
        let model = InstructBlip::bundled(device).unwrap();
        let vigc = Vigc::new(&model)
            .with_tasks(Task::LLAVA)
            .with_decoding(GenerationConfig::greedy().with_max_new_tokens(60))
            .with_correction(Correction::until_end(2));
        let images = ImageFolder::open(pictures()).unwrap().into_iter().take(2);
        let texts: Vec<String> = vigc
            .run(images, 2)
            .map(|record| match record.unwrap() {
                Record::Sample(sample) => format!("{} {}", sample.question, sample.answer),
                other => panic!("{other:?}"),
            })
            .collect();
        texts
    };
    let processor = vigc_pipeline::backend::device("flex").unwrap();
    assert_eq!(written(&device), written(&processor));
}
