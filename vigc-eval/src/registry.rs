//! All suites by name.

use crate::error::{Error, Result};
use crate::suite::{Suite, SuiteKind, SuiteOptions};
use crate::{chair, llava_bench, pope, vqa};

/// The suites of this crate. A new one needs its module and one line here.
const SUITES: &[SuiteKind] = &[
    #[cfg(feature = "scenes")]
    crate::scenes::SCENES,
    vqa::VQAV2,
    vqa::OKVQA,
    vqa::AOKVQA,
    vqa::AOKVQA_CHOICE,
    #[cfg(feature = "mmbench")]
    crate::mmbench::MMBENCH,
    llava_bench::LLAVA_BENCH,
    chair::CHAIR,
    pope::POPE,
];

/// The suites that can be opened by name.
///
/// ```
/// use vigc_eval::{Registry, SuiteOptions};
///
/// let error = Registry::default().open("pope", &SuiteOptions::default()).unwrap_err();
/// assert!(error.to_string().contains("annotations"));
/// ```
#[derive(Debug, Clone)]
pub struct Registry {
    kinds: Vec<SuiteKind>,
}

impl Default for Registry {
    /// The suites of this crate; some need a feature.
    fn default() -> Self {
        Self { kinds: SUITES.to_vec() }
    }
}

impl Registry {
    /// Adds a suite, which replaces any other of the same name.
    #[must_use]
    pub fn with(mut self, kind: SuiteKind) -> Self {
        self.kinds.retain(|known| known.name != kind.name);
        self.kinds.push(kind);
        self
    }

    /// All suites.
    #[must_use]
    pub fn kinds(&self) -> &[SuiteKind] {
        &self.kinds
    }

    /// Opens a suite.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSuite`] if there is none of this name, [`Error::UnknownOption`] if an option is set that the suite
    /// does not have, and the errors of the suite.
    pub fn open(&self, name: &str, options: &SuiteOptions) -> Result<Box<dyn Suite>> {
        let kind = self.kinds.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let known = self.kinds.iter().map(|kind| kind.name).collect();
            Error::UnknownSuite { name: name.to_owned(), known }
        })?;
        let is_known = |name: &str| kind.options.iter().any(|option| option.name == name);
        if let Some(option) = options.values.keys().find(|name| !is_known(name)) {
            return Err(Error::UnknownOption {
                suite: kind.name,
                option: option.clone(),
                known: kind.options.iter().map(|option| option.name).collect(),
            });
        }
        (kind.open)(options)
    }
}
