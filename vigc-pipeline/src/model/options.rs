//! How a model is read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vigc_core::nn::Precision;
use vigc_core::progress::Progress;

use crate::{Error, Result};

/// What the weights of each part of a model are stored in.
///
/// The norms, the Q-Former's embeddings and the patch embedding are few and stay f32.
///
/// ```
/// use vigc_core::nn::Precision;
/// use vigc_pipeline::instruct_blip::Precisions;
///
/// let precisions: Precisions = "bf16,language=q8".parse().unwrap();
/// assert_eq!((precisions.vision, precisions.language), (Precision::Bf16, Precision::Q8));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precisions {
    /// The image encoder's.
    pub vision: Precision,
    /// The Q-Former's and the projection's, or the projector's of LLaVA: what lies between the two others.
    pub qformer: Precision,
    /// The language model's.
    pub language: Precision,
}

impl From<Precision> for Precisions {
    fn from(precision: Precision) -> Self {
        Self { vision: precision, qformer: precision, language: precision }
    }
}

impl Precisions {
    /// Whether no part is in blocks, which files keep under names of their own.
    #[must_use]
    pub fn has_no_blocks(&self) -> bool {
        let parts = [self.vision, self.qformer, self.language];
        !parts.iter().any(|part| matches!(part, Precision::Q8 | Precision::Q4))
    }
}

impl fmt::Display for Precisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vision, qformer, language } = self;
        match vision == qformer && qformer == language {
            true => write!(f, "{vision}"),
            false => write!(f, "vision={vision},qformer={qformer},language={language}"),
        }
    }
}

impl FromStr for Precisions {
    type Err = Error;

    /// A precision for all parts, or `part=precision` for some of them, parted by commas; what comes later counts.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |problem: String| Error::Config { field: "precision", problem };
        let precision =
            |name: &str| name.trim().parse::<Precision>().map_err(|error| wrong(error.to_string()));
        let mut all = Self::default();
        for item in text.split(',') {
            match item.split_once('=') {
                None => all = precision(item)?.into(),
                Some((part, name)) => match part.trim() {
                    "vision" => all.vision = precision(name)?,
                    "qformer" | "projector" => all.qformer = precision(name)?,
                    "language" => all.language = precision(name)?,
                    other => {
                        let problem = format!("names the part {other:?}");
                        return Err(wrong(format!(
                            "{problem}, expected vision, qformer, projector or language"
                        )));
                    }
                },
            }
        }
        Ok(all)
    }
}

/// How a model is read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// What the weights are stored in; nothing for what the folder is in if it holds blocks, and else f32.
    pub precisions: Option<Precisions>,
    /// Who hears how far the reading has come.
    pub progress: Option<Progress>,
}

impl LoadOptions {
    /// Sets what the weights are stored in.
    #[must_use]
    pub fn with_precisions(mut self, precisions: impl Into<Precisions>) -> Self {
        self.precisions = Some(precisions.into());
        self
    }

    /// What a model becomes whose folder says this of its weights.
    pub(crate) fn precisions_of(&self, stored: Precisions) -> Result<Precisions> {
        match self.precisions {
            Some(asked) if !stored.has_no_blocks() && asked != stored => {
                let problem =
                    format!("{asked} cannot be made of weights that are stored in {stored}");
                Err(Error::Config { field: "precision", problem })
            }
            asked => Ok(asked.unwrap_or(stored)),
        }
    }

    /// Sets who hears how far the reading has come.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_override_the_whole() {
        let all: Precisions = "q4".parse().unwrap();
        assert_eq!(all, Precision::Q4.into());
        let some: Precisions = "bf16, qformer=f32,language=q8".parse().unwrap();
        let expected = Precisions {
            vision: Precision::Bf16,
            qformer: Precision::F32,
            language: Precision::Q8,
        };
        assert_eq!(some, expected);
        assert_eq!("bf16,projector=f32,language=q8".parse::<Precisions>().unwrap(), expected);
        assert_eq!(some.to_string().parse::<Precisions>().unwrap(), some);
        for (text, part) in [("int8", "int8"), ("llm=q8", "llm"), ("", "\"\"")] {
            let error = text.parse::<Precisions>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
