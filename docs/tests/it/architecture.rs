//! `docs/architecture.md` shows how the crates and the modules of `vigc-pipeline` depend on each other. These tests hold
//! the code to it, and to the rule that no files depend on each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::graph::Graph;
use crate::modules::read_crate;
use crate::packages::packages;
use crate::resolver::Resolver;
use crate::text_of;

const PAGE: &str = "docs/architecture.md";

/// Reads a crate of the workspace by its root file.
pub(crate) fn resolver(root: &Path) -> Resolver {
    let read = |path: &Path| std::fs::read_to_string(crate::workspace().join(path)).ok();
    Resolver::new(read_crate(root, &read))
}

/// The lines of the block of a page whose fence is marked with "text" and a name.
fn block<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let fence = format!("```text {name}");
    let lines = page.lines().skip_while(|line| *line != fence).skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("```")).collect();
    assert!(!lines.is_empty(), "{PAGE} has no block that begins with {fence}");
    lines
}

/// Splits `a -> b, c` into `a` and its list.
fn arrows(line: &str) -> (&str, Vec<&str>) {
    match line.split_once("->") {
        None => (line.trim(), Vec::new()),
        Some((from, to)) => (from.trim(), to.split(',').map(str::trim).collect()),
    }
}

#[test]
fn crates_depend_on_each_other_as_the_page_says() {
    let page = text_of(PAGE);
    let shown: BTreeMap<_, BTreeSet<_>> = block(&page, "crates")
        .into_iter()
        .map(arrows)
        .map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect()))
        .collect();

    let mut graph = Graph::default();
    let mut actual = BTreeMap::new();
    for package in packages() {
        for to in package.dependencies.keys() {
            graph.add(&package.name, to, "Cargo.toml");
        }
        let to: BTreeSet<_> = match package.is_published {
            true => package
                .dependencies
                .iter()
                .map(|(name, optional)| match optional {
                    true => format!("{name} (optional)"),
                    false => name.clone(),
                })
                .collect(),
            // Programs, benchmarks and tests use what they like.
            false => BTreeSet::from(["any".to_owned()]),
        };
        actual.insert(package.name, to);
    }
    assert_eq!(shown, actual, "{PAGE} (left) and the Cargo.toml files (right) differ");
    assert!(graph.circles().is_empty(), "{}", graph.circles().join("\n"));
}

#[test]
fn no_files_depend_on_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for root in packages().iter().flat_map(|package| &package.roots) {
        let graph = resolver(root).graph(|resolver, module| Some(resolver.file(module)));
        circles
            .extend(graph.circles().iter().map(|circle| format!("{}: {circle}", root.display())));
    }
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn no_modules_of_a_crate_depend_on_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for package in packages().iter().filter(|package| package.is_published) {
        for root in &package.roots {
            let graph = resolver(root).graph(Resolver::top);
            circles
                .extend(graph.circles().iter().map(|circle| format!("{}: {circle}", package.name)));
        }
    }
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn modules_of_the_pipeline_depend_on_each_other_as_the_page_says() {
    let page = text_of(PAGE);
    let lines = block(&page, "vigc-pipeline");
    let shown: BTreeSet<_> = lines
        .iter()
        .map(|line| arrows(line))
        .flat_map(|(from, to)| to.into_iter().map(move |to| (from.to_owned(), to.to_owned())))
        .collect();
    let listed: BTreeSet<_> = lines.iter().map(|line| arrows(line).0.to_owned()).collect();

    let pipeline = resolver(Path::new("vigc-pipeline/src/lib.rs"));
    let graph = pipeline.graph(Resolver::top);
    let actual = graph.pairs();
    let tell = |pairs: Vec<&(String, String)>| {
        pairs.iter().fold(String::new(), |text, (from, to)| {
            format!("{text}\n    {from} -> {to} ({})", graph.names(from, to).join(", "))
        })
    };
    assert!(
        shown == actual && listed == pipeline.tops(),
        "{PAGE} lacks the arrows{}\nand shows arrows that do not exist:{}\nThe whole block should be\n{}",
        tell(actual.difference(&shown).collect()),
        tell(shown.difference(&actual).collect()),
        graph.lines(&pipeline.tops()),
    );
}
