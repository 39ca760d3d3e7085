//! How the next token is chosen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the next token is chosen.
///
/// Command lines name a strategy `greedy`, `beam:5`, `nucleus:0.9`, or `sample:T:K:P` with a temperature, a `top_k` and a
/// `top_p`:
///
/// ```
/// use vigc_llm::generation::Strategy;
///
/// let strategy: Strategy = "beam:5".parse()?;
/// assert_eq!(strategy, Strategy::Beam { beams: 5 });
/// # Ok::<(), vigc_llm::generation::ParseStrategyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// The most likely token.
    Greedy,
    /// A random token, drawn from the likely ones.
    Sample {
        /// Divisor of the logits. Below 1, likely tokens become more likely.
        temperature: f32,
        /// Number of most likely tokens to draw from; 0 for all.
        top_k: usize,
        /// The tokens to draw from are the most likely ones whose probabilities sum to at least this number.
        top_p: f32,
    },
    /// The most likely texts among several that are extended side by side. One beam is greedy decoding.
    Beam {
        /// Number of beams.
        beams: usize,
    },
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Greedy => f.write_str("greedy"),
            Self::Beam { beams } => write!(f, "beam:{beams}"),
            Self::Sample { temperature: 1.0, top_k: 0, top_p } => write!(f, "nucleus:{top_p}"),
            Self::Sample { temperature, top_k, top_p } => {
                write!(f, "sample:{temperature}:{top_k}:{top_p}")
            }
        }
    }
}

/// A text does not name a [`Strategy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy {0:?}, expected greedy, beam:K, nucleus:P or sample:T:K:P")]
pub struct ParseStrategyError(pub String);

impl FromStr for Strategy {
    type Err = ParseStrategyError;

    fn from_str(name: &str) -> Result<Self, ParseStrategyError> {
        let parts: Vec<_> = name.split(':').collect();
        let strategy = match parts[..] {
            ["greedy"] => Some(Self::Greedy),
            ["beam", beams] => beams.parse().ok().map(|beams| Self::Beam { beams }),
            ["nucleus", top_p] => {
                let sample = |top_p| Self::Sample { temperature: 1.0, top_k: 0, top_p };
                top_p.parse().ok().map(sample)
            }
            ["sample", temperature, top_k, top_p] => {
                match (temperature.parse(), top_k.parse(), top_p.parse()) {
                    (Ok(temperature), Ok(top_k), Ok(top_p)) => {
                        Some(Self::Sample { temperature, top_k, top_p })
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let is_possible = |strategy: &Self| match *strategy {
            Self::Greedy => true,
            Self::Beam { beams } => beams > 0,
            Self::Sample { temperature, top_p, .. } => {
                temperature.is_finite() && temperature > 0.0 && top_p > 0.0 && top_p <= 1.0
            }
        };
        strategy.filter(is_possible).ok_or_else(|| ParseStrategyError(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_print_back() {
        for name in ["greedy", "beam:5", "nucleus:0.9", "sample:0.7:50:0.95"] {
            assert_eq!(name.parse::<Strategy>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn impossible_strategies_are_errors() {
        for name in [
            "",
            "beam",
            "beam:0",
            "beam:-1",
            "nucleus:0",
            "nucleus:1.5",
            "nucleus:nan",
            "greedy:1",
            "sample:0:1:1",
        ] {
            let error = name.parse::<Strategy>().unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
    }
}
