//! The judge is asked.

use std::collections::HashMap;

use super::{
    JUDGE_MAX_TOKENS, JUDGE_TEMPERATURE, JudgePrompts, LlavaBench, LlavaBenchError, Marks, Review,
    SYSTEM,
};
use crate::judge::{Failure, Journal, Judge, Message, Outcome, Parameters, Progress, Request};

/// The published parameters, for this model.
pub fn judge_parameters(model: impl Into<String>) -> Parameters {
    Parameters {
        temperature: Some(JUDGE_TEMPERATURE),
        max_tokens: Some(JUDGE_MAX_TOKENS),
        ..Parameters::new(model)
    }
}

impl JudgePrompts {
    /// The requests, called by their questions.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let request = |prompt: &super::JudgePrompt| {
            let messages = vec![Message::system(SYSTEM), Message::user(&prompt.text)];
            Request::new(&prompt.question_id, messages)
        };
        self.prompts.iter().map(request).collect()
    }
}

/// What a judge said about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Its judgements, in the order of the questions.
    pub reviews: Vec<Review>,
    /// The questions that it gave no reply to.
    pub failures: Vec<(String, Failure)>,
}

impl LlavaBench {
    /// Has a model's answers judged. Where a reply has no marks, the judge is asked again, up to `repeats`
    /// times; the published program takes the first reply as it is, which is 0 times.
    ///
    /// # Errors
    ///
    /// [`LlavaBenchError::UnknownQuestion`] if an answer belongs to no question, [`LlavaBenchError::Judge`] if
    /// the judge cannot be asked any further.
    pub fn judge(
        &self,
        judge: &Judge,
        answers: &HashMap<String, String>,
        repeats: u32,
        journal: &mut Journal,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Judged, LlavaBenchError> {
        let (mut reviews, mut failures) = (HashMap::<String, Review>::new(), Vec::new());
        let mut requests = self.judge_prompts(answers)?.requests();
        for repeat in 0..=repeats {
            for (request, outcome) in requests.iter().zip(judge.ask(&requests, journal, progress)?)
            {
                let id = request.id.clone();
                match outcome {
                    Outcome::Reply(reply) => drop(reviews.insert(id, review(request, reply.text))),
                    Outcome::Failure(failure) => failures.push((id, failure)),
                }
            }
            let is_unread = |id: &str| reviews.get(id).is_some_and(|r| r.marks.is_none());
            requests.retain(|request| is_unread(&request.id));
            requests.iter_mut().for_each(|request| request.repeat = repeat + 1);
        }
        Ok(Judged { reviews: self.in_order(reviews), failures })
    }

    fn in_order(&self, mut reviews: HashMap<String, Review>) -> Vec<Review> {
        let review = |question: &super::Question| {
            let review = reviews.remove(&question.id)?;
            Some(Review { category: Some(question.category.clone()), ..review })
        };
        self.questions.iter().filter_map(review).collect()
    }
}

fn review(request: &Request, content: String) -> Review {
    let (question_id, marks) = (request.id.clone(), Marks::parse(&content));
    Review { question_id, category: None, content, marks }
}
