//! Data sets: readers of published annotation files.

pub mod annotation;
mod coco;
mod error;
mod llava;
#[cfg(test)]
mod tests;
pub mod vqa;

pub use annotation::{Annotation, Annotations};
pub use coco::{CocoObject, open_coco_captions, open_coco_instances};
pub use error::DataError;
pub use llava::open_llava;
pub use vqa::{open_aokvqa, open_okvqa, open_vqav2};
