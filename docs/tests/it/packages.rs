//! The packages of the workspace, as their `Cargo.toml` files describe them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::{text_of, workspace};

/// A package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// False for packages that only hold programs or tests.
    pub(crate) is_published: bool,
    /// Packages of the workspace that this one depends on outside its tests, and whether the dependency is optional.
    pub(crate) dependencies: BTreeMap<String, bool>,
    /// The root files of its library, examples and benchmarks, relative to the root of the workspace.
    pub(crate) roots: Vec<PathBuf>,
}

/// All packages that the workspace lists as its members.
pub(crate) fn packages() -> Vec<Package> {
    let root: Table = text_of("Cargo.toml").parse().expect("the workspace's Cargo.toml is TOML");
    let members = root["workspace"]["members"].as_array().expect("`members` is a list");
    let mut folders = Vec::new();
    for member in members {
        let member = member.as_str().expect("a member is a string");
        match member.strip_suffix('*') {
            None => folders.push(PathBuf::from(member)),
            Some(prefix) => folders.extend(
                std::fs::read_dir(workspace())
                    .expect("the workspace can be listed")
                    .map(|entry| PathBuf::from(entry.expect("an entry").file_name()))
                    .filter(|folder| folder.to_string_lossy().starts_with(prefix))
                    .filter(|folder| workspace().join(folder).join("Cargo.toml").is_file()),
            ),
        }
    }
    folders.sort();
    folders.iter().map(|folder| package(folder)).collect()
}

fn package(folder: &Path) -> Package {
    let manifest: Table = text_of(folder.join("Cargo.toml")).parse().expect("Cargo.toml is TOML");
    let name = manifest["package"]["name"].as_str().expect("a name").to_owned();
    let publish = manifest["package"].get("publish").and_then(toml::Value::as_bool);

    let mut dependencies = BTreeMap::new();
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = [&manifest].into_iter();
    for table in tables.chain(targets.into_iter().flatten().filter_map(|(_, of)| of.as_table())) {
        for kind in ["dependencies", "build-dependencies"] {
            let entries = table.get(kind).and_then(toml::Value::as_table);
            for (name, entry) in entries.into_iter().flatten() {
                if name.starts_with("vigc-") {
                    let optional = entry.get("optional").and_then(toml::Value::as_bool);
                    dependencies.insert(name.clone(), optional.unwrap_or(false));
                }
            }
        }
    }

    let mut roots = Vec::new();
    if workspace().join(folder).join("src/lib.rs").is_file() {
        roots.push(folder.join("src/lib.rs"));
    }
    for kind in ["example", "bench", "bin"] {
        let listed = manifest.get(kind).and_then(toml::Value::as_array);
        let paths = listed.into_iter().flatten().filter_map(|target| target.get("path")?.as_str());
        roots.extend(paths.map(|path| folder.join(path)));
    }
    Package { name, is_published: publish.unwrap_or(true), dependencies, roots }
}
