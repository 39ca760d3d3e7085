//! Packs rows of weights into panels, and unpacks them.

use burn::tensor::Bytes;
use half::{bf16, f16};
use rayon::prelude::*;

use super::format::{Format, PANEL};
use crate::kernels::huge_pages;
use crate::quantization::BLOCK;

/// The weights of one output.
#[derive(Debug, Default, Clone)]
pub(crate) struct PackedRow {
    /// The bits of halves, or one unsigned code for each input.
    pub(crate) values: Vec<u16>,
    /// A scale for every block, if the values are codes.
    pub(crate) scales: Vec<f16>,
}

/// Packs a layer's weights, `[outputs, inputs]`. `read` appends the weights of one output to a row.
pub(crate) fn pack(
    format: Format,
    [outputs, inputs]: [usize; 2],
    read: impl Fn(usize, &mut PackedRow) + Sync,
) -> Bytes {
    let [panels, units, unit_bytes] = format.shape([outputs, inputs]);
    huge_pages::filled(panels * units * unit_bytes, |bytes| {
        let panels = bytes.par_chunks_exact_mut((units * unit_bytes).max(1)).enumerate();
        panels.for_each_init(PackedRow::default, |buffer, (panel, bytes)| {
            for lane in 0..PANEL {
                let output = panel * PANEL + lane;
                buffer.values.clear();
                buffer.scales.clear();
                if output < outputs {
                    read(output, buffer);
                }
                buffer.values.resize(units * format.unit_inputs(), format.zero_point());
                buffer.scales.resize(units, f16::ZERO);
                format.write(bytes, lane, buffer);
            }
        });
    })
}

/// Unpacks the weights of one output.
pub(crate) fn unpack(
    format: Format,
    bytes: &[u8],
    [outputs, inputs]: [usize; 2],
    output: usize,
) -> PackedRow {
    let [_, units, unit_bytes] = format.shape([outputs, inputs]);
    let (panel, lane) = (output / PANEL, output % PANEL);
    let bytes = &bytes[panel * units * unit_bytes..(panel + 1) * units * unit_bytes];
    let mut row = PackedRow::default();
    for unit in bytes.chunks_exact(unit_bytes) {
        format.read(unit, lane, &mut row);
    }
    row.values.truncate(inputs);
    row
}

/// Unpacks all weights to f32, `[outputs, inputs]`.
pub(crate) fn dequantize(format: Format, panels: &[u8], size: [usize; 2]) -> Vec<f32> {
    let [outputs, inputs] = size;
    let mut weights = vec![0.0; outputs * inputs];
    weights.par_chunks_mut(inputs.max(1)).enumerate().for_each(|(output, weights)| {
        weights.copy_from_slice(&format.to_f32(&unpack(format, panels, size, output)));
    });
    weights
}

impl Format {
    /// The weights of a row in f32.
    pub(super) fn to_f32(self, row: &PackedRow) -> Vec<f32> {
        let scaled = |(input, &code): (usize, &u16)| {
            (f32::from(code) - f32::from(self.zero_point())) * row.scales[input / BLOCK].to_f32()
        };
        match self {
            Self::F16 => row.values.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect(),
            Self::Bf16 => row.values.iter().map(|&bits| bf16::from_bits(bits).to_f32()).collect(),
            Self::Q8 | Self::Q4 => row.values.iter().enumerate().map(scaled).collect(),
        }
    }

    fn write(self, panel: &mut [u8], lane: usize, row: &PackedRow) {
        let units = panel.chunks_exact_mut(self.unit_bytes());
        let values = row.values.chunks_exact(self.unit_inputs());
        for ((unit, values), scale) in units.zip(values).zip(&row.scales) {
            match self {
                Self::F16 | Self::Bf16 => {
                    let at = lane * 2 * values.len();
                    for (bytes, value) in unit[at..].as_chunks_mut().0.iter_mut().zip(values) {
                        *bytes = value.to_le_bytes();
                    }
                }
                Self::Q8 => {
                    let (codes, scales) = unit.split_at_mut(BLOCK * PANEL);
                    let groups = codes.chunks_exact_mut(4 * PANEL);
                    for (group, values) in groups.zip(values.chunks_exact(4)) {
                        let four = &mut group[4 * lane..4 * lane + 4];
                        four.iter_mut().zip(values).for_each(|(code, &value)| *code = value as u8);
                    }
                    scales[2 * lane..2 * lane + 2].copy_from_slice(&scale.to_le_bytes());
                }
                Self::Q4 => {
                    let (codes, scales) = unit.split_at_mut(BLOCK / 2 * PANEL);
                    let groups = codes.chunks_exact_mut(4 * PANEL);
                    for (group, values) in groups.zip(values.chunks_exact(8)) {
                        for (i, code) in group[4 * lane..4 * lane + 4].iter_mut().enumerate() {
                            *code = (values[i] | values[i + 4] << 4) as u8;
                        }
                    }
                    scales[2 * lane..2 * lane + 2].copy_from_slice(&scale.to_le_bytes());
                }
            }
        }
    }

    fn read(self, unit: &[u8], lane: usize, row: &mut PackedRow) {
        match self {
            Self::F16 | Self::Bf16 => {
                let inputs = self.unit_inputs();
                let halves = unit[lane * 2 * inputs..].as_chunks().0.iter().take(inputs);
                row.values.extend(halves.map(|&bytes| u16::from_le_bytes(bytes)));
            }
            Self::Q8 | Self::Q4 => {
                let (codes, scales) = unit.split_at(unit.len() - 2 * PANEL);
                for group in codes.chunks_exact(4 * PANEL) {
                    let four = &group[4 * lane..4 * lane + 4];
                    if self == Self::Q8 {
                        row.values.extend(four.iter().map(|&code| u16::from(code)));
                    } else {
                        row.values.extend(four.iter().map(|&code| u16::from(code & 15)));
                        row.values.extend(four.iter().map(|&code| u16::from(code >> 4)));
                    }
                }
                let scale = [scales[2 * lane], scales[2 * lane + 1]];
                row.scales.push(f16::from_le_bytes(scale));
            }
        }
    }
}
