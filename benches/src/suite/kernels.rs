//! Products of linear layers, attention, and the fused operations between them.
//!
//! Each run takes the next of many weights or inputs, so that they come from memory as they do in a model, whose layers no
//! cache holds.

use std::cell::OnceCell;

use burn::tensor::{Device, Int, Tensor, TensorData};
use vigc_pipeline::core::kernels::{
    attention, cross_entropy, gelu, layer_norm, rms_norm, rotate, self_attention, swiglu,
};
use vigc_pipeline::core::nn::Precision;

use super::bench::{Bench, Case};
use super::group::Scale;
use crate::machine::bits_per_weight;
use crate::random_weights::{linear, tensor};

/// Bytes of an f32.
const F32: usize = 4;
const EPSILON: f64 = 1e-6;

pub(super) fn run(bench: &mut Bench<'_>, scale: Scale) {
    products(bench, scale);
    attentions(bench, scale);
    fused(bench, scale);
}

fn plural(rows: usize) -> &'static str {
    if rows == 1 { "row" } else { "rows" }
}

/// How many things of `bytes` are more than the caches hold.
fn uncached(bytes: usize, scale: Scale) -> usize {
    let all: usize = if scale == Scale::Tiny { 1 << 16 } else { 256 << 20 };
    all.div_ceil(bytes).max(2)
}

/// Linear layers: outputs and inputs of LLaMA 7B's feed-forward network, of its attention and of ViT-g's feed-forward
/// network, by the number of rows that are multiplied at once.
fn products(bench: &mut Bench<'_>, scale: Scale) {
    let (shapes, row_counts): (&[[usize; 2]], &[usize]) = match scale {
        Scale::Tiny => (&[[64, 96]], &[1, 5]),
        Scale::Normal => (&[[11_008, 4096]], &[1, 5, 96]),
        Scale::Full => (&[[11_008, 4096], [4096, 4096], [6144, 1408]], &[1, 5, 16, 96]),
    };
    let device = bench.device();
    for &[outputs, inputs] in shapes {
        for precision in Precision::ALL {
            let bytes = bits_per_weight(precision) / 8.0 * (outputs * inputs) as f64;
            let layers = OnceCell::new();
            for &rows in row_counts {
                let case = Case::new(format!(
                    "product {precision}, {outputs} × {inputs}, {rows} {}",
                    plural(rows)
                ))
                .reads(bytes)
                .computes(precision, (2 * rows * outputs * inputs) as f64);
                bench.measure(case, |sampler| {
                    let layers = layers.get_or_init(|| {
                        let layer = |_| linear(precision, [outputs, inputs], &device);
                        (0..uncached(bytes as usize, scale)).map(layer).collect::<Vec<_>>()
                    });
                    let mut turns = layers.iter().cycle();
                    let x = tensor([rows, inputs], &device);
                    sampler
                        .run(&device, || turns.next().expect("there are layers").forward(x.clone()))
                });
            }
        }
    }
}

fn attentions(bench: &mut Bench<'_>, scale: Scale) {
    let small = |shape: [usize; 3]| if scale == Scale::Tiny { [2, 5, 8] } else { shape };
    let device = bench.device();

    let [heads, seq, width] = small([16, 257, 88]);
    let case = Case::new(format!("self-attention of ViT-g, {heads} heads × {seq} × {width}"));
    let shape = [1, seq, 3, heads, width];
    let operations = attention_operations(heads, seq, seq, width);
    measure(bench, scale, case.computes(Precision::F32, operations), &[shape], |[qkv]| {
        self_attention(qkv, scale_of(width))
    });

    let [heads, keys, width] = small([12, 257, 64]);
    let queries = small([0, 32, 0])[1];
    let case = Case::new(format!(
        "cross-attention of the Q-Former, {heads} heads × {queries} to {keys} × {width}"
    ));
    let (q, kv) = ([1, heads, queries, width], [1, heads, keys, width]);
    let operations = attention_operations(heads, queries, keys, width);
    measure(bench, scale, case.computes(Precision::F32, operations), &[q, kv, kv], |[q, k, v]| {
        attention(q, k, v, None, scale_of(width))
    });

    let [heads, seq, width] = small([32, 96, 128]);
    let case = Case::new(format!("causal attention of LLaMA 7B, {heads} heads × {seq} × {width}"));
    let bias = causal_bias(seq, &device);
    let shape = [1, heads, seq, width];
    // What the mask hides needs no arithmetic.
    let operations = attention_operations(heads, seq, seq, width) / 2.0;
    measure(bench, scale, case.computes(Precision::F32, operations), &[shape; 3], |[q, k, v]| {
        attention(q, k, v, Some(bias.clone()), scale_of(width))
    });
}

/// Of scores and of weighted values.
fn attention_operations(heads: usize, queries: usize, keys: usize, width: usize) -> f64 {
    (2 * 2 * heads * queries * keys * width) as f64
}

fn scale_of(width: usize) -> f64 {
    1.0 / (width as f64).sqrt()
}

fn causal_bias(seq: usize, device: &Device) -> Tensor<4> {
    let bias = |at: usize| if at % seq > at / seq { f32::MIN } else { 0.0 };
    let bias: Vec<_> = (0..seq * seq).map(bias).collect();
    Tensor::from_data(TensorData::new(bias, [1, 1, seq, seq]), device)
}

/// Norms, activations, rotations and the softmax of the loss: one pass over the input each.
fn fused(bench: &mut Bench<'_>, scale: Scale) {
    let small = |shape: [usize; 2]| if scale == Scale::Tiny { [3, 32] } else { shape };
    let device = bench.device();
    let ones = |width: usize| Tensor::<1>::ones([width], &device);

    let [rows, width] = small([257, 1408]);
    let (gamma, beta) = (ones(width), ones(width));
    let case = Case::new(format!("layer norm, {rows} × {width}"));
    measure(bench, scale, case, &[[rows, width]], |[x]| {
        layer_norm(x, gamma.clone(), beta.clone(), EPSILON)
    });

    let [rows, width] = small([96, 4096]);
    let gamma = ones(width);
    let case = Case::new(format!("RMS norm, {rows} × {width}"));
    measure(bench, scale, case, &[[rows, width]], |[x]| rms_norm(x, gamma.clone(), EPSILON));

    let [rows, width] = small([257, 6144]);
    let case = Case::new(format!("GELU, {rows} × {width}"));
    measure(bench, scale, case, &[[rows, width]], |[x]| gelu(x));

    let [rows, width] = small([96, 11_008]);
    let case = Case::new(format!("SwiGLU, {rows} × {width}"));
    measure(bench, scale, case, &[[rows, width]; 2], |[gate, up]| swiglu(gate, up));

    let [rows, classes] = small([96, 32_000]);
    let case = Case::new(format!("softmax and cross-entropy, {rows} × {classes}"));
    let labels = Tensor::<1, Int>::zeros([rows], &device);
    measure(bench, scale, case, &[[rows, classes]], |[logits]| {
        cross_entropy(logits, labels.clone())
    });

    let [seq, heads] = small([96, 32]);
    let width = 128;
    let case = Case::new(format!("rotary embedding, {seq} × {heads} heads × {width}"));
    let angles = Tensor::<4>::ones([1, seq, 1, width / 2], &device);
    measure(bench, scale, case, &[[1, seq, heads, width]], |[x]| {
        rotate(x, angles.clone(), angles.clone())
    });
}

/// Measures an operation whose inputs have these shapes and are other ones in each run.
fn measure<const N: usize, const D: usize, T: Send>(
    bench: &mut Bench<'_>,
    scale: Scale,
    case: Case,
    shapes: &[[usize; D]; N],
    operation: impl Fn([Tensor<D>; N]) -> T + Send + Sync,
) {
    let device = bench.device();
    let bytes = F32 * shapes.iter().map(|shape| shape.iter().product::<usize>()).sum::<usize>();
    bench.measure(case.reads(bytes as f64), |sampler| {
        let inputs = |_| shapes.map(|shape| tensor(shape, &device));
        let inputs: Vec<_> = (0..uncached(bytes, scale)).map(inputs).collect();
        let mut turns = inputs.iter().cycle();
        sampler.run(&device, || operation(turns.next().expect("there are inputs").clone()))
    });
}
