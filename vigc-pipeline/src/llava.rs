//! LLaVA: the network with its tokenizer and image processor, from and to the folders of Hugging Face and of the original
//! program.
//!
//! CLIP's encoder sees an image as patches; a projector makes a token of each, and the language model reads them where
//! `<image>` stands in its prompt. An image is encoded once with [`Llava::encode`]; what comes back serves any number of
//! prompts.
//!
//! Papers: <https://arxiv.org/abs/2304.08485>, <https://arxiv.org/abs/2310.03744>. Upstream: `haotian-liu/LLaVA`,
//! transformers' `modeling_llava.py`.

mod config;
mod encoded;
mod files;
mod generate;
pub mod keys;
mod load;
mod network;
mod projector;
mod prompt;
mod save;

use burn::tensor::Device;
use vigc_llm::generation::GenerationConfig;
use vigc_llm::tokenizer::TextTokenizer;
use vigc_vision::image::{ClipImageProcessor, ClipImageProcessorConfig};

use crate::Result;
use crate::instruct_blip::InstructBlip;

pub use config::{FeatureSelect, Layout, LlavaConfig};
pub use encoded::VisualTokens;
pub use files::LlavaFiles;
pub use network::{Network, splice};
pub use projector::{Projector, ProjectorKind};
pub use prompt::{IMAGE, PromptTokens, Template};

pub use crate::model::{Generated, LoadOptions, Precisions, Prompt, PromptInputs, TokenizerFiles};

/// A LLaVA model that turns images and prompts into text.
///
/// ```no_run
/// use vigc_pipeline::llava::Llava;
/// use vigc_pipeline::prelude::*;
///
/// # fn main() -> vigc_pipeline::Result<()> {
/// let model = Llava::from_dir("llava-1.5-7b-hf", &Device::default())?;
/// let image = model.encode(&[RgbImage::new(640, 480)]);
/// let prompt = Prompt { image: 0, text: "What is in the picture?", seed: 0 };
/// let answers = model.generate(&image, &[prompt], &GenerationConfig::greedy())?;
/// println!("{}", answers[0][0].text);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Llava {
    name: String,
    config: LlavaConfig,
    network: Network,
    text_tokenizer: TextTokenizer,
    processor: ClipImageProcessor,
    generation: GenerationConfig,
    tokenizer_files: TokenizerFiles,
    device: Device,
}

impl Llava {
    /// Puts a LLaVA around the language model of another model, whose tokenizer and settings it shares. What
    /// `network` holds has to have the shapes of `config`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) or [`Error::Vision`](crate::Error::Vision) if the configuration
    /// makes no sense.
    pub fn around(
        model: &InstructBlip,
        name: impl Into<String>,
        config: LlavaConfig,
        network: Network,
    ) -> Result<Self> {
        config.validate()?;
        let side = u32::try_from(config.vision_config.image_size).unwrap_or(u32::MAX);
        Ok(Self {
            name: name.into(),
            config,
            network,
            text_tokenizer: model.text_tokenizer().clone(),
            processor: ClipImageProcessor::new(ClipImageProcessorConfig::square(side))?,
            generation: model.generation_config().clone(),
            tokenizer_files: model.tokenizer_files().of_language_model(),
            device: model.device().clone(),
        })
    }

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
    pub fn config(&self) -> &LlavaConfig {
        &self.config
    }

    /// The network without its tokenizer.
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

    /// What turns an image into the encoder's input.
    #[must_use]
    pub fn processor(&self) -> &ClipImageProcessor {
        &self.processor
    }

    /// The settings that the model's folder suggests; greedy if it suggests none.
    #[must_use]
    pub fn generation_config(&self) -> &GenerationConfig {
        &self.generation
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Sets how questions become prompts, which a folder of others does not say.
    #[must_use]
    pub fn with_template(mut self, template: Template) -> Self {
        self.config.template = template;
        self
    }
}
