//! What training reads: images, and rows of a text to read and a text to write.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;

use vigc_pipeline::data::DataError;

/// Something to learn from: an image, what is asked about it, and what is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionRow {
    /// The image, a position in the [`ImageSource`] of the data set.
    pub image: usize,
    /// The prompt of the Q-Former and of the language model.
    pub input: String,
    /// What the language model is to write.
    pub output: String,
    /// What to look at for it: objects of a rendered scene, none of other images.
    pub objects: Vec<usize>,
    /// Whether it is about what is not there; never known of other images.
    pub missing: bool,
}

/// Rows of one task. A row may draw its wording anew at every visit.
pub trait InstructionDataset: Send + Sync {
    /// The name that measurements carry.
    fn name(&self) -> &str;

    /// The number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row; `rng` chooses among templates and answers.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the row cannot be read.
    fn row(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<InstructionRow, DataError>;
}

/// The images that rows point to.
pub trait ImageSource: Send + Sync {
    /// The number of images.
    fn len(&self) -> usize;

    /// Whether there are no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names the source's contents: features cached under another name are computed anew.
    fn fingerprint(&self) -> String;

    /// An image.
    ///
    /// # Errors
    ///
    /// [`DataError`] if it cannot be read.
    fn image(&self, index: usize) -> Result<RgbImage, DataError>;
}

/// Several sources as one, the first one's images first.
pub struct JoinedImages(Vec<Box<dyn ImageSource>>);

impl std::fmt::Debug for JoinedImages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
