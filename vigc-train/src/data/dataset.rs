//! What training reads: images, rows with a prompt and the text to write, and mixtures of data sets.

use std::fmt;

use image::RgbImage;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use vigc_core::random::{Draw, EpochOrder, Stream, splitmix64};
use vigc_pipeline::data::DataError;

/// A training sample: an image, a prompt, and the text to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionRow {
    /// The index of the image in the data set's [`ImageSource`].
    pub image: usize,
    /// The prompt for the Q-Former and the language model.
    pub input: String,
    /// The text that the language model learns to write.
    pub output: String,
    /// The indices of the objects that matter for the output, in a rendered scene; empty for other images.
    pub objects: Vec<usize>,
    /// Whether the prompt is about an object that is not in the rendered scene; false for other images.
    pub missing: bool,
}

/// A data set of one task. A row may get another wording every time it is read.
pub trait InstructionDataset: Send + Sync {
    /// The name under which metrics are reported.
    fn name(&self) -> &str;

    /// The number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a row. `rng` chooses among templates and answers.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the row cannot be read.
    fn row(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<InstructionRow, DataError>;
}

/// The images of a data set.
pub trait ImageSource: Send + Sync {
    /// The number of images.
    fn len(&self) -> usize;

    /// Whether there are no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A name for the source's contents. Features that were cached under another name are computed again.
    fn fingerprint(&self) -> String;

    /// Reads an image.
    ///
    /// # Errors
    ///
    /// [`DataError`] if it cannot be read.
    fn image(&self, index: usize) -> Result<RgbImage, DataError>;
}

/// Several image sources one after the other.
pub struct JoinedImages(Vec<Box<dyn ImageSource>>);

impl fmt::Debug for JoinedImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|source| source.fingerprint())).finish()
    }
}

impl JoinedImages {
    /// Joins sources.
    #[must_use]
    pub fn new(sources: Vec<Box<dyn ImageSource>>) -> Self {
        Self(sources)
    }
}

impl ImageSource for JoinedImages {
    fn len(&self) -> usize {
        self.0.iter().map(|source| source.len()).sum()
    }

    fn fingerprint(&self) -> String {
        self.0.iter().map(|source| source.fingerprint()).collect::<Vec<_>>().join("; ")
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let mut rest = index;
        for source in &self.0 {
            if rest < source.len() {
                return source.image(rest);
            }
            rest -= source.len();
        }
        Err(DataError::NoImage { index, len: self.len() })
    }
}

/// Several data sets with ratios. Every batch comes from one data set, which is drawn in proportion to the ratios.
///
/// The contents of a batch depend only on its [`Draw`], so a resumed run sees the same batches.
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
    /// [`DataError::Empty`] if there is no data set or one has no rows, [`DataError::Ratio`] if a ratio is not a positive
    /// number.
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

    /// The index of the data set that a batch comes from.
    #[must_use]
    pub fn choose(&self, draw: Draw) -> usize {
        self.choose_with(&mut draw.rng(Stream::Rows))
    }

    /// The index of a data set, drawn in proportion to the ratios.
    #[must_use]
    pub fn choose_with(&self, rng: &mut ChaCha8Rng) -> usize {
        let total: f64 = self.parts.iter().map(|(_, ratio)| ratio).sum();
        let mut rest = rng.random_range(0.0..total);
        for (index, (_, ratio)) in self.parts.iter().enumerate() {
            if rest < *ratio {
                return index;
            }
            rest -= ratio;
        }
        self.parts.len() - 1
    }

    /// The data set with an index.
    ///
    /// # Panics
    ///
    /// Panics if there is no such data set.
    #[must_use]
    pub fn part(&self, index: usize) -> &dyn InstructionDataset {
        self.parts[index].0.as_ref()
    }

    /// The number of data sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is no data set. A mixture has at least one, so this is false.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The rows of a batch.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row cannot be read.
    pub fn rows(&self, draw: Draw, batch: usize) -> Result<Vec<InstructionRow>, DataError> {
        self.rows_of(self.choose(draw), draw, batch)
    }

    /// The rows of a batch from one data set. No row comes twice unless the data set has fewer than `batch` rows.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row cannot be read.
    ///
    /// # Panics
    ///
    /// Panics if there is no such data set.
    pub fn rows_of(
        &self,
        chosen: usize,
        draw: Draw,
        batch: usize,
    ) -> Result<Vec<InstructionRow>, DataError> {
        let part = self.part(chosen);
        let order =
            EpochOrder { seed: splitmix64(draw.seed ^ chosen as u64), len: part.len() as u64 };
        let first = draw.micro_step.wrapping_mul(batch as u64);
        let mut rng = draw.rng(Stream::Text);
        (first..first + batch as u64)
            .map(|at| part.row(usize::try_from(order.item(at)).unwrap_or(0), &mut rng))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers(&'static str, usize);

    impl InstructionDataset for Numbers {
        fn name(&self) -> &str {
            self.0
        }

        fn len(&self) -> usize {
            self.1
        }

        fn row(&self, image: usize, _: &mut ChaCha8Rng) -> Result<InstructionRow, DataError> {
            let (input, output) = (self.0.to_owned(), String::new());
            Ok(InstructionRow { image, input, output, objects: Vec::new(), missing: false })
        }
    }

    fn mixture(ratios: &[f64]) -> Result<Mixture, DataError> {
        let part = |&ratio: &f64| (Box::new(Numbers("numbers", 50)) as Box<_>, ratio);
        Mixture::new(ratios.iter().map(part).collect())
    }

    #[test]
    fn data_sets_are_drawn_by_ratio() {
        let ratios = [277.0, 152.0, 507.0];
        let mixture = mixture(&ratios).unwrap();
        let mut counts = [0.0; 3];
        for micro_step in 0..20_000 {
            counts[mixture.choose(Draw { seed: 42, micro_step })] += 1.0;
        }
        for (count, ratio) in counts.iter().zip(ratios) {
            let expected = 20_000.0 * ratio / 936.0;
            // Four standard deviations of a binomial.
            assert!((count - expected).abs() < 4.0 * expected.sqrt(), "{counts:?}");
        }
    }

    #[test]
    fn a_batch_is_a_function_of_its_draw_and_holds_no_row_twice() {
        let mixture = mixture(&[1.0, 1.0]).unwrap();
        for micro_step in 0..50 {
            let draw = Draw { seed: 1, micro_step };
            let rows = mixture.rows(draw, 10).unwrap();
            assert_eq!(rows, mixture.rows(draw, 10).unwrap());
            let distinct: std::collections::BTreeSet<_> =
                rows.iter().map(|row| row.image).collect();
            assert_eq!(distinct.len(), 10);
        }
    }

    #[test]
    fn empty_mixtures_and_negative_ratios_are_refused() {
        assert!(matches!(mixture(&[]), Err(DataError::Empty { .. })));
        assert!(matches!(mixture(&[1.0, -2.0]), Err(DataError::Ratio { ratio: -2.0, .. })));
        let empty = Mixture::new(vec![(Box::new(Numbers("none", 0)), 1.0)]);
        assert!(matches!(empty, Err(DataError::Empty { .. })));
    }
}
