//! A few rows times a few strips, the piece that kernels work on.

use std::ops::Range;

use pulp::Arch;
use pulp::bytemuck::cast_slice;

use super::{Format, STRIP, portable};
use crate::nn::blocks::BLOCK;

/// Most rows of a tile: with four strips that leaves registers for weights.
pub(super) const ROWS: usize = 6;

/// Up to [`ROWS`] rows at a time, as equal as can be.
pub(super) fn parts(rows: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let parts = rows.div_ceil(ROWS);
    (0..parts).map(move |part| rows * part / parts..rows * (part + 1) / parts)
}

/// What a kernel multiplies with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    /// f32, wherever it lies.
    F32,
    F16,
    Bf16,
    Q8,
    Q4,
    /// Codes of bytes with scales in f32 elsewhere: what blocks are unpacked to for many rows.
    Wide {
        /// What codes are counted from.
        offset: i32,
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
    /// Bytes that a unit of one strip takes.
    pub(super) const fn unit_bytes(self) -> usize {
        match self {
            Self::F32 => 4 * STRIP,
            Self::F16 => Format::F16.unit_bytes(),
            Self::Bf16 => Format::Bf16.unit_bytes(),
            Self::Q8 => Format::Q8.unit_bytes(),
            Self::Q4 => Format::Q4.unit_bytes(),
            Self::Wide { .. } => BLOCK * STRIP,
        }
    }

    /// Words of activations that a unit takes.
    pub(super) const fn unit_words(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q8 | Self::Q4 | Self::Wide { .. } => BLOCK / 4,
        }
    }

    /// Whether activations have 8 bits.
    pub(super) const fn has_blocks(self) -> bool {
        matches!(self, Self::Q8 | Self::Q4 | Self::Wide { .. })
    }
}

/// Adds the products of some inputs to sums.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    /// Activations of the first row from the first of these inputs on.
    pub(super) x: &'a [u32],
    /// Words between rows.
    pub(super) x_row: usize,
    /// Scales of their blocks, and what their sums begin with.
    pub(super) x_scales: &'a [f32],
    pub(super) x_starts: &'a [i32],
    /// Blocks between rows.
    pub(super) x_blocks: usize,
    /// Weights of the first strip from the first of these inputs on.
    pub(super) w: &'a [u8],
    /// Bytes between strips.
    pub(super) w_strip: usize,
    /// Bytes between units.
    pub(super) w_unit: usize,
    /// Scales of the first strip, for [`Kernel::Wide`].
    pub(super) w_scales: &'a [f32],
    /// Units to be multiplied.
    pub(super) units: usize,
    /// Sums of the first row.
    pub(super) sums: &'a mut [f32],
    /// Numbers between rows.
    pub(super) sums_row: usize,
    pub(super) rows: usize,
    pub(super) strips: usize,
}

/// The code that computes a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Instructions of this machine that the compiler would not find.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// The same for machines without those.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Loops, compiled for the widest vectors that the machine has.
    Portable,
    /// The same loops as they would run on any machine.
    #[cfg(test)]
    Plain,
}

impl Path {
    /// Whether it has instructions for halves.
    pub(super) fn has_halves(self, format: Format) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => format == Format::F16,
            _ => false,
        }
    }

    /// Whether sums of one strip for [`ROWS`] rows fill the registers.
    pub(super) fn is_narrow(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self != Self::Avx512;
        #[cfg(not(target_arch = "x86_64"))]
        true
    }

    /// The fastest one here.
    pub(super) fn best(kernel: Kernel) -> Self {
        #[cfg(target_arch = "x86_64")]
        match () {
            () if super::avx512::can(kernel) => return Self::Avx512,
            () if super::avx2::can() => return Self::Avx2,
            () => {}
        }
        let _ = kernel;
        Self::Portable
    }
}

impl Tile<'_> {
    /// Computes it.
    ///
    /// # Panics
    ///
    /// Panics if a slice is too short for what the fields say.
    pub(super) fn run(&mut self, kernel: Kernel, path: Path) {
        self.check(kernel);
        match path {
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => {
                let mut first = 0;
                while first < self.strips {
                    let strips = 1 << (self.strips - first).min(4).ilog2();
                    super::avx512::run(&mut self.part(first, strips), kernel);
                    first += strips;
                }
            }
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => super::avx2::run(self, kernel),
            Path::Portable => Arch::new().dispatch(
                #[inline(always)]
                || portable::run(self, kernel),
            ),
            #[cfg(test)]
            Path::Plain => portable::run(self, kernel),
        }
    }

    /// Some of its strips.
    #[cfg(target_arch = "x86_64")]
    fn part(&mut self, first: usize, strips: usize) -> Tile<'_> {
        Tile {
            w: &self.w[first * self.w_strip..],
            w_scales: self.w_scales.get(first * self.w_strip / BLOCK..).unwrap_or_default(),
            sums: &mut self.sums[first * STRIP..],
            strips,
            ..*self
        }
    }

    /// What kernels rely on when they read and write without looking.
    fn check(&self, kernel: Kernel) {
        assert!((1..=ROWS).contains(&self.rows));
        if self.units == 0 || self.strips == 0 {
            return;
        }
        let last = |count: usize, stride: usize| (count - 1) * stride;
        let words = last(self.rows, self.x_row) + self.units * kernel.unit_words();
        assert!(self.x.len() >= words, "activations of {words} words");
        let bytes =
            last(self.strips, self.w_strip) + last(self.units, self.w_unit) + kernel.unit_bytes();
        assert!(self.w.len() >= bytes, "weights of {bytes} bytes");
        let sums = last(self.rows, self.sums_row) + self.strips * STRIP;
        assert!(self.sums.len() >= sums, "{sums} sums");
        if kernel.has_blocks() {
            let blocks = last(self.rows, self.x_blocks) + self.units;
            assert!(self.x_scales.len() >= blocks && self.x_starts.len() >= blocks);
        }
        if matches!(kernel, Kernel::Wide { .. }) {
            let scales = last(self.strips, self.w_strip / BLOCK) + self.units * STRIP;
            assert!(self.w_scales.len() >= scales, "{scales} scales");
        }
    }
}

/// A matrix of f32, in strips or in lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) numbers: &'a [f32],
    /// Numbers between strips.
    pub(super) strip: usize,
    /// Numbers between units.
    pub(super) unit: usize,
    pub(super) units: usize,
    pub(super) strips: usize,
}

impl Matrix<'_> {
    /// Adds the products of up to [`ROWS`] rows, `x_row` numbers apart, to sums that are `sums_row` apart.
    pub(super) fn add(
        &self,
        x: &[f32],
        x_row: usize,
        rows: usize,
        sums: &mut [f32],
        sums_row: usize,
    ) {
        Tile {
            x: cast_slice(x),
            x_row,
            x_scales: &[],
            x_starts: &[],
            x_blocks: 0,
            w: cast_slice(self.numbers),
            w_strip: 4 * self.strip,
            w_unit: 4 * self.unit,
            w_scales: &[],
            units: self.units,
            sums,
            sums_row,
            rows,
            strips: self.strips,
        }
        .run(Kernel::F32, Path::best(Kernel::F32));
    }
}

/// Asks the memory for bytes that will be read soon.
pub(super) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    super::avx512::prefetch(bytes);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}
