//! LLaMA (<https://arxiv.org/abs/2302.13971>), the language model inside `InstructBLIP` and VIGC.
//!
//! Mirrors `modeling_llama.py` of transformers with the reference's one change, norms in f32. The
//! modules carry the checkpoint's names, so [`keys`] has nothing to rename.

mod attention;
mod config;
mod decoder_layer;
pub mod keys;
mod kv_cache;
mod mlp;
#[cfg(feature = "flex")]
mod paged;
mod rms_norm;
mod rope;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::module::embedding;
use burn::tensor::{Bool, DType, Device, Int, Tensor};
use vigc_core::nn::{Linear, LinearConfig, positions};

pub use attention::Attention;
pub use config::LlamaConfig;
pub use decoder_layer::DecoderLayer;
pub use kv_cache::KvCache;
pub use mlp::Mlp;
pub use rms_norm::RmsNorm;

#[cfg(feature = "flex")]
pub(crate) use paged::PagedCache;

use attention::{Positions, causal_bias};
use rope::Rotation;

/// A decoder-only language model with an output layer of its own.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use vigc_llm::llama::{KvCache, LlamaConfig};
///
/// let device = Device::default();
/// let llama = LlamaConfig::new(32, 16, 2, 4).init(&device);
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

/// Embeddings, layers and the last norm.
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
            lm_head: linear(self, self.hidden_size, self.vocab_size, device),
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

    fn initializer(&self) -> Initializer {
        Initializer::Normal { mean: 0.0, std: self.initializer_range }
    }
}

/// A linear layer without bias, as all of LLaMA's are.
fn linear(config: &LlamaConfig, input: usize, output: usize, device: &Device) -> Linear {
    LinearConfig::new(input, output)
        .with_bias(false)
        .with_precision(config.precision)
        .with_initializer(config.initializer())
        .init(device)
}

impl Llama {
    /// The linear layers of all blocks, with the names that checkpoints have for them, such as
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

    /// As [`Llama::embed`], but the table learns nothing from what is done with its rows.
    ///
    /// Detaching the rows afterwards would do as much, but burn keeps what was computed with a weight that
    /// no gradient changes until the process ends, and goes through all of it at every step.
    #[must_use]
    pub fn embed_frozen(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let table = self.model.embed_tokens.weight.val().detach().set_require_grad(false);
        embedding(table, ids)
    }

    /// Reads embeddings after the positions that `cache` holds and adds them to it.
    ///
    /// A token's position is the number of tokens before it in its row, so padding may stand on
    /// either side; the states at padding mean nothing.
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

    /// Reads rows that hold several texts, as training packs them.
    ///
    /// # Shapes
    ///
    /// - embeds: `[batch, seq, hidden]`
    /// - positions: `[batch, seq]`, where each token stands in its own text
    /// - bias: `[batch, 1, seq, seq]`, added to the scores: 0 where a token may look, else very negative
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
