//! What becomes of several answers to one question.

use vigc_llm::generation::Generated;

use super::record::WeightedAnswer;
use crate::prompt::python_strip;
use crate::vigc::sentence;

/// The weight of an answer whose score is its log-probability per token (`generate_multi`).
#[must_use]
pub fn upstream_weight(score: f32) -> f32 {
    score.exp().powi(3) * 100.0
}

/// An answer without the word that the reference's prompts may provoke.
///
/// If it begins with "answer" in any case, `answer:`, `Answer:`, `answer :` and `Answer :` are deleted
/// wherever they stand, and white space is stripped.
#[must_use]
pub fn upstream_answer(answer: &str) -> String {
    if !answer.to_lowercase().starts_with("answer") {
        return answer.to_owned();
    }
    let markers = ["answer:", "Answer:", "answer :", "Answer :"];
    let rest = markers.iter().fold(answer.to_owned(), |text, marker| text.replace(marker, ""));
    python_strip(&rest).to_owned()
}

/// Answers that say something, each once, with its share of their probability; best first.
#[must_use]
pub fn merged_answers(texts: &[Generated]) -> Vec<WeightedAnswer> {
    let mut answers: Vec<(String, WeightedAnswer)> = Vec::new();
    for generated in texts {
        let text = without_marker(&generated.text);
        let (key, weight) = (sentence::normalize(text), generated.score.exp());
        if key.is_empty() {
            continue;
        }
        match answers.iter_mut().find(|(other, _)| *other == key) {
            Some((_, answer)) => answer.weight += weight,
            None => answers.push((key, WeightedAnswer { text: text.to_owned(), weight })),
        }
    }
    let total = answers.iter().map(|(_, answer)| answer.weight).sum::<f32>();
    let mut answers = answers.into_iter().map(|(_, answer)| answer).collect::<Vec<_>>();
    for answer in &mut answers {
        answer.weight /= total;
    }
    answers.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    answers
}

fn without_marker(answer: &str) -> &str {
    let answer = answer.trim();
    let is_marker = answer.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("answer"));
    let rest = if is_marker { answer[6..].trim_start().strip_prefix(':') } else { None };
    rest.map_or(answer, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_answers_are_merged_and_empty_ones_dropped() {
        let texts = [("a cat", 0.5_f32), ("", 0.2), ("Answer: A cat.", 0.25), ("dog", 0.25)];
        let generated = |(text, probability): (&str, f32)| Generated {
            score: probability.ln(),
            ..Generated::text(text)
        };
        let answers = merged_answers(&texts.map(generated));
        assert_eq!(
            answers.iter().map(|answer| answer.text.as_str()).collect::<Vec<_>>(),
            ["a cat", "dog"]
        );
        assert!((answers[0].weight - 0.75).abs() < 1e-6 && (answers[1].weight - 0.25).abs() < 1e-6);
    }
}
