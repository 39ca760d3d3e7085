//! Compares every operation and its gradient with burn's own.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, Tolerance, activation};

use super::*;

/// The polynomials differ from burn's `exp` and `erf` in the last digits.
const TOLERANCE: f64 = 2e-5;

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.5), device)
}

fn close<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>, what: &str) {
    let (ours, theirs) = (ours.into_data(), theirs.into_data());
    let tolerance = Tolerance::absolute(TOLERANCE).set_relative(1e-4);
    assert_eq!(ours.shape(), theirs.shape(), "{what}");
    ours.assert_approx_eq::<f32>(&theirs, tolerance);
}

/// Compares the outputs of two functions and the gradients of all their inputs.
fn same<const D: usize, const N: usize>(
    inputs: [Tensor<D>; N],
    ours: impl Fn([Tensor<D>; N]) -> Tensor<D>,
    theirs: impl Fn([Tensor<D>; N]) -> Tensor<D>,
) {
    let tracked = || inputs.clone().map(|input| input.detach().require_grad());
    let (a, b) = (tracked(), tracked());
    let (x, y) = (ours(a.clone()), theirs(b.clone()));
    close(x.clone().detach(), y.clone().detach(), "output");
    // The sum is weighted, because a plain sum over a softmax has no gradient.
    let weigh = random(x.dims(), &x.device().inner());
    let (x, y) = ((x * weigh.clone()).sum().backward(), (y * weigh).sum().backward());
    for (i, (a, b)) in a.iter().zip(&b).enumerate() {
        let [a, b] = [a.grad(&x), b.grad(&y)].map(|grad| grad.expect("every input has a gradient"));
        close(a, b, &format!("gradient {i}"));
    }
    let plain = inputs.map(|input| input.inner());
    close(ours(plain.clone()), theirs(plain), "without autodiff");
}

fn device() -> Device {
    let device = Device::default().autodiff();
    device.seed(7);
    device
}

#[test]
fn activations() {
    let device = device();
    let x = random([3, 7, 37], &device);
    same([x.clone()], |[x]| gelu(x), |[x]| activation::gelu(x));
    same([x.clone()], |[x]| quick_gelu(x), |[x]| x.clone() * activation::sigmoid(x * 1.702));
    let up = random([3, 7, 37], &device);
    same([x, up], |[x, up]| swiglu(x, up), |[x, up]| activation::silu(x) * up);
}

#[test]
fn norms() {
    let device = device();
    let (x, gamma, beta) =
        (random([40, 35], &device), random([1, 35], &device), random([1, 35], &device));
    let row = |x: Tensor<2>| x.reshape([35]);
    same(
        [x.clone(), gamma.clone(), beta],
        |[x, gamma, beta]| layer_norm(x, row(gamma), row(beta), 1e-5),
        |[x, gamma, beta]| burn::tensor::module::layer_norm(x, row(gamma), Some(row(beta)), 1e-5),
    );
    same(
        [x, gamma],
        |[x, gamma]| rms_norm(x, row(gamma), 1e-6),
        |[x, gamma]| x.clone() / (x.square().mean_dim(1) + 1e-6).sqrt() * gamma,
    );
}

#[test]
fn attention_with_and_without_bias() {
    let device = device();
    // Permuted like heads.
    let heads = |seq| random([2, seq, 3, 20], &device).swap_dims(1, 2);
    let (q, k, v) = (heads(5), heads(18), heads(18));
    let plain = |bias: Option<Tensor<4>>| {
        move |[q, k, v]: [Tensor<4>; 3]| {
            let scores = (q * 0.3).matmul(k.transpose());
            let scores = bias.clone().map_or(scores.clone(), |bias| scores + bias);
            activation::softmax(scores, 3).matmul(v)
        }
    };
    let inputs = [q, k, v];
    same(inputs.clone(), |[q, k, v]| attention(q, k, v, None, 0.3), plain(None));
    for shape in [[2, 1, 5, 18], [1, 1, 5, 18], [2, 1, 1, 18]] {
        let bias = random(shape, &device.clone().inner());
        let ours = |[q, k, v]: [Tensor<4>; 3]| attention(q, k, v, Some(bias.clone()), 0.3);
        same(inputs.clone(), ours, plain(Some(bias.clone())));
    }
}

#[test]
fn attention_of_one_projection() {
    let device = device();
    let qkv = random([2, 35, 3, 3, 20], &device);
    let theirs = |[qkv]: [Tensor<5>; 1]| {
        let part = |i: usize| qkv.clone().narrow(2, i, 1).squeeze_dim::<4>(2).swap_dims(1, 2);
        let scores = (part(0) * 0.3).matmul(part(1).transpose());
        activation::softmax(scores, 3).matmul(part(2)).swap_dims(1, 2).unsqueeze_dim::<5>(2)
    };
    same([qkv], |[qkv]| self_attention(qkv, 0.3).unsqueeze_dim(2), theirs);
}

#[test]
fn attention_of_several_texts_in_a_row() {
    let device = device();
    let heads = |seq| random([2, seq, 3, 20], &device).swap_dims(1, 2);
    // Texts of 23 tokens behind a prefix of 5; the second row of the batch holds a shorter one, and padding.
    let seq = 74;
    let sees = |batch: usize, query: usize, key: usize| {
        let text = |token: usize| token.saturating_sub(5) / (23 - batch);
        let padding = batch == 1 && key > 60;
        key <= query && (key < 5 || text(key) == text(query)) && !padding
    };
    let bias: Vec<f32> = (0..2 * seq * seq)
        .map(|i| if sees(i / seq / seq, i / seq % seq, i % seq) { 0.0 } else { -1e30 })
        .collect();
    let bias = Tensor::from_data(TensorData::new(bias, [2, 1, seq, seq]), &device.clone().inner());
    let theirs = |[q, k, v]: [Tensor<4>; 3]| {
        let scores = (q * 0.3).matmul(k.transpose()) + bias.clone();
        activation::softmax(scores, 3).matmul(v)
    };
    let ours = |[q, k, v]: [Tensor<4>; 3]| attention(q, k, v, Some(bias.clone()), 0.3);
    // Rows of padding have no meaning, and the two implementations mix other keys for them.
    let real = |x: Tensor<4>| x.narrow(2, 0, 61);
    same([heads(seq), heads(seq), heads(seq)], |x| real(ours(x)), |x| real(theirs(x)));
}

#[test]
fn rotations() {
    let device = device();
    let angles = random([2, 5, 1, 6], &device.clone().inner());
    let (cos, sin) = (angles.clone().cos(), angles.sin());
    let theirs = |[x]: [Tensor<4>; 1]| {
        let (low, high) = (x.clone().narrow(3, 0, 6), x.narrow(3, 6, 6));
        let turned = low.clone() * cos.clone() - high.clone() * sin.clone();
        Tensor::cat(vec![turned, high * cos.clone() + low * sin.clone()], 3)
    };
    let x = random([2, 5, 3, 12], &device);
    same([x], |[x]| rotate(x, cos.clone(), sin.clone()), theirs);
}

#[test]
fn products() {
    let device = device();
    // More rows than a task of the transposition or of the sums, and fewer than a tile.
    for [rows, inputs, outputs] in [[700, 37, 50], [3, 20, 16], [1, 1, 1]] {
        let x = random([rows, inputs], &device) * 0.1;
        let inputs = [x, random([inputs, outputs], &device)];
        same(inputs, |[x, w]| product(x, w, None), |[x, w]| x.matmul(w));
    }
    let inputs = [random([9, 9], &device), random([9, 9], &device), random([9, 1], &device)];
    same(
        inputs,
        |[x, w, b]| product(x, w, Some(b.reshape([9]))),
        |[x, w, b]| x.matmul(w) + b.reshape([1, 9]),
    );
}

#[test]
fn what_is_masked_weighs_nothing_at_all() {
    // Exactly 0 and not a denormal number, which would make every product a hundred times slower.
    let device = device().inner();
    let [q, k] = [3, 6].map(|seq| random::<4>([1, 1, seq, 8], &device));
    let mut v = vec![0.0; 48];
    v[40..].fill(1e30);
    let v = Tensor::<4>::from_data(TensorData::new(v, [1, 1, 6, 8]), &device);
    let bias = Tensor::<4>::from_floats([[[[0.0, 0.0, 0.0, 0.0, 0.0, f32::MIN]]]], &device);
    let mixed = attention(q, k, v, Some(bias), 0.3).into_data();
    assert_eq!(mixed.as_slice::<f32>().unwrap(), [0.0; 24]);
}

#[test]
fn losses() {
    let device = device();
    let classes: Vec<i32> = (0..11).map(|i| i * 5 % 23).collect();
    let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [11]), &device);
    let (ours, theirs) = (classes.clone(), classes.reshape([11, 1]));
    same(
        [random([11, 23], &device)],
        |[x]| cross_entropy(x, ours.clone()).reshape([11, 1]),
        |[x]| activation::log_softmax(x, 1).gather(1, theirs.clone()).neg(),
    );
}

#[test]
fn a_frozen_weight_costs_no_gradient() {
    let device = device();
    let gamma = Tensor::ones([8], &device.clone().inner());
    let x = random([4, 8], &device).require_grad();
    let grads = rms_norm(x.clone(), gamma, 1e-6).sum().backward();
    assert_eq!(x.grad(&grads).unwrap().dims(), [4, 8]);
}
