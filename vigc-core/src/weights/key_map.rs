//! Rules that rename tensors from the names of a checkpoint to those of a module, or back.

use regex::Regex;

/// An ordered table of `(pattern, replacement)` rules: regular expressions, and what replaces their matches.
///
/// ```
/// use vigc_core::weights::KeyMap;
///
/// const BERT: KeyMap = KeyMap::new(&[(r"\bLayerNorm\b", "layer_norm")]);
/// assert_eq!(BERT.apply("embeddings.LayerNorm.weight"), "embeddings.layer_norm.weight");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct KeyMap {
    rules: &'static [(&'static str, &'static str)],
}

impl KeyMap {
    /// The table without rules, which keeps every name.
    pub const IDENTITY: Self = Self::new(&[]);

    /// Creates a table. Every rule is applied to the result of the one before.
    #[must_use]
    pub const fn new(rules: &'static [(&'static str, &'static str)]) -> Self {
        Self { rules }
    }

    /// Renames one tensor.
    ///
    /// # Panics
    ///
    /// Panics if a rule is not a valid regular expression.
    #[must_use]
    pub fn apply(&self, name: &str) -> String {
        self.compile()(name)
    }

    /// Compiles the rules once for many names.
    ///
    /// # Panics
    ///
    /// Panics if a rule is not a valid regular expression.
    pub fn compile(&self) -> impl Fn(&str) -> String + use<> {
        let compile = |&(from, to): &(&'static str, &'static str)| {
            (Regex::new(from).expect("key maps are constants, covered by tests"), to)
        };
        let rules: Vec<_> = self.rules.iter().map(compile).collect();
        move |name| {
            let rename = |name: String, (from, to): &(Regex, &str)| {
                from.replace_all(&name, *to).into_owned()
            };
            rules.iter().fold(name.to_owned(), rename)
        }
    }
}
