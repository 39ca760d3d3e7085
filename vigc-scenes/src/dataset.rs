//! Data sets on disk, in the formats of published data sets.
//!
//! Each split has a folder with pictures, `images/000000000042.jpg`, and these files:
//!
//! | file | format |
//! |---|---|
//! | `instances_train.json` | COCO: images, annotations with run-length masks, categories |
//! | `captions_train.json` | COCO: images, annotations with captions |
//! | `llava_{conversation,detail,reasoning}.json` | LLaVA: id, image, conversations |
//! | `vigc_{conversation,detail,reasoning}.json` | VIGC: image, question, answers, source |
//! | `okvqa.json` | OKVQA: image, question, ten answers |
//! | `aokvqa.json` | A-OKVQA: image, question, choices, index of the correct one, ten answers |
//! | `scenes.jsonl` | the scenes themselves |
//! | `llava_bench/` | LLaVA-Eval's four files; not for the training split |

mod formats;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use self::formats::{
    Coco, JsonLines, JsonList, LlavaBench, Sample, aokvqa_row, failed, llava_row, okvqa_row, turns,
    vigc_row, vqa_items,
};
use crate::error::DatasetError;
use crate::sample::Split;
use crate::scene::Scene;
use crate::texts::Dialogue;

/// What to write: the number of pictures in each split, their size, and the seed.
///
/// ```
/// use vigc_scenes::{DatasetConfig, Split};
///
/// # fn main() -> Result<(), vigc_scenes::DatasetError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let out = folder.path().join("scenes");
/// let config = DatasetConfig::new(1).with_count(Split::Test, 2).with_side(32);
/// let summary = config.write(&out, |_| {})?;
/// assert_eq!(summary.images, 2);
/// assert!(out.join("test/captions_test.json").is_file());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetConfig {
    /// The number of pictures of each split, in the order of [`Split::ALL`].
    counts: [usize; Split::ALL.len()],
    seed: u64,
    side: u32,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DatasetSummary {
    /// The number of pictures.
    pub images: usize,
    /// The number of objects in them.
    pub objects: usize,
    /// The number of question-answer pairs in all dialogues.
    pub dialogues: usize,
    /// The number of questions with short answers.
    pub questions: usize,
}

/// The number of pictures that are rendered at a time.
const CHUNK: usize = 256;
/// The quality of the JPEG files, about that of COCO's.
const JPEG_QUALITY: u8 = 95;

/// The seed of the scene at `index` in the data set with the given seed. Data sets with different seeds below 2^32 have no
/// scene in common.
#[must_use]
pub fn scene_seed(seed: u64, index: u64) -> u64 {
    (seed << 32).wrapping_add(index)
}

impl DatasetConfig {
    /// A data set without pictures. Add some with [`with_train_count`](Self::with_train_count) or
    /// [`with_count`](Self::with_count).
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { counts: [0; Split::ALL.len()], seed, side: 224 }
    }

    /// Sets the number of training pictures, and a tenth of it in each of the other splits.
    #[must_use]
    pub fn with_train_count(self, count: usize) -> Self {
        let of = |split| if split == Split::Train { count } else { count.div_ceil(10) };
        Self { counts: Split::ALL.map(of), ..self }
    }

    /// Sets the number of pictures in a split. A split without pictures gets no folder.
    #[must_use]
    pub fn with_count(mut self, split: Split, count: usize) -> Self {
        self.counts[split as usize] = count;
        self
    }

    /// Sets the side of the pictures in pixels. The default is 224.
    #[must_use]
    pub fn with_side(self, side: u32) -> Self {
        Self { side, ..self }
    }

    /// The number of pictures in all splits.
    #[must_use]
    pub fn total(&self) -> usize {
        Split::ALL.iter().map(|&split| self.count_of(split)).sum()
    }

    fn count_of(&self, split: Split) -> usize {
        self.counts[split as usize]
    }

    /// Writes the data set to a new folder, which appears under its name when it is complete. `progress` is called with
    /// the number of finished pictures from time to time.
    ///
    /// # Errors
    ///
    /// [`DatasetError::Exists`] if the folder exists, and others if a file cannot be written.
    pub fn write(
        &self,
        out: &Path,
        mut progress: impl FnMut(usize),
    ) -> Result<DatasetSummary, DatasetError> {
        if out.exists() {
            return Err(DatasetError::Exists(out.to_owned()));
        }
        let mut partial = out.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(failed(&partial))?;
        }
        let mut summary = DatasetSummary::default();
        let mut first_id = 1;
        for split in Split::ALL.into_iter().filter(|&split| self.count_of(split) > 0) {
            let folder = partial.join(split.name());
            let mut files = Files::create(&folder, split)?;
            let indices: Vec<u64> = (0..self.count_of(split) as u64).collect();
            for chunk in indices.chunks(CHUNK) {
                let samples = self.draw(&folder, split, first_id, chunk)?;
                for sample in &samples {
                    files.add(sample, self.side, &mut summary)?;
                }
                progress(summary.images);
            }
            files.finish()?;
            first_id += indices.len() as u64;
        }
        fs::rename(&partial, out).map_err(failed(out))?;
        Ok(summary)
    }

    fn draw(
        &self,
        folder: &Path,
        split: Split,
        first_id: u64,
        indices: &[u64],
    ) -> Result<Vec<Sample>, DatasetError> {
        let draw = |&index: &u64| {
            let seed = scene_seed(self.seed, index);
            let scene = Scene::sample(split, seed);
            let sample = Sample { id: first_id + index, split, seed, scene };
            let path = folder.join("images").join(sample.file_name());
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
                .encode_image(&sample.scene.render(self.side))
                .map_err(|source| DatasetError::Encode { path: path.clone(), source })?;
            fs::write(&path, bytes).map_err(failed(&path))?;
            Ok(sample)
        };
        indices.par_iter().map(draw).collect()
    }
}

/// Reads the scenes in the folder of a split. The keys are the file names of their pictures.
///
/// # Errors
///
/// [`DatasetError::Read`] if `scenes.jsonl` or the folder of pictures cannot be read, [`DatasetError::Scene`] if a line is
/// not a scene, [`DatasetError::Pictures`] if there are more or fewer scenes than pictures.
pub fn open_scenes(folder: impl AsRef<Path>) -> Result<HashMap<String, Scene>, DatasetError> {
    let (path, images) = (folder.as_ref().join("scenes.jsonl"), folder.as_ref().join("images"));
    let failed = |source| DatasetError::Read { path: path.clone(), source };
    let text = fs::read_to_string(&path).map_err(failed)?;
    let mut names = fs::read_dir(&images)
        .and_then(|entries| {
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            entries.map(|entry| entry.map(name)).collect::<Result<Vec<_>, _>>()
        })
        .map_err(|source| DatasetError::Read { path: images.clone(), source })?;
    names.sort_unstable();
    let scene = |(line, text): (usize, &str)| {
        serde_json::from_str(text).map_err(|source| DatasetError::Scene {
            path: path.clone(),
            line: line + 1,
            source,
        })
    };
    let scenes = text.lines().enumerate().map(scene).collect::<Result<Vec<Scene>, _>>()?;
    if scenes.len() != names.len() {
        let (scenes, pictures) = (scenes.len(), names.len());
        return Err(DatasetError::Pictures { path, scenes, pictures });
    }
    Ok(names.into_iter().zip(scenes).collect())
}

/// The open files of a split.
struct Files {
    coco: Coco,
    dialogues: Vec<(Dialogue, JsonList, JsonList)>,
    okvqa: JsonList,
    aokvqa: JsonList,
    scenes: JsonLines,
    llava_bench: Option<LlavaBench>,
}

impl Files {
    fn create(folder: &Path, split: Split) -> Result<Self, DatasetError> {
        let images = folder.join("images");
        fs::create_dir_all(&images).map_err(failed(&images))?;
        let list = |name: String| JsonList::create(&folder.join(name));
        let dialogue = |kind: Dialogue| {
            let llava = list(format!("llava_{}.json", kind.name()))?;
            let vigc = list(format!("vigc_{}.json", kind.name()))?;
            Ok((kind, llava, vigc))
        };
        Ok(Self {
            coco: Coco::new(folder, split),
            dialogues: Dialogue::ALL.into_iter().map(dialogue).collect::<Result<_, _>>()?,
            okvqa: list("okvqa.json".to_owned())?,
            aokvqa: list("aokvqa.json".to_owned())?,
            scenes: JsonLines::create(&folder.join("scenes.jsonl"))?,
            llava_bench: (split != Split::Train).then(|| LlavaBench::create(folder)).transpose()?,
        })
    }

    fn add(
        &mut self,
        sample: &Sample,
        side: u32,
        summary: &mut DatasetSummary,
    ) -> Result<(), DatasetError> {
        let mut teller = sample.teller();
        let caption = teller.caption();
        self.coco.add(sample, side, &caption);
        if let Some(bench) = &mut self.llava_bench {
            bench.picture(sample, &caption, side)?;
        }
        for (kind, llava, vigc) in &mut self.dialogues {
            let turns = turns(&mut teller, *kind);
            if let (Some(bench), Some(first)) = (&mut self.llava_bench, turns.first()) {
                bench.question(sample, *kind, first)?;
            }
            summary.dialogues += turns.len();
            llava.push(&llava_row(sample, &turns))?;
            for (index, turn) in turns.iter().enumerate() {
                vigc.push(&vigc_row(sample, *kind, index, turn))?;
            }
        }
        for (index, item) in vqa_items(&mut teller).iter().enumerate() {
            summary.questions += 1;
            if item.choices.is_empty() {
                self.okvqa.push(&okvqa_row(sample, index, item))?;
            } else {
                self.aokvqa.push(&aokvqa_row(sample, index, item))?;
            }
        }
        summary.images += 1;
        summary.objects += sample.scene.objects.len();
        self.scenes.push(&sample.scene)
    }

    fn finish(self) -> Result<(), DatasetError> {
        self.coco.finish()?;
        for (_, llava, vigc) in self.dialogues {
            llava.finish()?;
            vigc.finish()?;
        }
        self.okvqa.finish()?;
        self.aokvqa.finish()?;
        if let Some(bench) = self.llava_bench {
            bench.finish()?;
        }
        self.scenes.finish()
    }
}
