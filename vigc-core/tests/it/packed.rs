//! Linear layers with weights of every precision: loaded from a checkpoint, multiplied and saved.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use vigc_core::nn::{Linear, LinearConfig, LowRankUpdate, Precision};
use vigc_core::progress::Progress;
use vigc_core::weights::{Checkpoint, CheckpointOverlay, KeyMap, Strictness, save, save_tensors};

/// The largest error of a weight, relative to the largest weight of its block.
fn step(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-7,
        Precision::F16 => 1.0 / 2048.0,
        Precision::Bf16 => 1.0 / 256.0,
        Precision::Q8 => 0.6 / 127.0,
        _ => 1.01 / 8.0,
    }
}

/// Noise between -1 and 1: `SplitMix64` of the positions.
fn numbers(shape: [usize; 2], seed: u64) -> Vec<f32> {
    let noise = |place: u64| {
        let mut bits = (place + (seed << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..(shape[0] * shape[1]) as u64).map(noise).collect()
}

fn layer(precision: Precision, [outputs, inputs]: [usize; 2]) -> LinearConfig {
    LinearConfig::new(inputs, outputs).with_precision(precision)
}

/// `x w^T + b` in f64.
fn exact(x: &[f32], w: &[f32], b: &[f32], [outputs, inputs]: [usize; 2]) -> Vec<f64> {
    let row = |x: &[f32]| {
        let line = |(w, b): (&[f32], &f32)| {
            let products = w.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x));
            products.sum::<f64>() + f64::from(*b)
        };
        w.chunks(inputs).zip(b).map(line).collect::<Vec<_>>()
    };
    assert_eq!(b.len(), outputs);
    x.chunks(inputs).flat_map(row).collect()
}

#[test]
fn frozen_weights_pass_gradients_on_in_every_precision() {
    let device = Device::default().autodiff();
    let shape @ [outputs, inputs] = [50, 75];
    let weight = TensorData::new(numbers(shape, 1), shape);
    let checkpoint = Checkpoint::from_tensors("noise", vec![("weight".to_owned(), weight)]);
    for precision in Precision::ALL.into_iter().filter(|&it| it != Precision::F32) {
        let mut linear = layer(precision, shape).with_bias(false).init(&Device::default());
        checkpoint.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict).unwrap();
        let x = TensorData::new(numbers([20, inputs], 3), [20, inputs]);
        let x = Tensor::<2>::from_data(x, &device).require_grad();
        let weigh = TensorData::new(numbers([20, outputs], 4), [20, outputs]);
        let weigh = Tensor::<2>::from_data(weigh, &device.clone().inner());
        let grads = (linear.forward(x.clone()) * weigh.clone()).sum().backward();
        let found = x.grad(&grads).unwrap().into_data();
        let gap = found_gap(&found, &weigh.matmul(linear.weight().transpose()).into_data());
        assert!(gap < 1e-4, "{precision}: off by {gap}");
    }
}

#[test]
fn products_are_right_for_few_rows_and_many_in_every_precision() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    // One block, an incomplete one, several tasks, several groups of panels.
    for shape in [[3, 32], [5, 75], [1100, 432], [2100, 64]] {
        let [outputs, inputs] = shape;
        let (weights, bias) = (numbers(shape, 1), numbers([1, outputs], 2));
        let tensors = vec![
            ("weight".to_owned(), TensorData::new(weights.clone(), shape)),
            ("bias".to_owned(), TensorData::new(bias.clone(), [outputs])),
        ];
        save_tensors(tensors, &path).unwrap();
        for precision in Precision::ALL {
            let mut linear = layer(precision, shape).init(&device);
            let checkpoint = Checkpoint::open(&path).unwrap();
            checkpoint.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict).unwrap();
            for rows in [1, 2, 8, 9, 40] {
                let x = numbers([rows, inputs], 3);
                let expected = exact(&x, &weights, &bias, shape);
                let input = Tensor::<2>::from_data(TensorData::new(x, [rows, inputs]), &device);
                let found = linear.forward(input.clone()).into_data();
                // Errors of the weights are independent, so their squares add up.
                let limit = step(precision) * 4.0 * (inputs as f64).sqrt() + 1e-4;
                for (found, expected) in found.iter::<f64>().zip(expected) {
                    let error = (found - expected).abs();
                    assert!(error < limit, "{precision} {shape:?} x{rows}: off by {error}");
                }
                if precision != Precision::F32 {
                    // The same weights with burn's own operations, as other backends compute them.
                    let plain = input.matmul(linear.weight());
                    let plain = plain + linear.bias().unwrap().unsqueeze();
                    let gap = found_gap(&found, &plain.into_data());
                    // The kernels round activations as well.
                    let rounding = match precision {
                        Precision::Bf16 => 1.0 / 512.0,
                        Precision::Q8 | Precision::Q4 => 0.5 / 127.0,
                        _ => 1e-6,
                    };
                    let limit = rounding * 2.0 * (inputs as f64).sqrt() + 1e-4;
                    assert!(gap < limit, "{precision} {shape:?} x{rows}: {gap}");
                }
            }
        }
    }
}

fn found_gap(a: &TensorData, b: &TensorData) -> f64 {
    a.iter::<f64>().zip(b.iter::<f64>()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn saved_weights_load_again_and_halves_are_named_weight() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let [original, copy] =
        ["original", "copy"].map(|name| folder.path().join(format!("{name}.safetensors")));
    let full: Linear = layer(Precision::F32, [6, 64]).init(&device);
    save(&full, &KeyMap::IDENTITY, DType::F32, &original).unwrap();
    let x = Tensor::<2>::random([3, 64], Distribution::Default, &device);
    for precision in Precision::ALL {
        let open = |path| {
            let mut linear = layer(precision, [6, 64]).init(&device);
            let checkpoint = Checkpoint::open(path).unwrap();
            checkpoint.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict).unwrap();
            linear
        };
        let first = open(&original);
        save(&first, &KeyMap::IDENTITY, DType::F32, &copy).unwrap();
        let stored = Checkpoint::open(&copy).unwrap();
        let expected = match precision {
            Precision::F32 => Some(DType::F32),
            Precision::F16 => Some(DType::F16),
            Precision::Bf16 => Some(DType::BF16),
            _ => None,
        };
        assert_eq!(stored.dtype("weight"), expected, "{precision}");
        assert_eq!(stored.dtype("packed.codes").is_some(), expected.is_none(), "{precision}");
        let second = open(&copy);
        let (first, second) = (first.forward(x.clone()), second.forward(x.clone()));
        first.into_data().assert_eq(&second.into_data(), true);
    }
}

#[test]
fn a_missing_weight_is_an_error_in_every_precision() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    save_tensors(vec![("bias".to_owned(), TensorData::new(vec![0.0f32; 3], [3]))], &path).unwrap();
    for precision in Precision::ALL {
        let mut linear = layer(precision, [3, 32]).init(&device);
        let checkpoint = Checkpoint::open(&path).unwrap();
        let error = checkpoint.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict);
        assert!(error.unwrap_err().to_string().contains("lacks"), "{precision}");
    }
    let wrong = TensorData::new(vec![0.0f32; 64], [2, 32]);
    save_tensors(vec![("weight".to_owned(), wrong)], &path).unwrap();
    for precision in Precision::ALL {
        let mut linear = layer(precision, [3, 32]).with_bias(false).init(&device);
        let checkpoint = Checkpoint::open(&path).unwrap();
        let error = checkpoint.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("does not fit") && error.contains("model.safetensors"), "{error}");
    }
}

/// The paths of a module's parameters, with the types that they are in.
#[derive(Default)]
struct Parameters {
    path: Vec<String>,
    types: Vec<String>,
    found: Vec<String>,
}

impl Parameters {
    fn of(module: &impl Module) -> Vec<String> {
        let mut parameters = Self::default();
        module.visit(&mut parameters);
        parameters.found
    }

    fn push(&mut self) {
        self.found.push(format!("{} in {}", self.path.join("."), self.types.last().unwrap()));
    }
}

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
        self.push();
    }

    fn visit_int<const D: usize>(&mut self, _: &Param<Tensor<D, Int>>) {
        self.push();
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(name.to_owned());
        self.types.push(container.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
        self.types.pop();
    }
}

#[test]
fn parameters_have_the_names_of_checkpoints_and_records() {
    let device = Device::default();
    let panels = ["packed.strips in Struct:PanelWeight", "packed.size in Struct:PanelWeight"];
    let half = ["packed.half in Struct:HalfWeight"];
    let blocks = ["packed.codes in Struct:BlockWeight", "packed.scales in Struct:BlockWeight"];
    for precision in Precision::ALL {
        let expected = match precision {
            Precision::F32 => &["weight in Struct:Linear"][..],
            _ if cfg!(feature = "flex") => &panels,
            Precision::F16 | Precision::Bf16 => &half,
            _ => &blocks,
        };
        let expected = [expected, &["bias in Struct:Linear"]].concat();
        let mut linear = layer(precision, [20, 32]).init(&device);
        assert_eq!(Parameters::of(&linear), expected, "{precision}");
        linear.set_update(LowRankUpdate::new(linear.widths(), 2, 1.0, &device));
        let update =
            ["first", "second"].map(|name| format!("update.{name} in Struct:LowRankUpdate"));
        assert_eq!(Parameters::of(&linear)[expected.len()..], update, "{precision}");
        // A mapper walks the same paths, and keeps every parameter.
        let mut mapper = Paths::default();
        let mapped = Parameters::of(&linear.clone().map(&mut mapper));
        assert_eq!(mapped, Parameters::of(&linear));
        let walked = mapped.iter().map(|path| path.split(' ').next().unwrap());
        assert!(walked.eq(mapper.found.iter().map(String::as_str)), "{:?}", mapper.found);
    }
}

/// The paths that a mapper of a module walks.
#[derive(Default)]
struct Paths {
    path: Vec<String>,
    found: Vec<String>,
}

impl ModuleMapper for Paths {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.found.push(self.path.join("."));
        param
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.found.push(self.path.join("."));
        param
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}

#[test]
fn saved_layers_have_the_names_of_other_devices() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for precision in Precision::ALL {
        let mut linear = layer(precision, [20, 64]).init(&device);
        let tensors = [("weight", vec![20, 64]), ("bias", vec![20])].map(|(name, shape)| {
            let count = shape.iter().product();
            (name.to_owned(), TensorData::new(numbers([1, count], 1), shape))
        });
        let noise = Checkpoint::from_tensors("noise", tensors.into());
        noise.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict).unwrap();
        save(&linear, &KeyMap::IDENTITY, DType::F32, &path).unwrap();
        let saved = Checkpoint::open(&path).unwrap();
        let names: Vec<_> = saved.keys().collect();
        match precision {
            Precision::Q8 | Precision::Q4 => {
                assert_eq!(names, ["bias", "packed.codes", "packed.scales"], "{precision}");
            }
            _ => assert_eq!(names, ["bias", "weight"], "{precision}"),
        }
    }
}

#[test]
fn an_update_is_added_and_merged() {
    let device = Device::default();
    for precision in Precision::ALL {
        let mut linear = layer(precision, [20, 32]).init(&device);
        let x = Tensor::<2>::random([3, 32], Distribution::Default, &device);
        let before = linear.forward(x.clone());
        let mut update = LowRankUpdate::new(linear.widths(), 2, 0.5, &device);
        update.second = update.second.map(|second| second + 1.0);
        let expected = before + x.clone().matmul(update.weight());
        linear.set_update(update);
        for linear in [linear.clone(), linear.merged()] {
            let gap =
                found_gap(&linear.forward(x.clone()).into_data(), &expected.clone().into_data());
            assert!(gap < 1e-4, "{precision}: off by {gap}");
        }
    }
}

#[test]
fn progress_ends_with_all_bytes() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let full: Linear = layer(Precision::F32, [6, 64]).init(&device);
    save(&full, &KeyMap::IDENTITY, DType::F32, &path).unwrap();
    let heard = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let hears = Arc::clone(&heard);
    let progress = Progress::new(move |update| {
        assert!(update.done <= update.total);
        hears[0].store(update.done, Ordering::Relaxed);
        hears[1].store(update.total, Ordering::Relaxed);
    });
    let overlay = CheckpointOverlay::default().with(Checkpoint::open(&path).unwrap());
    let overlay = overlay.with_progress(progress);
    overlay.apply(&mut layer(Precision::F32, [6, 64]).init(&device), Strictness::Strict).unwrap();
    let heard = [0, 1].map(|i| heard[i].load(Ordering::Relaxed));
    assert_eq!(heard, [4 * (6 * 64 + 6); 2]);
}

#[test]
fn a_file_that_shrinks_while_it_is_open_is_an_error() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let full: Linear = layer(Precision::F32, [6, 64]).init(&device);
    save(&full, &KeyMap::IDENTITY, DType::F32, &path).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    let mut linear = layer(Precision::F32, [6, 64]).init(&device);
    let error = checkpoint.load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict).unwrap_err();
    assert!(error.to_string().contains("model.safetensors"), "{error}");
}
