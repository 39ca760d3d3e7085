//! LLaVA: CLIP's ViT, a projector, and Vicuna, from and to the folders of Hugging Face and of the original program.
//!
//! CLIP's encoder sees an image as patches; a projector makes a visual token of each, and the language model reads them where
//! `<image>` stands in its prompt.
//!
//! Papers: <https://arxiv.org/abs/2304.08485>, <https://arxiv.org/abs/2310.03744>. Upstream: `haotian-liu/LLaVA`,
//! transformers' `modeling_llava.py`.

mod config;
mod files;
mod folder;
pub mod keys;
mod network;
mod stored_config;
mod template;

use crate::model::VisionLanguageModel;

pub use config::{Layout, LlavaConfig};
pub use files::LlavaFiles;
pub use folder::square_processor;
pub use network::{ClipEncoder, FeatureSelect, Network, ProjectedImages, Projector, ProjectorKind};
pub use template::{IMAGE, Template, tokenize_around_image};

/// A LLaVA.
///
/// ```no_run
/// use vigc_pipeline::llava::Llava;
/// use vigc_pipeline::prelude::*;
///
/// # fn main() -> vigc_pipeline::Result<()> {
/// let model = Llava::from_dir("llava-1.5-7b-hf", &Device::default())?;
/// let images = model.encode(&[RgbImage::new(640, 480)])?;
/// let request = Request::new(&images[0], "What is in the picture?");
/// let answers = model.generate(&[request], &GenerationConfig::greedy())?;
/// println!("{}", answers[0][0].text);
/// # Ok(())
/// # }
/// ```
pub type Llava = VisionLanguageModel<LlavaConfig>;
