//! The choice of the instructions that compute tiles.

use pulp::Arch;
use pulp::bytemuck::cast_slice;

use super::format::Format;
use super::portable;
use super::tile::{Kernel, Tile};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// The instruction set that computes a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isa {
    /// AVX-512 with instructions for bf16 and bytes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2, FMA and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Loops, compiled for the widest vectors of this machine.
    Portable,
    /// The same loops as they run on any machine.
    #[cfg(test)]
    Baseline,
}

impl Isa {
    /// The fastest one on this machine.
    pub(super) fn best(kernel: Kernel) -> Self {
        #[cfg(target_arch = "x86_64")]
        match () {
            () if avx512::is_supported(kernel) => return Self::Avx512,
            () if avx2::is_supported() => return Self::Avx2,
            () => {}
        }
        let _ = kernel;
        Self::Portable
    }

    /// Whether it has instructions for a half-precision format.
    pub(super) fn has_halves(self, format: Format) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => format == Format::F16,
            _ => false,
        }
    }

    /// Whether the sums of one panel fill the registers when a tile has all of its rows.
    pub(super) fn is_narrow(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self != Self::Avx512;
        #[cfg(not(target_arch = "x86_64"))]
        true
    }

    /// Computes a tile.
    ///
    /// # Panics
    ///
    /// Panics if a slice is too short for what the tile's fields say.
    pub(super) fn run(self, tile: &mut Tile<'_>, kernel: Kernel) {
        tile.check(kernel);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                let mut first = 0;
                while first < tile.panels {
                    let panels = 1 << (tile.panels - first).min(4).ilog2();
                    avx512::run(&mut tile.part(first, panels), kernel);
                    first += panels;
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::run(tile, kernel),
            Self::Portable => Arch::new().dispatch(
                #[inline(always)]
                || portable::run(tile, kernel),
            ),
            #[cfg(test)]
            Self::Baseline => portable::run(tile, kernel),
        }
    }
}

/// A matrix of f32, in panels or in lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) numbers: &'a [f32],
    /// Numbers between panels.
    pub(super) panel: usize,
    /// Numbers between units.
    pub(super) unit: usize,
    pub(super) units: usize,
    pub(super) panels: usize,
}

impl Matrix<'_> {
    /// Adds the products of one tile of rows, which are `x_row` numbers apart, to sums that are `sums_row` apart.
    pub(super) fn add(
        &self,
        x: &[f32],
        x_row: usize,
        rows: usize,
        sums: &mut [f32],
        sums_row: usize,
    ) {
        let mut tile = Tile {
            x: cast_slice(x),
            x_row,
            x_scales: &[],
            x_corrections: &[],
            x_blocks: 0,
            w: cast_slice(self.numbers),
            w_panel: 4 * self.panel,
            w_unit: 4 * self.unit,
            w_scales: &[],
            units: self.units,
            sums,
            sums_row,
            rows,
            panels: self.panels,
        };
        Isa::best(Kernel::F32).run(&mut tile, Kernel::F32);
    }
}

/// Prefetches bytes that will be read soon.
pub(super) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    avx512::prefetch(bytes);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}
