//! Resampling with the bits of Pillow.
//!
//! Two separable passes whose filters widen when the image shrinks. As in Pillow's `src/libImaging/Resample.c`, coefficients
//! are fixed-point numbers and each pass rounds to 8 bits.

use std::borrow::Cow;

use image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Bits after the binary point of a coefficient. 8 bits remain for the pixel and 2 for overshoot.
const PRECISION_BITS: u32 = 32 - 8 - 2;
const CHANNELS: usize = 3;

/// An interpolation filter, numbered as in Pillow and in `resample` of a preprocessor configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[non_exhaustive]
pub enum Filter {
    /// Linear interpolation, support 1.
    Bilinear = 2,
    /// Keys' cubic with a = -0.5, support 2.
    Bicubic = 3,
}

impl TryFrom<u8> for Filter {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            2 => Ok(Self::Bilinear),
            3 => Ok(Self::Bicubic),
            other => Err(format!("resample {other} is none of 2 (bilinear) and 3 (bicubic)")),
        }
    }
}

impl From<Filter> for u8 {
    fn from(filter: Filter) -> Self {
        filter as Self
    }
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let x = x.abs();
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bilinear | Self::Bicubic => 0.0,
        }
    }
}

/// Resizes an image to `width` x `height` without keeping the aspect ratio.
///
/// The result has the same bits as `Image.resize((width, height), filter)` of Pillow 13 on an RGB image. Earlier versions
/// round differently if an image shrinks mostly in height.
///
/// # Panics
///
/// Panics if `image` is empty or a target side is zero.
#[must_use]
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    resize_and_crop(image, (width, height), Crop { left: 0, top: 0, width, height }, filter)
}

/// A rectangle of a resized image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crop {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Resizes an image to `target`, width and height, but computes only a part of it.
///
/// # Panics
///
/// Panics if `image` or the crop is empty, or the crop is not inside the target.
pub(super) fn resize_and_crop(
    image: &RgbImage,
    target: (u32, u32),
    crop: Crop,
    filter: Filter,
) -> RgbImage {
    let source = image.dimensions();
    let Crop { left, top, width, height } = crop;
    assert!(
        source.0 > 0 && source.1 > 0 && width > 0 && height > 0,
        "cannot resize {}x{} to {width}x{height}",
        source.0,
        source.1
    );
    let wide = Side { source: source.0, target: target.0, first: left, count: width };
    let high = Side { source: source.1, target: target.1, first: top, count: height };
    let columns = |pixels| Pixels::resize(pixels, wide, filter, horizontal);
    let rows = |pixels| Pixels::resize(pixels, high, filter, vertical);
    let pixels = Pixels { width: source.0 as usize, bytes: Cow::Borrowed(image.as_raw()) };
    let resized = if shrinks_mostly_in_height(source, target) {
        columns(rows(pixels))
    } else {
        rows(columns(pixels))
    };
    let bytes = resized.bytes.into_owned();
    RgbImage::from_raw(width, height, bytes).expect("the passes write width * height pixels")
}

/// One side of an image: its length, its length after resizing, and the part of that to compute.
#[derive(Debug, Clone, Copy)]
struct Side {
    source: u32,
    target: u32,
    first: u32,
    count: u32,
}

/// Whether Pillow runs the vertical pass first. Versions before 13 never do. The order changes the rounding of some pixels.
fn shrinks_mostly_in_height((w, h): (u32, u32), (width, height): (u32, u32)) -> bool {
    let [w, h, width, height] = [w, h, width, height].map(i64::from);
    h > height && h - height > 2 * (w - width)
}

/// Resizes rows of bytes with a width in pixels. Returns the new width and bytes.
type Pass = fn(&[u8], usize, &Taps) -> (usize, Vec<u8>);

/// RGB rows between the passes.
struct Pixels<'a> {
    width: usize,
    bytes: Cow<'a, [u8]>,
}

impl Pixels<'_> {
    /// Runs one pass, or none if the side keeps its length.
    fn resize(self, side: Side, filter: Filter, pass: Pass) -> Self {
        if side.source == side.target && side.count == side.target {
            return self;
        }
        let taps = Taps::new(side, filter);
        let (width, bytes) = pass(&self.bytes, self.width, &taps);
        Pixels { width, bytes: Cow::Owned(bytes) }
    }
}

/// The input samples of each output sample and their fixed-point weights.
struct Taps {
    /// First input sample and number of samples of each output sample.
    bounds: Vec<(usize, usize)>,
    /// `stride` weights for each output sample.
    weights: Vec<i32>,
    stride: usize,
}

impl Taps {
    fn new(side: Side, filter: Filter) -> Self {
        let [source, first, count] =
            [side.source, side.first, side.count].map(|length| length as usize);
        let scale = f64::from(side.source) / f64::from(side.target);
        let filter_scale = scale.max(1.0);
        let support = filter.support() * filter_scale;
        let stride = support.ceil() as usize * 2 + 1;
        let mut taps =
            Self { bounds: Vec::with_capacity(count), weights: vec![0; count * stride], stride };
        for (i, fixed) in (first..).zip(taps.weights.chunks_exact_mut(stride)) {
            let center = (i as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let last = ((center + support + 0.5) as usize).min(source);
            let weight = |x: usize| filter.weight((x as f64 - center + 0.5) * (1.0 / filter_scale));
            let total: f64 = (first..last).map(weight).sum();
            for (fixed, x) in fixed.iter_mut().zip(first..last) {
                let weight = if total == 0.0 { weight(x) } else { weight(x) / total };
                *fixed = to_fixed(weight);
            }
            taps.bounds.push((first, last - first));
        }
        taps
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let weights = self.weights.chunks_exact(self.stride);
        self.bounds.iter().zip(weights).map(|(&(first, count), w)| (first, &w[..count]))
    }
}

/// Rounds halves away from zero, as Pillow does.
fn to_fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1u32 << PRECISION_BITS);
    (scaled + 0.5f64.copysign(scaled)) as i32
}

fn to_pixel(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// The initial value of every sum, for rounding.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

fn horizontal(source: &[u8], source_width: usize, taps: &Taps) -> (usize, Vec<u8>) {
    let width = taps.bounds.len();
    let rows = source.len() / (source_width * CHANNELS);
    let mut target = vec![0; rows * width * CHANNELS];
    target
        .par_chunks_exact_mut(width * CHANNELS)
        .zip(source.par_chunks_exact(source_width * CHANNELS))
        .for_each(|(target, source)| {
            for (pixel, (first, weights)) in target.chunks_exact_mut(CHANNELS).zip(taps.iter()) {
                let mut sums = [HALF; CHANNELS];
                for (sample, &weight) in
                    source[first * CHANNELS..].chunks_exact(CHANNELS).zip(weights)
                {
                    for (sum, &value) in sums.iter_mut().zip(sample) {
                        *sum += i32::from(value) * weight;
                    }
                }
                for (out, sum) in pixel.iter_mut().zip(sums) {
                    *out = to_pixel(sum);
                }
            }
        });
    (width, target)
}

fn vertical(source: &[u8], width: usize, taps: &Taps) -> (usize, Vec<u8>) {
    let row = width * CHANNELS;
    let mut target = vec![0; taps.bounds.len() * row];
    let taps: Vec<_> = taps.iter().collect();
    target.par_chunks_exact_mut(row).zip(taps).for_each_init(
        || vec![0i32; row],
        |sums, (target, (first, weights))| {
            sums.fill(HALF);
            for (samples, &weight) in source[first * row..].chunks_exact(row).zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(samples) {
                    *sum += i32::from(value) * weight;
                }
            }
            for (out, &sum) in target.iter_mut().zip(&*sums) {
                *out = to_pixel(sum);
            }
        },
    );
    (width, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_images_stay_constant() {
        let image = RgbImage::from_pixel(13, 7, image::Rgb([0, 128, 255]));
        for (width, height) in [(1, 1), (5, 3), (13, 7), (26, 9), (100, 1)] {
            for filter in [Filter::Bilinear, Filter::Bicubic] {
                let resized = resize(&image, width, height, filter);
                assert_eq!(resized.dimensions(), (width, height));
                assert!(resized.pixels().all(|pixel| pixel.0 == [0, 128, 255]));
            }
        }
    }

    #[test]
    fn weights_sum_to_one() {
        for (source, target) in [(1, 500), (500, 3), (224, 223), (7, 7)] {
            let side = Side { source, target, first: 0, count: target };
            let taps = Taps::new(side, Filter::Bicubic);
            for (first, weights) in taps.iter() {
                let sum: i32 = weights.iter().sum();
                let slack = weights.len() as i32; // each weight is rounded on its own
                assert!((sum - (1 << PRECISION_BITS)).abs() <= slack, "{source} {target} {first}");
            }
        }
    }

    #[test]
    fn a_crop_is_a_part_of_the_whole() {
        let image =
            RgbImage::from_fn(23, 17, |x, y| image::Rgb([x * 11, y * 15, x * y].map(|v| v as u8)));
        for (wide, high) in [(40, 31), (9, 11), (23, 8), (23, 17), (5, 400)] {
            let whole = resize(&image, wide, high, Filter::Bicubic);
            let crop = Crop { left: 2, top: 3, width: 3, height: 5 };
            let part = resize_and_crop(&image, (wide, high), crop, Filter::Bicubic);
            let expected = image::imageops::crop_imm(&whole, 2, 3, 3, 5).to_image();
            assert_eq!(part, expected, "{wide}x{high}");
        }
    }

    #[test]
    #[should_panic(expected = "cannot resize 0x0 to 2x2")]
    fn an_empty_image_panics() {
        let _ = resize(&RgbImage::new(0, 0), 2, 2, Filter::Bicubic);
    }
}
