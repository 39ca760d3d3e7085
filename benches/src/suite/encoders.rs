//! Image encoders and the Q-Former, with random weights.

use std::cell::OnceCell;

use burn::tensor::{Device, Tensor};
use vigc_pipeline::core::TokenBatch;
use vigc_pipeline::core::nn::Precision;
use vigc_pipeline::vision::clip_vit::ClipVitConfig;
use vigc_pipeline::vision::eva_vit::EvaVitConfig;
use vigc_pipeline::vision::qformer::QFormerConfig;

use super::bench::{Bench, Case};
use super::group::Scale;
use crate::machine::bits_per_weight;
use crate::random_weights::{fill, tensor};

/// Queries of the Q-Former.
const QUERIES: usize = 32;
/// Tokens of the text that the Q-Former reads.
const TEXT: usize = 20;

pub(super) fn run(bench: &mut Bench<'_>, scale: Scale) {
    eva_vit(bench, scale);
    qformer(bench, scale);
    clip_vit(bench, scale);
}

/// The precisions of small and large encoders.
const F32: &[Precision] = &[Precision::F32];
const F32_AND_BF16: &[Precision] = &[Precision::F32, Precision::Bf16];
const PACKED: &[Precision] = &[Precision::Bf16, Precision::Q8, Precision::Q4];

fn eva_vit(bench: &mut Bench<'_>, scale: Scale) {
    let mini = (
        "EVA ViT of vigc-mini",
        EvaVitConfig::new(128)
            .with_num_hidden_layers(6)
            .with_num_attention_heads(4)
            .with_image_size(112),
        F32,
    );
    let base = (
        "EVA ViT, base",
        EvaVitConfig::new(768).with_num_hidden_layers(12).with_num_attention_heads(12),
        F32_AND_BF16,
    );
    let giant = ("EVA ViT-g", EvaVitConfig::default(), PACKED);
    let configs = match scale {
        Scale::Tiny => vec![mini],
        Scale::Normal => vec![mini, base],
        Scale::Full => vec![mini, base, giant],
    };
    let device = bench.device();
    for (name, in_f32, precisions) in configs {
        let vit = Vit {
            width: in_f32.hidden_size,
            inner: in_f32.intermediate_size,
            layers: in_f32.num_hidden_layers,
            side: in_f32.image_size,
            patch: in_f32.patch_size,
        };
        for &precision in precisions {
            let config = EvaVitConfig { precision, ..in_f32.clone() };
            let model = OnceCell::new();
            for &images in vit.batches() {
                bench.measure(vit.case(name, precision, images), |sampler| {
                    let model =
                        model.get_or_init(|| fill(config.init(&device), &in_f32.init(&device)));
                    let pixels = vit.pixels(images, &device);
                    sampler.run(&device, || model.forward(pixels.clone()))
                });
            }
        }
    }
}

fn clip_vit(bench: &mut Bench<'_>, scale: Scale) {
    let small = (
        "CLIP ViT, small",
        ClipVitConfig::new(384)
            .with_num_hidden_layers(12)
            .with_num_attention_heads(6)
            .with_image_size(112),
        F32,
    );
    let base = (
        "CLIP ViT, base",
        ClipVitConfig::new(768).with_num_hidden_layers(12).with_num_attention_heads(12),
        F32_AND_BF16,
    );
    let large = ("CLIP ViT-L/14 of LLaVA 1.5", ClipVitConfig::vit_l_14_336(), PACKED);
    let configs = match scale {
        Scale::Tiny => vec![small],
        Scale::Normal => vec![small, base],
        Scale::Full => vec![small, base, large],
    };
    let device = bench.device();
    for (name, in_f32, precisions) in configs {
        let vit = Vit {
            width: in_f32.hidden_size,
            inner: in_f32.intermediate_size,
            layers: in_f32.num_hidden_layers,
            side: in_f32.image_size,
            patch: in_f32.patch_size,
        };
        for &precision in precisions {
            let config = ClipVitConfig { precision, ..in_f32.clone() };
            bench.measure(vit.case(name, precision, 1), |sampler| {
                let model = fill(config.init(&device), &in_f32.init(&device));
                let pixels = vit.pixels(1, &device);
                sampler.run(&device, || model.forward(pixels.clone()))
            });
        }
    }
}

/// What a vision transformer's work depends on.
struct Vit {
    width: usize,
    inner: usize,
    layers: usize,
    /// Pixels.
    side: usize,
    /// Pixels.
    patch: usize,
}

impl Vit {
    /// Small encoders are also measured with a batch.
    fn batches(&self) -> &'static [usize] {
        if self.width < 512 { &[1, 8] } else { &[1] }
    }

    fn pixels(&self, images: usize, device: &Device) -> Tensor<4> {
        tensor([images, 3, self.side, self.side], device)
    }

    fn case(&self, name: &str, precision: Precision, images: usize) -> Case {
        let Self { width, inner, layers, side, patch } = *self;
        let patches = (side / patch).pow(2);
        let tokens = patches + 1;
        let weights = layers * (4 * width * width + 2 * width * inner);
        let embedding = 3 * patch * patch * width;
        let attention = layers * 2 * tokens * tokens * width;
        let operations = 2 * images * (tokens * weights + attention + patches * embedding);
        let what = format!("{name}, {width} × {layers}, {side} px, {precision}");
        Case::new(format!("{what}, {images} {}", if images == 1 { "image" } else { "images" }))
            .makes(images, "images")
            .reads(bits_per_weight(precision) / 8.0 * weights as f64)
            .computes(precision, operations as f64)
    }
}

fn qformer(bench: &mut Bench<'_>, scale: Scale) {
    let mini = QFormerConfig {
        intermediate_size: 256,
        ..QFormerConfig::new(128)
            .with_num_hidden_layers(6)
            .with_num_attention_heads(4)
            .with_vocab_size(600)
            .with_encoder_hidden_size(128)
    };
    let mini = ("Q-Former of vigc-mini", mini, 65, F32);
    let full = ("Q-Former of InstructBLIP", QFormerConfig::default(), 257, F32_AND_BF16);
    let configs = if scale == Scale::Tiny { vec![mini] } else { vec![mini, full] };
    let device = bench.device();
    for (name, in_f32, image_tokens, precisions) in configs {
        for &precision in precisions {
            let config = QFormerConfig { precision, ..in_f32.clone() };
            bench.measure(qformer_case(name, &config, image_tokens), |sampler| {
                let model = fill(config.init(&device), &in_f32.init(&device));
                let queries = tensor([1, QUERIES, config.hidden_size], &device);
                let text = TokenBatch::pad_right(&[(4..4 + TEXT as u32).collect()], 0);
                let image = tensor([1, image_tokens, config.encoder_hidden_size], &device);
                sampler.run(&device, || {
                    let image = model.image_key_values(image.clone());
                    model.forward(queries.clone(), Some(&text), &image)
                })
            });
        }
    }
}

/// One image with one text, the keys and values of the image included.
fn qformer_case(name: &str, config: &QFormerConfig, image_tokens: usize) -> Case {
    let QFormerConfig { hidden_size: width, num_hidden_layers: layers, .. } = *config;
    let crossing = layers.div_ceil(config.cross_attention_frequency);
    let rows = QUERIES + TEXT;
    let own = 4 * width * width;
    let feed_forward = 2 * width * config.intermediate_size;
    let (cross, keys) = (2 * width * width, 2 * width * config.encoder_hidden_size);
    // The last layer computes nothing behind the attention for the text, whose rows nobody reads.
    let products = layers * rows * (own + feed_forward) - TEXT * feed_forward
        + crossing * (QUERIES * cross + image_tokens * keys);
    let attention = 2 * width * (layers * rows * rows + crossing * QUERIES * image_tokens);
    let weights = layers * (own + 2 * feed_forward) + crossing * (cross + keys);
    let precision = config.precision;
    Case::new(format!("{name}, {width} × {layers}, {QUERIES} queries, {TEXT} tokens, {precision}"))
        .makes(1, "images")
        .reads(bits_per_weight(precision) / 8.0 * weights as f64)
        .computes(precision, 2.0 * (products + attention) as f64)
}
