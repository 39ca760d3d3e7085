//! The accuracy of a short answer, by the rules of several upstream programs.

use std::fmt;

use vigc_pipeline::prompt::python_strip;
use vigc_pipeline::vigc::two_stage::upstream_answer;

use super::normalize::{digits_and_articles, normalize, punctuation, strip};

/// The number of people who make an answer right.
const ENOUGH_PEOPLE: f64 = 3.0;

/// The share of people who make an answer right, mmpretrain's `full_score_weight`.
const ENOUGH_OF_ALL: f64 = 0.3;

/// A rule for comparing an answer with people's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// VQA's current `vqaEval.py`: [leave one out](Self::accuracy), and all answers are
    /// [normalized](super::normalize) unless all people gave exactly the same one.
    Vqa,
    /// LAVIS's `vqa_eval.py`, an earlier `vqaEval.py` with which LAVIS evaluates BLIP-2 and InstructBLIP. The model's answer
    /// is always normalized. Of people's answers only the punctuation is normalized, and only if they differ.
    Lavis,
    /// The VIGC upstream: `Answer:` is deleted as in [`upstream_answer`], then mmpretrain's
    /// `VQAAcc`: all answers are normalized, and an answer that three in ten people gave is right.
    Vigc,
    /// A-OKVQA's `eval_predictions.py` for direct answers: an answer that three people gave in exactly this form is right.
    AokvqaDirect,
    /// A-OKVQA's `eval_predictions.py` for multiple choice: exactly the right choice.
    AokvqaChoice,
}

impl Rule {
    /// The accuracy of an answer, from 0 to 1. `given` holds people's answers and how many people gave each; for
    /// [`AokvqaChoice`](Self::AokvqaChoice) it holds the right choice.
    ///
    /// Leave one out: ten answers make ten groups of nine. In each group an answer is right if three people gave it, and
    /// the accuracy is the mean. An answer that three of ten people gave is right in seven groups, and two thirds right in
    /// the other three.
    ///
    /// Without given answers, the accuracy is 0.
    #[must_use]
    pub fn accuracy(self, answer: &str, given: &[(String, f64)]) -> f64 {
        match self {
            Self::Vqa => vqa(answer, given),
            Self::Lavis => lavis(answer, given),
            Self::Vigc => vigc(answer, given),
            Self::AokvqaDirect => (count(given, |text| text == answer) / ENOUGH_PEOPLE).min(1.0),
            Self::AokvqaChoice => count(given, |text| text == answer).min(1.0),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vqa | Self::AokvqaDirect | Self::AokvqaChoice => "accuracy",
            Self::Lavis => "accuracy as in LAVIS",
            Self::Vigc => "accuracy as in VIGC",
        })
    }
}

fn vqa(answer: &str, given: &[(String, f64)]) -> f64 {
    let answer = strip(answer);
    let given: Vec<(String, f64)> =
        given.iter().map(|(text, people)| (strip(text), *people)).collect();
    if !differ(&given) {
        return leave_one_out(count(&given, |text| text == answer), &given);
    }
    let processed = |text: &str| digits_and_articles(&punctuation(text));
    let answer = processed(&answer);
    leave_one_out(count(&given, |text| processed(text) == answer), &given)
}

fn lavis(answer: &str, given: &[(String, f64)]) -> f64 {
    let answer = normalize(answer);
    let agreeing = match differ(given) {
        true => count(given, |text| punctuation(text) == answer),
        false => count(given, |text| text == answer),
    };
    leave_one_out(agreeing, given)
}

fn vigc(answer: &str, given: &[(String, f64)]) -> f64 {
    let people = count(given, |_| true);
    if people == 0.0 {
        return 0.0;
    }
    let answer = normalize(&upstream_answer(python_strip(answer)));
    let share = count(given, |text| normalize(text) == answer) / people;
    (share / ENOUGH_OF_ALL).min(1.0)
}

/// The number of people who gave a matching answer.
fn count(given: &[(String, f64)], alike: impl Fn(&str) -> bool) -> f64 {
    given.iter().filter(|(text, _)| alike(text)).map(|(_, people)| people).sum()
}

fn differ(given: &[(String, f64)]) -> bool {
    given.windows(2).any(|pair| pair[0].0 != pair[1].0)
}

/// The mean over the groups that leave out one of the people.
fn leave_one_out(agreeing: f64, given: &[(String, f64)]) -> f64 {
    let people = count(given, |_| true);
    if agreeing == 0.0 {
        return 0.0;
    }
    let right = |agreeing: f64| (agreeing / ENOUGH_PEOPLE).min(1.0);
    (agreeing * right(agreeing - 1.0) + (people - agreeing) * right(agreeing)) / people
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(answers: &[(&str, u32)]) -> Vec<(String, f64)> {
        answers.iter().map(|&(text, people)| (text.to_owned(), f64::from(people))).collect()
    }

    #[test]
    fn ten_people_are_left_out_one_by_one() {
        for (people, expected) in [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (9, 1.0)] {
            let others = given(&[("cat", people), ("dog", 10 - people)]);
            for rule in [Rule::Vqa, Rule::Lavis] {
                let found = rule.accuracy("cat", &others);
                assert!((found - expected).abs() < 1e-12, "{rule:?}, {people}: {found}");
            }
        }
    }

    #[test]
    fn the_rules_differ_in_what_they_normalize() {
        let agreed = given(&[("The cat", 10)]);
        let differing = given(&[("The cat.", 5), ("dog", 5)]);
        let cases = [
            (Rule::Vqa, "the cat", [0.0, 1.0]),
            (Rule::Vqa, "The cat", [1.0, 1.0]),
            (Rule::Lavis, "The cat", [0.0, 0.0]),
            (Rule::Vigc, "Answer: the cat", [1.0, 1.0]),
            (Rule::AokvqaDirect, "The cat", [1.0, 0.0]),
            (Rule::AokvqaChoice, "The cat", [1.0, 0.0]),
        ];
        for (rule, answer, expected) in cases {
            let found = [&agreed, &differing].map(|given| rule.accuracy(answer, given));
            assert_eq!(found, expected, "{rule:?}, {answer:?}");
        }
    }

    #[test]
    fn without_given_answers_the_accuracy_is_zero() {
        for rule in [Rule::Vqa, Rule::Lavis, Rule::Vigc, Rule::AokvqaDirect] {
            assert_eq!(rule.accuracy("", &[]), 0.0, "{rule:?}");
        }
    }
}
