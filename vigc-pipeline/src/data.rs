//! Data sets.
mod error;
mod section;
pub use error::DataError;
pub use section::DataSection;
