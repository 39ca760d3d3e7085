//! Features of frozen parts, computed once per image and kept on disk.
//!
//! Those of EVA ViT-g take 0.7 MB an image: what does not fit into memory is read when it is needed, and the system keeps
//! in memory what there is room for.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use burn::tensor::{Device, Tensor, TensorData, f16};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vigc_core::files::{read_json, write_atomic, write_json};
use vigc_vision::image::{ClipImageProcessor, ImageProcessor, RgbImage};

use super::error::{Result, TrainError};
use super::progress::Progress;
use crate::data::ImageSource;
use vigc_core::random::splitmix64;

/// Images per file of the cache.
const PER_FILE: usize = 1024;
/// Images encoded at a time.
const PER_BATCH: usize = 64;

/// What the files of a cache hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    images: String,
    encoder: String,
    shape: [usize; 3],
}

/// The image encoder's output for many images, in f16.
#[derive(Debug)]
pub struct ImageFeatures {
    numbers: Numbers,
    shape: [usize; 3],
}

/// Where the numbers are.
#[derive(Debug)]
enum Numbers {
    Memory(Vec<f16>),
    /// Files of [`PER_FILE`] images each.
    Files(Vec<PathBuf>),
}

/// What makes an encoder's input of pictures.
pub trait Pixels: Sync {
    /// The numbers of a picture, as the encoder reads them.
    fn process(&self, image: &RgbImage) -> Vec<f32>;

    /// Pictures as one tensor, `[batch, 3, side, side]`.
    fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4>;
}

impl Pixels for ImageProcessor {
    fn process(&self, image: &RgbImage) -> Vec<f32> {
        self.process(image)
    }

    fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4> {
        self.stack(pixels, device)
    }
}

impl Pixels for ClipImageProcessor {
    fn process(&self, image: &RgbImage) -> Vec<f32> {
        self.process(image)
    }

    fn stack(&self, pixels: &[Vec<f32>], device: &Device) -> Tensor<4> {
        self.stack(pixels, device)
    }
}

/// What turns pictures into features.
pub struct Encoder<'a> {
    /// Prepares a picture.
    pub processor: &'a dyn Pixels,
    /// Encodes `[batch, 3, side, side]` to `[batch, positions, hidden]`.
    pub forward: &'a dyn Fn(Tensor<4>) -> Tensor<3>,
    /// Where it runs.
    pub device: Device,
}

impl fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("device", &self.device).finish_non_exhaustive()
    }
}

impl ImageFeatures {
    /// Encodes every image of `source`, or reads what an earlier run stored in `cache`.
    ///
    /// The cache is written file by file, so a run killed while encoding goes on where it was.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if an image or a file of the cache cannot be read or written.
    pub fn of(
        source: &dyn ImageSource,
        encoder: &Encoder<'_>,
        cache: Option<&Path>,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let images = source.len();
        let ([positions, width], fingerprint) = encoder.probe();
        let shape = [images, positions, width];
        if let Some(cache) = cache {
            let contents = Contents { images: source.fingerprint(), encoder: fingerprint, shape };
            open_cache(cache, &contents)?;
        }
        let mut numbers = match cache {
            Some(_) => Numbers::Files(Vec::new()),
            None => Numbers::Memory(Vec::with_capacity(images * positions * width)),
        };
        for first in (0..images).step_by(PER_FILE) {
            let range = first..(first + PER_FILE).min(images);
            let file = cache.map(|cache| cache.join(format!("{first:08}.f16")));
            let count = range.len() * positions * width;
            numbers.add(file, count, || encoder.encode(source, range.clone()))?;
            progress.preparing("image features", range.end as u64, images as u64);
        }
        Ok(Self { numbers, shape })
    }

    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The features of some images, `[batch, positions, hidden]` in f32.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the cache cannot be read.
    ///
    /// # Panics
    ///
    /// Panics if there is no such image.
    pub fn batch(&self, images: &[usize]) -> Result<TensorData> {
        let [count, positions, width] = self.shape;
        let size = positions * width;
        let mut numbers = Vec::with_capacity(images.len() * size);
        for &image in images {
            assert!(image < count, "there are {count} images, not one at {image}");
            self.numbers.read(image, size, &mut numbers)?;
        }
        Ok(TensorData::new(numbers, [images.len(), positions, width]))
    }
}

impl Numbers {
    /// Adds the next numbers, computed unless a file holds them; with a file they are kept there.
    fn add(
        &mut self,
        file: Option<PathBuf>,
        count: usize,
        compute: impl FnOnce() -> Result<Vec<f16>>,
    ) -> Result<()> {
        match (self, file) {
            (Self::Files(files), Some(file)) => {
                let is_whole = |found: fs::Metadata| found.len() == 2 * count as u64;
                if !fs::metadata(&file).is_ok_and(is_whole) {
                    let bytes: Vec<u8> =
                        compute()?.iter().flat_map(|number| number.to_le_bytes()).collect();
                    write_atomic(&file, &bytes)?;
                }
                files.push(file);
            }
            (Self::Memory(numbers), _) => numbers.extend(compute()?),
            (Self::Files(_), None) => unreachable!("what is kept in files has names for them"),
        }
        Ok(())
    }

    /// Appends the `size` numbers of an image.
    fn read(&self, image: usize, size: usize, into: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Memory(numbers) => {
                into.extend(numbers[image * size..][..size].iter().map(|number| number.to_f32()));
            }
            Self::Files(files) => {
                let (path, place) = (&files[image / PER_FILE], image % PER_FILE);
                let mut bytes = vec![0; 2 * size];
                let mut file = File::open(path).map_err(TrainError::file(path))?;
                file.seek(SeekFrom::Start((place * bytes.len()) as u64))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(TrainError::file(path))?;
                let (pairs, _) = bytes.as_chunks::<2>();
                into.extend(pairs.iter().map(|&pair| f16::from_le_bytes(pair).to_f32()));
            }
        }
        Ok(())
    }
}

impl Encoder<'_> {
    /// Positions and width of what the encoder writes, and a name for the encoder and whatever prepares its pictures: what
    /// it writes about one picture. Its weights may be many files, of gigabytes.
    fn probe(&self) -> ([usize; 2], String) {
        let picture = RgbImage::from_fn(96, 64, |x, y| {
            image::Rgb([x, y, x ^ y].map(|value| (2 * value) as u8))
        });
        let pixels = self.processor.stack(&[self.processor.process(&picture)], &self.device);
        let written = (self.forward)(pixels);
        let [_, positions, width] = written.dims();
        let numbers = written.into_data();
        let hash = numbers
            .iter::<f32>()
            .fold(0, |hash, value| splitmix64(hash ^ u64::from(value.to_bits())));
        ([positions, width], format!("{hash:016x}"))
    }

    fn encode(&self, source: &dyn ImageSource, range: std::ops::Range<usize>) -> Result<Vec<f16>> {
        let mut numbers = Vec::new();
        for first in range.clone().step_by(PER_BATCH) {
            let pixels = (first..(first + PER_BATCH).min(range.end))
                .into_par_iter()
                .map(|image| Ok(self.processor.process(&source.image(image)?)))
                .collect::<Result<Vec<_>>>()?;
            let features = (self.forward)(self.processor.stack(&pixels, &self.device));
            numbers.extend(features.into_data().iter::<f32>().map(f16::from_f32));
        }
        Ok(numbers)
    }
}

/// Makes sure that a cache holds what is asked for, emptying it if it holds something else.
fn open_cache(cache: &Path, contents: &Contents) -> Result<()> {
    let index = cache.join("contents.json");
    if index.is_file() && read_json::<Contents>(&index).is_ok_and(|found| found == *contents) {
        return Ok(());
    }
    if cache.is_dir() {
        fs::remove_dir_all(cache).map_err(TrainError::file(cache))?;
    }
    fs::create_dir_all(cache).map_err(TrainError::file(cache))?;
    Ok(write_json(index, contents)?)
}
