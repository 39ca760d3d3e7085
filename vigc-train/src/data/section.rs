//! What a recipe learns from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::scenes::SceneRange;
use vigc_pipeline::data::{
    Annotations, DataError, open_aokvqa, open_coco_captions, open_llava, open_okvqa,
};
use vigc_pipeline::prompt::Task;

use super::{AnnotatedImages, Form, Instructed};

/// The `data` section of a recipe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// Rendered scenes.
    pub scenes: Option<SceneRange>,
    /// How often each task of the scenes is drawn, by its name.
    pub ratios: BTreeMap<String, f64>,
    /// Annotation files.
    pub files: Vec<AnnotationFile>,
}

/// A file of annotations and what is learned from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotationFile {
    /// The file.
    pub path: PathBuf,
    /// The folder that image names are relative to.
    pub images: PathBuf,
    /// How it is read.
    pub format: Format,
    /// The task of its rows, which decides their wordings.
    #[serde(serialize_with = "write_topic")]
    pub topic: Task,
    /// What is learned from it.
    pub form: Form,
    /// How often it is drawn.
    pub ratio: f64,
}

/// Writes the task of a file as recipes name it: `knowledge_vqa` for what rows call `short`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn write_topic<S: Serializer>(task: &Task, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match task {
        Task::KnowledgeVqa => "knowledge_vqa",
        task => task.name(),
    })
}

/// The formats of annotation files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// LLaVA's rows or conversations.
    Llava,
    /// Rows with `answer`.
    Okvqa,
    /// Rows with `direct_answers`.
    Aokvqa,
    /// COCO's captions.
    CocoCaptions,
}

impl AnnotationFile {
    /// Reads the annotations.
    ///
    /// # Errors
    ///
    /// [`DataError`] naming file, row and key.
    pub fn open(&self) -> Result<Annotations, DataError> {
        match self.format {
            Format::Llava => open_llava(&self.path),
            Format::Okvqa => open_okvqa(&self.path),
            Format::Aokvqa => open_aokvqa(&self.path),
            Format::CocoCaptions => open_coco_captions(&self.path),
        }
    }

    /// Annotations of the file as rows; `images`, which have to hold theirs, get positions from `first_image` on.
    #[must_use]
    pub fn instructed(
        &self,
        annotations: Annotations,
        images: &Arc<AnnotatedImages>,
        first_image: usize,
    ) -> Instructed {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Instructed {
            name: stem,
            annotations: Arc::new(annotations),
            images: Arc::clone(images),
            first_image,
            topic: self.topic,
            form: self.form,
        }
    }
}
