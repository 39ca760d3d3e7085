//! Questions to a model, and its answers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigc_pipeline::vigc::{Correction, GenerationConfig};

/// A question about an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The question's id, unique in its suite. Answers are filed under it.
    pub id: String,
    /// The image.
    pub image: QueryImage,
    /// The complete prompt; for [`AnswerMode::Correct`] the instruction.
    pub prompt: String,
    /// How the answer is found.
    pub mode: AnswerMode,
}

/// The image of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryImage {
    /// A file.
    File(PathBuf),
    /// The contents of an image file in any supported format.
    Bytes(Arc<[u8]>),
}

/// How an answer is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerMode {
    /// The model generates it.
    Generate,
    /// It is the candidate that the model finds most likely. Ties go to the first.
    Choose(Vec<String>),
    /// VIC corrects a draft, sentence by sentence.
    Correct {
        /// The question that the draft answers.
        question: String,
        /// The draft.
        draft: String,
    },
}

/// What answers depend on besides the queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunnerSettings {
    /// The model's name.
    pub model: String,
    /// How answers are generated.
    pub decoding: GenerationConfig,
    /// The seed of sampling.
    pub seed: u64,
    /// How drafts are corrected, if not by the default rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
}

/// A query that could not be asked because its image could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The query's id.
    pub id: String,
    /// Why the image could not be read.
    pub reason: String,
}

/// The answers to the queries of a suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The answers by the ids of their queries.
    pub texts: HashMap<String, String>,
    /// The queries that could not be asked, in the order of the suite.
    pub failures: Vec<Failure>,
}

impl Query {
    /// Everything that the answer depends on except the image and the candidates, as records keep it.
    pub(super) fn recorded_prompt(&self) -> Cow<'_, str> {
        match &self.mode {
            AnswerMode::Generate | AnswerMode::Choose(_) => Cow::Borrowed(&self.prompt),
            AnswerMode::Correct { question, draft } => {
                Cow::Owned(format!("{} Question: {question} Answer: {draft}", self.prompt))
            }
        }
    }
}
