//! `config.json` of an InstructBLIP folder.

use serde::{Deserialize, Serialize};
use vigc_core::nn::MAX_SIZE;
use vigc_llm::llama::LlamaConfig;
use vigc_vision::eva_vit::EvaVitConfig;
use vigc_vision::qformer::QFormerConfig;

use super::Precisions;
use super::network::Network;
use crate::model::check_depths;
use crate::{Error, Result};
use burn::tensor::Device;

/// Configuration of an InstructBLIP network, named as Hugging Face's `InstructBlipConfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstructBlipConfig {
    /// The image encoder.
    pub vision_config: EvaVitConfig,
    /// The Q-Former.
    pub qformer_config: QFormerConfig,
    /// The language model.
    pub text_config: LlamaConfig,
    /// Number of visual tokens that the language model sees.
    #[serde(default = "thirty_two")]
    pub num_query_tokens: usize,
    /// The token that stands for a visual token in transformers' prompts; never embedded here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_token_index: Option<u32>,
    /// Added to the variance in the norm after the image encoder.
    ///
    /// Absent in Hugging Face folders, where it is the encoder's own; LAVIS used 1e-5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_vision_eps: Option<f64>,
    /// What the weights are stored in; in a file only where they are in blocks.
    #[serde(default, skip_serializing_if = "Precisions::has_no_blocks")]
    pub precisions: Precisions,
}

fn thirty_two() -> usize {
    32
}

impl InstructBlipConfig {
    /// Puts three networks together, with 32 visual tokens.
    #[must_use]
    pub fn new(vision: EvaVitConfig, qformer: QFormerConfig, text: LlamaConfig) -> Self {
        Self {
            vision_config: vision,
            qformer_config: qformer,
            text_config: text,
            num_query_tokens: thirty_two(),
            image_token_index: None,
            ln_vision_eps: None,
            precisions: Precisions::default(),
        }
    }

    /// InstructBLIP around Vicuna 7B v1.1, as LAVIS and VIGC have it.
    #[must_use]
    pub fn vicuna_7b() -> Self {
        Self::lavis(LlamaConfig::vicuna_7b())
    }

    /// InstructBLIP around Vicuna 13B v1.1, as LAVIS and VIGC have it.
    #[must_use]
    pub fn vicuna_13b() -> Self {
        Self::lavis(LlamaConfig::vicuna_13b())
    }

    /// The published image encoder and Q-Former around any language model.
    ///
    /// The norm after the encoder has PyTorch's default epsilon in LAVIS (`nn.LayerNorm` in `blip2.py`), where
    /// Hugging Face's port has the encoder's own.
    #[must_use]
    pub fn lavis(language: LlamaConfig) -> Self {
        // BERT's words and `[DEC]`.
        let qformer = QFormerConfig { vocab_size: 30_523, ..QFormerConfig::default() };
        let config = Self::new(EvaVitConfig::default(), qformer, language);
        Self { ln_vision_eps: Some(1e-5), ..config }
    }

    /// Sets the number of visual tokens.
    #[must_use]
    pub fn with_num_query_tokens(mut self, num_query_tokens: usize) -> Self {
        self.num_query_tokens = num_query_tokens;
        self
    }

    /// Checks what [`InstructBlipConfig::init`] relies on.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the parts do not fit each other, [`Error::Vision`] if one does not fit
    /// itself.
    pub fn validate(&self) -> Result<()> {
        self.vision_config.validate()?;
        self.qformer_config.validate()?;
        let (read, given) =
            (self.qformer_config.encoder_hidden_size, self.vision_config.hidden_size);
        if read != given {
            return Err(Error::Config {
                field: "qformer_config.encoder_hidden_size",
                problem: format!("is {read}, expected vision_config.hidden_size, {given}"),
            });
        }
        if !(1..=MAX_SIZE).contains(&self.num_query_tokens) {
            let problem = format!("is {}, expected 1 to {MAX_SIZE}", self.num_query_tokens);
            return Err(Error::Config { field: "num_query_tokens", problem });
        }
        Ok(())
    }

    /// Checks that weights of so many tensors can be the network's, before there is a network of any depth.
    pub(super) fn check_depth(&self, tensors: usize) -> Result<()> {
        let depths = [
            ("vision_config.num_hidden_layers", self.vision_config.num_hidden_layers),
            ("qformer_config.num_hidden_layers", self.qformer_config.num_hidden_layers),
            ("text_config.num_hidden_layers", self.text_config.num_hidden_layers),
        ];
        check_depths(&depths, tensors)
    }

    /// The epsilon of the norm after the image encoder.
    pub(super) fn ln_vision_eps(&self) -> f64 {
        self.ln_vision_eps.unwrap_or(self.vision_config.layer_norm_eps)
    }

    /// Initializes a [`Network`] with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> Network {
        Network::new(self, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_must_fit() {
        let config = |width| {
            let text = LlamaConfig::new(32, 8, 1, 2);
            let qformer = QFormerConfig::new(8, 1, 2, 16, width);
            InstructBlipConfig::new(EvaVitConfig::new(8, 1, 2), qformer, text)
        };
        assert!(config(8).validate().is_ok());
        let error = config(9).validate().unwrap_err().to_string();
        assert!(error.contains("encoder_hidden_size is 9"), "{error}");
        assert!(config(8).with_num_query_tokens(0).validate().is_err());
    }

    #[test]
    fn survives_a_round_trip() {
        let text = LlamaConfig::new(32, 8, 1, 2);
        let qformer = QFormerConfig::new(8, 1, 2, 16, 8);
        let config = InstructBlipConfig::new(EvaVitConfig::new(8, 1, 2), qformer, text);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<InstructBlipConfig>(&json).unwrap(), config);
    }
}
