use burn::tensor::Bytes;
use half::{bf16, f16};

use super::format::Format;
use super::isa::Isa;
use super::pack::{PackedRow, pack, unpack};
use super::product::Product;
use super::tile::Kernel;
use super::weights::{Storage, Weights};
use crate::quantization::{quantize_q4, quantize_q8};

/// Noise between -1 and 1: `SplitMix64` of the positions.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let number = |place: u64| {
        let mut bits = (place + (seed << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count as u64).map(number).collect()
}

/// Panels of random weights, and the same weights in f32.
fn packed(format: Format, [outputs, inputs]: [usize; 2]) -> (Bytes, Vec<f32>) {
    let weights = noise(outputs * inputs, 1);
    let row = |output: usize, row: &mut PackedRow| {
        let weights = &weights[output * inputs..(output + 1) * inputs];
        match format {
            Format::F16 => row.values.extend(weights.iter().map(|&w| f16::from_f32(w).to_bits())),
            Format::Bf16 => {
                row.values.extend(weights.iter().map(|&w| bf16::from_f32(w).to_bits()));
            }
            Format::Q8 => {
                let mut codes = Vec::new();
                quantize_q8(weights, &mut codes, &mut row.scales);
                row.values.extend(codes.iter().map(|&code| (i16::from(code) + 128) as u16));
            }
            Format::Q4 => {
                let mut codes = Vec::new();
                quantize_q4(weights, &mut codes, &mut row.scales);
                let pairs = codes.iter().flat_map(|&code| [code & 15, code >> 4]);
                row.values.extend(pairs.take(inputs).map(u16::from));
            }
        }
    };
    let bytes = pack(format, [outputs, inputs], row);
    let read = |output| format.to_f32(&unpack(format, &bytes, [outputs, inputs], output));
    let stored: Vec<f32> = (0..outputs).flat_map(read).collect();
    (bytes, stored)
}

/// The activations as a kernel rounds them.
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

fn instruction_sets(kernel: Kernel) -> Vec<Isa> {
    let best = Isa::best(kernel);
    let mut all = vec![Isa::Baseline, Isa::Portable];
    if best != Isa::Portable {
        all.push(best);
    }
    all
}

/// Shapes with incomplete blocks and panels, and some with several groups, chunks and tasks.
const SHAPES: [[usize; 2]; 8] =
    [[1, 1], [3, 32], [16, 31], [17, 33], [53, 75], [112, 432], [64, 4500], [1100, 96]];

#[test]
fn every_instruction_set_is_right_in_every_format_for_any_number_of_rows() {
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
            let storage = match format {
                Some(format) => Storage::Panels(format, &bytes),
                None => {
                    let at = |i: usize| stored[i % outputs * inputs + i / outputs];
                    transposed = (0..outputs * inputs).map(at).collect::<Vec<_>>();
                    Storage::Full(&transposed)
                }
            };
            let x = noise(40 * inputs, 2);
            let exact = |row: usize, output: usize| {
                let x = &rounded(format, &x, inputs)[row * inputs..(row + 1) * inputs];
                let w = &stored[output * inputs..(output + 1) * inputs];
                let products = x.iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w));
                products.sum::<f64>() + f64::from(bias[output])
            };
            for isa in instruction_sets(format.map_or(Kernel::F32, Kernel::from)) {
                let product = |rows: usize| {
                    let (x, bias) = (&x[..rows * inputs], bias.as_slice());
                    let weights = Weights { storage, inputs, outputs };
                    Product { x, weights, bias, isa: Some(isa) }.compute()
                };
                let all = product(40);
                let place = format!("{format:?} {shape:?} {isa:?}");
                for output in (0..outputs).step_by(outputs.div_ceil(9)) {
                    let (found, expected) = (all[39 * outputs + output], exact(39, output));
                    let limit = 2e-6 * (inputs as f64).sqrt() + 2e-6;
                    let error = (f64::from(found) - expected).abs();
                    // The test may round a number halfway between two codes to the other one.
                    let limit = limit
                        + if format.is_some_and(|f| Kernel::from(f).has_blocks()) {
                            0.01
                        } else {
                            0.0
                        };
                    assert!(error < limit, "{place}: {found} for {expected}");
                }
                for rows in [1, 2, 3, 5, 7, 13, 18, 31] {
                    // Equal bit for bit.
                    assert!(product(rows) == all[..rows * outputs], "{place}: {rows} rows");
                }
            }
        }
    }
}

/// Sixteen outputs of 64 inputs.
fn small(format: Format, bytes: &[u8], x: &[f32], isa: Isa) -> Vec<f32> {
    let weights = Weights { storage: Storage::Panels(format, bytes), inputs: 64, outputs: 16 };
    Product { x, weights, bias: &[], isa: Some(isa) }.compute()
}

#[test]
fn infinities_and_nan_reach_the_result() {
    for format in Format::ALL {
        let (bytes, _) = packed(format, [16, 64]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = noise(64, 2);
            x[40] = bad;
            for isa in instruction_sets(format.into()) {
                let found = small(format, &bytes, &x, isa);
                assert!(
                    found.iter().all(|x| !x.is_finite()),
                    "{format:?} {bad} {isa:?}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn tiny_activations_become_zero() {
    for format in Format::ALL {
        let (bytes, _) = packed(format, [16, 64]);
        for x in [vec![0.0; 64], vec![1e-42; 64]] {
            for isa in instruction_sets(format.into()) {
                assert!(
                    small(format, &bytes, &x, isa).iter().all(|x| x.abs() < 1e-35),
                    "{format:?} {isa:?}"
                );
            }
        }
    }
}
