//! The keys and values that the Q-Former's cross-attentions read, computed once for each image.

use burn::tensor::{Device, Int, Tensor};

/// Keys and values of one attention.
#[derive(Debug, Clone)]
pub(super) struct KeyValues {
    /// `[batch, heads, seq, head_dim]`.
    pub(super) key: Tensor<4>,
    /// `[batch, heads, seq, head_dim]`.
    pub(super) value: Tensor<4>,
}

/// Keys and values of every cross-attention of a [`QFormer`](super::QFormer), for a batch of images.
///
/// They do not depend on the text, so an image is encoded once for any number of questions and corrections.
#[derive(Debug, Clone)]
pub struct ImageKeyValues {
    /// One entry for each layer, `None` where a layer has no cross-attention.
    layers: Vec<Option<KeyValues>>,
}

impl ImageKeyValues {
    pub(super) fn new(layers: Vec<Option<KeyValues>>) -> Self {
        Self { layers }
    }

    pub(super) fn layers(&self, expected: usize) -> impl Iterator<Item = Option<&KeyValues>> {
        assert_eq!(self.layers.len(), expected, "layers of the Q-Former that read the images");
        self.layers.iter().map(Option::as_ref)
    }

    /// Number of images. `None` if no layer has cross-attention.
    #[must_use]
    pub fn batch(&self) -> Option<usize> {
        self.layers.iter().flatten().next().map(|layer| layer.key.dims()[0])
    }

    /// The images at `rows`, in that order. A row may occur several times.
    ///
    /// # Panics
    ///
    /// Panics if `rows` is empty or one of its images does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let batch = self.batch().unwrap_or(usize::MAX);
        assert!(!rows.is_empty(), "no rows to select");
        assert!(rows.iter().all(|&row| row < batch), "rows {rows:?} of {batch} images");
        if rows.len() == batch && rows.iter().enumerate().all(|(i, &row)| i == row) {
            return self.clone();
        }
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let pick = |tensor: &Tensor<4>, device: &Device| {
            let rows = Tensor::<1, Int>::from_data(rows.as_slice(), device);
            tensor.clone().select(0, rows)
        };
        self.map(|layer| {
            let device = layer.key.device();
            KeyValues { key: pick(&layer.key, &device), value: pick(&layer.value, &device) }
        })
    }

    /// Joins batches of images.
    ///
    /// # Panics
    ///
    /// Panics if `parts` is empty or its elements come from different Q-Formers.
    #[must_use]
    pub fn cat(parts: Vec<Self>) -> Self {
        let mut parts = parts;
        assert!(!parts.is_empty(), "no images to join");
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        let join = |i: usize, part: fn(&KeyValues) -> &Tensor<4>| {
            let layers = parts.iter().filter_map(|images| images.layers[i].as_ref());
            Tensor::cat(layers.map(|layer| part(layer).clone()).collect(), 0)
        };
        let layers = parts[0].layers.iter().enumerate().map(|(i, layer)| {
            layer.as_ref().map(|_| KeyValues {
                key: join(i, |layer| &layer.key),
                value: join(i, |layer| &layer.value),
            })
        });
        Self::new(layers.collect())
    }

    fn map(&self, f: impl Fn(&KeyValues) -> KeyValues) -> Self {
        Self::new(self.layers.iter().map(|layer| layer.as_ref().map(&f)).collect())
    }
}
