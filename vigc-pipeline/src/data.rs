//! Data sets: readers of published annotation files.
//!
//! | files | reader |
//! |---|---|
//! | LLaVA's instruction data | [`open_llava`] |
//! | OKVQA, A-OKVQA, VQAv2 | [`open_okvqa`], [`open_aokvqa`], [`open_vqav2`] |
//! | COCO's captions and objects | [`open_coco_captions`], [`open_coco_instances`] |
//!
//! Questions and captions become [`Annotations`], whatever file they come from. The modules [`annotation`] and [`vqa`]
//! have what readers of other files need.

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
