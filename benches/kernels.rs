//! Products by shape, format and number of rows, on the default device, beside what the machine can do.
//!
//! `cargo bench --workspace --bench kernels [-- q4]`. Throughput is bytes of weights up to 16 rows, where reading them is the limit,
//! and operations beyond.
#![allow(missing_docs, reason = "criterion's macro writes an undocumented function")]

mod layer;
mod machine;

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use layer::layer;
use vigc_pipeline::core::kernels::on_worker;
use vigc_pipeline::core::nn::Precision;

/// Outputs and inputs: LLaMA 7B's feed-forward network, ViT-g's.
const SHAPES: [[usize; 2]; 2] = [[11_008, 4096], [6144, 1408]];
/// Weights of all layers that are multiplied in turn, so that none stays in a cache.
const BYTES: usize = 400 << 20;

fn bits(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 64,
        Precision::Q8 => 17,
        Precision::Q4 => 9,
        _ => 32,
    }
}

fn products(criterion: &mut Criterion) {
    machine::print();
    let device = Device::default();
    for shape in SHAPES {
        let [outputs, inputs] = shape;
        for precision in Precision::ALL {
            let bytes = outputs * inputs * bits(precision) / 16;
            let layers: Vec<_> =
                (0..(BYTES / bytes).max(1)).map(|_| layer(precision, shape)).collect();
            let name = format!("default/product/{precision}/{outputs}x{inputs}");
            let mut group = criterion.benchmark_group(name);
            for rows in [1, 5, 16, 96] {
                let operations = 2 * rows * outputs * inputs;
                group.throughput(match rows {
                    96 => Throughput::Elements(operations as u64),
                    _ => Throughput::Bytes(bytes as u64),
                });
                let x = Tensor::<2>::random([rows, inputs], Distribution::Default, &device);
                let mut turn = layers.iter().cycle();
                group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
                    bencher.iter(|| {
                        let layer = turn.next().expect("there are layers");
                        let product = on_worker(|| layer.forward(x.clone()));
                        device.sync().expect("the device works");
                        product
                    });
                });
            }
            group.finish();
        }
    }
    machine::print();
}

criterion_group!(benches, products);
criterion_main!(benches);
