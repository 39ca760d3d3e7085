//! Limits on image files.

use std::path::Path;

use crate::{Error, Result};

/// Four 16-bit channels, and as much again for a decoder's own buffers.
const BYTES_PER_PIXEL: u64 = 16;

/// The memory that decoders need for an image of any size, in bytes.
const OWN_BUFFERS: u64 = 64 << 20;

/// The largest file and image that are decoded.
///
/// The header is checked before any pixel is decoded, so a small file that claims gigapixels (a decompression bomb) takes
/// no memory.
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
    /// Files of 256 MiB, the number of pixels that Pillow accepts without a warning, and the longest side of a JPEG.
    fn default() -> Self {
        Self { max_file_bytes: 256 << 20, max_pixels: 89_478_485, max_side: 65_535 }
    }
}

impl ImageLimits {
    /// Fails if a file is too large.
    pub(super) fn check_file(&self, bytes: u64, path: &Path) -> Result<()> {
        let limit = self.max_file_bytes;
        match bytes > limit {
            true => Err(Error::FileTooLarge { path: path.to_owned(), bytes, limit }),
            false => Ok(()),
        }
    }

    /// Fails if the size in an image's header is too large.
    pub(super) fn check_size(&self, (width, height): (u32, u32), path: &Path) -> Result<()> {
        let pixels = u64::from(width) * u64::from(height);
        let Self { max_pixels, max_side, .. } = *self;
        if pixels > max_pixels || width.max(height) > max_side {
            let path = path.to_owned();
            return Err(Error::ImageTooLarge { path, width, height, max_pixels, max_side });
        }
        Ok(())
    }

    /// The memory that any decoder may use, in bytes.
    pub(super) fn max_memory(&self) -> u64 {
        self.max_pixels.saturating_mul(BYTES_PER_PIXEL)
    }
}

/// The memory that decoding an image of a size may take, in bytes.
pub(super) fn memory_for((width, height): (u32, u32)) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    pixels.saturating_mul(BYTES_PER_PIXEL).saturating_add(OWN_BUFFERS)
}
