//! Checkpoints: reading them whatever their container, applying them to modules, saving modules.
//!
//! ```
//! use burn::nn::LinearConfig;
//! use burn::tensor::{DType, Device};
//! use vigc_core::weights::{Checkpoint, KeyMap, Strictness, save};
//!
//! # fn main() -> vigc_core::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("model.safetensors");
//! let device = Device::default();
//! let linear = LinearConfig::new(4, 2).init(&device);
//! save(&linear, &KeyMap::new(&[("^", "llm_proj.")]), DType::F32, &path)?;
//!
//! let mut copy = LinearConfig::new(4, 2).init(&device);
//! let checkpoint = Checkpoint::open(&path)?.scope("llm_proj");
//! let report = checkpoint.load(&mut copy, &KeyMap::IDENTITY, Strictness::Strict)?;
//! assert_eq!((report.applied.len(), report.unused.len()), (2, 0));
//! # Ok(())
//! # }
//! ```

mod adapter;
mod checkpoint;
mod copies;
mod export;
#[cfg(feature = "hub")]
pub mod hub;
mod key_map;
mod layers;
mod packing;
mod progress;
mod report;
mod safetensors_file;

pub use checkpoint::Checkpoint;
pub use export::{save, save_checkpoint, save_tensors};
pub use key_map::KeyMap;
pub use layers::Layers;
pub use progress::LoadProgress;
pub use report::{LoadReport, Strictness};
