//! The files of a repository that are fetched.

use std::collections::BTreeSet;

use super::repo::is_inside;
use crate::error::HubError;

/// The files that are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Files {
    /// A model: its weights, configurations and tokenizers. The weights are `model.safetensors` or else `pytorch_model.bin`, as one
    /// file or as shards with an index, or else the `.pth` files, which VIGC's own repositories have.
    Model,
    /// Files by name. One `*` in a name stands for any characters but a slash.
    Named(Vec<String>),
}

/// The files of a model besides its weights.
const SETTINGS: [&str; 14] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.*",
    "qformer_tokenizer/*",
];

/// Names of weights; the first one that exists is fetched.
const WEIGHTS: [&str; 5] = [
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
    "*.pth",
];

/// The file that an error names if a model has no weights.
const LACKING: &str = "model.safetensors";

impl Files {
    /// Picks the files among `names`. The error has the name of a file that does not exist or points outside the repository.
    pub(super) fn of(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, (String, HubError)> {
        let matching = |pattern: &str| {
            let found = names.iter().filter(|name| matches(pattern, name)).cloned();
            found.collect::<BTreeSet<_>>()
        };
        let mut wanted = BTreeSet::new();
        match self {
            Self::Model => {
                let weights = WEIGHTS.iter().map(|name| matching(name)).find(|set| !set.is_empty());
                wanted.extend(weights.ok_or((LACKING.to_owned(), HubError::NoWeights))?);
                wanted.extend(SETTINGS.iter().flat_map(|pattern| matching(pattern)));
            }
            Self::Named(patterns) => {
                for pattern in patterns {
                    let found = matching(pattern);
                    if found.is_empty() {
                        return Err((pattern.clone(), HubError::NoFile));
                    }
                    wanted.extend(found);
                }
            }
        }
        match wanted.iter().find(|name| !is_inside(name)) {
            Some(outside) => Err((outside.clone(), HubError::FileName)),
            None => Ok(wanted),
        }
    }
}

/// Whether a file holds weights rather than settings.
pub(super) fn is_weights(name: &str) -> bool {
    [".safetensors", ".bin", ".pth", ".pt"].iter().any(|ending| name.ends_with(ending))
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    // A name with `..` is kept here, and refused later.
    middle.is_some_and(|middle| !middle.contains('/') || middle.contains(".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &Files, names: &[&str]) -> Result<Vec<String>, (String, HubError)> {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Ok(files.of(&names)?.into_iter().collect())
    }

    #[test]
    fn one_container_of_weights_is_fetched() {
        let cases: [(&[&str], &[&str]); 5] = [
            (
                &["README.md", "config.json", "model.safetensors", "pytorch_model.bin", "a.pth"],
                &["config.json", "model.safetensors"],
            ),
            (
                &[
                    "model-00001-of-00002.safetensors",
                    "model.safetensors.index.json",
                    "pytorch_model.bin",
                ],
                &["model.safetensors.index.json"],
            ),
            (
                &["pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin"],
                &["pytorch_model.bin.index.json"],
            ),
            (&["README.md", "vigc7b_instrucblip_okvqa.pth"], &["vigc7b_instrucblip_okvqa.pth"]),
            (
                &["model.safetensors", "qformer_tokenizer/vocab.txt", "other/vocab.txt"],
                &["model.safetensors", "qformer_tokenizer/vocab.txt"],
            ),
        ];
        for (names, expected) in cases {
            assert_eq!(of(&Files::Model, names).unwrap(), expected, "{names:?}");
        }
        assert!(matches!(of(&Files::Model, &["a.txt"]), Err((_, HubError::NoWeights))));
    }

    #[test]
    fn names_are_files_or_patterns() {
        let named = Files::Named(vec!["*.pth".to_owned(), "a.txt".to_owned()]);
        assert_eq!(of(&named, &["a.txt", "b.pth", "c/d.pth"]).unwrap(), ["a.txt", "b.pth"]);
        let missing = of(&named, &["b.pth"]).unwrap_err();
        assert!(matches!(missing, (name, HubError::NoFile) if name == "a.txt"));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let names = ["model.safetensors", "qformer_tokenizer/../../../x"];
        let refused = of(&Files::Model, &names).unwrap_err();
        assert!(matches!(refused, (name, HubError::FileName) if name == names[1]));
    }
}
