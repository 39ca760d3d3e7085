//! Integration tests of `vigc-llm`: one binary, one module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

// Only the CPU's sessions can roll back.
#[cfg(feature = "flex")]
mod drafts;
mod fake;
mod generation;
mod generation_parity;
mod llama;
mod lora;
mod loss;
mod sentence_piece;
mod text_generator;
mod tokenizer;

use std::path::PathBuf;

/// An error with all its causes, as a program shows it.
fn shown(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A file below `tests/fixtures`.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}
