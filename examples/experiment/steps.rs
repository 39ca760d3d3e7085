//! The ablation of correction: how much that is false is left after more or fewer steps.

use std::collections::BTreeMap;

use burn::tensor::Device;
use vigc_eval::scenes::{AnswerReport, DialogueReport, Report, SceneModel, Subject, Suite};
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::vigc::Correction;

use crate::folder::Folder;
use crate::replay::{Recorder, Replay};
use crate::report::Outcome;
use crate::settings::Settings;

/// The seed of the pictures, which no training has drawn.
const PICTURES: u64 = 4_000;

/// Corrects drafts until the model ends, and judges what was there after every number of steps.
pub(crate) fn measure(settings: &Settings, folder: &Folder, seed: u64) -> anyhow::Result<()> {
    let model = InstructBlip::from_dir(folder.model(&format!("vigc-{seed}")), &Device::default())?;
    let suite = Suite::new(settings.correction.pictures, PICTURES).with_questions(1);
    let run = |model: &mut dyn SceneModel| -> anyhow::Result<Report> {
        suite.run(model, &mut |_| {}).map_err(|error| anyhow::anyhow!(error))
    };
    let record = |name: &str, metrics| {
        let (student, condition) = ("vigc".to_owned(), format!("steps-{name}"));
        folder.record(&Outcome { student, condition, seed, metrics })
    };
    let decoding = model.generation_config().clone();
    let mut recorder = Recorder::new(Subject::new(&model, decoding, Correction::default()));
    let report = run(&mut recorder)?;
    record("end", metrics(&report, true, |dialogue| &dialogue.vic))?;
    record("0", metrics(&report, true, |dialogue| &dialogue.vig))?;
    for &steps in &settings.correction.steps {
        let report = run(&mut Replay::new(recorder.replies(), steps))?;
        record(&steps.to_string(), metrics(&report, false, |dialogue| &dialogue.vic))?;
    }
    Ok(())
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
