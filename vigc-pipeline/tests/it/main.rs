//! Integration tests of `vigc-pipeline`: one binary, one module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

mod bundled;
mod curation;
#[cfg(feature = "hub")]
mod hub;
mod instruct_blip;
mod keys;
mod llava;
mod llava_keys;
mod precision;
mod scripted;
mod speedups;
mod text_rules;
mod updates;
mod upstream_program;
mod vigc_instruct_blip;
mod vigc_journal;
mod vigc_run;
mod vigc_upstream;
