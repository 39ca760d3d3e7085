//! The parts of a model of 7B and a whole sample, by what weights are stored in, on the default device.
//!
//! `cargo bench --workspace --bench models [-- q4]`. The image encoder and the Q-Former are whole, the language model has two of its
//! 32 layers (and its head), random weights all of them; they are written to the system's temporary folder first (3.9 GB). A
//! sample is `vigc-mini`'s. Throughput is pictures, tokens or samples.
#![allow(missing_docs, reason = "criterion's macro writes an undocumented function")]
#![allow(clippy::print_stdout, reason = "a bench talks to the terminal")]

mod machine;
mod random_checkpoint;

use std::error::Error;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vigc_pipeline::core::TokenBatch;
use vigc_pipeline::core::kernels::on_worker;
use vigc_pipeline::core::nn::Precision;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llm::{CausalLm, Session};
use vigc_pipeline::model::Connector;
use vigc_pipeline::model::{LoadOptions, Precisions};
use vigc_pipeline::vigc::{Correction, GenerationConfig, ImageInput, Vigc};
use vigc_scenes::{Scene, Split};

use random_checkpoint::{Size, write_unless_there};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Layers of the language model.
const LAYERS: usize = 2;
/// Tokens of a prompt.
const PROMPT: usize = 96;
/// Beams.
const BEAMS: usize = 5;

fn load(folder: &Path, precision: Precision) -> InstructBlip {
    let options = LoadOptions::default().with_precisions(Precisions::from(precision));
    InstructBlip::from_dir_with(folder, &Device::default(), &options).expect("it was just written")
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("vigc-bench-7b-{LAYERS}"));
    write_unless_there(&folder, Size::Layers(LAYERS)).expect("the folder can be written");
    folder
}

fn sync(device: &Device) {
    device.sync().expect("the device works");
}

fn parts(criterion: &mut Criterion) {
    machine::print();
    let folder = folder();
    for precision in Precision::ALL {
        let mut group = criterion.benchmark_group(format!("default/7b-{LAYERS}/{precision}"));
        group.sample_size(10);
        // Loaded only if something of it is asked for.
        let mut model = None;
        let device = Device::default();
        group.bench_function("load", |bencher| {
            bencher.iter_with_large_drop(|| {
                let model = load(&folder, precision);
                sync(&device);
                model
            });
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function("vit", |bencher| {
            let model = model.get_or_insert_with(|| load(&folder, precision));
            let pixels = Tensor::random([1, 3, 224, 224], Distribution::Default, &device);
            bencher.iter(|| {
                let image = on_worker(|| {
                    model.network().image_encoder.vision_model.forward(pixels.clone())
                });
                sync(&device);
                image
            });
        });
        group.bench_function("qformer", |bencher| {
            let network = model.get_or_insert_with(|| load(&folder, precision)).network();
            let image = Tensor::<3>::random([1, 257, 1408], Distribution::Default, &device);
            let text = TokenBatch::pad_right(&[(4..24).collect()], 0);
            bencher.iter(|| {
                let query = on_worker(|| {
                    let image = network.connector.connect(image.clone());
                    network.connector.query_output(&image, &text)
                });
                sync(&device);
                query
            });
        });
        group.throughput(Throughput::Elements(PROMPT as u64));
        group.bench_function("prefill/96", |bencher| {
            let model = model.get_or_insert_with(|| load(&folder, precision));
            bencher.iter_with_large_drop(|| {
                let session = start(model);
                sync(&device);
                session
            });
        });
        for rows in [1, BEAMS, 16] {
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(format!("decode/{rows}"), |bencher| {
                let model = model.get_or_insert_with(|| load(&folder, precision));
                // On a device that takes no token back, every step begins behind the prompt.
                bencher.iter_batched(
                    || spread(model, rows),
                    |session| step(session, rows, None),
                    BatchSize::PerIteration,
                );
            });
        }
        group.throughput(Throughput::Elements(BEAMS as u64));
        group.bench_function("beam-step", |bencher| {
            let model = model.get_or_insert_with(|| load(&folder, precision));
            let parents = Some(&[0, 0, 1, 1, 2][..]);
            bencher.iter_batched(
                || spread(model, BEAMS),
                |session| step(session, BEAMS, parents),
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
    machine::print();
}

/// A session behind a prompt of random embeddings.
fn start(model: &InstructBlip) -> Box<dyn Session + '_> {
    let hidden = model.config().text_config.hidden_size;
    let device = Device::default();
    let embeds = Tensor::random([1, PROMPT, hidden], Distribution::Normal(0.0, 1.0), &device);
    let mask = Tensor::<2>::ones([1, PROMPT], &device).greater_elem(0.0);
    CausalLm::start(&model.network().language_model, embeds, mask).0
}

/// So many rows behind the same prompt, each a token further.
fn spread(model: &InstructBlip, rows: usize) -> Box<dyn Session + '_> {
    let mut session = start(model);
    session.select(&vec![0; rows]);
    session.advance(&vec![7; rows]);
    session
}

/// A token for every row, behind other rows first if there are parents; what is left is dropped outside of the measurement.
fn step<'a>(
    mut session: Box<dyn Session + 'a>,
    rows: usize,
    parents: Option<&[usize]>,
) -> Box<dyn Session + 'a> {
    if let Some(parents) = parents {
        session.select(parents);
    }
    session.advance(&vec![7; rows]);
    session
}

fn sample(criterion: &mut Criterion) {
    let model = InstructBlip::bundled(&Device::default()).expect("the bundled model loads");
    let picture = Scene::sample(Split::Val, 900).render(112);
    let mut group = criterion.benchmark_group("default/mini");
    group.sample_size(20).throughput(Throughput::Elements(1));
    group.bench_function("sample", |bencher| {
        bencher.iter(|| {
            let vigc = Vigc::new(&model)
                .with_decoding(GenerationConfig::greedy())
                .with_correction(Correction::sentences(4));
            for record in vigc.run([ImageInput::pixels("scene", picture.clone())], 1) {
                record.expect("a picture in memory is read");
            }
        });
    });
    group.finish();
}

criterion_group!(benches, parts, sample);
criterion_main!(benches);
