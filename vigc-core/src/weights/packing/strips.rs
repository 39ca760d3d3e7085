//! Strips of weights, from checkpoints and to them.

use std::collections::BTreeMap;

use burn::tensor::{Bytes, DType, Shape, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use pulp::Arch;
use rayon::prelude::*;

use super::{CODES, SCALES, SIZE, STRIPS, layer_of, size_of};
use crate::kernels::strips::{self, Format, Line};
use crate::nn::blocks::{bytes_per_row, encode_q4, encode_q8, scales_per_row};

/// Puts the strips of a layer in the place of what they are made of.
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
    let strips = format!("{layer}{STRIPS}");
    if !source.fits(format, size) {
        // It is left to whoever applies it, whose error says so.
        let mut tensor = source.into_first();
        tensor.name.clone_from(&strips);
        tensors.insert(strips, tensor);
        return;
    }
    let of = shape.clone();
    let data = move || {
        let bytes = source.pack(format, size)?;
        Ok(TensorData::from_bytes(bytes, of.clone(), DType::U8))
    };
    let tensor = bridge::deferred(strips.clone(), DType::U8, shape.clone(), None, data);
    tensors.insert(strips, tensor);
    let name = format!("{layer}{SIZE}");
    let size = TensorData::new(size.map(|size| size as i32).to_vec(), [2]);
    tensors.insert(name.clone(), bridge::from_data(size, name, None));
}

/// What strips are made of.
enum Source {
    /// Weights in any type of floating-point numbers.
    Weight(StoredTensor),
    /// Codes and scales, as they are saved.
    Blocks { codes: StoredTensor, scales: StoredTensor },
}

impl Source {
    /// Whether these are weights of that size, and can be packed.
    fn fits(&self, format: Format, [outputs, inputs]: [usize; 2]) -> bool {
        let is = |tensor: &StoredTensor, width| tensor.shape == Shape::from([outputs, width]);
        match self {
            Self::Weight(weight) => is(weight, inputs),
            Self::Blocks { codes, scales } => {
                let (dtype, width) = match format {
                    Format::Q8 => (DType::I8, inputs),
                    _ => (DType::U8, bytes_per_row(inputs)),
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
                let row = bytes.len() / size[0].max(1);
                Ok(strips::pack(format, size, |output, line| {
                    encode(format, &bytes[output * row..(output + 1) * row], dtype, line);
                }))
            }
            Self::Blocks { codes, scales } => {
                let [codes, scales] = [bridge::to_data(codes)?, bridge::to_data(scales)?];
                let [codes, scales] = [codes.as_bytes(), scales.as_bytes()];
                let [of_codes, of_scales] =
                    [codes, scales].map(|bytes| bytes.len() / size[0].max(1));
                Ok(strips::pack(format, size, |output, line| {
                    let codes = &codes[output * of_codes..(output + 1) * of_codes];
                    match format {
                        Format::Q4 => {
                            let codes = codes.iter().flat_map(|&pair| halves(pair));
                            line.values.extend(codes.take(size[1]));
                        }
                        _ => line.values.extend(codes.iter().map(|&code| counted(code))),
                    }
                    let scales = &scales[output * of_scales..(output + 1) * of_scales];
                    line.scales
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

/// A signed code, counted from -128.
fn counted(code: u8) -> u16 {
    u16::from(code ^ 128)
}

/// A row of weights of some type, little-endian bytes.
fn encode(format: Format, bytes: &[u8], dtype: DType, line: &mut Line) {
    if let (Format::Bf16, DType::BF16) | (Format::F16, DType::F16) = (format, dtype) {
        line.values.extend(bytes.as_chunks().0.iter().map(|&bits| u16::from_le_bytes(bits)));
        return;
    }
    let weights = numbers(bytes, dtype);
    Arch::new().dispatch(
        #[inline(always)]
        || encode_numbers(format, &weights, line),
    );
}

#[inline(always)]
fn encode_numbers(format: Format, weights: &[f32], line: &mut Line) {
    match format {
        Format::F16 => line.values.extend(weights.iter().map(|&w| f16::from_f32(w).to_bits())),
        Format::Bf16 => line.values.extend(weights.iter().map(|&w| bf16::from_f32(w).to_bits())),
        Format::Q8 => {
            let mut codes = Vec::with_capacity(weights.len());
            encode_q8(weights, &mut codes, &mut line.scales);
            line.values.extend(codes.iter().map(|code| counted(code.cast_unsigned())));
        }
        Format::Q4 => {
            let mut codes = Vec::with_capacity(bytes_per_row(weights.len()));
            encode_q4(weights, &mut codes, &mut line.scales);
            line.values.extend(codes.iter().flat_map(|&pair| halves(pair)).take(weights.len()));
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

/// What other devices store instead of strips.
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
        let layer = layer_of(&tensor.name, STRIPS).map(str::to_owned);
        match layer.and_then(|layer| Some((sizes.get(&layer).copied()?, layer))) {
            Some((size, layer)) => unpacked.extend(parts(&tensor, &layer, size)),
            None => unpacked.push(tensor),
        }
    }
    Ok(unpacked)
}

/// The tensors that a layer's strips are saved as.
fn parts(strips: &StoredTensor, layer: &str, [outputs, inputs]: [usize; 2]) -> Vec<StoredTensor> {
    let Some(format) = Format::of_unit(strips.shape[2]) else { return Vec::new() };
    let part = |name: &str, dtype: DType, width: usize, of_line: fn(Format, &Line) -> Vec<u8>| {
        let (shape, strips) = (Shape::from([outputs, width]), strips.clone());
        let of = shape.clone();
        let data = move || {
            let data = bridge::to_data(&strips)?;
            let line = |output| {
                let line = strips::unpack(format, data.as_bytes(), [outputs, inputs], output);
                of_line(format, &line)
            };
            let bytes: Vec<_> = (0..outputs).into_par_iter().map(line).collect();
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
        Format::Q4 => vec![part(CODES, DType::U8, bytes_per_row(inputs), of_values), scales()],
    }
}

fn of_values(format: Format, line: &Line) -> Vec<u8> {
    match format {
        Format::F16 | Format::Bf16 => {
            line.values.iter().flat_map(|bits| bits.to_le_bytes()).collect()
        }
        Format::Q8 => line.values.iter().map(|&code| code as u8 ^ 128).collect(),
        Format::Q4 => {
            let pair =
                |pair: &[u16]| pair[0] as u8 | (pair.get(1).copied().unwrap_or(0) as u8) << 4;
            line.values.chunks(2).map(pair).collect()
        }
    }
}

fn of_scales(_: Format, line: &Line) -> Vec<u8> {
    line.scales.iter().flat_map(|scale| scale.to_le_bytes()).collect()
}
