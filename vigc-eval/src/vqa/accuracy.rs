//! How right a short answer is, by the rules of the programs that publish such numbers.

use std::fmt;

use super::normalize::{digits_and_articles, normalize, punctuation, strip};
use vigc_pipeline::prompt::python_strip;
use vigc_pipeline::vigc::two_stage::upstream_answer;

/// As many people make an answer right.
const ENOUGH_PEOPLE: f64 = 3.0;

/// mmpretrain's `full_score_weight`: such a share of the people makes an answer right.
const ENOUGH_OF_ALL: f64 = 0.3;

/// How an answer is compared with the answers that people gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// VQA's `vqaEval.py` as it is today: [leave one out](Self::accuracy), and all answers are
    /// [normalized](super::normalize) unless the people agree to the letter.
    Vqa,
    /// LAVIS's `vqa_eval.py`, which is an earlier `vqaEval.py`: the model's answer is always
    /// normalized, of people's only the punctuation, and only where they differ. BLIP-2 and
    /// InstructBLIP are evaluated by it there.
    Lavis,
    /// The VIGC reference: `Answer:` is deleted as in [`upstream_answer`], then mmpretrain's
    /// `VQAAcc`: all answers are normalized, and it is enough that three in ten people gave it.
    Reference,
    /// A-OKVQA's `eval_predictions.py` for direct answers: to the letter, and it is enough that
    /// three people gave it.
    AokvqaDirect,
    /// A-OKVQA's `eval_predictions.py` for multiple choice: the right choice, to the letter.
    AokvqaChoice,
}

impl Rule {
    /// How right an answer is, from 0 to 1, next to what people answered, each with how many did;
    /// for [`Rule::AokvqaChoice`] that is the right choice.
    ///
    /// Leave one out: from ten answers ten groups of nine are made, in each of which it is enough
    /// that three gave the answer, and the mean is taken. An answer that three of ten gave is right
    /// in seven groups, and two thirds right in three.
    ///
    /// Nothing given makes every answer wrong.
    #[must_use]
    pub fn accuracy(self, answer: &str, given: &[(String, f64)]) -> f64 {
        match self {
            Self::Vqa => vqa(answer, given),
            Self::Lavis => lavis(answer, given),
            Self::Reference => reference(answer, given),
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
            Self::Reference => "accuracy as in VIGC",
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

fn reference(answer: &str, given: &[(String, f64)]) -> f64 {
    let people = count(given, |_| true);
    if people == 0.0 {
        return 0.0;
    }
    let answer = normalize(&upstream_answer(python_strip(answer)));
    let share = count(given, |text| normalize(text) == answer) / people;
    (share / ENOUGH_OF_ALL).min(1.0)
}

/// How many people gave an answer like that.
fn count(given: &[(String, f64)], alike: impl Fn(&str) -> bool) -> f64 {
    given.iter().filter(|(text, _)| alike(text)).map(|(_, people)| people).sum()
}

fn differ(given: &[(String, f64)]) -> bool {
    given.windows(2).any(|pair| pair[0].0 != pair[1].0)
}

/// The mean over groups that each lack one of the people.
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
            (Rule::Reference, "Answer: the cat", [1.0, 1.0]),
            (Rule::AokvqaDirect, "The cat", [1.0, 0.0]),
            (Rule::AokvqaChoice, "The cat", [1.0, 0.0]),
        ];
        for (rule, answer, expected) in cases {
            let found = [&agreed, &differing].map(|given| rule.accuracy(answer, given));
            assert_eq!(found, expected, "{rule:?}, {answer:?}");
        }
    }

    #[test]
    fn nothing_given_is_no_division_by_zero() {
        for rule in [Rule::Vqa, Rule::Lavis, Rule::Reference, Rule::AokvqaDirect] {
            assert_eq!(rule.accuracy("", &[]), 0.0, "{rule:?}");
        }
    }
}
