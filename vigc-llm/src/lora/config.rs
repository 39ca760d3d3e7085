//! The configuration of an adapter, read from and written as PEFT's `adapter_config.json`.

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields of `adapter_config.json` that say how updates are scaled and which model they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// The scale of the updates, times their rank.
    pub lora_alpha: f32,
    /// Whether the scale is `lora_alpha` over the square root of the rank, instead of the rank.
    #[serde(default)]
    pub use_rslora: bool,
    /// Whether weights are `[in, out]`.
    #[serde(default)]
    pub fan_in_fan_out: bool,
    /// PEFT's name for the task of the model; `CAUSAL_LM` for a LLaMA.
    #[serde(default)]
    pub task_type: Option<String>,
    /// The base model, a folder or a name.
    #[serde(default)]
    pub base_model_name_or_path: Option<String>,
    #[serde(default, skip_serializing)]
    use_dora: bool,
    /// Values of `lora_alpha` for patterns of layer names. The first pattern that matches counts.
    #[serde(default)]
    alpha_pattern: Map<String, Value>,
}

impl LoraConfig {
    /// The settings with which the upstream program trains, from its `lora_config`. Its files contain no configuration.
    #[must_use]
    pub fn upstream() -> Self {
        Self {
            lora_alpha: 16.0,
            use_rslora: false,
            fan_in_fan_out: false,
            task_type: Some("CAUSAL_LM".to_owned()),
            base_model_name_or_path: None,
            use_dora: false,
            alpha_pattern: Map::new(),
        }
    }

    /// The scale of a layer's update, with PEFT's rule for layers that have their own alpha.
    pub(super) fn scale(&self, alphas: &AlphaPattern, layer: &str, rank: usize) -> f32 {
        let rank = rank as f32;
        alphas.of(layer).unwrap_or(self.lora_alpha)
            / if self.use_rslora { rank.sqrt() } else { rank }
    }

    /// The alphas of single layers. Fails if the configuration asks for more than low-rank updates.
    pub(super) fn alphas(&self) -> Result<AlphaPattern, String> {
        if self.use_dora {
            return Err("sets use_dora, which is not supported".to_owned());
        }
        let entry = |(pattern, alpha): (&String, &Value)| {
            // PEFT's `get_pattern_key`.
            let names = Regex::new(&format!(r"^(?:.*\.)?(?:{pattern})$")).ok();
            names.zip(alpha.as_f64()).map(|(names, alpha)| (names, alpha as f32)).ok_or_else(|| {
                format!(
                    "has the alpha_pattern {pattern:?}: {alpha}, expected a pattern and a number"
                )
            })
        };
        self.alpha_pattern.iter().map(entry).collect::<Result<_, _>>().map(AlphaPattern)
    }
}

/// The alphas of single layers. The first pattern that matches a layer's name counts.
#[derive(Debug, Clone)]
pub(super) struct AlphaPattern(Vec<(Regex, f32)>);

impl AlphaPattern {
    fn of(&self, layer: &str) -> Option<f32> {
        self.0.iter().find(|(names, _)| names.is_match(layer)).map(|&(_, alpha)| alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(alpha_pattern: &str) -> LoraConfig {
        let text = format!(r#"{{"lora_alpha": 8, "alpha_pattern": {alpha_pattern}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_first_pattern_that_matches_a_layer_sets_its_alpha() {
        let config = config(r#"{"layers.1.self_attn.q_proj": 2, "q_proj": 4, "^mlp": 6}"#);
        let alphas = config.alphas().unwrap();
        let cases = [
            ("model.layers.0.self_attn.q_proj", 4.0),
            ("model.layers.1.self_attn.q_proj", 2.0),
            ("model.layers.11.self_attn.q_proj", 4.0),
            ("model.layers.1.self_attn.v_proj", 8.0),
            ("model.layers.1.self_attn.my_q_proj", 8.0),
            ("mlp.down", 8.0),
            ("mlp", 6.0),
        ];
        for (layer, alpha) in cases {
            assert_eq!(config.scale(&alphas, layer, 2), alpha / 2.0, "{layer}");
        }
    }

    #[test]
    fn errors_name_an_invalid_pattern() {
        for pattern in [r#"{"q_(proj": 2}"#, r#"{"q_proj": "two"}"#] {
            let error = config(pattern).alphas().unwrap_err();
            assert!(error.contains("alpha_pattern") && error.contains("q_"), "{error}");
        }
    }
}
