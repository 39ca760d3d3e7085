//! Whole runs of the bundled model against the reference's program on transformers 4.28.1.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use serde::Deserialize;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::two_stage::{
    AnswerRow, KnowledgeRecord, QuestionStyle, TwoStage, TwoStageSettings, write_questions,
};
use vigc_pipeline::vigc::{
    Correction, GenerationConfig, ImageInput, Journal, LastStep, PromptStyle, Unit, Vigc,
};
use vigc_pipeline::vision::image::{ImageLimits, open_image};

const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/pictures");

/// The reference's batch.
const BATCH: usize = 8;

/// Weights are powers of exponentials of sums in f32.
const WEIGHT_TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct Rows {
    loops: Vec<Loop>,
    two_stage: Vec<Stages>,
}

#[derive(Deserialize)]
struct Loop {
    task: String,
    steps: usize,
    style: PromptStyle,
    paragraphs: bool,
    last_infer_all: bool,
    file: String,
}

impl Loop {
    fn task(&self) -> Task {
        match self.task.as_str() {
            "conversation" => Task::Conversation,
            "detail" => Task::DetailDescription,
            _ => Task::ComplexReasoning,
        }
    }

    fn correction(&self) -> Correction {
        let unit = if self.paragraphs { Unit::Paragraph } else { Unit::Sentence };
        let last = if self.last_infer_all { LastStep::Everything } else { LastStep::OneUnit };
        let correction = Correction::upstream(self.steps).with_unit(unit);
        correction.with_style(self.style).with_last_step(last)
    }
}

#[derive(Deserialize)]
struct Stages {
    style: String,
    seed: u64,
    question_file: String,
    answers: Vec<AnswerRow>,
}

fn rows() -> Rows {
    serde_json::from_str(include_str!("../fixtures/program/rows.json")).unwrap()
}

/// The examples' pictures, known by their names.
fn pictures() -> Vec<ImageInput> {
    let open = |number: usize| {
        let name = format!("scene-{number}.jpg");
        let image = open_image(Path::new(PICTURES).join(&name), &ImageLimits::default()).unwrap();
        ImageInput::pixels(name, image)
    };
    (1..=6).map(open).collect()
}

#[test]
fn files_equal_the_programs_byte_for_byte() {
    let model = InstructBlip::bundled(&Device::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for case in rows().loops {
        let path = folder.path().join(format!("{}.json", case.task));
        let decoding = GenerationConfig::upstream()
            .with_max_length(250)
            .with_min_length(1)
            .with_rules(model.upstream_rules().unwrap());
        let vigc = Vigc::new(&model)
            .with_task(case.task())
            .with_decoding(decoding)
            .with_correction(case.correction());
        let mut journal = Journal::create(&path, Format::Upstream, &vigc.settings()).unwrap();
        for record in vigc.run(pictures(), BATCH) {
            journal.append(&record.unwrap()).unwrap();
        }
        journal.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), case.file, "{}", case.task);
    }
}

#[test]
fn both_stages_equal_the_programs() {
    let model = InstructBlip::bundled(&Device::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for case in rows().two_stage {
        let style = match case.style.as_str() {
            "okvqa" => QuestionStyle::Okvqa,
            _ => QuestionStyle::AOkvqa,
        };
        let settings = TwoStageSettings::upstream(style)
            .with_rules(model.upstream_rules().unwrap())
            .with_seed(case.seed);
        let records = TwoStage::new(&model, settings).run(pictures(), BATCH);
        let samples = records.filter_map(|record| match record.unwrap() {
            KnowledgeRecord::Sample(sample) => Some(sample),
            _ => None,
        });
        let samples = samples.collect::<Vec<_>>();
        let path = folder.path().join("question.json");
        write_questions(&path, samples.iter().cloned().map(Ok)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), case.question_file, "{}", case.style);
        assert_eq!(samples.len(), case.answers.len());
        for (sample, expected) in samples.iter().zip(&case.answers) {
            let found = AnswerRow::from(sample);
            for (weight, expected) in found.weight.iter().zip(&expected.weight) {
                assert!((weight / expected - 1.0).abs() < WEIGHT_TOLERANCE, "{weight} {expected}");
            }
            assert_eq!(AnswerRow { weight: expected.weight.clone(), ..found }, *expected);
        }
    }
}
