//! Checking of short answers.

use super::VqaItem;
use super::noun::NUMBERS;

impl VqaItem {
    /// Whether the answer is right, whatever its case, articles, prepositions, punctuation and way
    /// to write numbers.
    #[must_use]
    pub fn accepts(&self, answer: &str) -> bool {
        let answer = normalized(answer);
        self.answers.iter().any(|right| normalized(right) == answer)
    }
}

/// The words that tell answers apart, numbers as digits.
fn normalized(answer: &str) -> Vec<String> {
    const SILENT: [&str; 8] = ["a", "an", "the", "at", "on", "in", "there", "is"];
    let lower = answer.to_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !SILENT.contains(word))
        .collect();
    let number = |word: &str| NUMBERS.iter().skip(1).position(|&name| name == word);
    words
        .into_iter()
        .map(|word| match number(word) {
            Some(index) => (index + 1).to_string(),
            None if word == "grey" => "gray".to_owned(),
            None => word.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{VqaItem, VqaKind};

    #[test]
    fn answers_are_compared_by_what_they_say() {
        let item = |answers: &[&str]| VqaItem {
            kind: VqaKind::What,
            question: String::new(),
            answers: answers.iter().map(|&answer| answer.to_owned()).collect(),
            choices: Vec::new(),
            correct_choice_idx: 0,
        };
        let cases = [
            ("top left", "At the top left.", true),
            ("top left", "left", false),
            ("two", "2", true),
            ("two", "Two", true),
            ("two", "three", false),
            ("gray road", "a grey road", true),
            ("yes", "yes.", true),
            ("yes", "no", false),
            ("apple", "an apple", true),
            ("apple", "", false),
        ];
        for (right, answer, accepted) in cases {
            assert_eq!(item(&[right]).accepts(answer), accepted, "{right} / {answer}");
        }
    }
}
