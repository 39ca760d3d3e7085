//! Integration tests of `vigc-vision`: one binary, one module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

mod clip_images;
mod clip_vit;
mod eva_vit;
mod fixture;
mod gradients;
mod image_files;
mod qformer;
mod resize;
