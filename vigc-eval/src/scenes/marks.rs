//! LLaVA-Eval about scenes: marks by the scenes' own judge in a language model's place.

use std::collections::HashMap;

use crate::llava_bench::{LlavaBench, Marks, Question, Review};
use vigc_scenes::{QuestionAnswer, Scene};

/// Marks every answer by what its picture's scene holds; the reference answers, which are true, get 10. A missing answer
/// is an empty one, and a question about no known scene is not judged.
#[must_use]
pub fn reviews(
    bench: &LlavaBench,
    scenes: &HashMap<String, Scene>,
    answers: &HashMap<String, String>,
) -> Vec<Review> {
    let review = |question: &Question| {
        let answer = answers.get(&question.id).map_or("", String::as_str);
        let scene = scenes.get(&question.image)?;
        let reference =
            QuestionAnswer { question: question.text.clone(), answer: question.reference.clone() };
        let score = scene.score_answer(&reference, answer);
        let marks = Marks { reference: 10.0, candidate: score.points() };
        let content = format!(
            "10 {:.1}\n{} of {} sentences are true, {} of {} of the reference's statements are told.",
            marks.candidate, score.true_sentences, score.sentences, score.covered, score.statements
        );
        Some(Review {
            question_id: question.id.clone(),
            category: Some(question.category.clone()),
            content,
            marks: Some(marks),
        })
    };
    bench.questions().iter().filter_map(review).collect()
}
