//! InstructBLIP: EVA ViT, a Q-Former that reads the prompt, and Vicuna.
//!
//! Folders are Hugging Face's; the files that LAVIS, EVA, Vicuna and VIGC were published in are put together by [`ModelFiles`].
//!
//! Paper: <https://arxiv.org/abs/2305.06500>. Upstream: LAVIS' `blip2_vicuna_instruct.py`,
//! transformers' `modeling_instructblip.py`.

#[cfg(feature = "mini")]
mod bundled;
mod config;
mod file_kind;
mod files;
mod folder;
pub mod keys;
mod network;
mod updates;

use crate::model::VisionLanguageModel;

pub use config::{InstructBlipConfig, InstructBlipProcessor};
pub use file_kind::FileKind;
pub use files::ModelFiles;
pub use network::{EncodedImages, EvaEncoder, Network, QFormerConnector};
pub use updates::read_updates;

/// An InstructBLIP.
///
/// ```
/// use vigc_pipeline::prelude::*;
///
/// # fn main() -> vigc_pipeline::Result<()> {
/// let model = InstructBlip::bundled(&Device::default())?;
/// let images = model.encode(&[RgbImage::new(64, 48)])?;
/// let request = Request::new(&images[0], "What is in the picture?");
/// let settings = GenerationConfig::greedy().with_max_new_tokens(8);
/// let answers = model.generate(&[request], &settings)?;
/// println!("{}", answers[0][0].text);
/// # Ok(())
/// # }
/// ```
pub type InstructBlip = VisionLanguageModel<InstructBlipConfig>;
