//! Annotation files, and their annotations as rows of prompts and answers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize, Serializer};
use vigc_core::random::splitmix64;
use vigc_pipeline::data::{
    Annotation, Annotations, DataError, open_aokvqa, open_coco_captions, open_llava, open_okvqa,
};
use vigc_pipeline::prompt::templates::QUESTION_ANSWERING;
use vigc_pipeline::prompt::{Task, qa_text};
use vigc_pipeline::vigc::sentence::sentences;
use vigc_vision::image::{ImageLimits, open_image};

use super::dataset::{ImageSource, InstructionDataset, InstructionRow};

/// An annotation file and what is learned from it: an entry of `[[data.files]]` in a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotationFile {
    /// The file.
    pub path: PathBuf,
    /// The folder that image names are relative to.
    pub images: PathBuf,
    /// The format of the file.
    pub format: Format,
    /// The task of the annotations, which determines the wording of instructions and questions.
    #[serde(serialize_with = "write_topic")]
    pub topic: Task,
    /// What is learned from the annotations.
    pub form: Form,
    /// How often a batch comes from this file, relative to the other files and tasks.
    pub ratio: f64,
}

/// Writes a task under its name in recipes, which is `knowledge_vqa` for what rows call `short`.
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
    /// LLaVA's conversations, or rows with `image`, `question` and `answer`.
    Llava,
    /// OKVQA: rows with `answer`.
    Okvqa,
    /// A-OKVQA: rows with `direct_answers`.
    Aokvqa,
    /// COCO's captions.
    CocoCaptions,
}

impl AnnotationFile {
    /// Reads the annotations.
    ///
    /// # Errors
    ///
    /// [`DataError`], which names file, row and key.
    pub fn open(&self) -> Result<Annotations, DataError> {
        match self.format {
            Format::Llava => open_llava(&self.path),
            Format::Okvqa => open_okvqa(&self.path),
            Format::Aokvqa => open_aokvqa(&self.path),
            Format::CocoCaptions => open_coco_captions(&self.path),
        }
    }

    /// The annotations of the file as a data set. `images` has to contain their images, and the rows refer to them by their
    /// index plus `first_image`.
    #[must_use]
    pub fn rows(
        &self,
        annotations: Annotations,
        images: &Arc<AnnotatedImages>,
        first_image: usize,
    ) -> AnnotatedRows {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        AnnotatedRows {
            name: stem,
            annotations: Arc::new(annotations),
            images: Arc::clone(images),
            first_image,
            topic: self.topic,
            form: self.form,
        }
    }
}

/// What is learned from an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// VIG: to write a question and its answer after an instruction.
    Vig,
    /// VIC: to write the answer after a question.
    Vic,
    /// VIC's later steps: to write the rest of an answer after a question and the beginning of the answer.
    Continue,
}

/// An instruction of a task.
fn draw_instruction(task: Task, rng: &mut ChaCha8Rng) -> String {
    task.training_instructions().choose(rng).copied().unwrap_or_default().to_owned()
}

/// A question in a wording of its task. For captions, it is an instruction to write one.
fn draw_question(task: Task, question: &str, rng: &mut ChaCha8Rng) -> String {
    match task {
        Task::Conversation | Task::DetailDescription | Task::ComplexReasoning => {
            question.to_owned()
        }
        Task::KnowledgeVqa | Task::Vqa => {
            QUESTION_ANSWERING.choose(rng).map_or_else(String::new, |t| t.fill(question))
        }
        Task::Caption => draw_instruction(task, rng),
    }
}

/// A prompt and the text to write after it.
fn pair(task: Task, form: Form, row: &Annotation, rng: &mut ChaCha8Rng) -> [String; 2] {
    let answer = row.draw_answer(rng).to_owned();
    match form {
        Form::Vig if task != Task::Caption => {
            [draw_instruction(task, rng), qa_text::format(&row.question, &answer)]
        }
        Form::Vig | Form::Vic => [draw_question(task, &row.question, rng), answer],
        Form::Continue => {
            let spans = sentences(&answer);
            let said = rng.random_range(0..=spans.len());
            let cut = spans.get(said).map_or(answer.len(), |span| span.bytes.start);
            let opening = match rng.random_bool(0.8) {
                true => {
                    format!("{} Question: {} Answer:", draw_instruction(task, rng), row.question)
                }
                false => row.question.clone(),
            };
            let prompt = format!("{opening} {}", answer[..cut].trim());
            [prompt.trim_end().to_owned(), answer[cut..].trim().to_owned()]
        }
    }
}

/// The image files of some annotations, without repetitions.
#[derive(Debug, Clone)]
pub struct AnnotatedImages {
    folder: PathBuf,
    files: Vec<PathBuf>,
    positions: HashMap<PathBuf, usize>,
    limits: ImageLimits,
}

impl AnnotatedImages {
    /// The images of annotations. Their names are relative to `folder`.
    #[must_use]
    pub fn new<'a>(
        folder: impl Into<PathBuf>,
        annotations: impl IntoIterator<Item = &'a Annotations>,
    ) -> Self {
        let mut images = Self {
            folder: folder.into(),
            files: Vec::new(),
            positions: HashMap::new(),
            limits: ImageLimits::default(),
        };
        for row in annotations.into_iter().flat_map(|annotations| &annotations.rows) {
            if !images.positions.contains_key(&row.image) {
                images.positions.insert(row.image.clone(), images.files.len());
                images.files.push(row.image.clone());
            }
        }
        images
    }

    /// The index of an image file; `None` if no annotation names it.
    #[must_use]
    pub fn position(&self, image: &Path) -> Option<usize> {
        self.positions.get(image).copied()
    }
}

impl ImageSource for AnnotatedImages {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn fingerprint(&self) -> String {
        let names = self.files.iter().flat_map(|file| file.as_os_str().as_encoded_bytes());
        let hash = names.fold(0, |hash, &byte| splitmix64(hash ^ u64::from(byte)));
        format!("{}, {} files, {hash:016x}", self.folder.display(), self.files.len())
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        Ok(open_image(self.folder.join(&self.files[index]), &self.limits)?)
    }
}

/// Annotations as a data set of one form.
#[derive(Debug, Clone)]
pub struct AnnotatedRows {
    /// The name under which metrics are reported.
    pub name: String,
    /// The annotations.
    pub annotations: Arc<Annotations>,
    /// Their images.
    pub images: Arc<AnnotatedImages>,
    /// What is added to the index of an image, because other sources come before `images`.
    pub first_image: usize,
    /// The task of the annotations, which determines the wording of instructions and questions.
    pub topic: Task,
    /// What is learned from the annotations.
    pub form: Form,
}

impl InstructionDataset for AnnotatedRows {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.annotations.rows.len()
    }

    fn row(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<InstructionRow, DataError> {
        let row = &self.annotations.rows[index];
        let image = self.images.position(&row.image).ok_or_else(|| DataError::Row {
            path: self.annotations.path.clone(),
            row: index,
            key: "image",
            found: row.image.display().to_string(),
            expected: "an image of the data set",
        })?;
        let [input, output] = pair(self.topic, self.form, row, rng);
        Ok(InstructionRow {
            image: self.first_image + image,
            input,
            output,
            objects: Vec::new(),
            missing: false,
        })
    }
}
