//! Turns generated rows into a data set: filtered, documented and exported.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Curation`] | the whole process: rows in, a folder out |
//! | [`Rows`], [`Row`] | the JSON Lines files that runs write, row by row |
//! | [`gates`] | the rules that rows must meet, with counts of what each gate dropped |
//! | [`export`] | LLaVA's conversations, the upstream program's rows, Parquet for the Hugging Face hub |
//! | [`card`] | the data card: what the data set holds, what was left out, and how it was made |
//!
//! Files are streamed. Memory grows with the number of rows, because each row leaves a few hashes behind by which
//! duplicates are recognized (see [`gates::NearDuplicates`]), but not with the size of texts or pictures. Every row
//! ends up in `kept.jsonl` or, with the gate and the reason, in `dropped.jsonl`.
//!
//! ```no_run
//! use vigc_pipeline::curation::{Curation, Pictures};
//!
//! # fn main() -> Result<(), vigc_pipeline::curation::CurationError> {
//! let curation = Curation::new(["vigc.jsonl"]).with_pictures(Pictures::below("photos"));
//! let card = curation.run("data-set", &mut |_| {})?;
//! println!("{} of {} rows kept", card.rows.kept, card.rows.read);
//! # Ok(())
//! # }
//! ```

pub mod card;
mod error;
pub mod export;
pub mod gates;
mod rows;
mod run;

pub use error::CurationError;
pub use rows::{LocatedRow, Pictures, Row, Rows};
pub use run::{Curation, Progress, Stage};
