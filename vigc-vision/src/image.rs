//! From image files to network input.
//!
//! [`open_image`] and [`decode_image`] decode, [`ImageProcessor`] resizes and normalizes; both give the pixels that
//! Pillow and `BlipImageProcessor` give. [`ClipImageProcessor`] does it as CLIP and LLaVA do. [`TrainTransform`] draws
//! the random views of training.

mod augment;
mod clip_processor;
mod jpeg;
mod normalizer;
mod open;
mod processor;
mod resize;

pub use self::augment::{TrainTransform, View};
pub use self::clip_processor::{ClipImageProcessor, ClipImageProcessorConfig, ShortestEdge};
pub use self::open::{ImageLimits, decode_image, open_image};
pub use self::processor::{ImageProcessor, ImageProcessorConfig, ImageSize};
pub use self::resize::{Filter, resize};
pub use image::{Rgb, RgbImage};
