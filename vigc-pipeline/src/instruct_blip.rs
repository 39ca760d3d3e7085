//! InstructBLIP: the network with its tokenizers and image processor, from and to Hugging Face folders.
//!
//! An image is encoded once with [`InstructBlip::encode`]; what comes back serves any number of prompts.
//!
//! Paper: <https://arxiv.org/abs/2305.06500>. Upstream: LAVIS' `blip2_vicuna_instruct.py`,
//! transformers' `modeling_instructblip.py`.

mod bundled;
mod config;
mod encoded;
mod file_kind;
mod files;
mod generate;
#[cfg(feature = "hub")]
mod hub;
pub mod keys;
mod load;
mod network;
mod save;
mod updates;

use burn::tensor::Device;
use vigc_llm::generation::{GenerationConfig, Rules};
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};
use vigc_vision::image::BlipImageProcessor;

pub use config::InstructBlipConfig;
pub use encoded::EncodedImages;
pub use file_kind::FileKind;
pub use files::ModelFiles;
#[cfg(feature = "hub")]
pub(crate) use hub::fetch_model;
#[cfg(feature = "hub")]
pub use hub::{ModelSource, fetch_part};
pub use load::load_network;
pub use network::Network;
pub use save::{SpecialIds, save_network};
pub use updates::read_updates;

pub use crate::model::{Generated, LoadOptions, Precisions, Prompt, PromptInputs, TokenizerFiles};

/// An InstructBLIP model that turns images and prompts into text.
///
/// ```
/// use vigc_pipeline::prelude::*;
///
/// # fn main() -> vigc_pipeline::Result<()> {
/// let model = InstructBlip::bundled(&Device::default())?;
/// let image = model.encode(&[RgbImage::new(64, 48)]);
/// let prompt = Prompt { image: 0, text: "What is in the picture?", seed: 0 };
/// let settings = GenerationConfig::greedy().with_max_new_tokens(8);
/// let answers = model.generate(&image, &[prompt], &settings)?;
/// println!("{}", answers[0][0].text);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct InstructBlip {
    name: String,
    config: InstructBlipConfig,
    network: Network,
    text_tokenizer: TextTokenizer,
    qformer_tokenizer: BertTokenizer,
    processor: BlipImageProcessor,
    generation: GenerationConfig,
    dummy_bos: u32,
    tokenizer_files: TokenizerFiles,
    device: Device,
}

impl InstructBlip {
    /// Changes what the model calls itself.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// What the model calls itself in the rows that it writes: its folder's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of the network.
    #[must_use]
    pub fn config(&self) -> &InstructBlipConfig {
        &self.config
    }

    /// The network without tokenizers.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, to be trained or given other weights.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The language model's tokenizer.
    #[must_use]
    pub fn text_tokenizer(&self) -> &TextTokenizer {
        &self.text_tokenizer
    }

    /// The Q-Former's tokenizer.
    #[must_use]
    pub fn qformer_tokenizer(&self) -> &BertTokenizer {
        &self.qformer_tokenizer
    }

    /// The files of both tokenizers.
    pub(crate) fn tokenizer_files(&self) -> &TokenizerFiles {
        &self.tokenizer_files
    }

    /// What turns an image into the encoder's input.
    #[must_use]
    pub fn processor(&self) -> &BlipImageProcessor {
        &self.processor
    }

    /// The settings that the model's folder suggests; greedy if it suggests none.
    #[must_use]
    pub fn generation_config(&self) -> &GenerationConfig {
        &self.generation
    }

    /// The rules of transformers 4.28.1, as the reference's program runs this model under them: texts begin with the token
    /// that the language model's own configuration names.
    #[must_use]
    pub const fn reference_rules(&self) -> Rules {
        Rules::Transformers4_28 { dummy_bos: self.dummy_bos }
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }
}
