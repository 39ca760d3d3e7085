//! What VIG and VIC need of a model.

use image::RgbImage;
use vigc_llm::generation::{Generated, GenerationConfig, GenerationHint};

use crate::{Error, Result};

/// A model that continues prompts about images.
///
/// An image is encoded once and then asked about many times. The handle owns whatever the model keeps of the image; a
/// Q-Former keeps the keys and values of its cross-attentions.
///
/// An implementer writes two methods, [`encode`](Self::encode) and [`generate`](Self::generate). The trait is object safe:
/// `&dyn VisualLm<Image = T>` works wherever `&M` does.
///
/// ```
/// use vigc_pipeline::Result;
/// use vigc_pipeline::prelude::*;
///
/// /// Says how bright a picture is.
/// struct Brightness;
///
/// impl VisualLm for Brightness {
///     type Image = u64;
///
///     fn encode(&self, images: &[RgbImage]) -> Result<Vec<u64>> {
///         let mean = |image: &RgbImage| {
///             let bytes = image.as_raw();
///             bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>() / bytes.len().max(1) as u64
///         };
///         Ok(images.iter().map(mean).collect())
///     }
///
///     fn generate(
///         &self,
///         requests: &[Request<'_, u64>],
///         _: &GenerationConfig,
///     ) -> Result<Vec<Vec<Generated>>> {
///         let answer = |mean: u64| if mean < 128 { "It is dark." } else { "It is bright." };
///         Ok(requests.iter().map(|request| vec![Generated::text(answer(*request.image))]).collect())
///     }
/// }
///
/// let images = Brightness.encode(&[RgbImage::new(8, 8)])?;
/// let request = Request::new(&images[0], "How bright is it?");
/// assert_eq!(Brightness.generate(&[request], &GenerationConfig::greedy())?[0][0].text, "It is dark.");
/// # Ok::<(), vigc_pipeline::Error>(())
/// ```
pub trait VisualLm {
    /// An encoded image.
    type Image;

    /// Encodes images and returns one handle for each.
    ///
    /// # Errors
    ///
    /// An error means that the model cannot go on, not that an image is unusual.
    fn encode(&self, images: &[RgbImage]) -> Result<Vec<Self::Image>>;

    /// Generates texts for each request, the best first, at least one.
    ///
    /// The texts of a request must not depend on the other requests.
    ///
    /// # Errors
    ///
    /// An error means that the model cannot go on.
    fn generate(
        &self,
        requests: &[Request<'_, Self::Image>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>>;

    /// The name that rows are marked with.
    fn name(&self) -> &str {
        "unnamed"
    }

    /// The log-probability of each candidate, end token included, as the answer to a request. Choosing among given answers
    /// needs it; VIG and VIC do not.
    ///
    /// # Errors
    ///
    /// [`Error::CannotScore`] unless the model implements it. Any other error means that the model cannot go on.
    fn score(&self, request: &Request<'_, Self::Image>, candidates: &[&str]) -> Result<Vec<f32>> {
        let _ = (request, candidates);
        Err(Error::CannotScore { model: self.name().to_owned() })
    }
}

/// A prompt about an image.
#[derive(Debug)]
pub struct Request<'a, I> {
    /// The image.
    pub image: &'a I,
    /// The prompt. An InstructBLIP reads it twice: in the Q-Former and in the language model.
    pub prompt: &'a str,
    /// The seed of this request's sampling.
    pub seed: u64,
    /// What is known about the text. A model may ignore it.
    pub hint: GenerationHint<'a>,
}

impl<I> Clone for Request<'_, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for Request<'_, I> {}

impl<'a> Request<'a, ()> {
    /// A prompt whose image is known to somebody else; see [`with_image`](Self::with_image).
    #[must_use]
    pub fn without_image(prompt: &'a str) -> Self {
        Request::new(&(), prompt)
    }
}

impl<'a, I> Request<'a, I> {
    /// A prompt about an image, with seed 0 and without a hint.
    #[must_use]
    pub fn new(image: &'a I, prompt: &'a str) -> Self {
        Self { image, prompt, seed: 0, hint: GenerationHint::default() }
    }

    /// Sets the seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the hint.
    #[must_use]
    pub fn with_hint(self, hint: GenerationHint<'a>) -> Self {
        Self { hint, ..self }
    }

    /// The same request about another image, or about the same image in another form.
    #[must_use]
    pub fn with_image<J>(self, image: &'a J) -> Request<'a, J> {
        Request { image, prompt: self.prompt, seed: self.seed, hint: self.hint }
    }
}
