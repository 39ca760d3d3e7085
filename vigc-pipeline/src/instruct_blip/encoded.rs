//! Images as the Q-Former reads them.

use burn::tensor::Tensor;
use vigc_core::kernels::on_worker;
use vigc_vision::image::RgbImage;
use vigc_vision::qformer::ImageKeyValues;

use super::InstructBlip;

/// Encoded images: what every prompt about them shares.
#[derive(Debug, Clone)]
pub struct EncodedImages {
    key_values: ImageKeyValues,
    len: usize,
}

impl EncodedImages {
    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The images at `rows`, which may repeat, in that order.
    ///
    /// # Panics
    ///
    /// Panics if `rows` is empty or names an image that is not there.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { key_values: self.key_values.select(rows), len: rows.len() }
    }

    /// Joins several batches, in that order.
    ///
    /// # Panics
    ///
    /// Panics if there is no batch or they come from different models.
    #[must_use]
    pub fn cat(parts: Vec<Self>) -> Self {
        let len = parts.iter().map(Self::len).sum();
        let parts = parts.into_iter().map(|part| part.key_values);
        Self { key_values: ImageKeyValues::cat(parts.collect()), len }
    }

    /// Keys and values of the Q-Former's cross-attentions.
    #[must_use]
    pub fn key_values(&self) -> &ImageKeyValues {
        &self.key_values
    }
}

impl InstructBlip {
    /// Encodes images, once for all prompts about them.
    ///
    /// # Panics
    ///
    /// Panics if there is no image.
    #[must_use]
    pub fn encode(&self, images: &[RgbImage]) -> EncodedImages {
        on_worker(|| {
            let pixel_values = self.processor().batch(images, self.device());
            self.encode_embeds(self.network().image_embeds(pixel_values))
        })
    }

    /// Takes image embeddings that were computed before, by [`Network::image_embeds`](super::Network::image_embeds).
    ///
    /// # Shapes
    ///
    /// - image embeds: `[batch, 1 + patches, vision_hidden]`
    #[must_use]
    pub fn encode_embeds(&self, image_embeds: Tensor<3>) -> EncodedImages {
        let [len, ..] = image_embeds.dims();
        EncodedImages { key_values: self.network().qformer.image_key_values(image_embeds), len }
    }
}
