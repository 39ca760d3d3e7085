//! The configuration of a LLaMA, read from and written as Hugging Face's `text_config`.

use serde::{Deserialize, Serialize};
use vigc_core::nn::MAX_SIZE;
use vigc_core::nn::Precision;

/// Shape and constants of a [`Llama`](super::Llama).
///
/// Reads the `config.json` of a LLaMA or the `text_config` of a model around one, old
/// (`rope_theta`) and new (`rope_parameters`). What this implementation does not compute, such as
/// scaled rotary embeddings or biases, is refused when the file is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct LlamaConfig {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward network.
    pub intermediate_size: usize,
    /// Number of decoder layers.
    pub num_hidden_layers: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key and value heads; each serves as many query heads as any other.
    pub num_key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Longest sequence the model was made for.
    pub max_position_embeddings: usize,
    /// Added to the mean square in every norm.
    pub rms_norm_eps: f64,
    /// Base of the rotary embeddings' wavelengths.
    pub rope_theta: f64,
    /// Standard deviation of newly initialized weights.
    pub initializer_range: f64,
    /// What the weights are stored in; no part of the file.
    pub precision: Precision,
}

impl LlamaConfig {
    /// A model with as many key and value heads as query heads and LLaMA-1's constants.
    #[must_use]
    pub fn new(
        vocab_size: usize,
        hidden_size: usize,
        num_hidden_layers: usize,
        num_attention_heads: usize,
    ) -> Self {
        Self {
            vocab_size,
            hidden_size,
            intermediate_size: (hidden_size * 8 / 3).next_multiple_of(16),
            num_hidden_layers,
            num_attention_heads,
            num_key_value_heads: num_attention_heads,
            head_dim: hidden_size / num_attention_heads.max(1),
            max_position_embeddings: 2048,
            rms_norm_eps: 1e-6,
            rope_theta: 10_000.0,
            initializer_range: 0.02,
            precision: Precision::F32,
        }
    }

    /// Vicuna 7B v1.1 with the padding token that `InstructBLIP` adds.
    #[must_use]
    pub fn vicuna_7b() -> Self {
        Self::new(32_001, 4096, 32, 32).with_intermediate_size(11_008)
    }

    /// Vicuna 13B v1.1 with the padding token that `InstructBLIP` adds.
    #[must_use]
    pub fn vicuna_13b() -> Self {
        Self::new(32_001, 5120, 40, 40).with_intermediate_size(13_824)
    }

    /// Sets the width inside the feed-forward network.
    #[must_use]
    pub fn with_intermediate_size(mut self, intermediate_size: usize) -> Self {
        self.intermediate_size = intermediate_size;
        self
    }

    /// Sets the number of key and value heads.
    #[must_use]
    pub fn with_num_key_value_heads(mut self, num_key_value_heads: usize) -> Self {
        self.num_key_value_heads = num_key_value_heads;
        self
    }

    /// Sets the longest sequence the model is made for.
    #[must_use]
    pub fn with_max_position_embeddings(mut self, max_position_embeddings: usize) -> Self {
        self.max_position_embeddings = max_position_embeddings;
        self
    }
}

/// The configuration as the file spells it.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default = "llama")]
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    #[serde(default = "two_thousand")]
    max_position_embeddings: usize,
    #[serde(default = "one_millionth")]
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    #[serde(skip_serializing)]
    rope_parameters: Option<RopeParameters>,
    #[serde(skip_serializing)]
    rope_scaling: Option<serde_json::Value>,
    #[serde(default = "two_hundredths")]
    initializer_range: f64,
    #[serde(default = "silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
}

#[derive(Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}

fn llama() -> String {
    "llama".to_owned()
}

fn silu() -> String {
    "silu".to_owned()
}

fn two_thousand() -> usize {
    2048
}

fn one_millionth() -> f64 {
    1e-6
}

fn two_hundredths() -> f64 {
    0.02
}

impl TryFrom<Stored> for LlamaConfig {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        stored.refuse_unsupported()?;
        let heads = stored.num_attention_heads;
        let rope_theta = stored.rope_theta.or_else(|| stored.rope_parameters?.rope_theta);
        let config = Self {
            vocab_size: stored.vocab_size,
            hidden_size: stored.hidden_size,
            intermediate_size: stored.intermediate_size,
            num_hidden_layers: stored.num_hidden_layers,
            num_attention_heads: heads,
            num_key_value_heads: stored.num_key_value_heads.unwrap_or(heads),
            head_dim: stored.head_dim.unwrap_or(stored.hidden_size / heads.max(1)),
            max_position_embeddings: stored.max_position_embeddings,
            rms_norm_eps: stored.rms_norm_eps,
            rope_theta: rope_theta.unwrap_or(10_000.0),
            initializer_range: stored.initializer_range,
            precision: Precision::F32,
        };
        config.refuse_impossible()?;
        Ok(config)
    }
}

impl Stored {
    fn refuse_unsupported(&self) -> Result<(), String> {
        let expect = |key: &str, found: &str, expected: &str| match found == expected {
            true => Ok(()),
            false => Err(format!("{key} is {found:?}, only {expected:?} is supported")),
        };
        expect("model_type", &self.model_type, "llama")?;
        expect("hidden_act", &self.hidden_act, "silu")?;
        expect("attention_bias", &self.attention_bias.to_string(), "false")?;
        expect("mlp_bias", &self.mlp_bias.to_string(), "false")?;
        expect("tie_word_embeddings", &self.tie_word_embeddings.to_string(), "false")?;
        let scaling = self.rope_scaling.as_ref().and_then(|scaling| {
            scaling.get("rope_type").or_else(|| scaling.get("type")).unwrap_or(scaling).as_str()
        });
        expect("rope_scaling.type", scaling.unwrap_or("default"), "default")?;
        let kind = self.rope_parameters.as_ref().and_then(|rope| rope.rope_type.as_deref());
        expect("rope_parameters.rope_type", kind.unwrap_or("default"), "default")
    }
}

impl LlamaConfig {
    fn refuse_impossible(&self) -> Result<(), String> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
        ];
        if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{key} is 0"));
        }
        let layers = [("num_hidden_layers", self.num_hidden_layers)];
        if let Some((key, size)) = sizes.iter().chain(&layers).find(|(_, size)| *size > MAX_SIZE) {
            return Err(format!("{key} is {size}, expected at most {MAX_SIZE}"));
        }
        let (heads, shared) = (self.num_attention_heads, self.num_key_value_heads);
        if !heads.is_multiple_of(shared) {
            return Err(format!(
                "num_attention_heads {heads} is not a multiple of num_key_value_heads {shared}"
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("head_dim {} is odd", self.head_dim));
        }
        Ok(())
    }
}

impl From<LlamaConfig> for Stored {
    fn from(config: LlamaConfig) -> Self {
        Self {
            model_type: llama(),
            vocab_size: config.vocab_size,
            hidden_size: config.hidden_size,
            intermediate_size: config.intermediate_size,
            num_hidden_layers: config.num_hidden_layers,
            num_attention_heads: config.num_attention_heads,
            num_key_value_heads: Some(config.num_key_value_heads),
            head_dim: Some(config.head_dim),
            max_position_embeddings: config.max_position_embeddings,
            rms_norm_eps: config.rms_norm_eps,
            rope_theta: Some(config.rope_theta),
            rope_parameters: None,
            rope_scaling: None,
            initializer_range: config.initializer_range,
            hidden_act: silu(),
            attention_bias: false,
            mlp_bias: false,
            tie_word_embeddings: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: &str = r#""vocab_size": 32, "hidden_size": 16, "intermediate_size": 24,
        "num_hidden_layers": 2, "num_attention_heads": 4"#;

    fn read(extra: &str) -> Result<LlamaConfig, serde_json::Error> {
        serde_json::from_str(&format!("{{{SIZES}{extra}}}"))
    }

    #[test]
    fn fills_in_what_old_files_leave_out() {
        let config = read("").unwrap();
        assert_eq!((config.num_key_value_heads, config.head_dim), (4, 4));
        assert_eq!((config.rms_norm_eps, config.rope_theta), (1e-6, 10_000.0));
    }

    #[test]
    fn reads_new_rope_parameters() {
        let rope = r#", "rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}"#;
        assert_eq!(read(rope).unwrap().rope_theta, 500.0);
    }

    #[test]
    fn survives_a_round_trip() {
        let config = LlamaConfig::vicuna_7b().with_num_key_value_heads(8);
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<LlamaConfig>(&text).unwrap(), config);
        assert!(text.contains(r#""model_type":"llama""#), "{text}");
    }

    #[test]
    fn refuses_what_it_would_compute_wrongly() {
        let cases = [
            (r#", "model_type": "mistral""#, "model_type"),
            (r#", "attention_bias": true"#, "attention_bias"),
            (r#", "tie_word_embeddings": true"#, "tie_word_embeddings"),
            (r#", "hidden_act": "gelu""#, "hidden_act"),
            (r#", "rope_scaling": {"type": "linear", "factor": 2.0}"#, "rope_scaling"),
            (r#", "rope_parameters": {"rope_type": "llama3"}"#, "rope_parameters"),
            (r#", "num_key_value_heads": 3"#, "num_key_value_heads"),
            (r#", "head_dim": 5"#, "head_dim"),
            (r#", "num_key_value_heads": 0"#, "num_key_value_heads"),
            (r#", "head_dim": 4611686018427387904"#, "head_dim is 4611686018427387904, expected"),
        ];
        for (extra, key) in cases {
            let error = read(extra).unwrap_err().to_string();
            assert!(error.contains(key), "{extra}: {error}");
        }
    }
}
