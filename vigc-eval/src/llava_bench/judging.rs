//! Asking the judge.

use std::collections::HashMap;
use std::path::PathBuf;

use vigc_core::progress::Progress;

use super::bench::{LlavaBench, Question};
use super::prompt::{
    JUDGE_MAX_TOKENS, JUDGE_MODEL, JUDGE_TEMPERATURE, JudgePrompt, JudgePrompts, SYSTEM,
};
use super::review::{Review, Reviewer, ScorePair, write_reviews};
use crate::error::Result;
use crate::judge::{
    ApiKey, EndedRequest, Endpoint, Failure, Journal, Judge, Message, Outcome, Parameters, Request,
};
use crate::suite::{SuiteOption, SuiteOptions};

/// How often a reply without scores is requested again.
const REPEATS: u32 = 2;

/// The options for a judge.
pub(super) const URL: SuiteOption = SuiteOption {
    name: "judge-url",
    value: "https://HOST/v1",
    about: "the address of an OpenAI-compatible endpoint, with its version",
};
pub(super) const MODEL: SuiteOption = SuiteOption {
    name: "judge-model",
    value: "NAME",
    about: "the model that judges; scores of different judges cannot be compared [default: gpt-4-0314]",
};
pub(super) const KEY: SuiteOption = SuiteOption {
    name: "judge-key",
    value: "VARIABLE",
    about: "the environment variable with the key of the endpoint, if it needs one [default: OPENAI_API_KEY]",
};
pub(super) const RATE: SuiteOption =
    SuiteOption { name: "judge-rate", value: "N", about: "the most requests per minute" };
pub(super) const RECORD: SuiteOption = SuiteOption {
    name: "judge-record",
    value: "FILE.jsonl",
    about: "the record of replies; what is on record is not requested again [default: judge.jsonl]",
};

/// The published parameters, for this model.
pub fn judge_parameters(model: impl Into<String>) -> Parameters {
    Parameters {
        temperature: Some(JUDGE_TEMPERATURE),
        max_tokens: Some(JUDGE_MAX_TOKENS),
        ..Parameters::new(model)
    }
}

impl JudgePrompts {
    /// The requests. Their ids are those of the questions.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let request = |prompt: &JudgePrompt| {
            let messages = vec![Message::system(SYSTEM), Message::user(&prompt.text)];
            Request::new(&prompt.question_id, messages)
        };
        self.prompts.iter().map(request).collect()
    }
}

/// What a judge said about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The judgments, in the order of the questions.
    pub reviews: Vec<Review>,
    /// The questions that got no reply, with the reasons.
    pub failures: Vec<(String, Failure)>,
}

impl LlavaBench {
    /// Has a model's answers judged. If a reply has no scores, the judge is asked again, up to `repeats` times. The upstream
    /// program takes the first reply as it is, which is 0 repeats.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`](crate::Error::UnknownQuestion) if an answer belongs to no question,
    /// [`Error::Judge`](crate::Error::Judge) if the judge cannot be asked.
    pub fn judge(
        &self,
        judge: &Judge,
        answers: &HashMap<String, String>,
        repeats: u32,
        journal: &mut Journal,
        progress: &mut dyn FnMut(EndedRequest<'_>),
    ) -> Result<Judged> {
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
            let is_unread = |id: &str| reviews.get(id).is_some_and(|r| r.scores.is_none());
            requests.retain(|request| is_unread(&request.id));
            requests.iter_mut().for_each(|request| request.repeat = repeat + 1);
        }
        Ok(Judged { reviews: self.in_order(reviews), failures })
    }

    fn in_order(&self, mut reviews: HashMap<String, Review>) -> Vec<Review> {
        let review = |question: &Question| {
            let review = reviews.remove(&question.id)?;
            Some(Review { category: Some(question.category.clone()), ..review })
        };
        self.questions().iter().filter_map(review).collect()
    }
}

fn review(request: &Request, content: String) -> Review {
    let (question_id, scores) = (request.id.clone(), ScorePair::parse(&content));
    Review { question_id, category: None, content, scores }
}

/// A judge that is asked over HTTP.
#[derive(Debug)]
pub struct JudgeReviewer {
    judge: Judge,
    record: PathBuf,
    out: Option<PathBuf>,
    progress: Progress,
}

impl JudgeReviewer {
    /// A judge whose replies are recorded in a file, from which a later run continues.
    #[must_use]
    pub fn new(judge: Judge, record: impl Into<PathBuf>) -> Self {
        Self { judge, record: record.into(), out: None, progress: Progress::none() }
    }

    /// Also writes the judgments to a file in LLaVA's format.
    #[must_use]
    pub fn with_out(self, out: impl Into<PathBuf>) -> Self {
        Self { out: Some(out.into()), ..self }
    }

    /// Reports the number of judgments, as the task `judgments`.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// The judge that the options of a suite describe, if they name an endpoint.
    pub(super) fn open(options: &SuiteOptions) -> Result<Option<Self>> {
        let Some(url) = options.get::<String>(URL.name)? else { return Ok(None) };
        let text = |option: &SuiteOption, default: &str| {
            Ok::<_, crate::Error>(options.get(option.name)?.unwrap_or_else(|| default.to_owned()))
        };
        let mut endpoint = Endpoint::new(&url)?;
        let variable: String = text(&KEY, "OPENAI_API_KEY")?;
        if std::env::var_os(&variable).is_some() {
            endpoint = endpoint.with_key(ApiKey::from_env(&variable)?);
        }
        let mut judge = Judge::new(endpoint, judge_parameters(text(&MODEL, JUDGE_MODEL)?));
        if let Some(rate) = options.get(RATE.name)? {
            judge = judge.with_requests_per_minute(rate);
        }
        let reviewer = Self::new(judge, text(&RECORD, "judge.jsonl")?);
        let out = options.get::<PathBuf>("reviews")?;
        Ok(Some(Self { out, progress: options.progress.clone(), ..reviewer }))
    }
}

impl Reviewer for JudgeReviewer {
    /// Asks the judge. Questions that get no reply are logged, and have no judgment.
    fn review(&self, bench: &LlavaBench, answers: &HashMap<String, String>) -> Result<Vec<Review>> {
        let mut journal = Journal::open(&self.record)?;
        let judged = bench.judge(&self.judge, answers, REPEATS, &mut journal, &mut |ended| {
            self.progress.report("judgments", ended.done as u64, ended.total as u64);
        })?;
        for (id, failure) in &judged.failures {
            tracing::warn!("question {id} was not judged: {}", failure.problem);
        }
        if let Some(path) = &self.out {
            write_reviews(path, &judged.reviews)?;
        }
        Ok(judged.reviews)
    }
}
