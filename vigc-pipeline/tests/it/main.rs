//! Integration tests of vigc-pipeline.
#![allow(clippy::unwrap_used, reason = "tests stop at the first error")]

mod scripted;
mod text_rules;
mod vigc_journal;
mod vigc_reference;
mod vigc_run;
