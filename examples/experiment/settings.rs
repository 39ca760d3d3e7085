//! What the experiment consists of.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use toml::Table;
use vigc_train::Recipe;

/// `experiment.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The seeds that everything is done with anew, but for the models that it begins with.
    pub(crate) seeds: Vec<u64>,
    pub(crate) pictures: Pictures,
    pub(crate) correction: Correction,
    #[serde(skip)]
    path: PathBuf,
}

/// How many pictures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pictures {
    /// Annotated ones.
    pub(crate) annotated: usize,
    /// Ones of the same domain that nobody annotated.
    pub(crate) same: usize,
    /// Ones of another domain that nobody annotated.
    pub(crate) other: usize,
    /// Ones of each domain that models are measured on.
    pub(crate) measured: usize,
    /// Ones of each domain that POPE asks about.
    pub(crate) pope: usize,
}

/// The ablation of the number of correction steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Correction {
    /// The numbers of steps that are tried, beside 0 and until the model ends.
    pub(crate) steps: Vec<usize>,
    /// Pictures of each domain that are corrected.
    pub(crate) pictures: usize,
}

/// The recipes beside `experiment.toml`.
const RECIPES: [&str; 5] = [
    "01-instructblip.toml",
    "02-llava.toml",
    "03-vigc.toml",
    "04-finetune-instructblip.toml",
    "05-finetune-llava.toml",
];

impl Settings {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let text = read(path)?;
        let mut settings: Self =
            toml::from_str(&text).with_context(|| format!("{} is not valid", path.display()))?;
        anyhow::ensure!(!settings.seeds.is_empty(), "{}: no seeds", path.display());
        settings.path = path.to_owned();
        Ok(settings)
    }

    /// The recipe that is called `name` behind its number.
    pub(crate) fn recipe(&self, name: &str) -> anyhow::Result<Recipe> {
        let named =
            |file: &&&str| file.split_once('-') == Some((&file[..2], &format!("{name}.toml")));
        let file = RECIPES.iter().find(named);
        let file = file.with_context(|| format!("there is no recipe {name}"))?;
        Ok(Recipe::open(self.path.with_file_name(file))?)
    }

    /// The text of everything that the results of a seed depend on, without comments. Seeds may be added to an experiment
    /// later.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let mut settings: Table = toml::from_str(&read(&self.path)?)?;
        settings.remove("seeds");
        let recipes = RECIPES.iter().map(|file| read(&self.path.with_file_name(file)));
        let recipes = recipes.collect::<anyhow::Result<String>>()?;
        Ok(normalized(&(toml::to_string(&settings)? + &recipes)))
    }
}

/// Settings and recipes without comments, and with old names in recipes replaced by current ones.
pub(crate) fn normalized(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let current = lines.map(|line| match line {
        "[optimisation]" => "[optimization]",
        r#"stage = "llava""# => r#"stage = "finetune""#,
        line => line,
    });
    current.flat_map(|line| [line, "\n"]).collect()
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
