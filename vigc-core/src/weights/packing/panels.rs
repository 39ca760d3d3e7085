//! Panels from checkpoints, and back.

use std::collections::BTreeMap;

use burn::tensor::{Bytes, DType, Shape, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use pulp::Arch;
use rayon::prelude::*;

use super::names::{CODES, PANELS, SCALES, SIZE, layer_of, size_of};
use crate::kernels::panels::{self, Format, PackedRow};
use crate::quantization::{q4_bytes_per_row, quantize_q4, quantize_q8, scales_per_row};

/// Replaces the weights of a layer by panels.
pub(super) fn pack(
    layer: &str,
    size: [usize; 2],
    shape: &Shape,
    tensors: &mut BTreeMap<String, StoredTensor>,
) {
    let Some(format) = Format::of_unit(shape[2]) else { return };
    let [weight, codes, scales] = ["weight", CODES, SCALES].map(|name| format!("{layer}{name}"));
    let source = match (tensors.remove(&codes), tensors.remove(&scales)) {
        (Some(codes), Some(scales)) => Source::Blocks { codes, scales },
        (None, None) => match tensors.remove(&weight) {
            Some(weight) => Source::Weight(weight),
            None => return,
        },
        (codes, scales) => {
            tensors.extend(
                [codes, scales].into_iter().flatten().map(|part| (part.name.clone(), part)),
            );
            return;
        }
    };
    let panels = format!("{layer}{PANELS}");
    if !source.fits(format, size) {
        // Loading fails with an error that names the shapes.
        let mut tensor = source.into_first();
        tensor.name.clone_from(&panels);
        tensors.insert(panels, tensor);
        return;
    }
    let of = shape.clone();
    let data = move || {
        let bytes = source.pack(format, size)?;
        Ok(TensorData::from_bytes(bytes, of.clone(), DType::U8))
    };
    let tensor = bridge::deferred(panels.clone(), DType::U8, shape.clone(), None, data);
    tensors.insert(panels, tensor);
    let name = format!("{layer}{SIZE}");
    let size = TensorData::new(size.map(|size| size as i32).to_vec(), [2]);
    tensors.insert(name.clone(), bridge::from_data(size, name, None));
}

/// What panels are computed from.
enum Source {
    /// Floating-point weights of any type.
    Weight(StoredTensor),
    /// Codes and scales, as they are saved.
    Blocks { codes: StoredTensor, scales: StoredTensor },
}

impl Source {
    /// Whether the tensors have the shapes and the types that this format needs.
    fn fits(&self, format: Format, [outputs, inputs]: [usize; 2]) -> bool {
        let is = |tensor: &StoredTensor, width| tensor.shape == Shape::from([outputs, width]);
        match self {
            Self::Weight(weight) => is(weight, inputs),
            Self::Blocks { codes, scales } => {
                let (dtype, width) = match format {
                    Format::Q8 => (DType::I8, inputs),
                    _ => (DType::U8, q4_bytes_per_row(inputs)),
                };
                let of_blocks = matches!(format, Format::Q8 | Format::Q4)
                    && codes.dtype == dtype
                    && scales.dtype == DType::F16;
                of_blocks && is(codes, width) && is(scales, scales_per_row(inputs))
            }
        }
    }

    fn into_first(self) -> StoredTensor {
        match self {
            Self::Weight(weight) => weight,
            Self::Blocks { codes, .. } => codes,
        }
    }

    fn pack(&self, format: Format, size: [usize; 2]) -> Result<Bytes, PackError> {
        match self {
            Self::Weight(weight) => {
                let data = bridge::to_data(weight)?;
                let (bytes, dtype) = (data.as_bytes(), data.dtype());
                let row_bytes = bytes.len() / size[0].max(1);
                Ok(panels::pack(format, size, |output, row| {
                    convert(
                        format,
                        &bytes[output * row_bytes..(output + 1) * row_bytes],
                        dtype,
                        row,
                    );
                }))
            }
            Self::Blocks { codes, scales } => {
                let [codes, scales] = [bridge::to_data(codes)?, bridge::to_data(scales)?];
                let [codes, scales] = [codes.as_bytes(), scales.as_bytes()];
                let [of_codes, of_scales] =
                    [codes, scales].map(|bytes| bytes.len() / size[0].max(1));
                Ok(panels::pack(format, size, |output, row| {
                    let codes = &codes[output * of_codes..(output + 1) * of_codes];
                    match format {
                        Format::Q4 => {
                            let codes = codes.iter().flat_map(|&pair| halves(pair));
                            row.values.extend(codes.take(size[1]));
                        }
                        _ => row.values.extend(codes.iter().map(|&code| unsigned(code))),
                    }
                    let scales = &scales[output * of_scales..(output + 1) * of_scales];
                    row.scales
                        .extend(scales.as_chunks().0.iter().map(|&bits| f16::from_le_bytes(bits)));
                }))
            }
        }
    }
}

/// The two codes of a byte.
fn halves(pair: u8) -> [u16; 2] {
    [u16::from(pair & 15), u16::from(pair >> 4)]
}

/// A signed code as an unsigned one, with the zero point 128.
fn unsigned(code: u8) -> u16 {
    u16::from(code ^ 128)
}

/// Converts a row of weights of some type, little-endian bytes.
fn convert(format: Format, bytes: &[u8], dtype: DType, row: &mut PackedRow) {
    if let (Format::Bf16, DType::BF16) | (Format::F16, DType::F16) = (format, dtype) {
        row.values.extend(bytes.as_chunks().0.iter().map(|&bits| u16::from_le_bytes(bits)));
        return;
    }
    let weights = numbers(bytes, dtype);
    Arch::new().dispatch(
        #[inline(always)]
        || convert_numbers(format, &weights, row),
    );
}

#[inline(always)]
fn convert_numbers(format: Format, weights: &[f32], row: &mut PackedRow) {
    match format {
        Format::F16 => row.values.extend(weights.iter().map(|&w| f16::from_f32(w).to_bits())),
        Format::Bf16 => row.values.extend(weights.iter().map(|&w| bf16::from_f32(w).to_bits())),
        Format::Q8 => {
            let mut codes = Vec::with_capacity(weights.len());
            quantize_q8(weights, &mut codes, &mut row.scales);
            row.values.extend(codes.iter().map(|code| unsigned(code.cast_unsigned())));
        }
        Format::Q4 => {
            let mut codes = Vec::with_capacity(q4_bytes_per_row(weights.len()));
            quantize_q4(weights, &mut codes, &mut row.scales);
            row.values.extend(codes.iter().flat_map(|&pair| halves(pair)).take(weights.len()));
        }
    }
}

fn numbers(bytes: &[u8], dtype: DType) -> Vec<f32> {
    match dtype {
        DType::F32 => bytes.as_chunks().0.iter().map(|&bits| f32::from_le_bytes(bits)).collect(),
        DType::BF16 => {
            let number = |bits: &[u8; 2]| bf16::from_le_bytes(*bits).to_f32();
            bytes.as_chunks().0.iter().map(number).collect()
        }
        DType::F16 => {
            let halves = bytes.as_chunks().0.iter().map(|&bits| f16::from_le_bytes(bits));
            halves.collect::<Vec<_>>().to_f32_vec()
        }
        other => {
            let count = bytes.len() / other.size();
            let bytes = Bytes::from_bytes_vec(bytes.to_vec());
            TensorData::from_bytes(bytes, [count], other).iter().collect()
        }
    }
}

/// Replaces panels by the parameters of other devices.
pub(super) fn unpack(tensors: Vec<StoredTensor>) -> Result<Vec<StoredTensor>, PackError> {
    let mut sizes = BTreeMap::new();
    for tensor in &tensors {
        if let Some(layer) = layer_of(&tensor.name, SIZE) {
            sizes.insert(layer.to_owned(), size_of(&bridge::to_data(tensor)?));
        }
    }
    let mut unpacked = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        if layer_of(&tensor.name, SIZE).is_some() {
            continue;
        }
        let layer = layer_of(&tensor.name, PANELS).map(str::to_owned);
        match layer.and_then(|layer| Some((sizes.get(&layer).copied()?, layer))) {
            Some((size, layer)) => unpacked.extend(parts(&tensor, &layer, size)),
            None => unpacked.push(tensor),
        }
    }
    Ok(unpacked)
}

/// The tensors that are saved instead of a layer's panels.
fn parts(panels: &StoredTensor, layer: &str, [outputs, inputs]: [usize; 2]) -> Vec<StoredTensor> {
    let Some(format) = Format::of_unit(panels.shape[2]) else { return Vec::new() };
    let part =
        |name: &str, dtype: DType, width: usize, to_bytes: fn(Format, &PackedRow) -> Vec<u8>| {
            let (shape, panels) = (Shape::from([outputs, width]), panels.clone());
            let of = shape.clone();
            let data = move || {
                let data = bridge::to_data(&panels)?;
                let row = |output| {
                    let row = panels::unpack(format, data.as_bytes(), [outputs, inputs], output);
                    to_bytes(format, &row)
                };
                let bytes: Vec<_> = (0..outputs).into_par_iter().map(row).collect();
                let bytes = Bytes::from_bytes_vec(bytes.concat());
                Ok(TensorData::from_bytes(bytes, of.clone(), dtype))
            };
            bridge::deferred(format!("{layer}{name}"), dtype, shape, None, data)
        };
    let scales = || part(SCALES, DType::F16, scales_per_row(inputs), of_scales);
    match format {
        Format::F16 => vec![part("weight", DType::F16, inputs, of_values)],
        Format::Bf16 => vec![part("weight", DType::BF16, inputs, of_values)],
        Format::Q8 => vec![part(CODES, DType::I8, inputs, of_values), scales()],
        Format::Q4 => vec![part(CODES, DType::U8, q4_bytes_per_row(inputs), of_values), scales()],
    }
}

fn of_values(format: Format, row: &PackedRow) -> Vec<u8> {
    match format {
        Format::F16 | Format::Bf16 => {
            row.values.iter().flat_map(|bits| bits.to_le_bytes()).collect()
        }
        Format::Q8 => row.values.iter().map(|&code| code as u8 ^ 128).collect(),
        Format::Q4 => {
            let pair =
                |pair: &[u16]| pair[0] as u8 | (pair.get(1).copied().unwrap_or(0) as u8) << 4;
            row.values.chunks(2).map(pair).collect()
        }
    }
}

fn of_scales(_: Format, row: &PackedRow) -> Vec<u8> {
    row.scales.iter().flat_map(|scale| scale.to_le_bytes()).collect()
}
