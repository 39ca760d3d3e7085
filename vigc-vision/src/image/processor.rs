//! RGB pixels to normalized network input.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::normalizer::{CHANNELS, CLIP_MEAN, CLIP_STD, Normalization, Normalizer, stack};
use super::{Filter, TrainTransform, resize};
use crate::{Error, Result};

/// The output size of an [`ImageProcessor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSize {
    /// Height in pixels.
    pub height: u32,
    /// Width in pixels.
    pub width: u32,
}

/// What `preprocessor_config.json` says about a BLIP image processor.
///
/// Fields and defaults are those of `BlipImageProcessor`, except for the size, which defaults to
/// `InstructBLIP`'s 224.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageProcessorConfig {
    /// The Python class that reads this configuration.
    pub image_processor_type: String,
    /// Whether to resize to `size`. Must be true: the encoder takes one size.
    pub do_resize: bool,
    /// The output size; the aspect ratio is not kept.
    pub size: ImageSize,
    /// The interpolation filter.
    pub resample: Filter,
    /// Whether to multiply by `rescale_factor`.
    pub do_rescale: bool,
    /// Maps 0..=255 to 0..=1.
    pub rescale_factor: f64,
    /// Whether to subtract the mean and divide by the standard deviation.
    pub do_normalize: bool,
    /// Mean of each channel, after rescaling.
    pub image_mean: [f64; CHANNELS],
    /// Standard deviation of each channel, after rescaling.
    pub image_std: [f64; CHANNELS],
    /// Whether to convert to RGB. Images here are RGB already.
    pub do_convert_rgb: bool,
    /// Whether to crop. Must not be true: BLIP never crops.
    #[serde(skip_serializing)]
    pub do_center_crop: Option<bool>,
}

impl Default for ImageProcessorConfig {
    fn default() -> Self {
        Self {
            image_processor_type: "BlipImageProcessor".to_owned(),
            do_resize: true,
            size: ImageSize { height: 224, width: 224 },
            resample: Filter::Bicubic,
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: CLIP_MEAN,
            image_std: CLIP_STD,
            do_convert_rgb: true,
            do_center_crop: None,
        }
    }
}

/// `processor_config.json`, where newer checkpoints keep the image processor.
#[derive(Deserialize)]
struct ProcessorConfig<T> {
    image_processor: Option<T>,
}

/// Reads `image_processor` of `processor_config.json`, or else `preprocessor_config.json`.
pub(super) fn read_config<T: DeserializeOwned>(dir: &Path) -> Result<T> {
    let newer = dir.join("processor_config.json");
    if newer.exists() {
        let config: ProcessorConfig<T> = vigc_core::files::read_json(&newer)?;
        if let Some(config) = config.image_processor {
            return Ok(config);
        }
    }
    Ok(vigc_core::files::read_json(dir.join("preprocessor_config.json"))?)
}

impl ImageProcessorConfig {
    /// A processor of square images of `side` pixels, otherwise as by default.
    #[must_use]
    pub fn square(side: u32) -> Self {
        Self { size: ImageSize { height: side, width: side }, ..Self::default() }
    }

    /// Reads `image_processor` of `processor_config.json`, or else `preprocessor_config.json`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Core`] if neither file can be read, or one does not parse.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        read_config(dir.as_ref())
    }

    fn validate(&self) -> Result<()> {
        let fail = |field, value: &dyn std::fmt::Debug, reason| {
            Err(Error::Config { field, value: format!("{value:?}"), reason })
        };
        if !self.do_resize {
            return fail("do_resize", &self.do_resize, "the encoder takes images of one size");
        }
        if self.do_center_crop == Some(true) {
            return fail("do_center_crop", &true, "a BLIP image processor does not crop");
        }
        if self.size.width == 0 || self.size.height == 0 {
            return fail("size", &self.size, "sides must be positive");
        }
        Ok(())
    }
}

/// Turns RGB images into the input of an image encoder, exactly as `BlipImageProcessor` on Pillow.
///
/// ```
/// use vigc_vision::image::{ImageProcessor, ImageProcessorConfig, RgbImage};
///
/// # fn main() -> vigc_vision::Result<()> {
/// let processor = ImageProcessor::new(ImageProcessorConfig::square(14))?;
/// let pixels = processor.process(&RgbImage::new(640, 480));
/// assert_eq!(pixels.len(), 3 * 14 * 14);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ImageProcessor {
    config: ImageProcessorConfig,
    normalizer: Normalizer,
}

impl ImageProcessor {
    /// Creates a processor.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if `config` asks for what a BLIP processor does not do: no
    /// resizing, cropping, an empty size or a zero standard deviation.
    pub fn new(config: ImageProcessorConfig) -> Result<Self> {
        config.validate()?;
        let normalizer = Normalizer::new(Normalization {
            rescale_factor: config.do_rescale.then_some(config.rescale_factor),
            mean_and_std: config.do_normalize.then_some([config.image_mean, config.image_std]),
        })?;
        Ok(Self { config, normalizer })
    }

    /// Reads the configuration of a model folder.
    ///
    /// # Errors
    ///
    /// As [`ImageProcessorConfig::from_dir`] and [`ImageProcessor::new`].
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        Self::new(ImageProcessorConfig::from_dir(dir)?)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ImageProcessorConfig {
        &self.config
    }

    /// Resizes and normalizes an image.
    ///
    /// # Shapes
    ///
    /// - output: `[3, height, width]`, row-major
    ///
    /// # Panics
    ///
    /// Panics if `image` has no pixels.
    #[must_use]
    pub fn process(&self, image: &RgbImage) -> Vec<f32> {
        let ImageSize { height, width } = self.config.size;
        self.normalizer.normalize(&resize(image, width, height, self.config.resample))
    }

    /// As [`ImageProcessor::process`], after a random crop and flip drawn from `seed`.
    ///
    /// # Panics
    ///
    /// Panics if `image` has no pixels.
    #[must_use]
    pub fn process_augmented(
        &self,
        image: &RgbImage,
        transform: &TrainTransform,
        seed: u64,
    ) -> Vec<f32> {
        let ImageSize { height, width } = self.config.size;
        let view = transform.sample(image.width(), image.height(), seed);
        self.normalizer.normalize(&view.apply(image, width, height, self.config.resample))
    }

    /// Processes images in parallel into one tensor.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, 3, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if an image has no pixels.
    #[must_use]
    pub fn batch(&self, images: &[RgbImage], device: &Device) -> Tensor<4> {
        let pixels: Vec<_> = images.par_iter().map(|image| self.process(image)).collect();
        self.stack(&pixels, device)
    }

    /// Joins the results of [`ImageProcessor::process`].
    ///
    /// # Shapes
    ///
    /// - pixels: `[3, height, width]` each
    /// - output: `[batch, 3, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if an element has another length.
    #[must_use]
    pub fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4> {
        stack(pixels, self.config.size, device)
    }
}
