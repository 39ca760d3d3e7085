//! Annotations as rows of prompts and answers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use vigc_vision::image::{ImageLimits, open_image};

use vigc_pipeline::data::{Annotation, Annotations, DataError};

use super::{ImageSource, InstructionDataset, InstructionRow};
use vigc_pipeline::prompt::templates::QUESTION_ANSWERING;
use vigc_pipeline::prompt::{Task, qa_text};
use vigc_pipeline::vigc::sentence::sentences;

/// What is learned from a data set's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// An instruction, then a question with its answer: VIG.
    Vig,
    /// A question, then its answer: VIC.
    Vic,
    /// A question with the beginning of its answer, then the rest: VIC's later steps.
    Continue,
}

/// An instruction of a task.
fn draw_instruction(task: Task, rng: &mut ChaCha8Rng) -> String {
    task.training_instructions().choose(rng).copied().unwrap_or_default().to_owned()
}

/// A question in a wording of its task. A caption's question is an instruction to write one.
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

/// A prompt and what to write after it.
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

/// The image files that annotations name, each once.
#[derive(Debug, Clone)]
pub struct AnnotatedImages {
    folder: PathBuf,
    files: Vec<PathBuf>,
    positions: HashMap<PathBuf, usize>,
    limits: ImageLimits,
}

impl AnnotatedImages {
    /// The images of annotations, in the folder that their names are relative to.
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

    /// The position of an image, if it was named.
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
        let hash =
            names.fold(0, |hash, &byte| vigc_core::random::splitmix64(hash ^ u64::from(byte)));
        format!("{}, {} files, {hash:016x}", self.folder.display(), self.files.len())
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        Ok(open_image(self.folder.join(&self.files[index]), &self.limits)?)
    }
}

/// Annotations as rows of one form.
#[derive(Debug, Clone)]
pub struct Instructed {
    /// The name that measurements carry.
    pub name: String,
    /// The questions and answers.
    pub annotations: Arc<Annotations>,
    /// Where the images are.
    pub images: Arc<AnnotatedImages>,
    /// Added to the images' positions, where several sources are joined.
    pub first_image: usize,
    /// The task of the rows, which decides their wordings.
    pub topic: Task,
    /// What is learned from them.
    pub form: Form,
}

impl InstructionDataset for Instructed {
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
