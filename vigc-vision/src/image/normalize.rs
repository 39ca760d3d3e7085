//! What the image processors share: sizes, normalization and configuration files.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vigc_core::files::read_json;

use crate::{Error, Result};

pub(super) const CHANNELS: usize = 3;

/// The mean of each channel that CLIP and BLIP normalize with.
pub(super) const CLIP_MEAN: [f64; CHANNELS] = [0.481_454_66, 0.457_827_5, 0.408_210_73];

/// The standard deviation of each channel that CLIP and BLIP normalize with.
pub(super) const CLIP_STD: [f64; CHANNELS] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// The size of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSize {
    /// Height in pixels.
    pub height: u32,
    /// Width in pixels.
    pub width: u32,
}

/// How bytes become normalized numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Normalization {
    /// The factor that bytes are multiplied by, if any.
    pub(super) rescale_factor: Option<f64>,
    /// Mean and standard deviation of each channel after rescaling, if the numbers are normalized.
    pub(super) mean_and_std: Option<[[f64; CHANNELS]; 2]>,
}

/// The normalized value of each byte in each channel.
#[derive(Debug, Clone)]
pub(super) struct Normalizer([[f32; 256]; CHANNELS]);

impl Normalizer {
    /// Fails if a standard deviation is zero.
    pub(super) fn new(normalization: Normalization) -> Result<Self> {
        if let Some([_, std]) = normalization.mean_and_std
            && std.contains(&0.0)
        {
            let value = format!("{std:?}");
            return Err(Error::Config {
                field: "image_std",
                value,
                reason: "cannot divide by zero",
            });
        }
        Ok(Self(std::array::from_fn(|channel| {
            std::array::from_fn(|byte| normalization.normalized(channel, byte as u8))
        })))
    }

    /// Normalizes an image to `[3, height, width]`, row-major.
    pub(super) fn normalize(&self, image: &RgbImage) -> Vec<f32> {
        let bytes = image.as_raw();
        let plane = |(channel, table): (usize, &[f32; 256])| {
            let bytes = bytes.iter().skip(channel).step_by(CHANNELS);
            bytes.map(|&byte| table[usize::from(byte)]).collect::<Vec<_>>()
        };
        self.0.iter().enumerate().flat_map(plane).collect()
    }
}

impl Normalization {
    /// Rescales in f64 and normalizes in f32, so that it rounds where numpy does.
    fn normalized(&self, channel: usize, byte: u8) -> f32 {
        let mut value = f32::from(byte);
        if let Some(factor) = self.rescale_factor {
            value = (f64::from(byte) * factor) as f32;
        }
        if let Some([mean, std]) = self.mean_and_std {
            value = (value - mean[channel] as f32) / std[channel] as f32;
        }
        value
    }
}

/// Joins normalized images, `[3, height, width]` each, into `[batch, 3, height, width]`.
///
/// # Panics
///
/// Panics if an image has another length.
pub(super) fn stack(pixels: &[Vec<f32>], size: ImageSize, device: &Device) -> Tensor<4> {
    let shape = [pixels.len(), CHANNELS, size.height as usize, size.width as usize];
    Tensor::from_data(TensorData::new(pixels.concat(), shape), device)
}

/// `processor_config.json`, which contains the image processor's configuration in newer checkpoints.
#[derive(Deserialize)]
struct ProcessorConfig<T> {
    image_processor: Option<T>,
}

/// Reads `image_processor` of `processor_config.json`, or else `preprocessor_config.json`.
pub(super) fn read_config<T: DeserializeOwned>(dir: &Path) -> Result<T> {
    let newer = dir.join("processor_config.json");
    if newer.exists() {
        let config: ProcessorConfig<T> = read_json(&newer)?;
        if let Some(config) = config.image_processor {
            return Ok(config);
        }
    }
    Ok(read_json(dir.join("preprocessor_config.json"))?)
}
