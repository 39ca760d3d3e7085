//! Features of a frozen image encoder, computed once per image and cached on disk.
//!
//! The features of EVA ViT-g take 0.7 MB per image. They are read from disk when they are needed, and the operating system
//! keeps as many in memory as fit.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use burn::tensor::{Device, Tensor, TensorData, f16};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vigc_core::files::{read_json, write_atomic, write_json};
use vigc_core::random::splitmix64;
use vigc_pipeline::model::ImagePreprocessor;
use vigc_vision::image::RgbImage;

use crate::data::ImageSource;
use crate::error::{Result, TrainError};
use crate::listener::RunListener;

/// The number of images in a file of the cache.
const PER_FILE: usize = 1024;
/// The number of images that are encoded at a time.
const PER_BATCH: usize = 64;

/// What a cache contains: `contents.json` beside its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    images: String,
    encoder: String,
    shape: [usize; 3],
}

/// The features of many images, stored in f16.
#[derive(Debug)]
pub struct ImageFeatures {
    values: Storage,
    shape: [usize; 3],
}

/// Where the features are stored.
#[derive(Debug)]
enum Storage {
    Memory(Vec<f16>),
    /// Files of [`PER_FILE`] images each.
    Files(Vec<PathBuf>),
}

/// An image encoder with its preprocessing.
pub struct Encoder<'a> {
    /// Turns an image into pixel values.
    pub processor: &'a dyn ImagePreprocessor,
    /// Encodes pixel values `[batch, 3, side, side]` as features `[batch, positions, hidden]`.
    pub forward: &'a dyn Fn(Tensor<4>) -> Tensor<3>,
    /// The device of the encoder.
    pub device: Device,
}

impl fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("device", &self.device).finish_non_exhaustive()
    }
}

impl ImageFeatures {
    /// Encodes every image of `source`. With a folder `cache`, the features are stored there, and features that an earlier
    /// run stored are used.
    ///
    /// The cache is written file by file, so a killed run continues where it stopped.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if an image or a file of the cache cannot be read or written.
    pub fn encode(
        source: &dyn ImageSource,
        encoder: &Encoder<'_>,
        cache: Option<&Path>,
        listener: &mut dyn RunListener,
    ) -> Result<Self> {
        let images = source.len();
        let ([positions, width], fingerprint) = encoder.probe();
        let shape = [images, positions, width];
        if let Some(cache) = cache {
            let contents = Contents { images: source.fingerprint(), encoder: fingerprint, shape };
            open_cache(cache, &contents)?;
        }
        let mut values = match cache {
            Some(_) => Storage::Files(Vec::new()),
            None => Storage::Memory(Vec::with_capacity(images * positions * width)),
        };
        for first in (0..images).step_by(PER_FILE) {
            let range = first..(first + PER_FILE).min(images);
            let file = cache.map(|cache| cache.join(format!("{first:08}.f16")));
            let count = range.len() * positions * width;
            values.add(file, count, || encoder.encode(source, range.clone()))?;
            listener.preparing("image features", range.end as u64, images as u64);
        }
        Ok(Self { values, shape })
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

    /// Reads the features of some images.
    ///
    /// # Shapes
    ///
    /// `[batch, positions, hidden]` in f32.
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
        let mut values = Vec::with_capacity(images.len() * size);
        for &image in images {
            assert!(image < count, "image {image} of {count}");
            self.values.read(image, size, &mut values)?;
        }
        Ok(TensorData::new(values, [images.len(), positions, width]))
    }
}

impl Storage {
    /// Adds the features of the next images. They are computed unless `file` has them.
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
                        compute()?.iter().flat_map(|value| value.to_le_bytes()).collect();
                    write_atomic(&file, &bytes)?;
                }
                files.push(file);
            }
            (Self::Memory(values), _) => values.extend(compute()?),
            (Self::Files(_), None) => unreachable!("a cache has a name for every file"),
        }
        Ok(())
    }

    /// Appends the `size` values of an image.
    fn read(&self, image: usize, size: usize, into: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Memory(values) => {
                into.extend(values[image * size..][..size].iter().map(|value| value.to_f32()));
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
    /// The shape of the features, positions and width, and a fingerprint of the encoder and its preprocessing.
    ///
    /// The fingerprint is a hash of the features of one picture: hashing the weights would mean reading gigabytes.
    fn probe(&self) -> ([usize; 2], String) {
        let picture = RgbImage::from_fn(96, 64, |x, y| {
            image::Rgb([x, y, x ^ y].map(|value| (2 * value) as u8))
        });
        let pixels = self.processor.stack(&[self.processor.process(&picture)], &self.device);
        let written = (self.forward)(pixels);
        let [_, positions, width] = written.dims();
        let values = written.into_data();
        let hash = values
            .iter::<f32>()
            .fold(0, |hash, value| splitmix64(hash ^ u64::from(value.to_bits())));
        ([positions, width], format!("{hash:016x}"))
    }

    fn encode(&self, source: &dyn ImageSource, range: std::ops::Range<usize>) -> Result<Vec<f16>> {
        let mut values = Vec::new();
        for first in range.clone().step_by(PER_BATCH) {
            let pixels = (first..(first + PER_BATCH).min(range.end))
                .into_par_iter()
                .map(|image| Ok(self.processor.process(&source.image(image)?)))
                .collect::<Result<Vec<_>>>()?;
            let features = (self.forward)(self.processor.stack(&pixels, &self.device));
            values.extend(features.into_data().iter::<f32>().map(f16::from_f32));
        }
        Ok(values)
    }
}

/// Opens a cache. If it has other contents, it is emptied first.
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
