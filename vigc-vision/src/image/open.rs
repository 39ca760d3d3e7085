//! Image files to RGB pixels, under limits.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use super::jpeg;
use crate::{Error, Result};

/// Four 16-bit channels, and as much again for a decoder's own buffers.
const BYTES_PER_PIXEL: u64 = 16;

/// What decoders need however small a picture is.
const OWN_BUFFERS: u64 = 64 << 20;

/// What a file may demand before it is refused.
///
/// The header is checked before any pixel is decoded, so that a small file which claims
/// gigapixels (a decompression bomb) costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Largest file, in bytes.
    pub max_file_bytes: u64,
    /// Largest width times height.
    pub max_pixels: u64,
    /// Longest side, in pixels.
    pub max_side: u32,
}

impl Default for ImageLimits {
    /// Files of 256 MiB, as many pixels as Pillow accepts without a warning, and JPEG's longest side.
    fn default() -> Self {
        Self { max_file_bytes: 256 << 20, max_pixels: 89_478_485, max_side: 65_535 }
    }
}

impl ImageLimits {
    /// Refuses an image whose header claims too much.
    pub(super) fn check(&self, (width, height): (u32, u32), path: &Path) -> Result<()> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels || width.max(height) > self.max_side {
            return Err(Error::ImageTooLarge {
                path: path.to_owned(),
                width,
                height,
                limits: *self,
            });
        }
        Ok(())
    }

    /// Bytes for four 16-bit channels, and as much again for a decoder's own buffers.
    pub(super) fn max_memory(&self) -> u64 {
        self.max_pixels.saturating_mul(BYTES_PER_PIXEL)
    }
}

/// Opens a PNG, JPEG, WebP, GIF, TIFF, BMP or PNM file as 8-bit RGB.
///
/// The format is found from the content, not from the name. Pixels are those of Pillow's
/// `Image.open(path).convert("RGB")`: alpha is dropped rather than blended, palettes and greys are
/// expanded, the first frame of an animation is taken, and neither EXIF orientation nor colour
/// profiles are applied. JPEG in grey or RGB is decoded as libjpeg does, to the bit; of four inks, values may differ by 1. 16-bit channels keep their high
/// byte. Pillow does the same for colour, but clips 16-bit greys at 255, which turns them white.
///
/// # Errors
///
/// Returns an [`Error`] that names `path` and the reason: unreadable, larger than `limits`, not
/// an image, truncated, or damaged.
pub fn open_image(path: impl AsRef<Path>, limits: &ImageLimits) -> Result<RgbImage> {
    let path = path.as_ref();
    decode_image(&read_limited(path, limits.max_file_bytes)?, path, limits)
}

/// Decodes the contents of a file as [`open_image`] does; errors call it by the name that is given.
///
/// # Errors
///
/// As [`open_image`].
pub fn decode_image(
    bytes: &[u8],
    name: impl AsRef<Path>,
    limits: &ImageLimits,
) -> Result<RgbImage> {
    let path = name.as_ref();
    check_length(path, bytes.len() as u64, limits.max_file_bytes)?;
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let Some(format) = reader.format() else {
        return Err(Error::NotAnImage { path: path.to_owned() });
    };
    caught(path, || {
        if format == ImageFormat::Jpeg
            && let Some(image) = jpeg::decode(bytes, path, limits)?
        {
            return Ok(image);
        }
        decode(reader, path, limits)
    })
}

/// Decodes, and makes an error of a panic. Decoders do panic at some damaged files, as fuzzing shows, and one of millions must
/// not end a run.
fn caught(path: &Path, decode: impl FnOnce() -> Result<RgbImage>) -> Result<RgbImage> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        let problem = DecodingError::new(ImageFormatHint::Unknown, "the decoder panicked");
        Err(Error::Decode { path: path.to_owned(), source: ImageError::Decoding(problem) })
    })
}

fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    check_length(path, bytes, limit)?;
    let mut content = Vec::with_capacity(bytes as usize);
    // A pipe or a growing file may hold more than its metadata says.
    file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(io)?;
    Ok(content)
}

fn check_length(path: &Path, bytes: u64, limit: u64) -> Result<()> {
    match bytes > limit {
        true => Err(Error::FileTooLarge { path: path.to_owned(), bytes, limit }),
        false => Ok(()),
    }
}

fn decode(
    mut reader: ImageReader<Cursor<&[u8]>>,
    path: &Path,
    limits: &ImageLimits,
) -> Result<RgbImage> {
    let fail = |source| decode_error(path, source);
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_memory());
    reader.limits(decoder_limits.clone());
    let mut decoder = reader.into_decoder().map_err(fail)?;
    let (width, height) = decoder.dimensions();
    limits.check((width, height), path)?;
    // A frame may be larger than the picture that it is a part of.
    let pixels = u64::from(width) * u64::from(height);
    let needed = pixels.saturating_mul(BYTES_PER_PIXEL).saturating_add(OWN_BUFFERS);
    decoder_limits.max_alloc = Some(needed);
    decoder.set_limits(decoder_limits).map_err(fail)?;
    let image = DynamicImage::from_decoder(decoder).map_err(fail)?;
    to_rgb(image).map_err(fail)
}

fn decode_error(path: &Path, source: ImageError) -> Error {
    let path = path.to_owned();
    if is_end_of_file(&source) {
        return Error::Truncated { path };
    }
    Error::Decode { path, source }
}

fn is_end_of_file(error: &ImageError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Converts as Pillow's `convert("RGB")`.
fn to_rgb(image: DynamicImage) -> Result<RgbImage, ImageError> {
    let high = |pixels: &[u16]| pixels.iter().map(|&value| (value >> 8) as u8).collect::<Vec<_>>();
    let pick = |pixels: &[u16], channels: usize, pick: [usize; 3]| {
        let pixels = pixels.chunks_exact(channels);
        pixels.flat_map(|pixel| pick.map(|i| (pixel[i] >> 8) as u8)).collect::<Vec<_>>()
    };
    let (width, height) = (image.width(), image.height());
    let pixels = match &image {
        DynamicImage::ImageRgb16(image) => high(image),
        DynamicImage::ImageRgba16(image) => pick(image, 4, [0, 1, 2]),
        DynamicImage::ImageLuma16(image) => pick(image, 1, [0; 3]),
        DynamicImage::ImageLumaA16(image) => pick(image, 2, [0; 3]),
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => return Err(float_pixels()),
        _ => return Ok(image.into_rgb8()),
    };
    Ok(RgbImage::from_raw(width, height, pixels).expect("three bytes for each pixel"))
}

/// Floating-point images have no agreed range, so any conversion to 8 bits would be a guess.
fn float_pixels() -> ImageError {
    use image::error::{UnsupportedError, UnsupportedErrorKind};
    ImageError::Unsupported(UnsupportedError::from_format_and_kind(
        ImageFormatHint::Unknown,
        UnsupportedErrorKind::Color(image::ExtendedColorType::Rgb32F),
    ))
}
