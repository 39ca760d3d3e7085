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
use vigc_pipeline::prompt::instructions::{CAPTION, KNOWLEDGE_VQA, VQAV2};
use vigc_pipeline::prompt::templates::QUESTION_ANSWERING;
use vigc_pipeline::prompt::{LlavaTask, qa_text};
use vigc_pipeline::vigc::sentence::sentences;

/// What a data set's rows are about; it decides which wordings they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// LLaVA's conversations.
    Conversation,
    /// LLaVA's detailed descriptions.
    Detail,
    /// LLaVA's complex reasoning.
    Reasoning,
    /// OKVQA and A-OKVQA.
    KnowledgeVqa,
    /// VQAv2.
    Vqa,
    /// Captions.
    Caption,
}

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

impl Topic {
    fn instruction(self, rng: &mut ChaCha8Rng) -> String {
        let instructions: &[&str] = match self {
            Self::Conversation => LlavaTask::Conversation.training_instructions(),
            Self::Detail => LlavaTask::DetailDescription.training_instructions(),
            Self::Reasoning => LlavaTask::ComplexReasoning.training_instructions(),
            Self::KnowledgeVqa => &KNOWLEDGE_VQA,
            Self::Vqa => &VQAV2,
            Self::Caption => &CAPTION,
        };
        instructions.choose(rng).copied().unwrap_or_default().to_owned()
    }

    fn question(self, question: &str, rng: &mut ChaCha8Rng) -> String {
        match self {
            Self::Conversation | Self::Detail | Self::Reasoning => question.to_owned(),
            Self::KnowledgeVqa | Self::Vqa => {
                QUESTION_ANSWERING.choose(rng).map_or_else(String::new, |t| t.fill(question))
            }
            Self::Caption => self.instruction(rng),
        }
    }
}

/// A prompt and what to write after it.
fn pair(topic: Topic, form: Form, row: &Annotation, rng: &mut ChaCha8Rng) -> [String; 2] {
    let answer = row.draw_answer(rng).to_owned();
    match form {
        Form::Vig if topic != Topic::Caption => {
            [topic.instruction(rng), qa_text::format(&row.question, &answer)]
        }
        Form::Vig | Form::Vic => [topic.question(&row.question, rng), answer],
        Form::Continue => {
            let spans = sentences(&answer);
            let said = rng.random_range(0..=spans.len());
            let cut = spans.get(said).map_or(answer.len(), |span| span.bytes.start);
            let opening = match rng.random_bool(0.8) {
                true => format!("{} Question: {} Answer:", topic.instruction(rng), row.question),
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
    /// What the rows are about.
    pub topic: Topic,
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
