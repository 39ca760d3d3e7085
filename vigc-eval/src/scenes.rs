//! The suite of rendered scenes: whether what VIG and VIC write about a picture is true.
//!
//! Every sentence is judged against the scene that was drawn. A sentence that the grammar of the
//! scenes does not have counts as false, and is counted on its own as well.

mod marks;
mod report;
mod subject;
mod suite;
mod tally;

pub use marks::reviews;
pub use report::{AnswerReport, DialogueReport, QuestionReport, Report, SplitReport, VqaReport};
pub use subject::Subject;
pub use suite::{BoxError, Progress, SceneModel, Stage, Suite, VigRow};

#[cfg(test)]
mod tests;
