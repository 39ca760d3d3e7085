//! From generated rows to a data set: filtered, documented and exported.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Curation`] | the whole of it: rows in, a folder out |
//! | [`Rows`], [`Row`] | the JSONL files that runs write, row by row |
//! | [`gates`] | what rows have to meet, with counts of what each gate dropped |
//! | [`export`] | LLaVA's conversations, the reference's rows, Parquet for the Hugging Face hub |
//! | [`card`] | the data card: what is in the data set, and what is not |
//!
//! Files are streamed: memory grows with what has to be remembered of a row to find it again (see
//! [`gates::NearDuplicates`]), not with its text or its picture. Every row ends in `kept.jsonl` or,
//! with gate and reason, in `dropped.jsonl`.
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
mod fingerprint;
pub mod gates;
mod line_file;
mod pictures;
mod row;
mod rows;
mod run;
mod sift;

pub use error::CurationError;
pub use pictures::Pictures;
pub use row::Row;
pub use rows::{Located, Place, Rows};
pub use run::{Curation, Progress, Stage};
