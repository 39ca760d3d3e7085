//! Rows of weights to strips and back.

use burn::tensor::Bytes;
use half::{bf16, f16};
use rayon::prelude::*;

use super::{Format, STRIP, memory};
use crate::nn::blocks::BLOCK;

/// The weights of one output.
#[derive(Debug, Default, Clone)]
pub(crate) struct Line {
    /// The bits of halves, or one code for each input, counted from 0.
    pub(crate) values: Vec<u16>,
    /// A scale for every block, if the values are codes.
    pub(crate) scales: Vec<f16>,
}

/// Strips of a layer's weights, `[outputs, inputs]`, of which `line` writes one output's.
pub(crate) fn pack(
    format: Format,
    [outputs, inputs]: [usize; 2],
    line: impl Fn(usize, &mut Line) + Sync,
) -> Bytes {
    let [strips, units, unit_bytes] = format.shape([outputs, inputs]);
    memory::filled(strips * units * unit_bytes, |bytes| {
        let strips = bytes.par_chunks_exact_mut((units * unit_bytes).max(1)).enumerate();
        strips.for_each_init(Line::default, |buffer, (strip, bytes)| {
            for lane in 0..STRIP {
                let output = strip * STRIP + lane;
                buffer.values.clear();
                buffer.scales.clear();
                if output < outputs {
                    line(output, buffer);
                }
                buffer.values.resize(units * format.unit_inputs(), format.zero());
                buffer.scales.resize(units, f16::ZERO);
                format.write(bytes, lane, buffer);
            }
        });
    })
}

/// Reads one output's weights back.
pub(crate) fn unpack(
    format: Format,
    bytes: &[u8],
    [outputs, inputs]: [usize; 2],
    output: usize,
) -> Line {
    let [_, units, unit_bytes] = format.shape([outputs, inputs]);
    let (strip, lane) = (output / STRIP, output % STRIP);
    let bytes = &bytes[strip * units * unit_bytes..(strip + 1) * units * unit_bytes];
    let mut line = Line::default();
    for unit in bytes.chunks_exact(unit_bytes) {
        format.read(unit, lane, &mut line);
    }
    line.values.truncate(inputs);
    line
}

/// All weights in f32, `[outputs, inputs]`.
pub(crate) fn unpack_all(format: Format, strips: &[u8], size: [usize; 2]) -> Vec<f32> {
    let [outputs, inputs] = size;
    let mut weights = vec![0.0; outputs * inputs];
    weights.par_chunks_mut(inputs.max(1)).enumerate().for_each(|(output, weights)| {
        weights.copy_from_slice(&format.decode(&unpack(format, strips, size, output)));
    });
    weights
}

impl Format {
    /// The weights that a line stands for.
    pub(crate) fn decode(self, line: &Line) -> Vec<f32> {
        let scaled = |(input, &code): (usize, &u16)| {
            (f32::from(code) - f32::from(self.zero())) * line.scales[input / BLOCK].to_f32()
        };
        match self {
            Self::F16 => line.values.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect(),
            Self::Bf16 => line.values.iter().map(|&bits| bf16::from_bits(bits).to_f32()).collect(),
            Self::Q8 | Self::Q4 => line.values.iter().enumerate().map(scaled).collect(),
        }
    }

    /// What stands for no weight.
    const fn zero(self) -> u16 {
        match self {
            Self::F16 | Self::Bf16 => 0,
            Self::Q8 => 128,
            Self::Q4 => 8,
        }
    }

    fn write(self, strip: &mut [u8], lane: usize, line: &Line) {
        let units = strip.chunks_exact_mut(self.unit_bytes());
        let values = line.values.chunks_exact(self.unit_inputs());
        for ((unit, values), scale) in units.zip(values).zip(&line.scales) {
            match self {
                Self::F16 | Self::Bf16 => {
                    let at = lane * 2 * values.len();
                    for (bytes, value) in unit[at..].as_chunks_mut().0.iter_mut().zip(values) {
                        *bytes = value.to_le_bytes();
                    }
                }
                Self::Q8 => {
                    let (codes, scales) = unit.split_at_mut(BLOCK * STRIP);
                    let groups = codes.chunks_exact_mut(4 * STRIP);
                    for (group, values) in groups.zip(values.chunks_exact(4)) {
                        let four = &mut group[4 * lane..4 * lane + 4];
                        four.iter_mut().zip(values).for_each(|(code, &value)| *code = value as u8);
                    }
                    scales[2 * lane..2 * lane + 2].copy_from_slice(&scale.to_le_bytes());
                }
                Self::Q4 => {
                    let (codes, scales) = unit.split_at_mut(BLOCK / 2 * STRIP);
                    let groups = codes.chunks_exact_mut(4 * STRIP);
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

    fn read(self, unit: &[u8], lane: usize, line: &mut Line) {
        match self {
            Self::F16 | Self::Bf16 => {
                let inputs = self.unit_inputs();
                let halves = unit[lane * 2 * inputs..].as_chunks().0.iter().take(inputs);
                line.values.extend(halves.map(|&bytes| u16::from_le_bytes(bytes)));
            }
            Self::Q8 | Self::Q4 => {
                let (codes, scales) = unit.split_at(unit.len() - 2 * STRIP);
                for group in codes.chunks_exact(4 * STRIP) {
                    let four = &group[4 * lane..4 * lane + 4];
                    if self == Self::Q8 {
                        line.values.extend(four.iter().map(|&code| u16::from(code)));
                    } else {
                        line.values.extend(four.iter().map(|&code| u16::from(code & 15)));
                        line.values.extend(four.iter().map(|&code| u16::from(code >> 4)));
                    }
                }
                let scale = [scales[2 * lane], scales[2 * lane + 1]];
                line.scales.push(f16::from_le_bytes(scale));
            }
        }
    }
}
