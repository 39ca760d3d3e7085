//! MMBench (Liu et al., 2023): multiple-choice questions about pictures, each asked once for every
//! order of its options.
//!
//! A question counts only if it is answered rightly in all orders ("CircularEval"). The rules are
//! those of VLMEvalKit with exact matching; answers that they cannot read are listed, to be read by
//! somebody else.

mod ability;
mod choice;
mod circular;
mod error;
mod prompt;
mod report;
mod score;
mod submission;
mod suite;
mod tsv;

pub use ability::Ability;
pub use choice::{Choice, infer};
pub use circular::with_rotations;
pub use error::MmbenchError;
pub use prompt::Template;
pub use score::{QuestionScore, RoundScore, Score, Unresolved, Verdict};
pub use submission::Submission;
pub use suite::{Form, Suite};
pub use tsv::{Entry, Tsv};

#[cfg(test)]
mod tests;
