//! Data sets on disk, in the formats that real data comes in.
//!
//! A folder per split holds `images/000000000042.jpg` and these files:
//!
//! | file | format |
//! |---|---|
//! | `instances_train.json` | COCO: images, annotations with run-length masks, categories |
//! | `captions_train.json` | COCO: images, annotations with captions |
//! | `llava_{conversation,detail,reasoning}.json` | LLaVA: id, image, conversations |
//! | `vigc_{conversation,detail,reasoning}.json` | VIGC: image, question, answers, source |
//! | `okvqa.json` | OKVQA: image, question, ten answers |
//! | `aokvqa.json` | A-OKVQA: image, question, choices, index of the right one, ten answers |
//! | `scenes.jsonl` | the scenes themselves |
//! | `llava_bench/` | LLaVA-Eval's four files; not of pictures to train on |

mod coco;
mod dialogue;
mod json_list;
mod llava_bench;
mod read;
mod vqa;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

pub use self::read::open_scenes;

use self::json_list::{JsonLines, JsonList};
use super::{Dialogue, Scene, Split, Teller};

/// Why a data set could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// There is something at the place where the data set should go.
    #[error("`{0}` exists; remove it or choose another folder")]
    Exists(PathBuf),
    /// A file or folder cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A line is no scene.
    #[error("line {line} of `{path}` is no scene")]
    Scene {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// There are more or fewer scenes than pictures.
    #[error("`{path}` holds {scenes} scenes, expected one for each of {pictures} pictures")]
    Pictures {
        /// The file of scenes.
        path: PathBuf,
        /// Its lines.
        scenes: usize,
        /// The files beside it.
        pictures: usize,
    },
    /// A picture cannot be encoded.
    #[error("cannot encode `{path}`")]
    Encode {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: image::ImageError,
    },
}

/// What to write.
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
    /// Pictures.
    pub images: usize,
    /// Objects in them.
    pub objects: usize,
    /// Dialogues of all three kinds.
    pub dialogues: usize,
    /// Questions with short answers.
    pub questions: usize,
}

/// One picture with its place in the data set.
struct Sample {
    id: u64,
    split: Split,
    seed: u64,
    scene: Scene,
}

impl Sample {
    fn file_name(&self) -> String {
        format!("{:012}.jpg", self.id)
    }

    fn teller(&self) -> Teller<'_> {
        Teller::new(&self.scene, self.split, self.seed)
    }
}

/// Pictures that are drawn at once.
const CHUNK: usize = 256;
/// Quality of the pictures, as COCO's cameras have it.
const JPEG_QUALITY: u8 = 95;

/// The seed of a scene from the seed of its data set; seeds below 2^32 share no scene.
#[must_use]
pub fn scene_seed(seed: u64, index: u64) -> u64 {
    (seed << 32).wrapping_add(index)
}

impl DatasetConfig {
    /// `count` pictures to train on, and a tenth of that in each of the other splits.
    #[must_use]
    pub fn new(count: usize, seed: u64) -> Self {
        let of = |split| if split == Split::Train { count } else { count.div_ceil(10) };
        Self { counts: Split::ALL.map(of), seed, side: 224 }
    }

    /// No pictures, until some are asked for.
    #[must_use]
    pub fn empty(seed: u64) -> Self {
        Self { counts: [0; Split::ALL.len()], seed, side: 224 }
    }

    /// So many pictures in a split. A split without pictures has no folder.
    #[must_use]
    pub fn with_count(mut self, split: Split, count: usize) -> Self {
        self.counts[split as usize] = count;
        self
    }

    /// Pictures of this side in pixels; 224 unless said.
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

    /// Writes the data set into a new folder, which appears when everything is in it; `progress`
    /// hears after every few pictures how many are done.
    ///
    /// # Errors
    /// If the folder exists or cannot be written.
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

fn failed(path: &Path) -> impl FnOnce(io::Error) -> DatasetError {
    let path = path.to_owned();
    |source| DatasetError::Write { path, source }
}

/// The open files of a split.
struct Files {
    coco: coco::Coco,
    dialogues: Vec<(Dialogue, JsonList, JsonList)>,
    okvqa: JsonList,
    aokvqa: JsonList,
    scenes: JsonLines,
    llava_bench: Option<llava_bench::LlavaBench>,
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
            coco: coco::Coco::new(folder, split),
            dialogues: Dialogue::ALL.into_iter().map(dialogue).collect::<Result<_, _>>()?,
            okvqa: list("okvqa.json".to_owned())?,
            aokvqa: list("aokvqa.json".to_owned())?,
            scenes: JsonLines::create(&folder.join("scenes.jsonl"))?,
            llava_bench: (split != Split::Train)
                .then(|| llava_bench::LlavaBench::create(folder))
                .transpose()?,
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
            let turns = dialogue::turns(&mut teller, *kind);
            if let (Some(bench), Some(first)) = (&mut self.llava_bench, turns.first()) {
                bench.question(sample, *kind, first)?;
            }
            summary.dialogues += turns.len();
            llava.push(&dialogue::llava(sample, &turns))?;
            for (index, turn) in turns.iter().enumerate() {
                vigc.push(&dialogue::vigc(sample, *kind, index, turn))?;
            }
        }
        for (index, item) in vqa::items(&mut teller).iter().enumerate() {
            summary.questions += 1;
            if item.choices.is_empty() {
                self.okvqa.push(&vqa::okvqa(sample, index, item))?;
            } else {
                self.aokvqa.push(&vqa::aokvqa(sample, index, item))?;
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

#[cfg(test)]
mod tests;
