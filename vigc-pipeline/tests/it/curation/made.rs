//! Rows that were made up.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use vigc_pipeline::curation::Row;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::diff::sentence_changes;
use vigc_pipeline::vigc::two_stage::{
    KnowledgeSample, QuestionStyle, TwoStageSettings, WeightedAnswer,
};
use vigc_pipeline::vigc::{
    Correction, CorrectionStep, GenerationConfig, InstructionSample, RunSettings, StopReason,
};

/// A corrected row whose draft was right, every token with log-probability -0.1.
pub(crate) fn row(image: &str, task: Task, question: &str, answer: &str) -> InstructionSample {
    corrected(image, task, question, [answer, answer])
}

/// A row with a draft and its correction.
pub(crate) fn corrected(
    image: &str,
    task: Task,
    question: &str,
    [draft, answer]: [&str; 2],
) -> InstructionSample {
    let tokens = answer.split_whitespace().count();
    InstructionSample {
        image: format!("pictures/{image}.png"),
        image_id: image.to_owned(),
        task,
        instruction: task.instruction().to_owned(),
        question: question.to_owned(),
        draft: draft.to_owned(),
        draft_log_prob: Some(-1.5),
        one_shot: None,
        answer: answer.to_owned(),
        steps: vec![CorrectionStep {
            step: 1,
            text: answer.to_owned(),
            log_prob: Some(-0.1 * tokens as f32),
            tokens,
            repeats_skipped: 0,
            verdict: None,
        }],
        stop: StopReason::ModelEnded,
        changes: sentence_changes(draft, answer),
        whole_text: String::new(),
        settings: RunSettings {
            model: "made-up".to_owned(),
            seed: 42,
            decoding: GenerationConfig::greedy(),
            correction: Correction::until_end(4),
        },
    }
}

/// A question with short answers, the best first.
pub(crate) fn short(image: &str, question: &str, answers: &[(&str, f32)]) -> KnowledgeSample {
    let answer = |&(text, weight): &(&str, f32)| WeightedAnswer { text: text.to_owned(), weight };
    KnowledgeSample {
        image: format!("pictures/{image}.png"),
        image_id: image.to_owned(),
        instruction: "Ask.".to_owned(),
        prefix: Some("what".to_owned()),
        question_answer: String::new(),
        question: question.to_owned(),
        draft: "it".to_owned(),
        answers: answers.iter().map(answer).collect(),
        model: "made-up".to_owned(),
        settings: TwoStageSettings::new(QuestionStyle::Okvqa),
    }
}

/// A row's line.
pub(crate) fn line(row: &Row) -> String {
    match row {
        Row::Instruction(row) => serde_json::to_string(row).unwrap(),
        Row::Knowledge(row) => serde_json::to_string(row).unwrap(),
    }
}

pub(crate) fn write_rows(path: &Path, rows: &[Row]) -> PathBuf {
    let lines = rows.iter().map(|row| line(row) + "\n").collect::<String>();
    fs::write(path, lines).unwrap();
    path.to_owned()
}

/// Writes pictures of these names, each of its own color.
pub(crate) fn write_pictures<'a>(folder: &Path, names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        let path = folder.join(format!("{name}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(name)).unwrap();
    }
}

/// A picture whose color tells its name.
pub(crate) fn png(name: &str) -> Vec<u8> {
    let color = name.bytes().fold([7; 3], |[r, g, b]: [u8; 3], byte| [g, b, r.wrapping_add(byte)]);
    let mut bytes = Vec::new();
    let picture = RgbImage::from_pixel(8, 8, Rgb(color));
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// Rows about twelve pictures, of all tasks, many of which one gate or another drops.
pub(crate) fn mixed(seed: u64, number: usize) -> Vec<Row> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let things = ["cat", "dog", "red cup", "blue ball", "old tree"];
    let places = ["on the left", "on the right", "in the middle", "below the table"];
    let mut pick = |list: &[&'static str]| list[rng.random_range(0..list.len())];
    let rows = (0..number).map(|_| {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "below/l"];
        let (image, thing, place) = (pick(&names), pick(&things), pick(&places));
        let question = format!("What is {place} of the {thing}?");
        let answer =
            format!("There is a {} {place} and a {} behind it.", pick(&things), pick(&things));
        let longer =
            format!("{answer} The {thing} is {}. Nothing else can be seen.", pick(&places));
        let other = format!("Nobody knows what that is, but the {} sleeps.", pick(&things));
        match pick(&[
            "conv", "conv", "conv", "detail", "reason", "short", "wrong", "prompt", "half",
        ]) {
            "conv" => row(image, Task::Conversation, &question, &answer).into(),
            "detail" => {
                row(image, Task::DetailDescription, "Describe the picture.", &longer).into()
            }
            "reason" => {
                corrected(image, Task::ComplexReasoning, &question, [&longer, &answer]).into()
            }
            "short" => short(image, &question, &[(thing, 0.7), (place, 0.3)]).into(),
            "wrong" => corrected(image, Task::Conversation, &question, [&answer, &other]).into(),
            "prompt" => {
                let answer = format!("{answer} Question: {question}");
                row(image, Task::Conversation, &question, &answer).into()
            }
            _ => row(image, Task::Conversation, &question, "There is a").into(),
        }
    });
    rows.collect()
}
