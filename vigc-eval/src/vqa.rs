//! Questions with short answers: VQAv2, OKVQA and A-OKVQA, by the rules of their own programs.
//!
//! | data set | files | rules, the suite's own first |
//! |---|---|---|
//! | VQAv2, OKVQA | [`VqaSuite::open_vqav2`]: questions and annotations as published; [`VqaSuite::open_rows`]: the reference's rows | [`Rule::Vqa`], [`Rule::Lavis`], [`Rule::Reference`] |
//! | A-OKVQA, direct answers | [`VqaSuite::open_aokvqa_direct`] | [`Rule::AokvqaDirect`], [`Rule::Reference`] |
//! | A-OKVQA, multiple choice | [`VqaSuite::open_aokvqa_choice`] | [`Rule::AokvqaChoice`] |
//!
//! [`submission`] writes what the data sets' servers take.

mod accuracy;
mod error;
pub mod normalize;
mod question;
mod score;
pub mod submission;
mod suite;
#[cfg(test)]
mod tests;

pub use accuracy::Rule;
pub use error::VqaError;
pub use question::Question;
pub use score::{Score, ScoredAnswer};
pub use suite::VqaSuite;
