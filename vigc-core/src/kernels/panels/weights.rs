//! The weights of a layer as kernels read them: in place, or copied to a staging buffer for many rows.

use pulp::Arch;
use pulp::bytemuck::cast_slice;

use super::format::{Format, PANEL, f16_to_f32};
use super::tile::{Kernel, ROWS};
use crate::quantization::BLOCK;

/// From this number of rows on, weights are staged once for all of them: codes as bytes, f32 without gaps, and halves as
/// f32 on machines without instructions for them.
pub(super) const MANY: usize = 3 * ROWS;

/// The weights of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights<'a> {
    pub(super) storage: Storage<'a>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// How weights are stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Storage<'a> {
    /// Panels.
    Panels(Format, &'a [u8]),
    /// f32, `[inputs, outputs]`.
    Full(&'a [f32]),
}

/// Adjacent panels that are multiplied together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) panels: usize,
}

/// Memory for staged weights, kept from one use to the next.
#[derive(Debug, Default)]
pub(super) struct StagingBuffer {
    bytes: Vec<u8>,
    scales: Vec<f32>,
}

/// A view of weights that a kernel reads.
pub(super) struct WeightView<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes between panels.
    pub(super) panel: usize,
    /// Bytes between units.
    pub(super) unit: usize,
    pub(super) scales: &'a [f32],
}

impl Weights<'_> {
    /// The number of units of a panel as a kernel counts them.
    pub(super) fn units(&self, kernel: Kernel) -> usize {
        match (self.storage, kernel) {
            (Storage::Full(_), _) => self.inputs,
            (Storage::Panels(format, _), Kernel::F32) => {
                self.inputs.next_multiple_of(format.unit_inputs())
            }
            (Storage::Panels(format, _), _) => self.inputs.div_ceil(format.unit_inputs()),
        }
    }

    /// Whether a group of panels is staged before it is multiplied with some rows.
    pub(super) fn needs_staging(&self, kernel: Kernel, group: Group, rows: usize) -> bool {
        match kernel {
            Kernel::Unpacked { .. } => true,
            Kernel::F32 if matches!(self.storage, Storage::Panels(..)) => true,
            Kernel::F32 => rows >= MANY || (group.first + group.panels) * PANEL > self.outputs,
            _ => false,
        }
    }

    /// A group's weights from unit `first` on, where they are stored.
    pub(super) fn in_place(&self, group: Group, first: usize) -> WeightView<'_> {
        let (bytes, panel, unit) = match self.storage {
            Storage::Full(weights) => {
                let bytes = cast_slice(&weights[first * self.outputs + group.first * PANEL..]);
                (bytes, 4 * PANEL, 4 * self.outputs)
            }
            Storage::Panels(format, bytes) => {
                let (unit, panel) = (format.unit_bytes(), format.panel_bytes(self.inputs));
                (&bytes[group.first * panel + first * unit..], panel, unit)
            }
        };
        WeightView { bytes, panel, unit, scales: &[] }
    }

    /// A group's weights from unit `first` on, copied to a staging buffer.
    pub(super) fn stage<'s>(
        &self,
        group: Group,
        first: usize,
        units: usize,
        buffer: &'s mut StagingBuffer,
    ) -> WeightView<'s> {
        buffer.scales.clear();
        match self.storage {
            Storage::Full(weights) => {
                let width = 4 * group.panels * PANEL;
                buffer.bytes.resize(units * width, 0);
                let lines = weights.chunks_exact(self.outputs).skip(first);
                for (to, line) in buffer.bytes.chunks_exact_mut(width).zip(lines) {
                    let line: &[u8] = cast_slice(&line[group.first * PANEL..]);
                    let width = to.len().min(line.len());
                    to[..width].copy_from_slice(&line[..width]);
                }
                WeightView { bytes: &buffer.bytes, panel: 4 * PANEL, unit: width, scales: &[] }
            }
            Storage::Panels(format, bytes) if format.is_half() => {
                let panels = bytes.chunks_exact(format.panel_bytes(self.inputs));
                let width = units * 4 * PANEL;
                buffer.bytes.resize(group.panels * width, 0);
                Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        let full = buffer.bytes.chunks_exact_mut(width);
                        for (full, panel) in full.zip(panels.skip(group.first)) {
                            halves_to_f32(format, &panel[first * 2 * PANEL..], full);
                        }
                    },
                );
                WeightView { bytes: &buffer.bytes, panel: width, unit: 4 * PANEL, scales: &[] }
            }
            Storage::Panels(format, bytes) => {
                let panel = format.panel_bytes(self.inputs);
                buffer.bytes.resize(group.panels * units * BLOCK * PANEL, 0);
                let panels = bytes.chunks_exact(panel).skip(group.first);
                Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        let unpacked = buffer.bytes.chunks_exact_mut(units * BLOCK * PANEL);
                        for (codes, panel) in unpacked.zip(panels) {
                            let units = panel.chunks_exact(format.unit_bytes()).skip(first);
                            for (codes, unit) in codes.as_chunks_mut().0.iter_mut().zip(units) {
                                unpack_codes(format, unit, codes, &mut buffer.scales);
                            }
                        }
                    },
                );
                WeightView {
                    bytes: &buffer.bytes,
                    panel: units * BLOCK * PANEL,
                    unit: BLOCK * PANEL,
                    scales: &buffer.scales,
                }
            }
        }
    }
}

/// Converts halves to f32, input by input.
#[inline(always)]
fn halves_to_f32(format: Format, halves: &[u8], full: &mut [u8]) {
    if format == Format::F16 {
        for (full, half) in full.as_chunks_mut().0.iter_mut().zip(halves.as_chunks().0) {
            *full = f16_to_f32(u16::from_le_bytes(*half)).to_le_bytes();
        }
        return;
    }
    let pairs = halves.as_chunks::<{ 4 * PANEL }>().0;
    for (full, pair) in full.as_chunks_mut::<{ 8 * PANEL }>().0.iter_mut().zip(pairs) {
        let (first, second) = full.split_at_mut(4 * PANEL);
        let lanes = first.as_chunks_mut().0.iter_mut().zip(second.as_chunks_mut().0);
        for ((first, second), &pair) in lanes.zip(pair.as_chunks().0) {
            let pair = u32::from_le_bytes(pair);
            *first = (pair << 16).to_le_bytes();
            *second = (pair & 0xffff_0000).to_le_bytes();
        }
    }
}

/// Unpacks a unit of 8 or 4 bits to codes of one byte and scales in f32.
#[inline(always)]
fn unpack_codes(
    format: Format,
    unit: &[u8],
    unpacked: &mut [u8; BLOCK * PANEL],
    scales: &mut Vec<f32>,
) {
    let (codes, of_block) = unit.split_at(unit.len() - 2 * PANEL);
    if format == Format::Q8 {
        unpacked.copy_from_slice(codes);
    } else {
        let pairs = unpacked.as_chunks_mut::<{ 8 * PANEL }>().0;
        for (pair, group) in pairs.iter_mut().zip(codes.as_chunks::<{ 4 * PANEL }>().0) {
            let (low, high) = pair.split_at_mut(4 * PANEL);
            for ((low, high), &code) in low.iter_mut().zip(high).zip(group) {
                *low = code & 15;
                *high = code >> 4;
            }
        }
    }
    let mut numbers = [0.0; PANEL];
    for (number, &bits) in numbers.iter_mut().zip(of_block.as_chunks().0) {
        *number = f16_to_f32(u16::from_le_bytes(bits));
    }
    scales.extend_from_slice(&numbers);
}
