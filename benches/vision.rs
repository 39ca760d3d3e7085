//! From a picture to visual tokens: preprocessing, the image encoder and the Q-Former.
//!
//! Random weights at the widths of `vigc-mini` and, one layer deep, of InstructBLIP.
#![allow(missing_docs, reason = "criterion's macro writes an undocumented function")]

use std::hint::black_box;

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vigc_pipeline::core::TokenBatch;
use vigc_pipeline::vision::eva_vit::EvaVitConfig;
use vigc_pipeline::vision::image::{BlipImageProcessor, BlipImageProcessorConfig, Rgb, RgbImage};
use vigc_pipeline::vision::qformer::QFormerConfig;

fn preprocessing(criterion: &mut Criterion) {
    let processor =
        BlipImageProcessor::new(BlipImageProcessorConfig::square(224)).expect("a valid size");
    let mut group = criterion.benchmark_group("cpu/preprocess");
    for (width, height) in [(640, 480), (1920, 1080)] {
        let image = RgbImage::from_fn(width, height, pixel);
        let id = BenchmarkId::from_parameter(format!("{width}x{height}"));
        group.bench_function(id, |bencher| bencher.iter(|| processor.process(black_box(&image))));
    }
    group.finish();
}

fn pixel(x: u32, y: u32) -> Rgb<u8> {
    Rgb([x, y, x ^ y].map(|value| (value % 256) as u8))
}

/// Name, encoder and Q-Former.
fn sizes() -> [(&'static str, EvaVitConfig, QFormerConfig); 2] {
    let mini = EvaVitConfig::new(128)
        .with_num_hidden_layers(6)
        .with_num_attention_heads(4)
        .with_image_size(112);
    let layer = EvaVitConfig { num_hidden_layers: 1, ..EvaVitConfig::default() };
    let qformer = QFormerConfig { num_hidden_layers: 1, ..QFormerConfig::default() };
    [
        (
            "mini",
            mini,
            QFormerConfig::new(128)
                .with_num_hidden_layers(6)
                .with_num_attention_heads(4)
                .with_vocab_size(600)
                .with_encoder_hidden_size(128),
        ),
        ("vit-g-1-layer", layer, qformer),
    ]
}

fn encoder(criterion: &mut Criterion) {
    let device = Device::default();
    let mut group = criterion.benchmark_group("default/eva_vit");
    for (name, config, _) in sizes() {
        let vit = config.init(&device);
        let side = config.image_size;
        let images = Tensor::random([1, 3, side, side], Distribution::Default, &device);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let features = vit.forward(images.clone());
                device.sync().expect("the device works");
                features
            });
        });
    }
    group.finish();
}

fn qformer(criterion: &mut Criterion) {
    let device = Device::default();
    let text = TokenBatch::pad_right(&[(4..24).collect()], 0);
    let mut group = criterion.benchmark_group("default/qformer");
    for (name, vit, config) in sizes() {
        let qformer = config.init(&device);
        let shape = [1, vit.num_positions(), vit.hidden_size];
        let image = Tensor::random(shape, Distribution::Default, &device);
        let image = qformer.image_key_values(image);
        let queries = Tensor::zeros([1, 32, config.hidden_size], &device);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let tokens = qformer.forward(queries.clone(), Some(&text), &image);
                device.sync().expect("the device works");
                tokens
            });
        });
    }
    group.finish();
}

criterion_group!(benches, preprocessing, encoder, qformer);
criterion_main!(benches);
