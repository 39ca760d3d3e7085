//! Marks for answers, as a judge gives them who sees the scene.
//!
//! LLaVA-Eval has a language model look at helpfulness, relevance, accuracy and level of detail. Here accuracy is
//! the share of an answer's sentences that are true, and the rest how much of what the reference answer says is said, too.

mod statement;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::statement::{Statement, statements, told};
use super::Scene;
use super::grammar::{claims, sentences};
use super::judge::{Judge, Judgement};

/// What was found in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merits {
    /// Sentences; one that is true and says only what was said before is none, or saying it again would hide what is false.
    pub sentences: usize,
    /// Those that are true.
    pub true_sentences: usize,
    /// What the reference says.
    pub statements: usize,
    /// What of it the answer says in true sentences.
    pub told: usize,
}

impl Merits {
    /// The mark, from 1 to 10: `1 + 9 F1`, where F1 is the harmonic mean of the share of sentences that are true and the
    /// share of the reference's statements that are told. A reference without statements asks for none.
    #[must_use]
    pub fn mark(&self) -> f64 {
        let share = |part: usize, all: usize| part as f64 / all as f64;
        if self.sentences == 0 {
            return 1.0;
        }
        let correct = share(self.true_sentences, self.sentences);
        let complete = if self.statements == 0 { 1.0 } else { share(self.told, self.statements) };
        match correct + complete {
            0.0 => 1.0,
            sum => 1.0 + 9.0 * 2.0 * correct * complete / sum,
        }
    }
}

impl Scene {
    /// What there is to say for an answer to a question, next to a reference answer.
    ///
    /// ```
    /// use vigc_scenes::{Dialogue, Scene, Split, Teller};
    ///
    /// let scene = Scene::sample(Split::Train, 7);
    /// let told = Teller::new(&scene, Split::Train, 7).dialogue(Dialogue::Detail);
    /// assert_eq!(scene.merits(&told.question, &told.answer, &told.answer).mark(), 10.0);
    /// assert_eq!(scene.merits(&told.question, &told.answer, "").mark(), 1.0);
    /// ```
    #[must_use]
    pub fn merits(&self, question: &str, reference: &str, answer: &str) -> Merits {
        let (_, expected) = self.heard(question, reference);
        let (judgements, said) = self.heard(question, answer);
        Merits {
            sentences: judgements.len(),
            true_sentences: judgements.iter().filter(|judgement| judgement.is_true()).count(),
            statements: expected.len(),
            told: told(&expected, &said),
        }
    }

    /// The judgements of an answer's sentences but those that repeat, and what the true ones say.
    fn heard(&self, question: &str, answer: &str) -> (Vec<Judgement>, HashSet<Statement>) {
        let mut judge = Judge::new(self);
        judge.hear_question(question);
        let (mut judgements, mut said) = (Vec::new(), HashSet::new());
        for sentence in sentences(answer) {
            let before = judge.clone();
            let judgement = judge.hear_sentence(sentence);
            let mut repeats = false;
            if let (true, Ok(claims)) = (judgement.is_true(), claims(sentence)) {
                let found = statements(before, &claims);
                repeats =
                    !found.is_empty() && found.iter().all(|statement| said.contains(statement));
                said.extend(found);
            }
            if !repeats {
                judgements.push(judgement);
            }
        }
        (judgements, said)
    }
}
