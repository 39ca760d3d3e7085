//! Images as the language model reads them.

use burn::tensor::{Int, Tensor, TensorData};
use vigc_core::kernels::on_worker;
use vigc_vision::image::RgbImage;

use super::Llava;

/// Encoded images: what every prompt about them shares.
#[derive(Debug, Clone)]
pub struct VisualTokens(Tensor<3>);

impl VisualTokens {
    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.dims()[0]
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images at `rows`, which may repeat, in that order.
    ///
    /// # Panics
    ///
    /// Panics if `rows` is empty or names an image that is not there.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        if rows.iter().copied().eq(0..self.len()) {
            return self.clone();
        }
        let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let count = rows.len();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &self.0.device());
        Self(self.0.clone().select(0, rows))
    }

    /// Joins several batches, in that order.
    ///
    /// # Panics
    ///
    /// Panics if there is no batch or they come from different models.
    #[must_use]
    pub fn cat(parts: Vec<Self>) -> Self {
        Self(Tensor::cat(parts.into_iter().map(|part| part.0).collect(), 0))
    }

    /// The tokens, `[batch, tokens, text_hidden]`.
    #[must_use]
    pub fn tokens(&self) -> Tensor<3> {
        self.0.clone()
    }
}

impl Llava {
    /// Encodes images, once for all prompts about them.
    ///
    /// # Panics
    ///
    /// Panics if there is no image.
    #[must_use]
    pub fn encode(&self, images: &[RgbImage]) -> VisualTokens {
        on_worker(|| {
            let pixel_values = self.processor().batch(images, self.device());
            self.encode_features(self.network().image_features(pixel_values))
        })
    }

    /// Takes features that were computed before, by [`Network::image_features`](super::Network::image_features).
    ///
    /// # Shapes
    ///
    /// - features: `[batch, tokens, vision_hidden]`
    #[must_use]
    pub fn encode_features(&self, features: Tensor<3>) -> VisualTokens {
        VisualTokens(self.network().multi_modal_projector.forward(features))
    }
}
