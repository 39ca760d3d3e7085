//! Products of our kernels and of libraries, in turns. It shows why the kernels are our own.
//!
//! ```text
//! cargo bench --features libraries --bench libraries
//! ```
//!
//! `rten-gemm` multiplies f32 weights that were packed before, and 4-bit blocks of 32 the way it is fastest: with 8-bit
//! activations for one row and f32 activations for more. It has neither bf16 nor 8-bit blocks. `gemm` multiplies f32 as burn calls it.
#![allow(clippy::print_stdout, reason = "a bench talks to the terminal")]

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use rten_gemm::{
    BlockQuantizedGemm, BlockQuantizedMatrix, ComputeMode, GemmExecutor, GemmInputA, GemmInputB,
    GemmUninitOptions,
};
use rten_tensor::prelude::*;
use rten_tensor::{Contiguous, NdTensor};
use vigc_benches::machine::Machine;
use vigc_benches::random_weights::linear;
use vigc_pipeline::core::kernels::on_worker;
use vigc_pipeline::core::nn::Precision;

/// Outputs and inputs of LLaMA 7B's feed-forward network.
const OUTPUTS: usize = 11_008;
const INPUTS: usize = 4096;
/// Different weights, used in turn, so that none stays in a cache.
const LAYERS: usize = 4;
const ROUNDS: usize = 12;
const ROWS: [usize; 4] = [1, 5, 16, 96];
/// Weights of a block.
const BLOCK: usize = 32;

fn main() {
    let machine = Machine::new(1 << 30);
    println!("{}", machine.roofs());
    println!("\n| weights | rows | ours | library | theirs | ratio |\n|---|---|---|---|---|---|");
    for rows in ROWS {
        let ours = ours(Precision::F32, rows);
        row("f32", rows, &ours, "rten-gemm", &rten_f32(rows));
        row("f32", rows, &ours, "gemm", &burns(rows));
    }
    for rows in ROWS {
        row("q4", rows, &ours(Precision::Q4, rows), "rten-gemm", &rten_q4(rows));
    }
    println!("\n{}", machine.roofs());
}

/// Multiplies with the weights of one layer.
type Product = Box<dyn Fn(usize)>;

fn row(weights: &str, rows: usize, ours: &Product, library: &str, theirs: &Product) {
    let (mut mine, mut other) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        mine.push(seconds(ours, round));
        other.push(seconds(theirs, round));
    }
    let [mine, other] = [mine, other].map(|mut times| {
        times.sort_by(f64::total_cmp);
        1e3 * times[ROUNDS / 2]
    });
    let ratio = other / mine;
    println!("| {weights} | {rows} | {mine:.2} ms | {library} | {other:.2} ms | {ratio:.2} |");
}

fn seconds(product: &Product, round: usize) -> f64 {
    let start = Instant::now();
    product(round % LAYERS);
    start.elapsed().as_secs_f64()
}

fn ours(precision: Precision, rows: usize) -> Product {
    let layers: Vec<_> =
        (0..LAYERS).map(|_| linear(precision, [OUTPUTS, INPUTS], &Device::default())).collect();
    let x = random([rows, INPUTS]);
    Box::new(move |at| {
        black_box(on_worker(|| layers[at].forward(x.clone())));
    })
}

fn burns(rows: usize) -> Product {
    let weights: Vec<_> = (0..LAYERS).map(|_| random([INPUTS, OUTPUTS])).collect();
    let x = random([rows, INPUTS]);
    Box::new(move |at| {
        black_box(x.clone().matmul(weights[at].clone()));
    })
}

fn rten_f32(rows: usize) -> Product {
    let gemm = GemmExecutor::<f32>::new();
    let weights: Vec<_> = (0..LAYERS)
        .map(|_| {
            gemm.prepack_b(NdTensor::from_data([INPUTS, OUTPUTS], values([INPUTS, OUTPUTS])).view())
        })
        .collect();
    let x = NdTensor::from_data([rows, INPUTS], values([rows, INPUTS]));
    Box::new(move |at| {
        let mut out = vec![MaybeUninit::uninit(); rows * OUTPUTS];
        let (a, b) = (GemmInputA::Unpacked(x.view()), GemmInputB::Packed(&weights[at]));
        let product = gemm.gemm_uninit(&mut out, a, b, GemmUninitOptions::default());
        black_box(product.expect("the sizes agree"));
    })
}

fn rten_q4(rows: usize) -> Product {
    let mode = if rows == 1 { ComputeMode::Int8 } else { ComputeMode::Float };
    let gemm = BlockQuantizedGemm::new().with_compute(mode);
    let blocks = INPUTS / BLOCK;
    let codes = |seed: usize| {
        let code = move |i: usize| (i * 31 + seed) as u8;
        let codes = (0..OUTPUTS * blocks * BLOCK / 2).map(code).collect::<Vec<_>>();
        NdTensor::from_data([OUTPUTS, blocks, BLOCK / 2], codes)
    };
    let weights: Vec<_> = (0..LAYERS).map(codes).collect();
    let scales = NdTensor::from_data([OUTPUTS, blocks], vec![0.02_f32; OUTPUTS * blocks]);
    let x = NdTensor::from_data([1, rows, INPUTS], values([rows, INPUTS]));
    Box::new(move |at| {
        let codes = Contiguous::new(weights[at].view()).expect("it was made so");
        let scales = Contiguous::new(scales.view()).expect("it was made so");
        let weights = BlockQuantizedMatrix::new(codes, scales, 4).expect("a size of blocks it has");
        let mut out = vec![MaybeUninit::uninit(); rows * OUTPUTS];
        black_box(gemm.batched_gemm_uninit(&mut out, x.view(), weights)).expect("the sizes agree");
    })
}

fn random(shape: [usize; 2]) -> Tensor<2> {
    Tensor::random(shape, Distribution::Normal(0.0, 0.02), &Device::default())
}

fn values(shape: [usize; 2]) -> Vec<f32> {
    random(shape).into_data().iter().collect()
}
