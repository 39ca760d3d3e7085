//! RGB pixels to the input of CLIP's image encoder.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use image::imageops::replace;
use image::{Rgb, RgbImage};
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use super::normalize::{
    CHANNELS, CLIP_MEAN, CLIP_STD, ImageSize, Normalization, Normalizer, read_config, stack,
};
use super::resize::{Crop, Filter, resize_and_crop};
use crate::{Error, Result};

/// The length of an image's shorter side after resizing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShortestEdge {
    /// In pixels.
    pub shortest_edge: u32,
}

/// Settings of a [`ClipImageProcessor`], named as in `preprocessor_config.json`.
///
/// Fields and defaults are those of `CLIPImageProcessor` and of `LlavaImageProcessor`, which can pad. Old files have plain
/// numbers for the sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClipImageProcessorConfig {
    /// The Python class that this configuration is for.
    pub image_processor_type: String,
    /// Whether to pad an image to a square with the mean color before it is resized: LLaVA's `image_aspect_ratio: pad`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub do_pad: bool,
    /// Whether to resize. Must be true, because the encoder takes one size.
    pub do_resize: bool,
    /// The length of the shorter side. The aspect ratio is kept.
    #[serde(deserialize_with = "shortest_edge")]
    pub size: ShortestEdge,
    /// The interpolation filter.
    pub resample: Filter,
    /// Whether to crop the center. Must be true, because the encoder takes squares.
    pub do_center_crop: bool,
    /// The size of the crop, which is the output size.
    #[serde(deserialize_with = "crop_size")]
    pub crop_size: ImageSize,
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
}

impl Default for ClipImageProcessorConfig {
    fn default() -> Self {
        Self {
            image_processor_type: "CLIPImageProcessor".to_owned(),
            do_pad: false,
            do_resize: true,
            size: ShortestEdge { shortest_edge: 224 },
            resample: Filter::Bicubic,
            do_center_crop: true,
            crop_size: ImageSize { height: 224, width: 224 },
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: CLIP_MEAN,
            image_std: CLIP_STD,
            do_convert_rgb: true,
        }
    }
}

/// A number, or an object with a number for each side.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size<T> {
    Number(u32),
    Named(T),
}

fn shortest_edge<'de, D: Deserializer<'de>>(from: D) -> Result<ShortestEdge, D::Error> {
    #[derive(Deserialize)]
    struct Named {
        shortest_edge: u32,
    }
    Ok(match Size::<Named>::deserialize(from)? {
        Size::Number(shortest_edge) | Size::Named(Named { shortest_edge }) => {
            ShortestEdge { shortest_edge }
        }
    })
}

fn crop_size<'de, D: Deserializer<'de>>(from: D) -> Result<ImageSize, D::Error> {
    Ok(match Size::<ImageSize>::deserialize(from)? {
        Size::Number(side) => ImageSize { height: side, width: side },
        Size::Named(size) => size,
    })
}

impl ClipImageProcessorConfig {
    /// A processor whose output is `side` pixels wide and high, with defaults for the rest.
    #[must_use]
    pub fn square(side: u32) -> Self {
        Self {
            size: ShortestEdge { shortest_edge: side },
            crop_size: ImageSize { height: side, width: side },
            ..Self::default()
        }
    }

    /// Sets whether images are padded to squares. In transformers, LLaVA's class pads.
    #[must_use]
    pub fn with_padding(mut self, do_pad: bool) -> Self {
        self.do_pad = do_pad;
        if do_pad {
            "LlavaImageProcessor".clone_into(&mut self.image_processor_type);
        }
        self
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
        if !self.do_center_crop {
            return fail("do_center_crop", &self.do_center_crop, "the encoder takes squares");
        }
        let ImageSize { height, width } = self.crop_size;
        let largest = self.size.shortest_edge;
        if !(1..=largest).contains(&height) || !(1..=largest).contains(&width) {
            return fail("crop_size", &self.crop_size, "sides must be positive, at most size's");
        }
        Ok(())
    }
}

/// Turns RGB images into the input of an image encoder, with the same numbers as `CLIPImageProcessor` on Pillow.
///
/// ```
/// use vigc_vision::image::{ClipImageProcessor, ClipImageProcessorConfig, RgbImage};
///
/// # fn main() -> vigc_vision::Result<()> {
/// let processor = ClipImageProcessor::new(ClipImageProcessorConfig::square(14))?;
/// let pixels = processor.process(&RgbImage::new(640, 480));
/// assert_eq!(pixels.len(), 3 * 14 * 14);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ClipImageProcessor {
    config: ClipImageProcessorConfig,
    normalizer: Normalizer,
}

impl ClipImageProcessor {
    /// Creates a processor.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if `config` switches resizing or cropping off, or has a crop larger than the resized image or a
    /// standard deviation of zero.
    pub fn new(config: ClipImageProcessorConfig) -> Result<Self> {
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
    /// As [`ClipImageProcessorConfig::from_dir`] and [`ClipImageProcessor::new`].
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        Self::new(ClipImageProcessorConfig::from_dir(dir)?)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ClipImageProcessorConfig {
        &self.config
    }

    /// Pads, resizes and crops an image. [`ClipImageProcessor::process`] normalizes the result.
    ///
    /// # Panics
    ///
    /// Panics if `image` has no pixels.
    #[must_use]
    pub fn fit(&self, image: &RgbImage) -> RgbImage {
        match self.config.do_pad {
            true => self.resize_and_crop(&self.padded(image)),
            false => self.resize_and_crop(image),
        }
    }

    /// Pads, resizes, crops and normalizes an image.
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
        self.normalizer.normalize(&self.fit(image))
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

    /// Joins the results of [`ClipImageProcessor::process`] into one tensor.
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
        stack(pixels, self.config.crop_size, device)
    }

    /// The image at the center of a square of the mean color.
    fn padded(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = image.dimensions();
        let side = width.max(height);
        // Rounds towards zero like Python's `int`.
        let color = Rgb(self.config.image_mean.map(|mean| (mean * 255.0) as u8));
        let mut square = RgbImage::from_pixel(side, side, color);
        replace(&mut square, image, i64::from((side - width) / 2), i64::from((side - height) / 2));
        square
    }

    fn resize_and_crop(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = image.dimensions();
        let edge = self.config.size.shortest_edge;
        let target = (scaled_side(edge, width, height), scaled_side(edge, height, width));
        let ImageSize { height, width } = self.config.crop_size;
        let (left, top) = ((target.0 - width) / 2, (target.1 - height) / 2);
        // Only the crop is computed: the whole of a very long image would be huge.
        let crop = Crop { left, top, width, height };
        resize_and_crop(image, target, crop, self.config.resample)
    }
}

/// The length of a side when the shorter one becomes `edge`, rounded as in Python.
fn scaled_side(edge: u32, side: u32, other: u32) -> u32 {
    if side <= other {
        return edge;
    }
    let long = u64::from(edge) * u64::from(side) / u64::from(other.max(1));
    u32::try_from(long).unwrap_or(u32::MAX)
}
