//! Data sets as training reads them: rows of a text to read and a text to write, and mixtures of them.

mod dataset;
mod instructed;
mod mixture;
pub mod packing;
pub mod scenes;
mod section;
pub mod splice;
#[cfg(test)]
mod tests;

pub use dataset::{ImageSource, InstructionDataset, InstructionRow, JoinedImages};
pub use instructed::{AnnotatedImages, Form, Instructed};
pub use mixture::Mixture;
pub use section::{AnnotationFile, DataSection, Format};
