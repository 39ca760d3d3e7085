//! The numbers that LLaVA's program prints.

use std::collections::BTreeMap;

use super::{Marks, Review};

/// What all judgements are listed under, beside their categories.
pub(super) const ALL: &str = "all";

/// Marks of a category, rounded as `summarize_gpt_review.py` does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many answers have marks.
    pub judged: usize,
    /// The mean mark of the reference answers, to 3 digits.
    pub reference: f64,
    /// The mean mark of the model's answers, to 3 digits.
    pub candidate: f64,
    /// The model's mean in percent of the reference's, to 1 digit; none where that is 0.
    pub relative: Option<f64>,
}

impl Summary {
    pub(super) fn new(marks: &[Marks]) -> Option<Self> {
        let sum = |side: fn(&Marks) -> f64| marks.iter().map(side).fold(0.0, |sum, x| sum + x);
        let sums = [sum(|marks| marks.reference), sum(|marks| marks.candidate)];
        Self::of_sums([sums[0], sums[1], marks.len() as f64])
    }

    /// From the sums of both marks and the number of answers; none without any.
    pub(super) fn of_sums([reference, candidate, count]: [f64; 3]) -> Option<Self> {
        let mean = |sum: f64| rounded(sum / count, 3);
        let (reference, candidate) = (mean(reference), mean(candidate));
        let relative = (reference != 0.0).then(|| rounded(candidate / reference * 100.0, 1));
        (count > 0.0).then_some(Self { judged: count as usize, reference, candidate, relative })
    }
}

/// Python's `round`: to the nearest decimal number, as formatting does it.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.digits$}").parse().unwrap_or(value)
}

/// What `summarize_gpt_review.py` prints about a file of judgements: each category, and `all` of them. Ones
/// without marks are left out, where the program takes -1 for both.
#[must_use]
pub fn summarize(reviews: &[Review]) -> BTreeMap<String, Summary> {
    let mut groups: BTreeMap<String, Vec<Marks>> = BTreeMap::new();
    for review in reviews {
        let Some(marks) = review.marks else { continue };
        for name in review.category.as_deref().into_iter().chain([ALL]) {
            groups.entry(name.to_owned()).or_default().push(marks);
        }
    }
    let groups = groups.into_iter();
    groups.filter_map(|(name, marks)| Some((name, Summary::new(&marks)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_python_rounds_them() {
        // Worked out with `round(value, digits)`.
        for (value, digits, expected) in [
            (0.0625, 3, 0.062),
            (0.1875, 3, 0.188),
            (2.5, 0, 2.0),
            (3.5, 0, 4.0),
            (0.25, 1, 0.2),
            (0.35, 1, 0.3),
            (84.65, 1, 84.7),
            (100.0, 1, 100.0),
            (-0.0004, 3, -0.0),
        ] {
            assert_eq!(rounded(value, digits), expected, "round({value}, {digits})");
        }
    }

    #[test]
    fn without_marks_there_is_nothing_to_say() {
        let review = |marks| Review {
            question_id: "0".into(),
            category: Some("conv".into()),
            content: String::new(),
            marks,
        };
        assert!(summarize(&[review(None)]).is_empty());
        let zero = Marks { reference: 0.0, candidate: 3.0 };
        assert_eq!(summarize(&[review(Some(zero))])["conv"].relative, None);
    }
}
