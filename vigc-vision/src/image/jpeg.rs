//! JPEG with the bits of libjpeg-turbo, the decoder that Pillow uses.
//!
//! The standard leaves rounding to decoders, and most differ by a few levels where colors are subsampled. The difference is
//! invisible, but it can change a word of a beam search.

use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::{ImageError, ImageFormat, RgbImage};
use libjpeg_turbo_rs::{DecodeLimits, Decoder, FrameHeader, JpegError, PixelFormat};

use super::limits::ImageLimits;
use crate::{Error, Result};

/// The maximum number of scans in a progressive file. Every scan takes time for all pixels; encoders write about ten.
const MAX_SCANS: usize = 500;

/// Decodes a file's bytes to RGB. `None` for rare files that this decoder does not handle well: CMYK, and sampling factors
/// that no camera uses.
pub(super) fn decode(bytes: &[u8], path: &Path, limits: &ImageLimits) -> Result<Option<RgbImage>> {
    // The decoder fills a missing part with gray and reports success, so half of a photo would pass as a photo.
    if !is_complete(bytes) {
        return Err(Error::Truncated { path: path.to_owned() });
    }
    let fail = |source: JpegError| Error::Decode {
        path: path.to_owned(),
        source: ImageError::Decoding(DecodingError::new(
            ImageFormatHint::Exact(ImageFormat::Jpeg),
            source,
        )),
    };
    let decoder_limits = DecodeLimits {
        max_scans: MAX_SCANS,
        max_memory: Some(limits.max_memory()),
        ..DecodeLimits::default()
    };
    let mut decoder = Decoder::new_with_limits(bytes, decoder_limits).map_err(fail)?;
    let header = decoder.header();
    limits.check_size((header.width.into(), header.height.into()), path)?;
    if !is_common(header) {
        return Ok(None);
    }
    decoder.set_output_format(PixelFormat::Rgb);
    let image = decoder.decode_image().map_err(fail)?;
    let size = (image.width as u32, image.height as u32);
    Ok(Some(RgbImage::from_raw(size.0, size.1, image.data).expect("three bytes for each pixel")))
}

/// Whether a frame has pixels, is gray or has three colors, and samples them at 1, 1/2 or 1/4 of the resolution.
fn is_common(header: &FrameHeader) -> bool {
    let mut factors = header
        .components
        .iter()
        .flat_map(|component| [component.horizontal_sampling, component.vertical_sampling]);
    header.width > 0
        && header.height > 0
        && matches!(header.components.len(), 1 | 3)
        && factors.all(|factor| matches!(factor, 1 | 2 | 4))
}

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];

/// Whether an end-of-image marker follows the start of the first scan.
///
/// Entropy-coded bytes never contain that marker. Segments before the scan are skipped by their length, because an EXIF
/// thumbnail is a JPEG itself.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    first_scan(bytes).is_some_and(|scan| scan.windows(2).rev().any(|pair| pair == END_OF_IMAGE))
}

/// The bytes from the first start-of-scan marker on.
fn first_scan(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(2..)?;
    loop {
        // Markers may be padded with 0xFF, and there may be stray bytes between segments.
        let start =
            rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))?;
        rest = &rest[start + 1..];
        match rest[0] {
            START_OF_SCAN => return Some(rest),
            0x01 | 0xD0..=0xD8 => rest = &rest[1..], // no payload
            _ => {
                let length = u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?]);
                rest = rest.get(1 + usize::from(length)..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn an_end_marker_counts_only_after_the_scan() {
        let thumbnail = [0xFF, 0xE1, 0, 6, 0xFF, 0xDA, 0xFF, 0xD9];
        let scan = [0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0];
        let mut file = [&[0xFF, 0xD8][..], &thumbnail, &scan].concat();
        assert!(!is_complete(&file));
        file.extend([0xFF, 0xD9, 7]);
        assert!(is_complete(&file));
        assert!(!is_complete(&file[..7]));
        assert!(!is_complete(&[]));
    }
}
