//! Checkpoints: opening them in any container, loading modules from them, and saving modules.
//!
//! | step | item |
//! |---|---|
//! | open safetensors, PyTorch files and folders | [`Checkpoint::open`] |
//! | rename tensors | [`KeyMap`], [`Checkpoint::scope`], [`Checkpoint::rename`] |
//! | load a module | [`Checkpoint::load`]; from several checkpoints, [`CheckpointOverlay`] |
//! | see what was loaded | [`LoadReport`] |
//! | save | [`save`], [`save_tensors`], [`save_checkpoint`] |
//! | download (feature `hub`) | `weights::hub` |
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
#[cfg(feature = "hub")]
pub mod hub;
mod key_map;
mod overlay;
mod packing;
mod safetensors_file;
mod save;

pub use checkpoint::Checkpoint;
pub use key_map::KeyMap;
pub use overlay::{CheckpointOverlay, LoadReport, Strictness};
pub use save::{save, save_checkpoint, save_tensors};
