//! Weights where a kernel reads them: as they lie, or laid out anew for many rows.

use pulp::Arch;
use pulp::bytemuck::cast_slice;

use super::{Group, MANY, Product, Weights};
use crate::kernels::strips::tile::Kernel;
use crate::kernels::strips::{Format, STRIP, half_to_full};
use crate::nn::blocks::BLOCK;

/// Room for weights that are laid out anew.
#[derive(Debug, Default)]
pub(super) struct Stage {
    bytes: Vec<u8>,
    scales: Vec<f32>,
}

/// Weights as a kernel reads them.
pub(super) struct Placed<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes between strips.
    pub(super) strip: usize,
    /// Bytes between units.
    pub(super) unit: usize,
    pub(super) scales: &'a [f32],
}

impl Product<'_> {
    /// Whether weights are laid out anew before they are multiplied.
    pub(super) fn is_staged(&self, kernel: Kernel, group: Group, rows: usize) -> bool {
        match kernel {
            Kernel::Wide { .. } => true,
            Kernel::F32 if matches!(self.weights, Weights::Strips(..)) => true,
            Kernel::F32 => rows >= MANY || (group.first + group.strips) * STRIP > self.outputs,
            _ => false,
        }
    }

    /// Weights where they are.
    pub(super) fn lie(&self, group: Group, first: usize) -> Placed<'_> {
        let (bytes, strip, unit) = match self.weights {
            Weights::Full(weights) => {
                let bytes = cast_slice(&weights[first * self.outputs + group.first * STRIP..]);
                (bytes, 4 * STRIP, 4 * self.outputs)
            }
            Weights::Strips(format, bytes) => {
                let (unit, strip) = (format.unit_bytes(), strip_bytes(format, self.inputs));
                (&bytes[group.first * strip + first * unit..], strip, unit)
            }
        };
        Placed { bytes, strip, unit, scales: &[] }
    }

    /// Weights laid out anew.
    pub(super) fn stage<'s>(
        &self,
        group: Group,
        first: usize,
        units: usize,
        stage: &'s mut Stage,
    ) -> Placed<'s> {
        stage.scales.clear();
        match self.weights {
            Weights::Full(weights) => {
                let width = 4 * group.strips * STRIP;
                stage.bytes.resize(units * width, 0);
                let lines = weights.chunks_exact(self.outputs).skip(first);
                for (to, line) in stage.bytes.chunks_exact_mut(width).zip(lines) {
                    let line: &[u8] = cast_slice(&line[group.first * STRIP..]);
                    let width = to.len().min(line.len());
                    to[..width].copy_from_slice(&line[..width]);
                }
                Placed { bytes: &stage.bytes, strip: 4 * STRIP, unit: width, scales: &[] }
            }
            Weights::Strips(format, bytes) if format.is_half() => {
                let strips = bytes.chunks_exact(strip_bytes(format, self.inputs));
                let width = units * 4 * STRIP;
                stage.bytes.resize(group.strips * width, 0);
                Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        let full = stage.bytes.chunks_exact_mut(width);
                        for (full, strip) in full.zip(strips.skip(group.first)) {
                            lengthen(format, &strip[first * 2 * STRIP..], full);
                        }
                    },
                );
                Placed { bytes: &stage.bytes, strip: width, unit: 4 * STRIP, scales: &[] }
            }
            Weights::Strips(format, bytes) => {
                let strip = strip_bytes(format, self.inputs);
                stage.bytes.resize(group.strips * units * BLOCK * STRIP, 0);
                let strips = bytes.chunks_exact(strip).skip(group.first);
                Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        let wide = stage.bytes.chunks_exact_mut(units * BLOCK * STRIP);
                        for (wide, strip) in wide.zip(strips) {
                            let units = strip.chunks_exact(format.unit_bytes()).skip(first);
                            for (wide, unit) in wide.as_chunks_mut().0.iter_mut().zip(units) {
                                widen(format, unit, wide, &mut stage.scales);
                            }
                        }
                    },
                );
                Placed {
                    bytes: &stage.bytes,
                    strip: units * BLOCK * STRIP,
                    unit: BLOCK * STRIP,
                    scales: &stage.scales,
                }
            }
        }
    }
}

/// Bytes of a strip.
pub(super) fn strip_bytes(format: Format, inputs: usize) -> usize {
    inputs.div_ceil(format.unit_inputs()) * format.unit_bytes()
}

/// Halves as f32, input by input.
#[inline(always)]
fn lengthen(format: Format, halves: &[u8], full: &mut [u8]) {
    if format == Format::F16 {
        for (full, half) in full.as_chunks_mut().0.iter_mut().zip(halves.as_chunks().0) {
            *full = half_to_full(u16::from_le_bytes(*half)).to_le_bytes();
        }
        return;
    }
    let pairs = halves.as_chunks::<{ 4 * STRIP }>().0;
    for (full, pair) in full.as_chunks_mut::<{ 8 * STRIP }>().0.iter_mut().zip(pairs) {
        let (first, second) = full.split_at_mut(4 * STRIP);
        let lanes = first.as_chunks_mut().0.iter_mut().zip(second.as_chunks_mut().0);
        for ((first, second), &pair) in lanes.zip(pair.as_chunks().0) {
            let pair = u32::from_le_bytes(pair);
            *first = (pair << 16).to_le_bytes();
            *second = (pair & 0xffff_0000).to_le_bytes();
        }
    }
}

/// A unit of 8 or 4 bits as bytes and scales.
#[inline(always)]
fn widen(format: Format, unit: &[u8], wide: &mut [u8; BLOCK * STRIP], scales: &mut Vec<f32>) {
    let (codes, of_block) = unit.split_at(unit.len() - 2 * STRIP);
    if format == Format::Q8 {
        wide.copy_from_slice(codes);
    } else {
        let pairs = wide.as_chunks_mut::<{ 8 * STRIP }>().0;
        for (pair, group) in pairs.iter_mut().zip(codes.as_chunks::<{ 4 * STRIP }>().0) {
            let (low, high) = pair.split_at_mut(4 * STRIP);
            for ((low, high), &code) in low.iter_mut().zip(high).zip(group) {
                *low = code & 15;
                *high = code >> 4;
            }
        }
    }
    let mut numbers = [0.0; STRIP];
    for (number, &bits) in numbers.iter_mut().zip(of_block.as_chunks().0) {
        *number = half_to_full(u16::from_le_bytes(bits));
    }
    scales.extend_from_slice(&numbers);
}
