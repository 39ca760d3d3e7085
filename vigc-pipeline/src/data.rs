//! Data sets: readers, rows of prompts and answers, and mixtures of them.

pub(crate) mod annotation;
mod coco;
mod dataset;
mod error;
mod instructed;
mod llava;
mod mixture;
pub mod packing;
#[cfg(feature = "scenes")]
pub mod scenes;
mod section;
pub mod splice;
#[cfg(test)]
mod tests;
pub(crate) mod vqa;

pub use annotation::{Annotation, Annotations};
pub use coco::{CocoObject, open_coco_captions, open_coco_instances};
pub use dataset::{ImageSource, InstructionDataset, InstructionRow, JoinedImages};
pub use error::DataError;
pub use instructed::{AnnotatedImages, Form, Instructed, Topic};
pub use llava::open_llava;
pub use mixture::Mixture;
pub use section::{AnnotationFile, DataSection, Format};
pub use vqa::{open_aokvqa, open_okvqa, open_vqav2};
