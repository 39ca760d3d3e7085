//! The ablation of correction: the false sentences that are left after more or fewer steps.
//!
//! A step of correction keeps one sentence and does not know how many may follow. So a correction in three steps has the first
//! three sentences of one without a limit, and the model is asked only once.

use std::collections::{BTreeMap, HashMap};

use burn::tensor::Device;
use vigc_eval::answers::{AnswerJournal, QueryRunner};
use vigc_eval::scenes::{AnswerReport, DialogueReport, Report, Scenes};
use vigc_eval::suite::ask;
use vigc_pipeline::core::progress::Progress;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_scenes::sentences;

use crate::folder::Folder;
use crate::report::Outcome;
use crate::settings::Settings;

/// The seed of the pictures, which no training has drawn.
const PICTURES: u64 = 4_000;

/// Corrects drafts until the model ends, and judges what was there after every number of steps.
pub(crate) fn measure(settings: &Settings, folder: &Folder, seed: u64) -> anyhow::Result<()> {
    let model = InstructBlip::from_dir(folder.model(&format!("vigc-{seed}")), &Device::default())?;
    let scenes = Scenes::new(settings.correction.pictures).with_seed(PICTURES).with_questions(1);
    let record = |name: &str, metrics| {
        let (student, condition) = ("vigc".to_owned(), format!("steps-{name}"));
        folder.record(&Outcome { student, condition, seed, metrics })
    };
    let runner = QueryRunner::new(&model, model.generation_config().clone());
    let path = folder.join(format!("steps-{seed}.answers.jsonl"));
    let mut journal = AnswerJournal::resume(path, &runner.settings())?;
    let answers = ask(&scenes, &runner, &mut journal, &Progress::none())?.texts;
    let report = scenes.score(&answers)?;
    record("end", metrics(&report, true, |dialogue| &dialogue.vic))?;
    record("0", metrics(&report, true, |dialogue| &dialogue.vig))?;
    for &steps in &settings.correction.steps {
        let report = scenes.score(&shortened(&answers, steps))?;
        record(&steps.to_string(), metrics(&report, false, |dialogue| &dialogue.vic))?;
    }
    Ok(())
}

/// The same answers, with so many sentences in corrected ones at most.
fn shortened(answers: &HashMap<String, String>, steps: usize) -> HashMap<String, String> {
    let first = |text: &str| sentences(text).take(steps).collect::<Vec<_>>().join(" ");
    let shortened = answers.iter().map(|(id, text)| match id.ends_with("/vic") {
        true => (id.clone(), first(text)),
        false => (id.clone(), text.clone()),
    });
    shortened.collect()
}

type Side = fn(&DialogueReport) -> &AnswerReport;

/// What a report says of the drafts or the corrected answers.
fn metrics(report: &Report, by_kind: bool, side: Side) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    for (split, found) in &report.splits {
        let answers = side(&found.overall);
        let wrong = |answers: &AnswerReport| answers.false_sentences.value;
        let sentences = answers.sentences_per_answer;
        // Statements of the grammar's sentences; those that are false are a sentence's share of them.
        let claims = sentences
            .zip(answers.claims_per_sentence)
            .zip(wrong(answers))
            .map(|((sentences, claims), wrong)| sentences * claims * (1.0 - wrong));
        let mut put = |name: String, value: Option<f64>| {
            if let Some(value) = value {
                metrics.insert(format!("{split}/{name}"), value);
            }
        };
        put("false".to_owned(), wrong(answers).map(|part| 100.0 * part));
        put("sentences".to_owned(), sentences);
        put("claims".to_owned(), claims);
        for (name, dialogue) in found.dialogues.iter().filter(|_| by_kind) {
            put(format!("{name}/false"), wrong(side(dialogue)).map(|part| 100.0 * part));
        }
    }
    metrics
}
