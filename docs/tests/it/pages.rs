//! What the pages of the workspace name exists: files, links, examples, benchmarks, packages and paths of Rust items.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use walkdir::WalkDir;

use crate::architecture::resolver;
use crate::packages::packages;
use crate::{text_of, workspace};

/// Files of the workspace, relative to its root, without what is built or written by programs.
fn files() -> Vec<PathBuf> {
    const OUTPUTS: [&str; 5] = [".git", "target", "runs", "corpus", "artifacts"];
    let root = workspace();
    let entries = WalkDir::new(&root).sort_by_file_name().into_iter();
    entries
        .filter_entry(|entry| !OUTPUTS.iter().any(|output| entry.file_name() == *output))
        .map(|entry| entry.expect("the workspace can be read"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(&root).expect("below the root").to_owned())
        .collect()
}

/// The pages: all Markdown but the changelog, which also names what is gone.
fn pages(files: &[PathBuf]) -> impl Iterator<Item = (&Path, String)> {
    let pages = files.iter().map(PathBuf::as_path);
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.filter(|path| *path != Path::new("CHANGELOG.md")).map(|path| (path, text_of(path)))
}

/// Splits a page into its code blocks and the text around them.
fn split(page: &str) -> (String, String) {
    let (mut code, mut text, mut is_code) = (String::new(), String::new(), false);
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else {
            let to = if is_code { &mut code } else { &mut text };
            to.push_str(line);
            to.push('\n');
        }
    }
    (code, text)
}

/// The code spans of a text.
fn spans(text: &str) -> Vec<String> {
    let span = Regex::new("`([^`\n]+)`").expect("a valid pattern");
    span.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn expanded(path: &str) -> Vec<String> {
    let braces =
        path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match braces {
        None => vec![path.to_owned()],
        Some((before, (choices, after))) => choices
            .split(',')
            .flat_map(|choice| expanded(&format!("{before}{}{after}", choice.trim())))
            .collect(),
    }
}

/// What is wrong with a path that a page names, if it is one of the workspace.
///
/// A path is either relative to the root, or the end of the path of a source file or a test's file.
fn missing(path: &str, files: &[PathBuf]) -> Option<String> {
    const FOLDERS: [&str; 6] = [".ci/", "benches/", "docs/", "examples/", "fuzz/", "recipes/"];
    let is_path = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !path.chars().all(is_path) || path.starts_with('.') && !path.starts_with(".ci/") {
        return None;
    }
    let is_source = path.ends_with(".rs") || path.starts_with("tests/");
    let is_from_root = FOLDERS.iter().any(|folder| path.starts_with(folder))
        || packages().iter().any(|package| path.starts_with(&format!("{}/", package.name)));
    let exists = match (is_from_root, is_source) {
        (true, _) => workspace().join(path).exists(),
        (false, true) => {
            files.iter().any(|file| file.ancestors().any(|folder| folder.ends_with(path)))
        }
        (false, false) => true,
    };
    (!exists).then(|| format!("`{path}` does not exist"))
}

#[test]
fn files_exist() {
    let files = files();
    let mut wrong = Vec::new();
    for (page, text) in pages(&files) {
        let (_, text) = split(&text);
        for path in spans(&text).iter().flat_map(|span| expanded(span)) {
            wrong.extend(missing(&path, &files).map(|why| format!("{}: {why}", page.display())));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn links_lead_to_files() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a valid pattern");
    let files = files();
    let mut wrong = Vec::new();
    for (page, text) in pages(&files) {
        let (_, text) = split(&text);
        let folder = workspace().join(page.parent().expect("a page is in a folder"));
        for found in link.captures_iter(&text) {
            let target = found[1].split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                wrong.push(format!("{}: no file at the link {target}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn commands_name_what_can_be_run() {
    let option = Regex::new(r"--(example|bench|recipe) ([\w./-]+)").expect("a valid pattern");
    let files = files();
    let mut wrong = Vec::new();
    for (page, text) in pages(&files) {
        for found in option.captures_iter(&text) {
            let (kind, name) = (&found[1], &found[2]);
            let is_there = match kind {
                "recipe" => !name.starts_with("recipes/") || workspace().join(name).is_file(),
                kind => {
                    let end = format!(
                        "{}/{name}.rs",
                        if kind == "bench" { "benches" } else { "examples" }
                    );
                    files.iter().any(|file| file.ends_with(&end))
                }
            };
            if !is_there {
                wrong.push(format!("{}: there is no {kind} {name}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn rust_items_exist() {
    let path = Regex::new(r"^(\w+(?:::\w+)+)(?:\(.*\))?$").expect("a valid pattern");
    let crates: BTreeMap<_, _> = packages()
        .iter()
        .filter(|package| package.is_published)
        .map(|package| (package.name.replace('-', "_"), resolver(&package.roots[0])))
        .collect();
    let exists = |segments: &[String]| match segments.split_first() {
        Some((first, rest)) if first.starts_with("vigc_") => {
            crates.get(first).is_some_and(|of| of.knows_in(0, rest))
        }
        _ => crates.values().any(|of| of.knows(segments)),
    };
    let files = files();
    let mut wrong = Vec::new();
    for (page, text) in pages(&files) {
        let (_, text) = split(&text);
        for span in spans(&text).iter().flat_map(|span| expanded(span)) {
            let Some(found) = path.captures(&span) else { continue };
            let segments: Vec<_> = found[1].split("::").map(str::to_owned).collect();
            if !exists(&segments) {
                wrong.push(format!("{}: there is no `{span}`", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pages_are_split_and_paths_expanded() {
    let (code, text) = split("a `b/c.rs`\n```text x\n`code`\n```\nafter\n");
    assert_eq!((code.as_str(), text.as_str()), ("`code`\n", "a `b/c.rs`\nafter\n"));
    assert_eq!(spans(&text), ["b/c.rs"]);
    assert_eq!(expanded("a/{b, c}/{d,e}.rs"), ["a/b/d.rs", "a/b/e.rs", "a/c/d.rs", "a/c/e.rs"]);
    let files =
        [PathBuf::from("vigc-core/src/random.rs"), PathBuf::from("vigc-core/tests/it/main.rs")];
    assert!(missing("random.rs", &files).is_none());
    assert!(missing("dom.rs", &files).is_some(), "names are compared whole");
    assert!(missing("tests/it/main.rs", &files).is_none());
    assert!(missing("tests/it/", &files).is_none());
    assert!(missing("tests/it/other.rs", &files).is_some());
    assert!(missing("docs/no-such-page.md", &files).is_some());
    assert!(missing("docs/architecture.md", &files).is_none());
    assert!(missing("model/config.json", &files).is_none(), "a path of a user's folder");
}
