//! Tests that hold the pages in `docs` to the code: one binary, one module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

mod architecture;
mod graph;
mod mentions;
mod modules;
mod packages;
mod pages;
mod resolver;

use std::path::{Path, PathBuf};

/// The root of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("docs is in the workspace").to_owned()
}

/// The text of a file below the root of the workspace.
fn text_of(path: impl AsRef<Path>) -> String {
    let path = workspace().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
