//! From an image to the visual tokens that a language model reads, on [burn](https://burn.dev).
//!
//! # Tutorial
//!
//! This example uses random weights. [`Checkpoint::load`](vigc_core::weights::Checkpoint::load) replaces them by those of a
//! Hugging Face folder; `examples/picture_to_tokens.rs` shows how.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use vigc_core::TokenBatch;
//! use vigc_vision::clip_vit::ClipVitConfig;
//! use vigc_vision::eva_vit::EvaVitConfig;
//! use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig, Rgb, RgbImage};
//! use vigc_vision::qformer::QFormerConfig;
//!
//! # fn main() -> vigc_vision::Result<()> {
//! // `open_image` reads a file to such an image.
//! let image = RgbImage::from_fn(640, 480, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 0]));
//! let device = Device::default();
//! let processor = BlipImageProcessor::new(BlipImageProcessorConfig::square(28))?;
//! let pixels = processor.batch(&[image], &device);
//! assert_eq!(pixels.dims(), [1, 3, 28, 28]); // [batch, channels, height, width]
//!
//! // The image encoder: four patches of 14 x 14 pixels and a class token.
//! let vit = EvaVitConfig::new(16).with_num_hidden_layers(2).with_num_attention_heads(4);
//! let vit = vit.with_image_size(28).init(&device);
//! let image_embeds = vit.forward(pixels.clone());
//! assert_eq!(image_embeds.dims(), [1, 5, 16]); // [batch, 1 + patches, hidden]
//!
//! // The Q-Former: the image's keys and values are computed once, then any number of texts can ask about it.
//! let qformer = QFormerConfig::new(8).with_num_hidden_layers(2).with_num_attention_heads(2);
//! let qformer = qformer.with_vocab_size(50).with_encoder_hidden_size(16).init(&device);
//! let image = qformer.image_key_values(image_embeds);
//! let texts = TokenBatch::pad_right(&[vec![2, 7, 3], vec![2, 3]], 0);
//! let queries = Tensor::ones([1, 4, 8], &device);
//! let visual_tokens = qformer.forward(queries, Some(&texts), &image.select(&[0, 0]));
//! assert_eq!(visual_tokens.dims(), [2, 4, 8]); // [texts, queries, hidden]
//!
//! // LLaVA instead takes the patches of CLIP's ViT, from the hidden state before the last layer.
//! let config = ClipVitConfig::new(16).with_num_hidden_layers(3).with_num_attention_heads(4);
//! let config = config.with_image_size(28);
//! let patches = config.init(&device).hidden_state(pixels, config.layers_for(-2)?);
//! assert_eq!(patches.dims(), [1, 5, 16]);
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! | module | contents |
//! |---|---|
//! | [`image`] | image files to RGB pixels, and pixels to network input, with the numbers of Pillow and transformers |
//! | [`eva_vit`] | EVA ViT-g, the image encoder of BLIP-2 and InstructBLIP |
//! | [`clip_vit`] | CLIP's ViT, the image encoder of LLaVA |
//! | [`qformer`] | the Q-Former: learned queries that read an image in the light of a text |
//!
//! # Features
//!
//! The crate has no features of its own and works on every backend of burn. The feature `flex` of `vigc-core` adds faster
//! kernels for the CPU.
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

/// Compiles the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
