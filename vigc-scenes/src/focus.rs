//! The objects that matter for the next words of an answer.

use crate::claim::{Claim, Subjects};
use crate::grammar::{parse_question, parse_sentence, sentences};
use crate::judge::{Judge, QuestionJudgment};
use crate::noun_phrase::Group;
use crate::scene::Scene;

/// What to look at for the next words of an answer, as far as the text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// Whether the question presupposes, or asks for, an object that is not in the scene.
    pub missing: bool,
    /// The indices of the objects to look at, without repetitions.
    pub objects: Vec<usize>,
}

impl Scene {
    /// What to look at for `next`, the text that continues the answer to a question after `said`.
    ///
    /// These are the objects that the question mentions or counts, then those that the next sentence mentions. `next`
    /// may also be a short answer, the name of a kind.
    #[must_use]
    pub fn focus(&self, question: &str, said: &str, next: &str) -> Focus {
        let mut judge = Judge::new(self);
        judge.hear_question(question);
        let mut missing = matches!(self.judge_question(question), QuestionJudgment::Missing(_));
        let mut found = Vec::new();
        if let Ok(question) = parse_question(question) {
            if let Some(Claim::Exists(noun)) = question.yes {
                missing |= self.matching(&noun).is_empty();
            }
            found.extend(question.presupposed.iter().flat_map(|noun| self.matching(noun)));
            found.extend(question.counted.iter().flat_map(|&group| self.members(group)));
            found.extend(question.yes.iter().flat_map(|claim| judge.objects_of(claim)));
        }
        for sentence in sentences(said) {
            judge.hear_sentence(sentence);
        }
        let next = sentences(next).next().unwrap_or_default();
        match parse_sentence(next) {
            Ok(claims) => {
                for claim in claims {
                    found.extend(judge.objects_of(&claim));
                    judge.hear(&claim);
                }
            }
            Err(_) => found.extend(self.indices(|object| object.kind.name() == next)),
        }
        let mut distinct = Vec::new();
        for index in found {
            if !distinct.contains(&index) {
                distinct.push(index);
            }
        }
        Focus { missing, objects: distinct }
    }

    fn members(&self, group: Group) -> Vec<usize> {
        self.indices(|object| group.holds(object))
    }
}

impl Judge<'_> {
    /// The objects that a claim mentions, if it is heard now.
    fn objects_of(&self, claim: &Claim) -> Vec<usize> {
        let (subjects, property) = match claim {
            Claim::Exists(noun) | Claim::Absent(noun) => (self.referents(*noun), None),
            Claim::Is { subject, property, .. } => (self.referents(*subject), Some(property)),
            Claim::Both { subjects, property } => (self.subjects(*subjects), Some(property)),
            Claim::Alike { subjects, .. } => (self.subjects(*subjects), None),
            Claim::Count { group, without, .. } => {
                let gone = without.iter().flat_map(|&noun| self.referents(noun));
                (gone.chain(self.scene().members(*group)).collect(), None)
            }
            Claim::Compare { left, right, .. } => {
                let both = [*left, *right].into_iter();
                (both.flat_map(|group| self.scene().members(group)).collect(), None)
            }
            Claim::MostCommon(color) => (self.scene().members(Group::of_color(*color)), None),
            Claim::Nothing(property) => (Vec::new(), Some(property)),
            Claim::Background(_) | Claim::Reply(_) => (Vec::new(), None),
        };
        let named = property.iter().flat_map(|property| property.nouns());
        let others: Vec<usize> = named.flat_map(|noun| self.referents(noun)).collect();
        [subjects, others].concat()
    }

    fn subjects(&self, subjects: Subjects) -> Vec<usize> {
        match subjects {
            Subjects::They => self.they().to_vec(),
            Subjects::Pair(one, other) => [self.referents(one), self.referents(other)].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::scene;

    #[test]
    fn a_question_and_the_next_sentence_say_where_to_look() {
        // A large red car on the left, a small blue key in the middle, a large blue cup on the right
        // and a small red car at the bottom.
        let cases: &[(&str, &str, &str, &[usize])] = &[
            ("What color is the key?", "", "blue", &[1]),
            ("What is on the left?", "", "car", &[0, 3]),
            ("What is to the left of the cup?", "", "key", &[2, 1]),
            ("How many blue objects are there?", "", "two", &[1, 2]),
            ("Is there a red car?", "", "yes", &[0, 3]),
            ("What is the background?", "", "night sky", &[]),
            ("Where is the cup?", "", "The cup is on the right.", &[2]),
            ("Where are the key and the cup?", "The key is in the middle.", "", &[1, 2]),
            ("Where is the cup?", "The cup is large.", "It is above the small red car.", &[2, 3]),
            ("", "", "There is a small blue key in the middle. There are two cars.", &[1]),
            ("", "", "There are four objects.", &[0, 1, 2, 3]),
            ("", "There are two blue objects.", "They are both large.", &[1, 2]),
            ("", "", "Generate a question.", &[]),
        ];
        for (question, said, next, expected) in cases {
            let focus = scene().focus(question, said, next);
            assert_eq!(focus.objects, *expected, "{question} {said} {next}");
            assert!(!focus.missing, "{question}");
        }
    }

    #[test]
    fn what_is_not_there_is_missing_and_what_is_said_instead_is_looked_at() {
        let cases: &[(&str, &str, &str, &[usize])] = &[
            ("Where is the red cup?", "", "There is no red cup in the picture.", &[]),
            ("Where is the red cup?", "There is no red cup.", "The cup is blue.", &[2]),
            ("What is next to the key on the left?", "", "There is no key on the left.", &[]),
            ("Is there a red key?", "", "no", &[]),
            ("Is there a red cup in the picture with the blue key?", "", "No.", &[1]),
        ];
        for (question, said, next, expected) in cases {
            let focus = scene().focus(question, said, next);
            assert_eq!(focus.objects, *expected, "{question} {said} {next}");
            assert!(focus.missing, "{question}");
        }
    }
}
