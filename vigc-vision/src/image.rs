//! From image files to network input.
//!
//! [`open_image`] and [`decode_image`] decode a file to the pixels that Pillow gives. [`BlipImageProcessor`] and
//! [`ClipImageProcessor`] resize and normalize them with the numbers that the Python classes of the same names give.

mod blip_processor;
mod clip_processor;
mod jpeg;
mod limits;
mod normalize;
mod open;
mod resize;

pub use self::blip_processor::{BlipImageProcessor, BlipImageProcessorConfig};
pub use self::clip_processor::{ClipImageProcessor, ClipImageProcessorConfig, ShortestEdge};
pub use self::limits::ImageLimits;
pub use self::normalize::ImageSize;
pub use self::open::{decode_image, open_image};
pub use self::resize::{Filter, resize};
pub use image::{Rgb, RgbImage};
