//! Bytes to normalized numbers.

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;

use super::ImageSize;
use crate::{Error, Result};

pub(super) const CHANNELS: usize = 3;

/// The mean that CLIP normalizes with, and BLIP after it.
pub(super) const CLIP_MEAN: [f64; CHANNELS] = [0.481_454_66, 0.457_827_5, 0.408_210_73];

/// The deviation that CLIP normalizes with, and BLIP after it.
pub(super) const CLIP_STD: [f64; CHANNELS] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// What becomes of a pixel's bytes, as an image processor's configuration says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Normalization {
    /// What a byte is multiplied by, if by anything.
    pub(super) rescale_factor: Option<f64>,
    /// Mean and deviation of each channel, after rescaling, if they are used.
    pub(super) mean_and_std: Option<[[f64; CHANNELS]; 2]>,
}

/// The normalized value of each byte, by channel.
#[derive(Debug, Clone)]
pub(super) struct Normalizer([[f32; 256]; CHANNELS]);

impl Normalizer {
    /// Fails if a deviation is zero.
    pub(super) fn new(what: Normalization) -> Result<Self> {
        if let Some([_, std]) = what.mean_and_std
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
            std::array::from_fn(|byte| what.normalized(channel, byte as u8))
        })))
    }

    /// `[3, height, width]`, row-major.
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
    /// Rescales in f64 and normalizes in f32, where numpy rounds.
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

/// Joins normalized images, `[3, height, width]` each, to `[batch, 3, height, width]`.
///
/// # Panics
///
/// Panics if an image has another length.
pub(super) fn stack(pixels: &[Vec<f32>], size: ImageSize, device: &Device) -> Tensor<4> {
    let shape = [pixels.len(), CHANNELS, size.height as usize, size.width as usize];
    Tensor::from_data(TensorData::new(pixels.concat(), shape), device)
}
