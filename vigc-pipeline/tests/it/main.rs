//! Integration tests of `vigc-pipeline`: one binary, one module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

mod answers;
mod bundled;
mod chair;
mod curation;
#[cfg(feature = "hub")]
mod hub;
mod instruct_blip;
#[cfg(feature = "judge")]
mod judge;
mod keys;
mod llava;
mod llava_bench;
mod llava_keys;
#[cfg(feature = "mmbench")]
mod mmbench;
mod pope;
mod precision;
mod reference_program;
mod savings;
mod scripted;
mod text_rules;
mod updates;
mod vigc_instruct_blip;
mod vigc_journal;
mod vigc_reference;
mod vigc_run;
mod vqa;
