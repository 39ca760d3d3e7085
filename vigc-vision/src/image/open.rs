//! Image files to RGB pixels.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use super::jpeg;
use super::limits::{ImageLimits, memory_for};
use crate::{Error, Result};

/// Opens a PNG, JPEG, WebP, GIF, TIFF, BMP or PNM file as 8-bit RGB.
///
/// The content decides the format, not the file name. The pixels are those of Pillow's
/// `Image.open(path).convert("RGB")`: alpha is dropped rather than blended, palettes and grays are expanded, an animation
/// gives its first frame, and neither EXIF orientation nor color profiles are applied. A gray or RGB JPEG has the same bits
/// as with libjpeg; a CMYK JPEG may differ by 1 in a value. 16-bit channels keep their high byte. Pillow does the same for
/// colors but clips 16-bit grays at 255, which turns them white.
///
/// # Errors
///
/// An [`Error`] that names `path` and the reason: the file is unreadable, larger than `limits`, not an image, truncated or
/// damaged.
pub fn open_image(path: impl AsRef<Path>, limits: &ImageLimits) -> Result<RgbImage> {
    let path = path.as_ref();
    decode_image(&read_limited(path, limits)?, path, limits)
}

/// Like [`open_image`], but takes the contents of a file. Errors call the file `name`.
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
    limits.check_file(bytes.len() as u64, path)?;
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let Some(format) = reader.format() else {
        return Err(Error::NotAnImage { path: path.to_owned() });
    };
    catch_panic(path, || {
        if format == ImageFormat::Jpeg
            && let Some(image) = jpeg::decode(bytes, path, limits)?
        {
            return Ok(image);
        }
        decode(reader, path, limits)
    })
}

/// Turns a panic into an error. Decoders panic on some damaged files, as fuzzing shows, and one file of millions must not
/// end a run.
fn catch_panic(path: &Path, decode: impl FnOnce() -> Result<RgbImage>) -> Result<RgbImage> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        let problem = DecodingError::new(ImageFormatHint::Unknown, "the decoder panicked");
        Err(Error::Decode { path: path.to_owned(), source: ImageError::Decoding(problem) })
    })
}

fn read_limited(path: &Path, limits: &ImageLimits) -> Result<Vec<u8>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    limits.check_file(bytes, path)?;
    let mut content = Vec::with_capacity(bytes as usize);
    // A pipe or a growing file may hold more than its metadata says.
    file.take(limits.max_file_bytes.saturating_add(1)).read_to_end(&mut content).map_err(io)?;
    Ok(content)
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
    let size = decoder.dimensions();
    limits.check_size(size, path)?;
    // A frame may be larger than the picture that it belongs to.
    decoder_limits.max_alloc = Some(memory_for(size));
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

/// Converts like Pillow's `convert("RGB")`.
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

/// Floating-point images have no standard range, so any conversion to 8 bits would be a guess.
fn float_pixels() -> ImageError {
    use image::error::{UnsupportedError, UnsupportedErrorKind};
    ImageError::Unsupported(UnsupportedError::from_format_and_kind(
        ImageFormatHint::Unknown,
        UnsupportedErrorKind::Color(image::ExtendedColorType::Rgb32F),
    ))
}
