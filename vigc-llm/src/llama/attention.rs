//! Causal self-attention with grouped key and value heads.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, DType, Device, Tensor};
use vigc_core::kernels::attention;
#[cfg(feature = "flex")]
use vigc_core::kernels::{PagedKeyValues, PagedRow};
use vigc_core::nn::Linear;

use super::kv_cache::LayerCache;
#[cfg(feature = "flex")]
use super::paged::{Step, host, tensor};
use super::rope::Rotation;
use super::{LlamaConfig, linear};

/// Added to the score of a key that may not be seen. Finite, so that a row of padding only, which
/// nobody reads, stays a number.
const FORBIDDEN: f32 = -1e30;

/// Self-attention of a decoder layer.
#[derive(Module, Debug)]
pub struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    num_heads: usize,
    num_kv_heads: usize,
    head_dim: usize,
}

/// What all layers of one forward pass share.
#[derive(Debug)]
pub(super) struct Positions {
    pub(super) rotation: Rotation,
    /// Added to the scores, `[batch, 1, queries, keys]`.
    pub(super) bias: Tensor<4>,
}

/// The bias of scores for the last `seq` positions of `mask` (`[batch, past + seq]`).
pub(super) fn causal_bias(mask: Tensor<2, Bool>, seq: usize) -> Tensor<4> {
    let [batch, total] = mask.dims();
    let device = mask.device();
    let padding = mask.bool_not().reshape([batch, 1, 1, total]);
    let forbidden = if seq == 1 {
        padding
    } else {
        let future = Tensor::<2, Bool>::tril_mask([seq, total], (total - seq) as i64, &device);
        let future = future.reshape([1, 1, seq, total]).expand([batch, 1, seq, total]);
        padding.expand([batch, 1, seq, total]).bool_or(future)
    };
    Tensor::zeros([batch, 1, seq, total], (&device, DType::F32)).mask_fill(forbidden, FORBIDDEN)
}

impl Attention {
    pub(super) fn linear_layers(&mut self) -> [(&'static str, &mut Linear); 4] {
        let Self { q_proj, k_proj, v_proj, o_proj, .. } = self;
        [("q_proj", q_proj), ("k_proj", k_proj), ("v_proj", v_proj), ("o_proj", o_proj)]
    }

    pub(super) fn new(config: &LlamaConfig, device: &Device) -> Self {
        let queries = config.num_attention_heads * config.head_dim;
        let keys = config.num_key_value_heads * config.head_dim;
        Self {
            q_proj: linear(config, config.hidden_size, queries, device),
            k_proj: linear(config, config.hidden_size, keys, device),
            v_proj: linear(config, config.hidden_size, keys, device),
            o_proj: linear(config, queries, config.hidden_size, device),
            num_heads: config.num_attention_heads,
            num_kv_heads: config.num_key_value_heads,
            head_dim: config.head_dim,
        }
    }

    /// Attends to the cached positions and to `x`, `[batch, seq, hidden]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        positions: &Positions,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let [batch, seq, _] = x.dims();
        let split = |x: Tensor<3>, heads| x.reshape([batch, seq, heads, self.head_dim]);
        let q = split(self.q_proj.forward(x.clone()), self.num_heads);
        let k = split(self.k_proj.forward(x.clone()), self.num_kv_heads);
        let v = split(self.v_proj.forward(x), self.num_kv_heads).swap_dims(1, 2);
        let q = positions.rotation.apply(q).swap_dims(1, 2);
        let k = positions.rotation.apply(k).swap_dims(1, 2);
        let [k, v] = match cache {
            Some(cache) => cache.append(k, v),
            None => [k, v],
        };
        let context = self.attend(q, k, v, positions.bias.clone());
        self.o_proj.forward(context.reshape([batch, seq, self.num_heads * self.head_dim]))
    }

    /// Appends `x`, `[tokens, hidden]`, to rows, and lets it attend to what they hold.
    #[cfg(feature = "flex")]
    pub(super) fn read(
        &self,
        x: &Tensor<2>,
        step: &Step,
        rows: &[PagedRow<'_>],
        pages: &mut PagedKeyValues,
    ) -> Tensor<2> {
        let [tokens, _] = x.dims();
        let q = step.rotate(self.q_proj.forward(x.clone()), self.head_dim);
        let k = step.rotate(self.k_proj.forward(x.clone()), self.head_dim);
        let v = host(self.v_proj.forward(x.clone()));
        let scale = 1.0 / (self.head_dim as f64).sqrt();
        let context = pages.attend([&q, &k, &v], rows, scale as f32);
        self.o_proj.forward(tensor(context, [tokens, self.num_heads * self.head_dim], x))
    }

    #[cfg(feature = "flex")]
    pub(super) fn num_kv_heads(&self) -> usize {
        self.num_kv_heads
    }

    /// Mixes values, `[batch, seq, heads, head_dim]`.
    ///
    /// Query heads that share a key head are stacked along the sequence, so keys and values are
    /// never copied per query head.
    fn attend(&self, q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, bias: Tensor<4>) -> Tensor<4> {
        let [batch, heads, seq, head_dim] = q.dims();
        let group = heads / self.num_kv_heads;
        let (q, bias) = match group {
            1 => (q, bias),
            _ => (
                q.reshape([batch, self.num_kv_heads, group * seq, head_dim]),
                bias.repeat_dim(2, group),
            ),
        };
        let scale = 1.0 / (head_dim as f64).sqrt();
        let context = if q.dtype() == DType::F32 {
            attention(q, k, v, Some(bias), scale)
        } else {
            let dtype = q.dtype();
            let scores = (q * scale).matmul(k.swap_dims(2, 3)).cast(DType::F32) + bias;
            softmax(scores, 3).cast(dtype).matmul(v)
        };
        context.reshape([batch, heads, seq, head_dim]).swap_dims(1, 2)
    }
}
