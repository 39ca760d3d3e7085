//! From an image to visual tokens.
//!
//! | module | what it holds |
//! |---|---|
//! | [`image`] | files to RGB pixels, and pixels to network input as Pillow makes it |
//! | [`eva_vit`] | EVA ViT-g, the image encoder of BLIP-2 and `InstructBLIP` |
//! | [`clip_vit`] | CLIP's ViT, the image encoder of LLaVA |
//! | [`qformer`] | the Q-Former: learned queries that read the image in the light of a text |
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use vigc_core::TokenBatch;
//! use vigc_vision::eva_vit::EvaVitConfig;
//! use vigc_vision::qformer::QFormerConfig;
//!
//! let device = Device::default();
//! let vit = EvaVitConfig::new(8).with_num_hidden_layers(2).with_num_attention_heads(2).with_image_size(28).init(&device);
//! let qformer = QFormerConfig::new(8).with_num_hidden_layers(2).with_num_attention_heads(2).with_vocab_size(50).with_encoder_hidden_size(8).init(&device);
//!
//! let image_embeds = vit.forward(Tensor::zeros([1, 3, 28, 28], &device));
//! assert_eq!(image_embeds.dims(), [1, 5, 8]); // [batch, 1 + patches, hidden]
//!
//! let image = qformer.image_key_values(image_embeds); // once for each image
//! let question = TokenBatch::pad_right(&[vec![2, 7, 3]], 0);
//! let queries = Tensor::zeros([1, 4, 8], &device);
//! let visual_tokens = qformer.forward(queries, Some(&question), &image);
//! assert_eq!(visual_tokens.dims(), [1, 4, 8]); // [batch, queries, hidden]
//! ```
#![forbid(unsafe_code)]

mod blocks;
pub mod clip_vit;
mod config;
mod error;
pub mod eva_vit;
pub mod image;
pub mod qformer;

pub use config::HiddenAct;
pub use error::{Error, Result};
