//! Blocks of 8 and 4 bits from weights of any type.

use std::sync::{Arc, Mutex};

use burn::tensor::{Bytes, DType, Element, Shape, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use half::f16;
use rayon::prelude::*;

use super::names::{CODES, SCALES};
use crate::quantization::{quantize_q4, quantize_q8, scales_per_row};

/// The codes and the scales of a layer's weights. Both are computed when one of them is read.
pub(super) fn quantize(
    weight: StoredTensor,
    layer: &str,
    width: usize,
) -> (StoredTensor, StoredTensor) {
    let (rows, inputs) = (weight.shape[0], weight.shape[1]);
    let dtype = if width == inputs { DType::I8 } else { DType::U8 };
    let quantizer = Arc::new(Quantizer { weight, dtype, other: Mutex::new(None) });
    let part = |suffix: &str, dtype: DType, width: usize, which: usize| {
        let shape = Shape::from([rows, width]);
        let (quantizer, of) = (Arc::clone(&quantizer), shape.clone());
        let data = move || Ok(TensorData::from_bytes(quantizer.take(which)?, of.clone(), dtype));
        bridge::deferred(format!("{layer}{suffix}"), dtype, shape, None, data)
    };
    (part(CODES, dtype, width, 0), part(SCALES, DType::F16, scales_per_row(inputs), 1))
}

/// Weights to be quantized.
struct Quantizer {
    weight: StoredTensor,
    dtype: DType,
    /// The part that was computed together with the one that was read.
    other: Mutex<Option<(usize, Bytes)>>,
}

impl Quantizer {
    /// The bytes of the codes (0) or of the scales (1).
    fn take(&self, which: usize) -> Result<Bytes, PackError> {
        let mut other = self.other.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, bytes)) = other.take_if(|(kept, _)| *kept == which) {
            return Ok(bytes);
        }
        let (codes, scales) = self.quantize()?;
        let (asked, kept) = if which == 0 { (codes, scales) } else { (scales, codes) };
        *other = Some((1 - which, kept));
        Ok(asked)
    }

    fn quantize(&self) -> Result<(Bytes, Bytes), PackError> {
        let data = bridge::to_data(&self.weight)?;
        Ok(match self.dtype {
            DType::I8 => quantized(&data, quantize_q8),
            _ => quantized(&data, quantize_q4),
        })
    }
}

/// Quantizes row by row, so that the weights are never in memory in f32.
fn quantized<C: Element>(
    weights: &TensorData,
    quantize: fn(&[f32], &mut Vec<C>, &mut Vec<f16>),
) -> (Bytes, Bytes) {
    let [rows, inputs] = weights.shape().dims();
    let row_bytes = weights.as_bytes().len() / rows.max(1);
    let code = |bytes: &[u8]| {
        let row = Bytes::from_bytes_vec(bytes.to_vec());
        let row = TensorData::from_bytes(row, [inputs], weights.dtype()).convert_dtype(DType::F32);
        let row: Vec<f32> = row.iter().collect();
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        quantize(&row, &mut codes, &mut scales);
        (codes, scales)
    };
    let rows = weights.as_bytes().par_chunks(row_bytes.max(1)).map(code);
    let (codes, scales): (Vec<_>, Vec<_>) = rows.collect::<Vec<_>>().into_iter().unzip();
    (Bytes::from_elems(codes.concat()), Bytes::from_elems(scales.concat()))
}
