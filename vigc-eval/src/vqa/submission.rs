//! The files that the data sets' servers take.
//!
//! They are written whole or not at all, and not if an answer is missing or belongs to no question.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};
use vigc_core::files::write_atomic;

use super::{Question, VqaError, VqaSuite};

/// An answer as VQA's servers take it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    question_id: u64,
    answer: &'a str,
}

/// Writes `[{"question_id": 1, "answer": "yes"}]` for VQAv2's server; OKVQA's evaluation reads it
/// as well.
///
/// # Errors
///
/// [`VqaError::Missing`], [`VqaError::Unknown`] or [`VqaError::NoNumber`] if the answers are not
/// those to all questions, [`VqaError::Core`] if the file cannot be written.
pub fn write_vqav2(
    path: impl AsRef<Path>,
    suite: &VqaSuite,
    answers: &HashMap<String, String>,
) -> Result<(), VqaError> {
    suite.check_known(answers)?;
    check_complete(suite, answers, |_| true)?;
    let rows = suite.questions().iter().filter_map(|question| {
        let answer = answers.get(&question.id)?;
        let no_number = || VqaError::NoNumber { path: suite.path.clone(), id: question.id.clone() };
        let id = question.id.parse().map_err(|_| no_number());
        Some(id.map(|question_id| Row { question_id, answer }))
    });
    write(path.as_ref(), &rows.collect::<Result<Vec<_>, _>>()?)
}

/// Writes `{"id": {"multiple_choice": "cab", "direct_answer": "taxi"}}` for A-OKVQA's leaderboard,
/// which takes files with one of the two as well.
///
/// Questions that are difficult to answer freely need no direct answer.
///
/// # Errors
///
/// [`VqaError::Missing`] or [`VqaError::Unknown`] if the answers are not those to all questions,
/// [`VqaError::NoChoice`] if one is none of the choices, [`VqaError::Core`] if the file cannot be
/// written.
pub fn write_aokvqa(
    path: impl AsRef<Path>,
    suite: &VqaSuite,
    choices: Option<&HashMap<String, String>>,
    direct: Option<&HashMap<String, String>>,
) -> Result<(), VqaError> {
    if choices.is_none() && direct.is_none() {
        check_complete(suite, &HashMap::new(), |_| true)?;
    }
    if let Some(choices) = choices {
        suite.check_known(choices)?;
        check_complete(suite, choices, |_| true)?;
        suite.questions().iter().try_for_each(|question| check_choice(question, choices))?;
    }
    if let Some(direct) = direct {
        suite.check_known(direct)?;
        check_complete(suite, direct, |question| !question.difficult)?;
    }
    let mut file = Map::new();
    for question in suite.questions() {
        let mut answers = Map::new();
        for (key, given) in [("multiple_choice", choices), ("direct_answer", direct)] {
            if let Some(answer) = given.and_then(|given| given.get(&question.id)) {
                answers.insert(key.to_owned(), json!(answer));
            }
        }
        file.insert(question.id.clone(), Value::Object(answers));
    }
    write(path.as_ref(), &file)
}

fn check_complete(
    suite: &VqaSuite,
    answers: &HashMap<String, String>,
    needed: fn(&Question) -> bool,
) -> Result<(), VqaError> {
    let missing = |question: &&Question| needed(question) && !answers.contains_key(&question.id);
    let mut missing = suite.questions().iter().filter(missing);
    match missing.next() {
        None => Ok(()),
        Some(first) => Err(VqaError::Missing {
            path: suite.path.clone(),
            count: 1 + missing.count(),
            id: first.id.clone(),
        }),
    }
}

fn check_choice(question: &Question, answers: &HashMap<String, String>) -> Result<(), VqaError> {
    match answers.get(&question.id) {
        Some(answer) if !question.choices.contains(answer) => Err(VqaError::NoChoice {
            id: question.id.clone(),
            answer: answer.clone(),
            choices: question.choices.clone(),
        }),
        _ => Ok(()),
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), VqaError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|source| vigc_core::Error::Json { path: path.to_owned(), source })?;
    Ok(write_atomic(path, &bytes)?)
}
