//! Image patches to tokens.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::EvaVitConfig;
use crate::patches::{assert_size, embed_patches};

/// Embeds the patches of an image, prepends the class token and adds positions.
#[derive(Module, Debug)]
pub struct Embeddings {
    class_embedding: Param<Tensor<3>>,
    position_embedding: Param<Tensor<3>>,
    patch_embedding: Conv2d,
    image_size: usize,
}

impl Embeddings {
    pub(super) fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let EvaVitConfig { hidden_size, patch_size, .. } = *config;
        let tokens = Initializer::Normal { mean: 0.0, std: 0.02 };
        Self {
            class_embedding: tokens.init([1, 1, hidden_size], device),
            position_embedding: tokens.init([1, config.num_positions(), hidden_size], device),
            patch_embedding: Conv2dConfig::new([3, hidden_size], [patch_size; 2])
                .with_stride([patch_size; 2])
                .init(device),
            image_size: config.image_size,
        }
    }

    /// Embeds a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, 1 + patches, hidden]`, the class token first
    ///
    /// # Panics
    ///
    /// Panics if the images have another size.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<3> {
        assert_size(&images, self.image_size);
        let x = embed_patches(&self.patch_embedding, images);
        let [batch, _, hidden] = x.dims();
        let class = self.class_embedding.val().expand([batch, 1, hidden]);
        Tensor::cat(vec![class, x], 1) + self.position_embedding.val()
    }
}
