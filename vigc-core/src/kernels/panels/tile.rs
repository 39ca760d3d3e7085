//! A few rows times a few panels: the piece that kernels compute.

use std::ops::Range;

use super::format::{Format, PANEL};
use crate::quantization::BLOCK;

/// The most rows of a tile. With four panels, that leaves registers for weights.
pub(super) const ROWS: usize = 6;

/// Splits rows into tiles of up to [`ROWS`] rows, as equal as possible.
pub(super) fn row_tiles(rows: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let tiles = rows.div_ceil(ROWS);
    (0..tiles).map(move |tile| rows * tile / tiles..rows * (tile + 1) / tiles)
}

/// The type of the weights that a kernel reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    /// f32, in panels or in lines.
    F32,
    F16,
    Bf16,
    Q8,
    Q4,
    /// Codes of one byte with scales in f32 elsewhere: blocks that were unpacked for many rows.
    Unpacked {
        /// The code of a weight of 0.
        zero_point: i32,
    },
}

impl From<Format> for Kernel {
    fn from(format: Format) -> Self {
        match format {
            Format::F16 => Self::F16,
            Format::Bf16 => Self::Bf16,
            Format::Q8 => Self::Q8,
            Format::Q4 => Self::Q4,
        }
    }
}

impl Kernel {
    /// The number of bytes of one panel's unit.
    pub(super) const fn unit_bytes(self) -> usize {
        match self {
            Self::F32 => 4 * PANEL,
            Self::F16 => Format::F16.unit_bytes(),
            Self::Bf16 => Format::Bf16.unit_bytes(),
            Self::Q8 => Format::Q8.unit_bytes(),
            Self::Q4 => Format::Q4.unit_bytes(),
            Self::Unpacked { .. } => BLOCK * PANEL,
        }
    }

    /// The number of words of activations that a unit is multiplied with.
    pub(super) const fn unit_words(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q8 | Self::Q4 | Self::Unpacked { .. } => BLOCK / 4,
        }
    }

    /// Whether activations have 8 bits.
    pub(super) const fn has_blocks(self) -> bool {
        matches!(self, Self::Q8 | Self::Q4 | Self::Unpacked { .. })
    }
}

/// Products of some inputs that are added to sums.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    /// Activations of the first row, from the first of these inputs on.
    pub(super) x: &'a [u32],
    /// Words between rows.
    pub(super) x_row: usize,
    /// Scales of the blocks of activations.
    pub(super) x_scales: &'a [f32],
    /// What the zero point of the weights adds to the sum of each block, negated.
    pub(super) x_corrections: &'a [i32],
    /// Blocks between rows.
    pub(super) x_blocks: usize,
    /// Weights of the first panel, from the first of these inputs on.
    pub(super) w: &'a [u8],
    /// Bytes between panels.
    pub(super) w_panel: usize,
    /// Bytes between units.
    pub(super) w_unit: usize,
    /// Scales of the first panel, for [`Kernel::Unpacked`].
    pub(super) w_scales: &'a [f32],
    /// Units to multiply.
    pub(super) units: usize,
    /// Sums of the first row.
    pub(super) sums: &'a mut [f32],
    /// Numbers between rows of sums.
    pub(super) sums_row: usize,
    pub(super) rows: usize,
    pub(super) panels: usize,
}

impl Tile<'_> {
    /// Some of the tile's panels.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn part(&mut self, first: usize, panels: usize) -> Tile<'_> {
        Tile {
            w: &self.w[first * self.w_panel..],
            w_scales: self.w_scales.get(first * self.w_panel / BLOCK..).unwrap_or_default(),
            sums: &mut self.sums[first * PANEL..],
            panels,
            ..*self
        }
    }

    /// Checks what kernels rely on when they read and write without bounds checks.
    ///
    /// # Panics
    ///
    /// Panics if a slice is too short for what the fields say.
    pub(super) fn check(&self, kernel: Kernel) {
        assert!((1..=ROWS).contains(&self.rows));
        if self.units == 0 || self.panels == 0 {
            return;
        }
        let last = |count: usize, stride: usize| (count - 1) * stride;
        let words = last(self.rows, self.x_row) + self.units * kernel.unit_words();
        assert!(self.x.len() >= words, "activations of {words} words");
        let bytes =
            last(self.panels, self.w_panel) + last(self.units, self.w_unit) + kernel.unit_bytes();
        assert!(self.w.len() >= bytes, "weights of {bytes} bytes");
        let sums = last(self.rows, self.sums_row) + self.panels * PANEL;
        assert!(self.sums.len() >= sums, "{sums} sums");
        if kernel.has_blocks() {
            let blocks = last(self.rows, self.x_blocks) + self.units;
            assert!(self.x_scales.len() >= blocks && self.x_corrections.len() >= blocks);
        }
        if matches!(kernel, Kernel::Unpacked { .. }) {
            let scales = last(self.panels, self.w_panel / BLOCK) + self.units * PANEL;
            assert!(self.w_scales.len() >= scales, "{scales} scales");
        }
    }
}
