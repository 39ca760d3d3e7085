//! Answers to look at.

use std::collections::HashMap;

use super::{LlavaBench, Question, Review};
use crate::report::{Sample, SampleImage};

const MOST: usize = 50;
/// The best mark.
const BEST: f64 = 10.0;

/// The answers with the lowest marks, then those without any.
pub(super) fn worst(
    bench: &LlavaBench,
    reviews: &[Option<&Review>],
    answers: Option<&HashMap<String, String>>,
) -> Vec<Sample> {
    let answer = |question: &Question| answers?.get(&question.id).cloned();
    let pairs = bench.questions.iter().zip(reviews);
    let judged = pairs.filter_map(|(question, review)| Some((question, (*review)?)));
    let mut samples: Vec<Sample> = judged
        .map(|(question, review)| Sample {
            image: Some(SampleImage::File(bench.picture(question))),
            answer: answer(question).unwrap_or_default(),
            ..sample(question, review)
        })
        .collect();
    samples.sort_by(|one, other| one.score.total_cmp(&other.score));
    samples.truncate(MOST);
    samples
}

fn sample(question: &Question, review: &Review) -> Sample {
    let (score, note) = match review.marks {
        Some(marks) => {
            let said = review.content.split_once('\n').map_or("", |(_, said)| said.trim());
            let note = format!("{} (reference {}): {said}", marks.candidate, marks.reference);
            (marks.candidate / BEST, note)
        }
        None => (1.0, format!("no marks: {}", review.content)),
    };
    Sample {
        id: question.id.clone(),
        image: None,
        question: question.text.clone(),
        expected: question.reference.clone(),
        answer: String::new(),
        score,
        note,
    }
}
