//! The settings of all gates, as TOML.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::duplicates::{ExactDuplicateSettings, NearDuplicateSettings};
use super::independent::{AgreementSettings, LengthSettings, LogProbSettings, PictureSettings};
use super::validity::ValiditySettings;
use crate::curation::error::CurationError;

/// Which gates are on, and their thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateSettings {
    /// The picture exists and is an image file.
    pub picture: PictureSettings,
    /// The question asks something, and the answer is a complete text.
    pub validity: ValiditySettings,
    /// Question and answer are neither too short nor too long.
    pub length: LengthSettings,
    /// The correction does not contradict the whole draft.
    pub agreement: AgreementSettings,
    /// The model found its answer likely.
    pub log_prob: LogProbSettings,
    /// The row does not repeat another one.
    pub exact_duplicates: ExactDuplicateSettings,
    /// The row does not repeat another one in nearly the same words.
    pub near_duplicates: NearDuplicateSettings,
}

impl GateSettings {
    /// The gates' names, in the order in which they check a row.
    pub const NAMES: [&str; 7] = [
        "picture",
        "validity",
        "length",
        "agreement",
        "log_prob",
        "exact_duplicates",
        "near_duplicates",
    ];

    /// Reads a TOML file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, does not hold settings, or a threshold is out of range.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CurationError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| vigc_core::Error::Read { path: path.to_owned(), source })?;
        let settings = toml::from_str::<Self>(&text).map_err(|source| CurationError::Gates {
            path: path.to_owned(),
            source: source.into(),
        })?;
        settings.validate()?;
        Ok(settings)
    }

    /// Settings that disable every gate.
    #[must_use]
    pub fn none() -> Self {
        let mut settings = Self::default();
        for gate in Self::NAMES {
            settings.disable(gate);
        }
        settings
    }

    /// Disables a gate. Returns whether there is a gate of this name.
    pub fn disable(&mut self, gate: &str) -> bool {
        let enabled = match gate {
            "picture" => &mut self.picture.enabled,
            "validity" => &mut self.validity.enabled,
            "length" => &mut self.length.enabled,
            "agreement" => &mut self.agreement.enabled,
            "log_prob" => &mut self.log_prob.enabled,
            "exact_duplicates" => &mut self.exact_duplicates.enabled,
            "near_duplicates" => &mut self.near_duplicates.enabled,
            _ => return false,
        };
        *enabled = false;
        true
    }

    /// Checks that thresholds are in their ranges.
    ///
    /// # Errors
    ///
    /// [`CurationError::Setting`] for the first threshold that is not.
    pub fn validate(&self) -> Result<(), CurationError> {
        let require = |key, value: String, holds: bool, expected| match holds {
            true => Ok(()),
            false => Err(CurationError::Setting { key, value, expected }),
        };
        for (key, [least, most]) in self.length.entries() {
            let value = format!("[{least}, {most}]");
            require(key, value, least <= most, "the fewest words, then the most words")?;
        }
        let least = self.agreement.least_kept;
        let share = "a share from 0 to 1";
        require("agreement.least_kept", least.to_string(), (0.0..=1.0).contains(&least), share)?;
        let least = self.log_prob.least;
        require("log_prob.least", least.to_string(), least <= 0.0, "at most 0")?;
        for (key, count) in [
            ("validity.most_repeats", self.validity.most_repeats),
            ("exact_duplicates.most_equal", self.exact_duplicates.most_equal),
            ("near_duplicates.most_alike", self.near_duplicates.most_alike),
        ] {
            require(key, count.to_string(), count > 0, "at least 1")?;
        }
        let least = self.near_duplicates.jaccard;
        let in_range = least > 0.0 && least <= 1.0;
        require("near_duplicates.jaccard", least.to_string(), in_range, "above 0 and at most 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_every_gate_can_be_disabled() {
        GateSettings::default().validate().unwrap();
        let text = toml::to_string(&GateSettings::none()).unwrap();
        assert_eq!(text.matches("enabled = false").count(), GateSettings::NAMES.len(), "{text}");
        assert_eq!(toml::from_str::<GateSettings>(&text).unwrap(), GateSettings::none());
        assert!(!GateSettings::default().disable("taste"));
    }

    #[test]
    fn errors_name_unknown_keys_and_thresholds_out_of_range() {
        let unknown = toml::from_str::<GateSettings>("near_duplicates.jacard = 0.5").unwrap_err();
        assert!(unknown.to_string().contains("jacard"), "{unknown}");
        for (text, key) in [
            ("near_duplicates.jaccard = 0.0", "near_duplicates.jaccard is 0"),
            ("log_prob.least = 0.5", "log_prob.least is 0.5"),
            ("agreement.least_kept = 2.0", "agreement.least_kept is 2"),
            ("length.short.answer = [3, 1]", "length.short.answer is [3, 1]"),
            ("exact_duplicates.most_equal = 0", "exact_duplicates.most_equal is 0"),
        ] {
            let settings = toml::from_str::<GateSettings>(text).unwrap();
            let error = settings.validate().unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
    }
}
