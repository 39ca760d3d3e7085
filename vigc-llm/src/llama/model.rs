//! The model: embeddings, decoder layers, final norm and output layer.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::module::embedding;
use burn::tensor::{Bool, DType, Device, Int, Tensor};
#[cfg(feature = "flex")]
use vigc_core::kernels::{PagedKeyValues, on_worker};
use vigc_core::nn::{Linear, positions};

use super::attention::{Positions, causal_bias};
use super::config::LlamaConfig;
use super::kv_cache::KvCache;
use super::layer::{DecoderLayer, RmsNorm};
#[cfg(feature = "flex")]
use super::paged_cache::PagedCache;
use super::rope::Rotation;

/// A decoder-only language model with an output layer of its own.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use vigc_llm::llama::{KvCache, LlamaConfig};
///
/// let device = Device::default();
/// let llama = LlamaConfig::new(16).with_vocab_size(32).with_num_hidden_layers(2).with_num_attention_heads(4).init(&device);
/// let ids = Tensor::<2, Int>::from_data([[2, 7, 5]], &device);
/// let mask = ids.clone().greater_elem(0);
/// let mut cache = KvCache::new();
/// let hidden = llama.forward(llama.embed(ids), mask, Some(&mut cache));
/// assert_eq!(llama.logits(hidden).dims(), [1, 3, 32]);
/// assert_eq!(cache.len(), 3);
/// ```
#[derive(Module, Debug)]
pub struct Llama {
    model: Decoder,
    lm_head: Linear,
    head_dim: usize,
    rope_theta: f64,
}

/// Embeddings, layers and the final norm.
#[derive(Module, Debug)]
struct Decoder {
    embed_tokens: Embedding,
    layers: Vec<DecoderLayer>,
    norm: RmsNorm,
}

impl LlamaConfig {
    /// Initializes a [`Llama`] with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> Llama {
        Llama {
            model: Decoder {
                embed_tokens: self.embedding(device),
                layers: (0..self.num_hidden_layers)
                    .map(|_| DecoderLayer::new(self, device))
                    .collect(),
                norm: RmsNorm::new(self.hidden_size, self.rms_norm_eps, device),
            },
            lm_head: self.linear(self.hidden_size, self.vocab_size, device),
            head_dim: self.head_dim,
            rope_theta: self.rope_theta,
        }
    }

    fn embedding(&self, device: &Device) -> Embedding {
        let config = EmbeddingConfig::new(self.vocab_size, self.hidden_size);
        let Embedding { weight } = config.with_initializer(self.initializer()).init(device);
        let dtype = self.precision.table_dtype();
        Embedding { weight: weight.load_mapper(move |table| table.cast(dtype)) }
    }
}

impl Llama {
    /// The linear layers of all decoder layers with their names in checkpoints, such as
    /// `model.layers.0.self_attn.q_proj`.
    pub fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        self.model.layers.iter_mut().enumerate().flat_map(|(block, layer)| {
            let named = layer.linear_layers();
            named.map(move |(name, layer)| (format!("model.layers.{block}.{name}"), layer))
        })
    }

    /// Looks up the embeddings of tokens.
    ///
    /// # Shapes
    ///
    /// - ids: `[batch, seq]`
    /// - output: `[batch, seq, hidden]`
    #[must_use]
    pub fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.model.embed_tokens.forward(ids).cast(DType::F32)
    }

    /// Like [`Llama::embed`], but the embedding table gets no gradient.
    ///
    /// Detaching the output would have the same effect. But burn keeps the operations on a weight without a gradient until
    /// the process ends, and goes through all of them at every training step.
    ///
    /// # Shapes
    ///
    /// - ids: `[batch, seq]`
    /// - output: `[batch, seq, hidden]`
    #[must_use]
    pub fn embed_frozen(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let table = self.model.embed_tokens.weight.val().detach().set_require_grad(false);
        embedding(table, ids)
    }

    /// Computes the hidden states of embeddings that follow the positions in `cache`, and adds them to it.
    ///
    /// The position of a token is the number of tokens before it in its row, so padding may be on either side. The states
    /// at padding are meaningless.
    ///
    /// # Shapes
    ///
    /// - embeds: `[batch, seq, hidden]`
    /// - mask: `[batch, past + seq]`, `true` for a token, the cached positions first
    /// - output: `[batch, seq, hidden]`, normalized, ready for [`Llama::logits`]
    ///
    /// # Panics
    ///
    /// Panics if `mask` has another shape.
    #[must_use]
    pub fn forward(
        &self,
        embeds: Tensor<3>,
        mask: Tensor<2, Bool>,
        cache: Option<&mut KvCache>,
    ) -> Tensor<3> {
        let [batch, seq, _] = embeds.dims();
        let total = cache.as_ref().map_or(0, |cache| cache.len()) + seq;
        assert_eq!(mask.dims(), [batch, total], "the mask must cover past and present positions");
        let at = positions(mask.clone()).slice([0..batch, total - seq..total]);
        let positions = Positions {
            rotation: Rotation::new(at, self.head_dim, self.rope_theta, embeds.dtype()),
            bias: causal_bias(mask, seq),
        };
        let layers = &self.model.layers;
        let mut caches = cache.map(|cache| cache.extend(layers.len(), seq).iter_mut());
        let x = layers.iter().fold(embeds, |x, layer| {
            layer.forward(x, &positions, caches.as_mut().and_then(Iterator::next))
        });
        self.model.norm.forward(x)
    }

    /// Computes the hidden states of rows that contain several texts, as training packs them.
    ///
    /// # Shapes
    ///
    /// - embeds: `[batch, seq, hidden]`
    /// - positions: `[batch, seq]`, the position of each token in its own text
    /// - bias: `[batch, 1, seq, seq]`, added to the attention scores: 0 where a token may attend, else very negative
    /// - output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward_packed(
        &self,
        embeds: Tensor<3>,
        positions: Tensor<2, Int>,
        bias: Tensor<4>,
    ) -> Tensor<3> {
        let rotation = Rotation::new(positions, self.head_dim, self.rope_theta, embeds.dtype());
        let positions = Positions { rotation, bias };
        let layers = &self.model.layers;
        let x = layers.iter().fold(embeds, |x, layer| layer.forward(x, &positions, None));
        self.model.norm.forward(x)
    }

    /// Scores every token of the vocabulary as the next one.
    ///
    /// # Shapes
    ///
    /// - hidden: `[.., hidden]`, from [`Llama::forward`]
    /// - output: `[.., vocab]`
    #[must_use]
    pub fn logits<const D: usize>(&self, hidden: Tensor<D>) -> Tensor<D> {
        self.lm_head.forward(hidden)
    }

    /// The number of tokens in the vocabulary.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.model.embed_tokens.weight.dims()[0]
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> Device {
        self.model.norm.device()
    }
}

#[cfg(feature = "flex")]
impl Llama {
    /// An empty paged cache with a number of rows.
    pub(crate) fn paged_cache(&self, rows: usize) -> PagedCache {
        let layers = &self.model.layers;
        let pages =
            layers.iter().map(|layer| PagedKeyValues::new(layer.num_kv_heads(), self.head_dim));
        PagedCache::new(pages.collect(), rows)
    }

    /// Reads `new` tokens of every row.
    ///
    /// The states of a row have the same bits whatever the other rows are and however many passes read it.
    ///
    /// # Shapes
    ///
    /// - embeds: `[tokens, hidden]`, row after row
    /// - output: `[tokens, hidden]`, normalized, ready for [`Llama::logits`]
    pub(crate) fn read(
        &self,
        embeds: Tensor<2>,
        new: &[usize],
        cache: &mut PagedCache,
    ) -> Tensor<2> {
        let rotations = cache.rotations(new, self.head_dim, self.rope_theta);
        let (rows, pages) = cache.extend(new);
        let layers = self.model.layers.iter().zip(pages);
        on_worker(|| {
            let x =
                layers.fold(embeds, |x, (layer, pages)| layer.read(x, &rotations, &rows, pages));
            self.model.norm.forward(x)
        })
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::llama::paged_cache::host;

    fn ids(count: i32, seed: i32) -> Vec<i32> {
        (0..count).map(|i| (i * 7 + seed * 13 + i * i) % 37).collect()
    }

    fn embeds(llama: &Llama, ids: &[i32]) -> Tensor<2> {
        let ids = TensorData::new(ids.to_vec(), [1, ids.len()]);
        llama.embed(Tensor::<2, Int>::from_data(ids, &Device::default())).squeeze_dim(0)
    }

    /// Reads rows of any lengths in one pass.
    fn read(llama: &Llama, rows: &[Vec<i32>]) -> Vec<Vec<f32>> {
        let mut cache = llama.paged_cache(rows.len());
        let new: Vec<_> = rows.iter().map(Vec::len).collect();
        let states = host(llama.read(embeds(llama, &rows.concat()), &new, &mut cache));
        let width = states.len() / new.iter().sum::<usize>();
        let mut at = 0;
        let cut = |&len: &usize| {
            at += len;
            states[(at - len) * width..at * width].to_vec()
        };
        new.iter().map(cut).collect()
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_batch_and_any_number_of_passes() {
        let device = Device::default();
        for kv_heads in [4, 2] {
            let config = LlamaConfig::new(96)
                .with_vocab_size(37)
                .with_num_hidden_layers(2)
                .with_num_attention_heads(4)
                .with_num_key_value_heads(kv_heads);
            let llama = config.init(&device);
            let rows = [ids(33, 0), ids(5, 1), ids(20, 2)];
            let together = read(&llama, &rows);
            for (row, expected) in rows.iter().zip(&together) {
                assert!(read(&llama, std::slice::from_ref(row))[0] == *expected);
                for pieces in [vec![row.len()], vec![1; row.len()], vec![row.len() - 4, 3, 1]] {
                    let mut cache = llama.paged_cache(1);
                    let mut states = Vec::new();
                    let mut at = 0;
                    for piece in pieces {
                        let part = embeds(&llama, &row[at..at + piece]);
                        states.extend(host(llama.read(part, &[piece], &mut cache)));
                        at += piece;
                    }
                    assert!(states == *expected);
                }
            }
        }
    }

    #[test]
    fn shared_pages_are_copied_before_they_are_written() {
        let device = Device::default();
        let llama = LlamaConfig::new(32)
            .with_vocab_size(37)
            .with_num_hidden_layers(2)
            .with_num_attention_heads(2)
            .init(&device);
        let start = ids(21, 0);
        let tails = [ids(14, 1), ids(14, 2), ids(14, 3)];
        let mut cache = llama.paged_cache(1);
        drop(llama.read(embeds(&llama, &start), &[21], &mut cache));
        cache.select(&[0, 0, 0]);
        assert_eq!(cache.used_pages(), 2);
        let mut last = Vec::new();
        for at in 0..14 {
            let tokens: Vec<_> = tails.iter().map(|tail| tail[at]).collect();
            last = host(llama.read(embeds(&llama, &tokens), &[1; 3], &mut cache));
        }
        for (tail, found) in tails.iter().zip(last.chunks(32)) {
            let whole = [start.clone(), tail.clone()].concat();
            assert!(read(&llama, &[whole])[0][34 * 32..] == *found);
        }
        // The first page of the start, a copy of the second for each row, and a third page for each row.
        assert_eq!(cache.used_pages(), 1 + 3 * 2);
        cache.select(&[1]);
        assert_eq!(cache.used_pages(), 3);
    }

    #[test]
    fn removed_tokens_leave_no_trace() {
        let device = Device::default();
        let llama = LlamaConfig::new(32)
            .with_vocab_size(37)
            .with_num_hidden_layers(2)
            .with_num_attention_heads(2)
            .init(&device);
        let row = ids(40, 0);
        let mut cache = llama.paged_cache(1);
        drop(llama.read(embeds(&llama, &row[..12]), &[12], &mut cache));
        drop(llama.read(embeds(&llama, &ids(23, 5)), &[23], &mut cache));
        cache.truncate(0, 12);
        assert_eq!(cache.len(0), 12);
        let rest = host(llama.read(embeds(&llama, &row[12..]), &[28], &mut cache));
        assert!(read(&llama, &[row])[0][12 * 32..] == rest);
    }
}
