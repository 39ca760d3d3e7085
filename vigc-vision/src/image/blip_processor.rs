//! RGB pixels to the input of BLIP's image encoder.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::normalize::{
    CHANNELS, CLIP_MEAN, CLIP_STD, ImageSize, Normalization, Normalizer, read_config, stack,
};
use super::resize::{Filter, resize};
use crate::{Error, Result};

/// Settings of a [`BlipImageProcessor`], named as in `preprocessor_config.json`.
///
/// Fields and defaults are those of `BlipImageProcessor`, except for the size, which defaults to
/// InstructBLIP's 224.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlipImageProcessorConfig {
    /// The Python class that this configuration is for.
    pub image_processor_type: String,
    /// Whether to resize to `size`. Must be true, because the encoder takes one size.
    pub do_resize: bool,
    /// The output size. The aspect ratio is not kept.
    pub size: ImageSize,
    /// The interpolation filter.
    pub resample: Filter,
    /// Whether to multiply by `rescale_factor`.
    pub do_rescale: bool,
    /// The factor that maps `0..=255` to `0.0..=1.0`.
    pub rescale_factor: f64,
    /// Whether to subtract the mean and divide by the standard deviation.
    pub do_normalize: bool,
    /// Mean of each channel, after rescaling.
    pub image_mean: [f64; CHANNELS],
    /// Standard deviation of each channel, after rescaling.
    pub image_std: [f64; CHANNELS],
    /// Whether to convert to RGB. Ignored, because images here are RGB already.
    pub do_convert_rgb: bool,
    /// Whether to crop. Must not be true, because BLIP never crops.
    #[serde(skip_serializing)]
    pub do_center_crop: Option<bool>,
}

impl Default for BlipImageProcessorConfig {
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

impl BlipImageProcessorConfig {
    /// A processor whose output is `side` pixels wide and high, with defaults for the rest.
    #[must_use]
    pub fn square(side: u32) -> Self {
        Self { size: ImageSize { height: side, width: side }, ..Self::default() }
    }

    /// Reads `image_processor` of `processor_config.json`, or else `preprocessor_config.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if neither file can be read or one cannot be parsed.
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

/// Turns RGB images into the input of an image encoder, with the same numbers as `BlipImageProcessor` on Pillow.
///
/// ```
/// use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig, RgbImage};
///
/// # fn main() -> vigc_vision::Result<()> {
/// let processor = BlipImageProcessor::new(BlipImageProcessorConfig::square(14))?;
/// let pixels = processor.process(&RgbImage::new(640, 480));
/// assert_eq!(pixels.len(), 3 * 14 * 14);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BlipImageProcessor {
    config: BlipImageProcessorConfig,
    normalizer: Normalizer,
}

impl BlipImageProcessor {
    /// Creates a processor.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if `config` switches resizing off or cropping on, or has an empty size or a standard deviation of
    /// zero.
    pub fn new(config: BlipImageProcessorConfig) -> Result<Self> {
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
    /// As [`BlipImageProcessorConfig::from_dir`] and [`BlipImageProcessor::new`].
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        Self::new(BlipImageProcessorConfig::from_dir(dir)?)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &BlipImageProcessorConfig {
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

    /// Joins the results of [`BlipImageProcessor::process`] into one tensor.
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
