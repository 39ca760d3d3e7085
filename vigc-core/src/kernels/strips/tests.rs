use burn::tensor::Bytes;
use half::{bf16, f16};

use super::product::{Product, Weights};
use super::tile::{Kernel, Path};
use super::{Format, Line, pack, unpack};
use crate::nn::blocks::{encode_q4, encode_q8};

/// Noise between -1 and 1: splitmix64 of the places.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let number = |place: u64| {
        let mut bits = (place + (seed << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count as u64).map(number).collect()
}

/// Strips of weights, and the weights that they stand for.
fn packed(format: Format, [outputs, inputs]: [usize; 2]) -> (Bytes, Vec<f32>) {
    let weights = noise(outputs * inputs, 1);
    let line = |output: usize, line: &mut Line| {
        let weights = &weights[output * inputs..(output + 1) * inputs];
        match format {
            Format::F16 => line.values.extend(weights.iter().map(|&w| f16::from_f32(w).to_bits())),
            Format::Bf16 => {
                line.values.extend(weights.iter().map(|&w| bf16::from_f32(w).to_bits()));
            }
            Format::Q8 => {
                let mut codes = Vec::new();
                encode_q8(weights, &mut codes, &mut line.scales);
                line.values.extend(codes.iter().map(|&code| (i16::from(code) + 128) as u16));
            }
            Format::Q4 => {
                let mut codes = Vec::new();
                encode_q4(weights, &mut codes, &mut line.scales);
                let pairs = codes.iter().flat_map(|&code| [code & 15, code >> 4]);
                line.values.extend(pairs.take(inputs).map(u16::from));
            }
        }
    };
    let bytes = pack(format, [outputs, inputs], line);
    let read = |output| format.decode(&unpack(format, &bytes, [outputs, inputs], output));
    let stored: Vec<f32> = (0..outputs).flat_map(read).collect();
    (bytes, stored)
}

/// The activations that a kernel really multiplies.
fn rounded(format: Option<Format>, x: &[f32], inputs: usize) -> Vec<f32> {
    match format {
        None | Some(Format::F16) => x.to_vec(),
        Some(Format::Bf16) => x.iter().map(|&x| bf16::from_f32(x).to_f32()).collect(),
        Some(_) => {
            let block = |block: &[f32]| {
                let scale = block.iter().fold(0.0f32, |most, x| most.max(x.abs())) / 127.0;
                block.iter().map(|x| (x / scale).round() * scale).collect::<Vec<_>>()
            };
            x.chunks(inputs).flat_map(|row| row.chunks(32).flat_map(block)).collect()
        }
    }
}

fn paths(kernel: Kernel) -> Vec<Path> {
    let best = Path::best(kernel);
    let mut paths = vec![Path::Plain, Path::Portable];
    if best != Path::Portable {
        paths.push(best);
    }
    paths
}

/// Shapes that are ragged in every direction, and some that take several groups, chunks and tasks.
const SHAPES: [[usize; 2]; 8] =
    [[1, 1], [3, 32], [16, 31], [17, 33], [53, 75], [112, 432], [64, 4500], [1100, 96]];

#[test]
fn every_path_is_right_in_every_format_for_any_number_of_rows() {
    for shape in SHAPES {
        let [outputs, inputs] = shape;
        let bias = noise(outputs, 3);
        for format in
            [None, Some(Format::F16), Some(Format::Bf16), Some(Format::Q8), Some(Format::Q4)]
        {
            let transposed;
            let (bytes, stored) = match format {
                Some(format) => packed(format, shape),
                None => (Bytes::from_bytes_vec(Vec::new()), noise(outputs * inputs, 1)),
            };
            let weights = match format {
                Some(format) => Weights::Strips(format, &bytes),
                None => {
                    let at = |i: usize| stored[i % outputs * inputs + i / outputs];
                    transposed = (0..outputs * inputs).map(at).collect::<Vec<_>>();
                    Weights::Full(&transposed)
                }
            };
            let x = noise(40 * inputs, 2);
            let exact = |row: usize, output: usize| {
                let x = &rounded(format, &x, inputs)[row * inputs..(row + 1) * inputs];
                let w = &stored[output * inputs..(output + 1) * inputs];
                let products = x.iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w));
                products.sum::<f64>() + f64::from(bias[output])
            };
            for path in paths(format.map_or(Kernel::F32, Kernel::from)) {
                let product = |rows: usize| {
                    let (x, bias) = (&x[..rows * inputs], bias.as_slice());
                    Product { x, inputs, outputs, weights, bias, path: Some(path) }.compute()
                };
                let all = product(40);
                let place = format!("{format:?} {shape:?} {path:?}");
                for output in (0..outputs).step_by(outputs.div_ceil(9)) {
                    let (found, expected) = (all[39 * outputs + output], exact(39, output));
                    let limit = 2e-6 * (inputs as f64).sqrt() + 2e-6;
                    let error = (f64::from(found) - expected).abs();
                    // Where a number lies between two codes, the test rounds it another way at times.
                    let limit = limit
                        + if format.is_some_and(|f| Kernel::from(f).has_blocks()) {
                            0.01
                        } else {
                            0.0
                        };
                    assert!(error < limit, "{place}: {found} for {expected}");
                }
                for rows in [1, 2, 3, 5, 7, 13, 18, 31] {
                    // Bit for bit.
                    assert!(product(rows) == all[..rows * outputs], "{place}: {rows} rows");
                }
            }
        }
    }
}

/// Sixteen outputs of 64 inputs.
fn small(format: Format, bytes: &[u8], x: &[f32], path: Path) -> Vec<f32> {
    let weights = Weights::Strips(format, bytes);
    Product { x, inputs: 64, outputs: 16, weights, bias: &[], path: Some(path) }.compute()
}

#[test]
fn what_is_no_number_stays_none() {
    for format in Format::ALL {
        let (bytes, _) = packed(format, [16, 64]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = noise(64, 2);
            x[40] = bad;
            for path in paths(format.into()) {
                let found = small(format, &bytes, &x, path);
                assert!(
                    found.iter().all(|x| !x.is_finite()),
                    "{format:?} {bad} {path:?}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn tiny_and_absent_activations_are_zero() {
    for format in Format::ALL {
        let (bytes, _) = packed(format, [16, 64]);
        for x in [vec![0.0; 64], vec![1e-42; 64]] {
            for path in paths(format.into()) {
                assert!(
                    small(format, &bytes, &x, path).iter().all(|x| x.abs() < 1e-35),
                    "{format:?} {path:?}"
                );
            }
        }
    }
}

#[test]
fn halves_are_exact() {
    for bits in 0..=u16::MAX {
        let (found, expected) = (super::half_to_full(bits), f16::from_bits(bits).to_f32());
        let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
        assert!(same, "{bits:#x}: {found} for {expected}");
    }
}
