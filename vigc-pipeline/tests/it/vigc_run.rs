//! Many images through VIG and VIC with models whose answers are known.

use std::fs;

use image::RgbImage;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::diff::Verdict;
use vigc_pipeline::vigc::rank::rank;
use vigc_pipeline::vigc::two_stage::{KnowledgeRecord, QuestionStyle, TwoStage, TwoStageSettings};
use vigc_pipeline::vigc::{
    Correction, Generated, ImageFolder, ImageInput, Record, StopReason, Vigc, VisualLm,
};

use crate::scripted::{Dice, Scripted, generated, numbered};

const IMAGES: u8 = 20;

fn images() -> Vec<ImageInput> {
    (0..IMAGES).map(|number| numbered(&format!("image {number}"), number)).collect()
}

fn run(model: &Dice, images: Vec<ImageInput>, batch: usize) -> Vec<Record> {
    let vigc = Vigc::new(model).with_tasks(Task::LLAVA).with_seed(7);
    vigc.run(images, batch).map(Result::unwrap).collect()
}

fn key(record: &Record) -> (String, Option<Task>) {
    match record {
        Record::Sample(sample) => (sample.image.clone(), Some(sample.task)),
        Record::Rejected(rejected) => (rejected.image.clone(), Some(rejected.task)),
        Record::Skipped(skipped) => (skipped.image.clone(), None),
    }
}

#[test]
fn rows_depend_neither_on_the_batch_nor_on_the_order() {
    let expected = run(&Dice::default(), images(), 1);
    let samples = expected.iter().filter(|record| matches!(record, Record::Sample(_))).count();
    assert!(samples > 40 && samples < 60, "{samples}");
    let order = images()
        .into_iter()
        .flat_map(|image| Task::LLAVA.map(|task| (image.id.clone(), Some(task))));
    assert!(expected.iter().map(key).eq(order));
    for batch in [0, 2, 7, 500] {
        assert_eq!(run(&Dice::default(), images(), batch), expected, "{batch}");
    }
    let mut reversed = images();
    reversed.reverse();
    let mut records = run(&Dice::default(), reversed, 7);
    records.sort_by_key(|record| expected.iter().position(|other| key(other) == key(record)));
    assert_eq!(records, expected);
}

#[test]
fn another_seed_gives_other_rows() {
    let rows = |seed| {
        let model = Dice::default();
        Vigc::new(&model).with_seed(seed).run(images(), 7).map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_ne!(rows(1), rows(2));
}

#[test]
fn images_are_encoded_once_and_batches_stay_full() {
    let model = Dice::default();
    run(&model, images(), 7);
    let mut encoded = model.encoded.take();
    encoded.sort_unstable();
    assert!(encoded.into_iter().eq(0..IMAGES));
    let batches = model.batches.take();
    let last_full = batches.iter().rposition(|&size| size == 7).unwrap();
    assert!(batches[..last_full].iter().all(|&size| size == 7), "{batches:?}");
}

#[test]
fn a_failing_model_ends_the_run_with_one_error() {
    let model = Dice { fails_at: Some(9), ..Dice::default() };
    let results = Vigc::new(&model).run(images(), 4).collect::<Vec<_>>();
    let (last, before) = results.split_last().unwrap();
    assert!(last.is_err() && before.iter().all(Result::is_ok));
    assert_eq!(model.batches.borrow().len(), 9);
}

#[test]
fn unusable_files_are_skipped_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    RgbImage::new(3, 2).save(at("b.png")).unwrap();
    fs::write(at("a.txt"), "not an image").unwrap();
    fs::write(at("c.png"), &fs::read(at("b.png")).unwrap()[..40]).unwrap();
    fs::write(at("d.jpg"), "").unwrap();
    let images = ImageFolder::open(folder.path()).unwrap();
    let model = Dice::default();
    let records = Vigc::new(&model).run(images, 2).map(Result::unwrap).collect::<Vec<_>>();
    let names = records.iter().map(|record| key(record).0.rsplit('/').next().unwrap().to_owned());
    assert!(names.eq(["a.txt", "b.png", "c.png", "d.jpg"]));
    for (record, is_skipped) in records.iter().zip([true, false, true, true]) {
        match record {
            Record::Skipped(skipped) => {
                assert!(is_skipped && !skipped.skipped.is_empty(), "{skipped:?}");
                assert!(!skipped.skipped.contains(&skipped.image), "{skipped:?}");
            }
            _ => assert!(!is_skipped, "{record:?}"),
        }
    }
    assert_eq!(model.encoded.borrow().len(), 1);
}

#[test]
fn rows_tell_where_everything_comes_from() {
    let script = [
        "Question: What? Answer: A cat. It is red.",
        "A cat. It is blue.",
        "It is blue. Yes.",
        "Yes.",
    ];
    let model = Scripted::new(vec![script.map(|text| vec![generated(text)]).to_vec()]);
    let vigc = Vigc::new(&model).with_correction(Correction::until_end(9)).with_seed(5);
    let settings = vigc.settings();
    let record = vigc.run([numbered("a/b.png", 0)], 1).next().unwrap().unwrap();
    let Record::Sample(sample) = record else { panic!("{record:?}") };
    assert_eq!((sample.question.as_str(), sample.draft.as_str()), ("What?", "A cat. It is red."));
    assert_eq!(sample.one_shot.as_deref(), Some("A cat. It is blue."));
    assert_eq!(sample.answer, "A cat. It is blue. Yes.");
    assert_eq!(sample.stop, StopReason::ModelEnded);
    assert_eq!(sample.draft_log_prob, Some(-8.0));
    assert_eq!(sample.settings, settings);
    let steps =
        sample.steps.iter().map(|step| (step.step, step.log_prob, step.tokens, step.verdict));
    let verdicts = [Verdict::Kept, Verdict::Changed, Verdict::New];
    let expected = [(1, -2.0, 2), (2, -3.0, 3), (3, -1.0, 1)];
    assert!(steps.eq(expected.iter().zip(verdicts).map(|(&(step, log_prob, tokens), verdict)| (
        step,
        Some(log_prob),
        tokens,
        Some(verdict)
    ))));
    assert!(sample.is_changed());
    let text = serde_json::to_string(&sample).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), Record::Sample(sample));
}

#[test]
fn two_stages_merge_answers_and_reject_empty_ones() {
    let scored =
        |(text, probability): (&str, f32)| Generated { score: probability.ln(), ..generated(text) };
    let question = || vec![generated("Question: what is it? Answer: a cat")];
    let model = Scripted::new(vec![
        vec![question(), [("cat", 0.4), ("Cat.", 0.2), ("dog", 0.2)].map(scored).to_vec()],
        vec![question(), [("", 0.4), ("Answer:", 0.2)].map(scored).to_vec()],
        vec![vec![generated("nothing")]],
    ]);
    let images = (0..3).map(|number| numbered(&number.to_string(), number));
    let settings = TwoStageSettings::new(QuestionStyle::Free);
    let run = TwoStage::new(&model, settings).run(images, 2);
    let records = run.map(Result::unwrap).collect::<Vec<_>>();
    let KnowledgeRecord::Sample(sample) = &records[0] else { panic!("{records:?}") };
    assert_eq!(sample.question, "what is it?");
    let weights =
        sample.answers.iter().map(|answer| (answer.text.as_str(), (answer.weight * 100.0).round()));
    assert!(weights.eq([("cat", 75.0), ("dog", 25.0)]));
    assert!(records[1..].iter().all(|record| matches!(record, KnowledgeRecord::Rejected { .. })));
    assert_eq!(model.prompts.borrow()[0][1], "Question: what is it? Short answer:");
}

#[test]
fn candidates_are_ranked_by_their_likelihood() {
    let model = Scripted::new(Vec::new());
    let model: &dyn VisualLm<Image = usize> = &model;
    let ranking = rank(model, &0, "Which?", &["one two three", "one", "one two"]).unwrap();
    assert_eq!(ranking.order(), [1, 2, 0]);
    assert_eq!(ranking.nll, [3.0, 1.0, 2.0]);
}
