//! Data sets for training: rows with a prompt and the text to write, and mixtures of data sets.

mod annotations;
mod dataset;
pub mod packing;
pub mod scenes;
#[cfg(test)]
mod tests;

pub use annotations::{AnnotatedImages, AnnotatedRows, AnnotationFile, Form, Format};
pub use dataset::{ImageSource, InstructionDataset, InstructionRow, JoinedImages, Mixture};
