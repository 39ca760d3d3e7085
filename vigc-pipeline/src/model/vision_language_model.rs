//! The composed model of any architecture.

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use vigc_core::TokenBatch;
use vigc_core::kernels::on_worker;
use vigc_llm::generation::{Generated, GenerationConfig, Rules, TextGenerator};
use vigc_llm::tokenizer::TextTokenizer;

use super::architecture::{Architecture, ImagePreprocessor, ModelParts};
use super::checks::check_image_size;
use super::network::{Connector, ImageBatch, ImageEncoder, Network};
use super::prompt_inputs::{PromptInputs, PromptTokens};
use crate::Result;
use crate::visual_lm::{Request, VisualLm};

/// A model that turns images and prompts into text: a network with its processor and tokenizers.
///
/// [`InstructBlip`](crate::instruct_blip::InstructBlip) and [`Llava`](crate::llava::Llava) are this type with their
/// architectures.
#[derive(Debug, Clone)]
pub struct VisionLanguageModel<A: Architecture> {
    parts: ModelParts<A>,
    network: Network<A::ImageEncoder, A::Connector>,
    device: Device,
}

/// A batch of images as the connector of an architecture keeps them.
type Images<A> = <<A as Architecture>::Connector as Connector>::Images;

impl<A: Architecture> VisionLanguageModel<A> {
    /// Puts a model together. The network must have the shapes that the configuration says.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) or [`Error::Vision`](crate::Error::Vision) if the parts do not fit each other.
    pub fn new(
        parts: ModelParts<A>,
        network: Network<A::ImageEncoder, A::Connector>,
        device: &Device,
    ) -> Result<Self> {
        parts.config.validate()?;
        let size = A::image_preprocessor(&parts.processor).size();
        check_image_size(size, parts.config.image_size())?;
        Ok(Self { parts, network, device: device.clone() })
    }

    /// Changes the name that the model gives itself.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.parts.name = name.into();
        self
    }

    /// The name that the model gives itself in the rows that it writes: that of its folder, unless it was changed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// Everything but the weights.
    #[must_use]
    pub fn parts(&self) -> &ModelParts<A> {
        &self.parts
    }

    /// The shape of the network.
    #[must_use]
    pub fn config(&self) -> &A {
        &self.parts.config
    }

    /// The shape of the network with what it says of prompts. The network must keep fitting it.
    pub(crate) fn config_mut(&mut self) -> &mut A {
        &mut self.parts.config
    }

    /// The network without tokenizers.
    #[must_use]
    pub fn network(&self) -> &Network<A::ImageEncoder, A::Connector> {
        &self.network
    }

    /// The network, to be trained or given other weights.
    pub fn network_mut(&mut self) -> &mut Network<A::ImageEncoder, A::Connector> {
        &mut self.network
    }

    /// The language model's tokenizer.
    #[must_use]
    pub fn text_tokenizer(&self) -> &TextTokenizer {
        &self.parts.text_tokenizer
    }

    /// What turns pictures and prompts into the network's input.
    #[must_use]
    pub fn processor(&self) -> &A::Processor {
        &self.parts.processor
    }

    /// What turns pictures into pixel values.
    #[must_use]
    pub fn image_preprocessor(&self) -> &dyn ImagePreprocessor {
        A::image_preprocessor(&self.parts.processor)
    }

    /// The settings that the model's folder suggests; greedy decoding if it suggests none.
    #[must_use]
    pub fn generation_config(&self) -> &GenerationConfig {
        &self.parts.generation
    }

    /// The decoding rules under which the upstream program runs this model, if it does.
    #[must_use]
    pub fn upstream_rules(&self) -> Option<Rules> {
        A::upstream_rules(&self.parts)
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Prepares and encodes pictures.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, positions, vision_hidden]`
    ///
    /// # Panics
    ///
    /// Panics if there are no pictures.
    #[must_use]
    pub fn image_features(&self, images: &[RgbImage]) -> Tensor<3> {
        let pixel_values = self.image_preprocessor().batch(images, &self.device);
        self.network.image_encoder.forward(pixel_values)
    }

    /// The tokens of a prompt, and where among them the visual tokens go.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if the prompt cannot be tokenized.
    pub fn prompt_tokens(&self, prompt: &str) -> Result<PromptTokens> {
        A::prompt_tokens(&self.parts, prompt)
    }

    /// Looks at images in the light of prompts and embeds both for the language model.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if a prompt cannot be tokenized.
    ///
    /// # Panics
    ///
    /// Panics if there are no requests.
    pub fn prompt_inputs(&self, requests: &[Request<'_, Images<A>>]) -> Result<PromptInputs> {
        let images = requests.iter().map(|request| request.image.clone()).collect();
        let images = Images::<A>::cat(images);
        let prompts = requests.iter().map(|request| self.prompt_tokens(request.prompt));
        let prompts = prompts.collect::<Result<Vec<_>>>()?;
        let text: Vec<_> = prompts.iter().map(|prompt| prompt.connector.clone()).collect();
        // The connector masks the padding, whatever it is filled with.
        let text = TokenBatch::pad_right(&text, 0);
        let visual = self.network.connector.visual_tokens(&images, &text);
        let llama = &self.network.language_model;
        Ok(PromptInputs::new(llama, &prompts, &visual, A::PADDING, self.padding_id()))
    }

    /// The token that fills up the rows of a batch.
    #[must_use]
    pub fn padding_id(&self) -> u32 {
        self.generator().padding_id()
    }

    fn generator(&self) -> TextGenerator<'_> {
        TextGenerator::new(&self.network.language_model, &self.parts.text_tokenizer)
    }
}

impl<A: Architecture> VisualLm for VisionLanguageModel<A> {
    /// A batch of one.
    type Image = Images<A>;

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<Images<A>>> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = on_worker(|| self.network.connector.connect(self.image_features(images)));
        Ok((0..images.len()).map(|image| encoded.select(&[image])).collect())
    }

    fn generate(
        &self,
        requests: &[Request<'_, Images<A>>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let seeds: Vec<_> = requests.iter().map(|request| request.seed).collect();
        let hints: Vec<_> = requests.iter().map(|request| request.hint).collect();
        on_worker(|| {
            let PromptInputs { embeds, mask, .. } = self.prompt_inputs(requests)?;
            Ok(self.generator().generate(embeds, &mask, decoding, &seeds, &hints)?)
        })
    }

    fn name(&self) -> &str {
        self.name()
    }

    fn score(&self, request: &Request<'_, Images<A>>, candidates: &[&str]) -> Result<Vec<f32>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let PromptInputs { embeds, mask, .. } = self.prompt_inputs(&[*request])?;
        Ok(self.generator().log_probs(embeds, mask, candidates)?)
    }
}
