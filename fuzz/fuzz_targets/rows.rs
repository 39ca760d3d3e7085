//! Annotation files of the data sets, and the journal that a run is resumed from.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use vigc_fuzz::{show, write};
use vigc_pipeline::data::{open_coco_instances, open_vqav2};
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::Format as Output;
use vigc_pipeline::vigc::{Correction, GenerationConfig, Journal, Record, RunSettings, read_lines};
use vigc_train::data::{
    AnnotatedImages, AnnotationFile, Form, Format, InstructionDataset,
};

fuzz_target!(|bytes: &[u8]| {
    annotations(&write("rows.json", bytes));
    journal(bytes);
});

fn annotations(path: &Path) {
    for format in [Format::Llava, Format::Okvqa, Format::Aokvqa, Format::CocoCaptions] {
        for form in [Form::Vig, Form::Vic, Form::Continue] {
            let file = AnnotationFile {
                path: path.to_owned(),
                images: "pictures".into(),
                format,
                topic: Task::KnowledgeVqa,
                form,
                ratio: 1.0,
            };
            let annotations = match file.open() {
                Ok(annotations) => annotations,
                Err(error) => {
                    show(&error);
                    break;
                }
            };
            let images = Arc::new(AnnotatedImages::new(&file.images, [&annotations]));
            let rows = file.rows(annotations, &images, 0);
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            for row in 0..rows.len().min(16) {
                if let Err(error) = rows.row(row, &mut rng) {
                    show(&error);
                }
            }
        }
    }
    if let Err(error) = open_coco_instances(path) {
        show(&error);
    }
    if let Err(error) = open_vqav2(path, path, "COCO_val2014_{}.jpg") {
        show(&error);
    }
}

fn journal(bytes: &[u8]) {
    let settings = RunSettings {
        model: "vigc-mini".to_owned(),
        seed: 7,
        decoding: GenerationConfig::greedy(),
        correction: Correction::until_end(4),
    };
    let output = write("journal/out.json.rows.jsonl", bytes).with_file_name("out.json");
    let settings_text = serde_json::to_vec(&settings).expect("settings are JSON");
    write("journal/out.json.settings.json", &settings_text);
    match read_lines::<Record>(output.with_file_name("out.json.rows.jsonl")) {
        Ok(lines) => lines.filter_map(Result::err).take(16).for_each(|error| show(&error)),
        Err(error) => show(&error),
    }
    for format in [Output::Llava, Output::Upstream] {
        let journal = Journal::resume(&output, format, &settings);
        if let Err(error) = journal.and_then(Journal::finish) {
            show(&error);
        }
    }
}
