//! What can be wrong with answers and judgements.

/// Why answers or judgements do not belong to the benchmark.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlavaBenchError {
    /// An answer or a judgement is about a question that is not asked.
    #[error("there is no question {id:?}; expected a question_id of the file of questions")]
    UnknownQuestion {
        /// The question's name.
        id: String,
    },
    /// A question was judged several times.
    #[error("question {id:?} has several judgements; expected one")]
    SeveralReviews {
        /// The question's name.
        id: String,
    },
    /// The judge could not be asked.
    #[cfg(feature = "judge")]
    #[error(transparent)]
    Judge(#[from] crate::judge::JudgeError),
}
