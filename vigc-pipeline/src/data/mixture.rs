//! Several data sets, each drawn from by its share.

use std::fmt;

use rand::Rng;

use super::{DataError, InstructionDataset, InstructionRow};
use crate::draw::{Draw, EpochOrder, Stream, mix};

/// Data sets with ratios. Every batch comes from one of them, drawn by ratio.
///
/// What a batch holds is a function of its [`Draw`] alone, so a resumed run sees the same batches.
pub struct Mixture {
    parts: Vec<(Box<dyn InstructionDataset>, f64)>,
}

impl fmt::Debug for Mixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts.iter().map(|(part, ratio)| (part.name().to_owned(), ratio));
        f.debug_map().entries(parts).finish()
    }
}

impl Mixture {
    /// Mixes data sets.
    ///
    /// # Errors
    ///
    /// [`DataError::Empty`] if there is none or one holds no rows, [`DataError::Ratio`] if a ratio
    /// is not positive.
    pub fn new(parts: Vec<(Box<dyn InstructionDataset>, f64)>) -> Result<Self, DataError> {
        if parts.is_empty() {
            return Err(DataError::Empty { name: "the mixture".to_owned() });
        }
        for (part, ratio) in &parts {
            let name = || part.name().to_owned();
            if part.is_empty() {
                return Err(DataError::Empty { name: name() });
            }
            if !ratio.is_finite() || *ratio <= 0.0 {
                return Err(DataError::Ratio { name: name(), ratio: *ratio });
            }
        }
        Ok(Self { parts })
    }

    /// The position of the data set that a batch comes from.
    #[must_use]
    pub fn choose(&self, draw: Draw) -> usize {
        let total: f64 = self.parts.iter().map(|(_, ratio)| ratio).sum();
        let mut rest = draw.rng(Stream::Rows).random_range(0.0..total);
        for (index, (_, ratio)) in self.parts.iter().enumerate() {
            if rest < *ratio {
                return index;
            }
            rest -= ratio;
        }
        self.parts.len() - 1
    }

    /// The data set at a position.
    ///
    /// # Panics
    ///
    /// Panics if there is none.
    #[must_use]
    pub fn part(&self, index: usize) -> &dyn InstructionDataset {
        self.parts[index].0.as_ref()
    }

    /// The rows of a batch. Within one batch no row comes twice unless the data set is smaller.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row cannot be read.
    pub fn rows(&self, draw: Draw, batch: usize) -> Result<Vec<InstructionRow>, DataError> {
        let chosen = self.choose(draw);
        let part = self.part(chosen);
        let order = EpochOrder { seed: mix(draw.seed ^ chosen as u64), len: part.len() as u64 };
        let first = draw.micro_step.wrapping_mul(batch as u64);
        let mut rng = draw.rng(Stream::Text);
        (first..first + batch as u64)
            .map(|at| part.row(usize::try_from(order.item(at)).unwrap_or(0), &mut rng))
            .collect()
    }
}
