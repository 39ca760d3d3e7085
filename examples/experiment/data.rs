//! The pictures: annotated ones, ones that nobody annotated, and those that models are measured on.

use std::path::{Path, PathBuf};

use vigc_pipeline::prompt::Task;
use vigc_scenes::{DatasetConfig, Split};
use vigc_train::data::{AnnotationFile, Form, Format};

use crate::folder::Folder;
use crate::job::Kind;
use crate::settings::Settings;

/// Seeds of data sets: no two of them share a scene.
const MEASURED: u64 = 1_000;
const ANNOTATED: u64 = 2_000;
const UNANNOTATED: u64 = 3_000;

/// Side of the pictures, in pixels.
const SIDE: u32 = 168;

/// Where a data set lies.
#[derive(Debug, Clone)]
pub(crate) struct Data(PathBuf);

impl Data {
    /// What models are measured on.
    pub(crate) fn measured(folder: &Folder) -> Self {
        Self(folder.join("data/measured"))
    }

    /// The annotated pictures.
    pub(crate) fn annotated(folder: &Folder, seed: u64) -> Self {
        Self(folder.join(format!("data/annotated-{seed}")))
    }

    /// The pictures that nobody annotated. Their annotations are there, but not read.
    pub(crate) fn unannotated(folder: &Folder, seed: u64) -> Self {
        Self(folder.join(format!("data/unannotated-{seed}")))
    }

    pub(crate) fn split(&self, split: Split) -> PathBuf {
        self.0.join(split.name())
    }

    pub(crate) fn images(&self, split: Split) -> PathBuf {
        self.split(split).join("images")
    }

    /// The dialogues of a kind about annotated pictures.
    pub(crate) fn dialogues(&self, kind: Kind) -> PathBuf {
        self.split(Split::Train).join(format!("vigc_{}.json", kind.name()))
    }

    fn write(&self, config: DatasetConfig) -> anyhow::Result<()> {
        if !self.0.exists() {
            config.write(&self.0, |_| {})?;
        }
        Ok(())
    }
}

pub(crate) fn write_measured(settings: &Settings, folder: &Folder) -> anyhow::Result<()> {
    let count = settings.pictures.measured;
    let config = DatasetConfig::new(MEASURED).with_side(SIDE);
    let config = config.with_count(Split::Test, count).with_count(Split::Unseen, count);
    Data::measured(folder).write(config)
}

pub(crate) fn write_pictures(
    settings: &Settings,
    folder: &Folder,
    seed: u64,
) -> anyhow::Result<()> {
    let pictures = &settings.pictures;
    let annotated = DatasetConfig::new(ANNOTATED + seed).with_side(SIDE);
    let annotated = annotated.with_count(Split::Train, pictures.annotated);
    Data::annotated(folder, seed).write(annotated)?;
    let unannotated = DatasetConfig::new(UNANNOTATED + seed).with_side(SIDE);
    let unannotated = unannotated.with_count(Split::Train, pictures.same);
    let unannotated = unannotated.with_count(Split::Unseen, pictures.other);
    Data::unannotated(folder, seed).write(unannotated)
}

impl Kind {
    /// The task of rows of this kind.
    pub(crate) fn task(self) -> Task {
        match self {
            Self::Conversation => Task::Conversation,
            Self::Detail => Task::DetailDescription,
            Self::Reasoning => Task::ComplexReasoning,
        }
    }
}

/// A file of rows to learn from, drawn as often as it has rows.
pub(crate) fn file(
    path: PathBuf,
    images: PathBuf,
    format: Format,
    (topic, form): (Task, Form),
) -> anyhow::Result<AnnotationFile> {
    let file = AnnotationFile { path, images, format, topic, form, ratio: 1.0 };
    let ratio = file.open()?.rows.len() as f64;
    Ok(AnnotationFile { ratio, ..file })
}

/// The short questions about annotated pictures.
pub(crate) fn short_questions(data: &Data) -> anyhow::Result<Vec<AnnotationFile>> {
    let folder = data.split(Split::Train);
    [("okvqa.json", Format::Okvqa), ("aokvqa.json", Format::Aokvqa)]
        .map(|(name, format)| {
            let what = (Task::KnowledgeVqa, Form::Vic);
            file(folder.join(name), data.images(Split::Train), format, what)
        })
        .into_iter()
        .collect()
}

/// The name of a picture in its folder.
pub(crate) fn picture_name(path: &str) -> String {
    Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}
