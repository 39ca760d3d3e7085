//! LLaVA-Eval, also called LLaVA-Bench (COCO): 30 images with a question for conversation, one for a detailed description
//! and one for complex reasoning each. A language model that reads captions and boxes instead of the image gives two
//! scores, one to the reference answer and one to the model's answer.
//!
//! Liu et al., "Visual Instruction Tuning", 2023; `llava/eval/eval_gpt_review_visual.py` and
//! `llava/eval/summarize_gpt_review.py` of haotian-liu/LLaVA. The questions and the judge's rules are part of what the
//! scores mean, so they are read from the published files.
//!
//! | type | what it holds |
//! |---|---|
//! | [`LlavaBench`] | the questions, with everything that the judge is told |
//! | [`JudgePrompts`] | the judge's prompts for a model's answers |
//! | [`Review`], [`Reviewer`] | judgments, and who gives them |
//! | [`Score`] | the score of a model, from the judgments |
//! | [`LlavaEval`] | the suite |

mod bench;
#[cfg(feature = "judge")]
mod judging;
mod prompt;
mod review;
mod score;

use std::collections::HashMap;
use std::path::PathBuf;

pub use bench::{LlavaBench, LlavaBenchFiles, Question};
#[cfg(feature = "judge")]
pub use judging::{JudgeReviewer, Judged, judge_parameters};
pub use prompt::{
    JUDGE_MAX_TOKENS, JUDGE_MODEL, JUDGE_TEMPERATURE, JudgePrompt, JudgePrompts, SYSTEM,
};
pub use review::{
    Review, ReviewFile, Reviewer, ScorePair, Summary, read_reviews, summarize, write_reviews,
};
pub use score::{CategoryScore, Score};

use crate::answers::Query;
use crate::error::{Error, Result};
use crate::report::Findings;
use crate::suite::{Suite, SuiteKind, SuiteOption, SuiteOptions};

/// The suite `llava-bench`.
pub const LLAVA_BENCH: SuiteKind = SuiteKind {
    name: "llava-bench",
    about: "LLaVA-Eval, scored by a judge; questions: the folder of the published files",
    options: &[
        SuiteOption {
            name: "reviews",
            value: "FILE.jsonl",
            about: "judgments in LLaVA's format; read if there is no judge-url, else written",
        },
        #[cfg(feature = "judge")]
        judging::URL,
        #[cfg(feature = "judge")]
        judging::MODEL,
        #[cfg(feature = "judge")]
        judging::KEY,
        #[cfg(feature = "judge")]
        judging::RATE,
        #[cfg(feature = "judge")]
        judging::RECORD,
    ],
    open: |options| Ok(Box::new(open(options)?)),
};

fn open(options: &SuiteOptions) -> Result<LlavaEval> {
    let files = LlavaBenchFiles::in_folder(options.questions()?);
    let eval = LlavaEval::new(LlavaBench::open(&files, options.images())?);
    #[cfg(feature = "judge")]
    if let Some(judge) = JudgeReviewer::open(options)? {
        return Ok(eval.with_reviewer(judge));
    }
    Ok(match options.get::<PathBuf>("reviews")? {
        Some(path) => eval.with_reviewer(ReviewFile(path)),
        None => eval,
    })
}

/// LLaVA-Eval as a suite: the questions, and who judges the answers.
#[derive(Debug)]
pub struct LlavaEval {
    bench: LlavaBench,
    reviewer: Option<Box<dyn Reviewer>>,
}

impl LlavaEval {
    /// A suite without a reviewer: questions can be asked, but answers cannot be scored.
    #[must_use]
    pub fn new(bench: LlavaBench) -> Self {
        Self { bench, reviewer: None }
    }

    /// Sets who judges the answers.
    #[must_use]
    pub fn with_reviewer(self, reviewer: impl Reviewer + 'static) -> Self {
        Self { reviewer: Some(Box::new(reviewer)), ..self }
    }
}

impl Suite for LlavaEval {
    fn queries(&self) -> Vec<Query> {
        self.bench.queries()
    }

    /// Has the answers judged, and scores the model.
    ///
    /// # Errors
    ///
    /// [`Error::NoReviewer`] if there is no reviewer.
    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        let reviewer = self.reviewer.as_ref().ok_or(Error::NoReviewer)?;
        let reviews = reviewer.review(&self.bench, answers)?;
        Ok(self.bench.score(&reviews, Some(answers))?.findings())
    }
}
