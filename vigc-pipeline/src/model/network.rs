//! The network of a composed model and the interfaces of its parts.

use std::fmt;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;
use vigc_core::TokenBatch;
use vigc_llm::llama::Llama;

/// Turns pixel values into image features.
pub trait ImageEncoder: Module + ModuleDisplay + Sync {
    /// Encodes images. A frozen encoder's features can be computed once and kept.
    ///
    /// An architecture that cuts a picture into tiles stacks the tiles along the batch.
    ///
    /// # Shapes
    ///
    /// - pixel values: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, positions, vision_hidden]`
    fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3>;
}

/// Turns image features into the visual tokens that the language model reads.
pub trait Connector: Module + ModuleDisplay + Sync {
    /// What is kept of a batch of images between prompts.
    type Images: ImageBatch;

    /// Does the part of the work that does not depend on the prompt.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, positions, vision_hidden]`
    fn connect(&self, features: Tensor<3>) -> Self::Images;

    /// The visual tokens of images. A Q-Former reads `text`, the prompts in its own vocabulary; a projector ignores it.
    ///
    /// # Shapes
    ///
    /// - images: `batch` of them
    /// - text: `[batch, seq]`, padded on the right
    fn visual_tokens(&self, images: &Self::Images, text: &TokenBatch) -> VisualTokens;
}

/// A batch of images as a connector keeps them.
pub trait ImageBatch: Clone + fmt::Debug + Send + Sync {
    /// The number of images.
    fn len(&self) -> usize;

    /// Whether there are no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images at `rows`, which may repeat, in that order.
    ///
    /// # Panics
    ///
    /// Panics if `rows` is empty or names an image that does not exist.
    #[must_use]
    fn select(&self, rows: &[usize]) -> Self;

    /// Joins batches, in that order.
    ///
    /// # Panics
    ///
    /// Panics if there is no batch or they come from different models.
    #[must_use]
    fn cat(parts: Vec<Self>) -> Self;
}

/// The visual tokens of a batch of images.
#[derive(Debug, Clone)]
pub struct VisualTokens {
    /// `[batch, most tokens, text_hidden]`. Rows with fewer tokens are filled up behind them.
    pub tokens: Tensor<3>,
    /// The number of tokens of each image.
    pub lengths: Vec<usize>,
}

impl From<Tensor<3>> for VisualTokens {
    /// Tokens of images that all have the same number of them.
    fn from(tokens: Tensor<3>) -> Self {
        let [batch, len, _] = tokens.dims();
        Self { tokens, lengths: vec![len; batch] }
    }
}

/// The network of a composed model, without tokenizers.
///
/// The parts are public because training freezes some and tunes others.
#[derive(Module, Debug)]
pub struct Network<E: ImageEncoder, C: Connector> {
    /// From pixel values to image features.
    pub image_encoder: E,
    /// From image features to visual tokens.
    pub connector: C,
    /// Writes the text.
    pub language_model: Llama,
}
