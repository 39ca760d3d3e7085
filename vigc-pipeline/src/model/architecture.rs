//! What one architecture adds to the composed model.

use std::fmt;
use std::path::Path;

use burn::tensor::{DType, Device, Tensor};
use serde_json::Value;
use vigc_core::weights::{CheckpointOverlay, KeyMap};
use vigc_llm::generation::{GenerationConfig, Rules};
use vigc_llm::tokenizer::TextTokenizer;
use vigc_vision::image::{BlipImageProcessor, ClipImageProcessor, ImageSize, RgbImage};

use super::network::{Connector, ImageEncoder, Network};
use super::options::Precisions;
use super::prompt_inputs::{Padding, PromptTokens};
use super::tokenizer_files::TokenizerFiles;
use crate::Result;

/// An architecture of composed models, told by the configuration of its network.
///
/// `InstructBlipConfig` and `LlavaConfig` implement it. An implementation says how a folder is read and written, how a prompt
/// becomes tokens, and of which parts the network consists; [`VisionLanguageModel`](super::VisionLanguageModel) does the rest.
pub trait Architecture: fmt::Debug + Clone + PartialEq + Send + Sync + 'static {
    /// From pixel values to image features.
    type ImageEncoder: ImageEncoder;
    /// From image features to visual tokens.
    type Connector: Connector;
    /// What turns pictures and prompts into the network's input, besides the language model's tokenizer.
    type Processor: fmt::Debug + Clone + Send + Sync;

    /// The values of `model_type` in a `config.json` that mean this architecture.
    const MODEL_TYPES: &'static [&'static str];

    /// Where the rows of a batch are filled up.
    const PADDING: Padding;

    /// The number of tokens that training keeps of what stands behind the image in a prompt: its last ones.
    const MAX_TRAINED_PROMPT: usize;

    /// The number of tokens that training keeps of an answer: its first ones.
    const MAX_TRAINED_ANSWER: usize;

    /// Reads everything but the weights from a folder, and opens the weights under the network's names.
    ///
    /// # Errors
    ///
    /// An error for a file that is missing or damaged.
    fn open(folder: &Path) -> Result<(ModelParts<Self>, CheckpointOverlay)>;

    /// Checks that the parts of the network fit each other.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) or [`Error::Vision`](crate::Error::Vision), naming the field.
    fn validate(&self) -> Result<()>;

    /// The number of layers of each part with the field that says it. They are checked against the number of stored tensors
    /// before a network of that depth is made.
    fn depths(&self) -> Vec<(&'static str, usize)>;

    /// The width and height of the pictures that the image encoder reads, in pixels.
    fn image_size(&self) -> usize;

    /// What the weights of each part are stored in.
    fn precisions(&self) -> Precisions;

    /// Sets what the weights of each part are stored in.
    fn set_precisions(&mut self, precisions: Precisions);

    /// Makes a network with random weights.
    fn init(&self, device: &Device) -> Network<Self::ImageEncoder, Self::Connector>;

    /// What prepares pictures.
    fn image_preprocessor(processor: &Self::Processor) -> &dyn ImagePreprocessor;

    /// The tokens of a prompt, and where among them the visual tokens go.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if the prompt cannot be tokenized.
    fn prompt_tokens(parts: &ModelParts<Self>, prompt: &str) -> Result<PromptTokens>;

    /// From the network's names to those of a saved folder.
    fn key_map(&self) -> KeyMap;

    /// The `config.json` of a saved folder whose weights have the type `dtype`.
    ///
    /// # Errors
    ///
    /// Those of `serde_json`.
    fn stored_config(parts: &ModelParts<Self>, dtype: DType) -> serde_json::Result<Value>;

    /// The file of a saved folder that describes the processor: its name and its content.
    ///
    /// # Errors
    ///
    /// Those of `serde_json`.
    fn stored_processor(parts: &ModelParts<Self>) -> serde_json::Result<(&'static str, Value)>;

    /// The decoding rules under which the upstream program runs this model, if it does.
    fn upstream_rules(parts: &ModelParts<Self>) -> Option<Rules> {
        let _ = parts;
        None
    }
}

/// Everything of a model but its weights.
#[derive(Debug, Clone)]
pub struct ModelParts<A: Architecture> {
    /// What the model calls itself in the rows that it writes.
    pub name: String,
    /// The shape of the network.
    pub config: A,
    /// What turns pictures and prompts into the network's input, besides the text tokenizer.
    pub processor: A::Processor,
    /// The language model's tokenizer.
    pub text_tokenizer: TextTokenizer,
    /// The settings that the model's folder suggests for generating texts.
    pub generation: GenerationConfig,
    /// The files of the tokenizers, which a saved folder gets.
    pub tokenizer_files: TokenizerFiles,
}

/// Turns pictures into pixel values.
pub trait ImagePreprocessor: Sync {
    /// The size of the pictures that it makes.
    fn size(&self) -> ImageSize;

    /// The pixel values of a picture, `3 * height * width` of them, channel by channel.
    fn process(&self, image: &RgbImage) -> Vec<f32>;

    /// Processed pictures as one tensor.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, 3, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if `pixels` is empty.
    fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4>;

    /// Processes pictures side by side into one tensor, as [`stack`](Self::stack) returns it.
    ///
    /// # Panics
    ///
    /// Panics if there are no pictures.
    fn batch(&self, images: &[RgbImage], device: &Device) -> Tensor<4>;
}

impl ImagePreprocessor for BlipImageProcessor {
    fn size(&self) -> ImageSize {
        self.config().size
    }

    fn process(&self, image: &RgbImage) -> Vec<f32> {
        self.process(image)
    }

    fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4> {
        self.stack(pixels, device)
    }

    fn batch(&self, images: &[RgbImage], device: &Device) -> Tensor<4> {
        self.batch(images, device)
    }
}

impl ImagePreprocessor for ClipImageProcessor {
    fn size(&self) -> ImageSize {
        self.config().crop_size
    }

    fn process(&self, image: &RgbImage) -> Vec<f32> {
        self.process(image)
    }

    fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4> {
        self.stack(pixels, device)
    }

    fn batch(&self, images: &[RgbImage], device: &Device) -> Tensor<4> {
        self.batch(images, device)
    }
}
