//! A pre-norm decoder layer: attention and a feed-forward network.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};
#[cfg(feature = "flex")]
use vigc_core::kernels::{PagedKeyValues, PagedRow};
use vigc_core::kernels::{rms_norm, swiglu};
use vigc_core::nn::Linear;

use super::attention::{Attention, Positions};
use super::config::LlamaConfig;
use super::kv_cache::LayerCache;
#[cfg(feature = "flex")]
use super::paged_cache::Rotations;

/// Attention and a feed-forward network. Each reads its normalized input and is added to it.
#[derive(Module, Debug)]
pub(super) struct DecoderLayer {
    self_attn: Attention,
    mlp: Mlp,
    input_layernorm: RmsNorm,
    post_attention_layernorm: RmsNorm,
}

impl DecoderLayer {
    pub(super) fn new(config: &LlamaConfig, device: &Device) -> Self {
        let norm = || RmsNorm::new(config.hidden_size, config.rms_norm_eps, device);
        Self {
            self_attn: Attention::new(config, device),
            mlp: Mlp::new(config, device),
            input_layernorm: norm(),
            post_attention_layernorm: norm(),
        }
    }

    /// The linear layers with their names, such as `self_attn.q_proj`.
    pub(super) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        let attention = self.self_attn.linear_layers().into_iter();
        let attention = attention.map(|(name, layer)| (format!("self_attn.{name}"), layer));
        let mlp = self.mlp.linear_layers().into_iter();
        attention.chain(mlp.map(|(name, layer)| (format!("mlp.{name}"), layer)))
    }

    #[cfg(feature = "flex")]
    pub(super) fn num_kv_heads(&self) -> usize {
        self.self_attn.num_kv_heads()
    }

    /// Transforms `x`, `[batch, seq, hidden]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        positions: &Positions,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let normed = self.input_layernorm.forward(x.clone());
        let x = x + self.self_attn.forward(normed, positions, cache);
        let normed = self.post_attention_layernorm.forward(x.clone());
        x + self.mlp.forward(normed)
    }

    /// Like [`DecoderLayer::forward`], but for tokens whose rows are in pages, `[tokens, hidden]`.
    #[cfg(feature = "flex")]
    pub(super) fn read(
        &self,
        x: Tensor<2>,
        rotations: &Rotations,
        rows: &[PagedRow<'_>],
        pages: &mut PagedKeyValues,
    ) -> Tensor<2> {
        let normed = self.input_layernorm.forward(x.clone());
        let x = x + self.self_attn.read(&normed, rotations, rows, pages);
        let normed = self.post_attention_layernorm.forward(x.clone());
        x + self.mlp.forward(normed)
    }
}

/// The gated feed-forward network of a decoder layer (`SwiGLU`): `down(silu(gate(x)) * up(x))`.
#[derive(Module, Debug)]
struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Mlp {
    fn new(config: &LlamaConfig, device: &Device) -> Self {
        let (outer, inner) = (config.hidden_size, config.intermediate_size);
        Self {
            gate_proj: config.linear(outer, inner, device),
            up_proj: config.linear(outer, inner, device),
            down_proj: config.linear(inner, outer, device),
        }
    }

    fn linear_layers(&mut self) -> [(&'static str, &mut Linear); 3] {
        let Self { gate_proj, up_proj, down_proj } = self;
        [("gate_proj", gate_proj), ("up_proj", up_proj), ("down_proj", down_proj)]
    }

    /// Transforms every position independently, `[.., hidden]`.
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let gate = self.gate_proj.forward(x.clone());
        self.down_proj.forward(swiglu(gate, self.up_proj.forward(x)))
    }
}

/// Root mean square normalization: scales a vector to a root mean square of one, then by a learned weight.
///
/// Everything is computed in f32 and cast once at the end, as upstream does. Hugging Face casts before it multiplies by
/// the weight, which makes a difference in half precision only.
#[derive(Module, Debug)]
pub(super) struct RmsNorm {
    weight: Param<Tensor<1>>,
    eps: f64,
}

impl RmsNorm {
    pub(super) fn new(hidden_size: usize, eps: f64, device: &Device) -> Self {
        Self { weight: Param::from_tensor(Tensor::ones([hidden_size], device)), eps }
    }

    /// The device that holds the weight.
    pub(super) fn device(&self) -> Device {
        self.weight.device()
    }

    /// Normalizes the last axis, `[.., hidden]`.
    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let weight = self.weight.val().cast(DType::F32);
        rms_norm(x.cast(DType::F32), weight, self.eps).cast(dtype)
    }
}
