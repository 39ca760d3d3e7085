//! The reference's loops: prompts, rows and files equal to Python's.

use std::fs;

use serde::Deserialize;
use vigc_pipeline::vigc::export::{Format, to_python_json, write_array};
use vigc_pipeline::vigc::two_stage::{
    AnswerRow, KnowledgeRecord, KnowledgeSample, QuestionRow, QuestionStyle, RawAnswerRow,
    RawQuestionRow, TwoStage, TwoStageSettings,
};
use vigc_pipeline::vigc::{Correction, Generated, LastStep, PromptStyle, Record, Unit, Vigc};

use crate::scripted::{Scripted, generated, numbered};

/// Weights are powers of exponentials in f32, which libraries round differently.
const WEIGHT_TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
struct Case {
    steps: usize,
    style: PromptStyle,
    paragraphs: bool,
    last_infer_all: bool,
    images: Vec<String>,
    scripts: Vec<Vec<String>>,
    prompts: Vec<Vec<String>>,
    file: String,
}

impl Case {
    fn correction(&self) -> Correction {
        let unit = if self.paragraphs { Unit::Paragraph } else { Unit::Sentence };
        let last = if self.last_infer_all { LastStep::Everything } else { LastStep::OneUnit };
        Correction::upstream(self.steps).with_style(self.style).with_unit(unit).with_last_step(last)
    }
}

#[test]
fn rows_equal_the_references_byte_for_byte() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../fixtures/vigc/loop.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.json");
    for case in cases {
        let script =
            |script: &Vec<String>| script.iter().map(|text| vec![generated(text)]).collect();
        let model = Scripted::new(case.scripts.iter().map(script).collect());
        let images = case.images.iter().zip(0..).map(|(name, number)| numbered(name, number));
        let correction = case.correction();
        let records = Vigc::new(&model).with_correction(correction).run(images, 3);
        let mut rejected = 0;
        let rows = records.filter_map(|record| match record.unwrap() {
            Record::Sample(sample) => Some(Ok(sample)),
            Record::Rejected(_) => {
                rejected += 1;
                None
            }
            Record::Skipped(skipped) => panic!("{skipped:?}"),
        });
        write_array(&path, Format::Upstream, rows).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), case.file, "{correction:?}");
        assert_eq!(*model.prompts.borrow(), case.prompts, "{correction:?}");
        assert_eq!(rejected, 4, "{correction:?}");
    }
}

#[derive(Deserialize)]
struct Table {
    images: Vec<String>,
    questions: Vec<String>,
    answers: Vec<Answers>,
    raw_questions: String,
    question_file: String,
    raw_answers: Vec<RawAnswerRow>,
    answer_rows: Vec<AnswerRow>,
}

#[derive(Deserialize)]
struct Answers {
    prompt: String,
    texts: Vec<String>,
    scores: Vec<f32>,
}

/// Runs both stages with every question begun by "what", as the table has it.
fn run_two_stages(table: &Table) -> (Vec<KnowledgeSample>, Vec<Vec<String>>) {
    let mut answers = table.answers.iter();
    let script = |question: &String| {
        let mut script = vec![vec![generated(question)]];
        if question.matches("Answer:").count() == 1 {
            let Answers { texts, scores, .. } = answers.next().unwrap();
            let scored = |(text, &score): (&String, &f32)| Generated { score, ..generated(text) };
            script.push(texts.iter().zip(scores).map(scored).collect());
        }
        script
    };
    let scripts = table.questions.iter().map(script).collect::<Vec<_>>();
    for seed in 0.. {
        let model = Scripted::new(scripts.clone());
        let images = table.images.iter().zip(0..).map(|(name, number)| numbered(name, number));
        let settings = TwoStageSettings::upstream(QuestionStyle::Okvqa).with_seed(seed);
        let run = TwoStage::new(&model, settings).run(images, 4);
        let samples = run.filter_map(|record| match record.unwrap() {
            KnowledgeRecord::Sample(sample) => Some(sample),
            _ => None,
        });
        let samples = samples.collect();
        let prompts = model.prompts.take();
        if prompts.iter().all(|asked| asked[0].ends_with(" Question: what")) {
            return (samples, prompts);
        }
    }
    unreachable!("there are more seeds than the test has time")
}

#[test]
fn two_stage_rows_equal_the_references() {
    let table: Table =
        serde_json::from_str(include_str!("../fixtures/vigc/two_stage.json")).unwrap();
    let (samples, prompts) = run_two_stages(&table);
    let second = prompts.iter().filter_map(|asked| asked.get(1));
    assert!(second.eq(table.answers.iter().map(|answers| &answers.prompt)));

    let file = |rows: &[serde_json::Value]| to_python_json(rows).unwrap();
    let rows = |row: fn(&KnowledgeSample) -> serde_json::Value| {
        file(&samples.iter().map(row).collect::<Vec<_>>())
    };
    let raw = rows(|sample| serde_json::to_value(RawQuestionRow::from(sample)).unwrap());
    assert_eq!(raw, table.raw_questions);
    let questions = rows(|sample| serde_json::to_value(QuestionRow::from(sample)).unwrap());
    assert_eq!(questions, table.question_file);

    assert_eq!(samples.len(), table.answer_rows.len());
    for (sample, (raw, row)) in samples.iter().zip(table.raw_answers.iter().zip(&table.answer_rows))
    {
        let (found_raw, found) = (RawAnswerRow::from(sample), AnswerRow::from(sample));
        for (weight, expected) in found.weight.iter().zip(&row.weight) {
            assert!((weight / expected - 1.0).abs() < WEIGHT_TOLERANCE, "{weight} {expected}");
        }
        assert_eq!(RawAnswerRow { weight: raw.weight.clone(), ..found_raw }, *raw);
        assert_eq!(AnswerRow { weight: row.weight.clone(), ..found }, *row);
        let keys =
            |row: serde_json::Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let order = keys(serde_json::to_value(AnswerRow::from(sample)).unwrap());
        assert_eq!(order, ["image", "image_id", "question", "weight", "answer"]);
    }
}
