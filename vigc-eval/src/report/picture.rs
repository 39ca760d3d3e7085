//! Images that are small enough to be part of a page.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageResult, RgbImage, imageops};
use vigc_pipeline::error_text;
use vigc_vision::image::{ImageLimits, decode_image, open_image};

use super::findings::SampleImage;

/// Longest side in pixels and JPEG quality, tried in turn until an image is small enough.
const SIZES: [(u32, u8); 4] = [(320, 80), (320, 60), (256, 50), (192, 40)];
/// The largest JPEG file in bytes. A page with 50 of them in base64 stays below 3 MB.
const BYTES: usize = 36_000;

/// An image as the data URL of an `img` element, or why it cannot be shown.
pub(super) fn address(image: &SampleImage) -> Result<Picture, String> {
    let limits = ImageLimits::default();
    let (name, opened) = match image {
        SampleImage::File(path) => (path.as_path(), open_image(path, &limits)),
        SampleImage::Encoded(bytes) => {
            let name = Path::new("the encoded image");
            (name, decode_image(bytes, name, &limits))
        }
    };
    let name = name.to_string_lossy();
    let picture = opened.map_err(|error| error_text(&error, &name))?;
    shrunk(&picture).map_err(|error| error_text(&error, &name))
}

/// An image within a page, with its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) address: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

fn shrunk(picture: &RgbImage) -> ImageResult<Picture> {
    let mut shrunk = None;
    for (side, quality) in SIZES {
        let (width, height) = fitted(picture.dimensions(), side);
        let small = imageops::thumbnail(picture, width, height);
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&small)?;
        let is_small = bytes.len() <= BYTES;
        shrunk = Some((bytes, width, height));
        if is_small {
            break;
        }
    }
    let (bytes, width, height) = shrunk.unwrap_or_default();
    let address = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(bytes));
    Ok(Picture { address, width, height })
}

/// The size at which the longer side is at most `side`, with the same proportions.
fn fitted((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longer = width.max(height).max(side);
    let fit = |length: u32| {
        let length = u64::from(length) * u64::from(side) / u64::from(longer);
        u32::try_from(length).unwrap_or(side).max(1)
    };
    (fit(width), fit(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_proportions() {
        let cases = [
            ((640, 480), (320, 240)),
            ((100, 50), (100, 50)),
            ((480, 640), (240, 320)),
            ((9000, 2), (320, 1)),
        ];
        for (size, expected) in cases {
            assert_eq!(fitted(size, 320), expected);
        }
    }

    #[test]
    fn noise_is_made_small_enough() {
        let mut state = 1_u32;
        let noise = RgbImage::from_fn(700, 700, |_, _| {
            image::Rgb([0; 3].map(|_: u8| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }))
        });
        let picture = shrunk(&noise).unwrap();
        assert!(picture.address.len() < BYTES * 4 / 3 + 30, "{}", picture.address.len());
    }
}
