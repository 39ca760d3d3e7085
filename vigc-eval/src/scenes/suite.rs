//! The pictures and questions of the suite, and the model that is asked.

use std::collections::BTreeMap;
use std::error::Error;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::report::{Report, SplitReport, split_report};
use super::tally::{DialogueTally, Tally};
use crate::interval::Bootstrap;
use vigc_scenes::{Dialogue, Scene, Split, Teller, VqaItem, VqaKind, scene_seed};

/// Whatever a model fails with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A question and a first answer, as VIG writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VigRow {
    /// The question.
    pub question: String,
    /// The draft of the answer.
    pub answer: String,
}

/// What the suite asks of a model; every method answers a batch in its order.
pub trait SceneModel {
    /// VIG: a question and a draft for each picture, none where the text holds no such pair.
    ///
    /// # Errors
    /// If the model fails.
    fn vig(
        &mut self,
        pictures: &[RgbImage],
        dialogue: Dialogue,
    ) -> Result<Vec<Option<VigRow>>, BoxError>;

    /// VIC: each row's answer written anew, sentence after sentence.
    ///
    /// # Errors
    /// If the model fails.
    fn vic(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError>;

    /// Each row's question answered anew at once, without iteration.
    ///
    /// # Errors
    /// If the model fails.
    fn answer_once(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError>;

    /// Short answers.
    ///
    /// # Errors
    /// If the model fails.
    fn short_answers(
        &mut self,
        pictures: &[&RgbImage],
        questions: &[&str],
    ) -> Result<Vec<String>, BoxError>;
}

/// What the suite is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// VIG, VIC and the answer at once for one kind of dialogue.
    Dialogue(Dialogue),
    /// Short questions.
    Vqa,
}

/// How far the suite is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The pictures that are looked at.
    pub split: Split,
    /// What is asked about them.
    pub stage: Stage,
    /// Batches of a stage that are done, in all splits.
    pub done: usize,
    /// Batches of a stage in all.
    pub total: usize,
}

/// The settings of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    count: usize,
    unseen_count: usize,
    seed: u64,
    side: u32,
    batch: usize,
    questions: usize,
}

impl Suite {
    /// `count` pictures of the test split, and as many of the split of unseen combinations.
    #[must_use]
    pub fn new(count: usize, seed: u64) -> Self {
        Self { count, unseen_count: count, seed, side: 224, batch: 16, questions: 2 }
    }

    /// The number of pictures with unseen combinations.
    #[must_use]
    pub fn with_unseen_count(self, unseen_count: usize) -> Self {
        Self { unseen_count, ..self }
    }

    /// Pictures of this side in pixels; 224 unless said.
    #[must_use]
    pub fn with_side(self, side: u32) -> Self {
        Self { side, ..self }
    }

    /// Pictures that are asked about at once; 16 unless said.
    #[must_use]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch: batch.max(1), ..self }
    }

    /// Short questions on each picture, of kinds that take turns; 2 unless said.
    #[must_use]
    pub fn with_questions(self, questions: usize) -> Self {
        Self { questions, ..self }
    }

    /// Asks the model everything and judges what it says.
    ///
    /// # Errors
    /// If the model fails or answers fewer questions than it was asked.
    pub fn run(
        &self,
        model: &mut dyn SceneModel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, BoxError> {
        let splits = [(Split::Test, self.count), (Split::Unseen, self.unseen_count)];
        let batches: usize = splits.iter().map(|(_, count)| count.div_ceil(self.batch)).sum();
        let total = batches * (Dialogue::ALL.len() + 1);
        let mut done = 0;
        let mut reports: BTreeMap<String, SplitReport> = BTreeMap::new();
        for (split, count) in splits.into_iter().filter(|&(_, count)| count > 0) {
            let mut tally = Tally::default();
            let indices: Vec<u64> = (0..count as u64).collect();
            for indices in indices.chunks(self.batch) {
                let batch = Batch::draw(self, split, indices);
                for dialogue in Dialogue::ALL {
                    batch.dialogue(
                        model,
                        dialogue,
                        tally.dialogues.entry(dialogue).or_default(),
                    )?;
                    done += 1;
                    progress(Progress { split, stage: Stage::Dialogue(dialogue), done, total });
                }
                batch.vqa(model, &mut tally)?;
                done += 1;
                progress(Progress { split, stage: Stage::Vqa, done, total });
            }
            let bootstrap = Bootstrap { seed: self.seed, ..Bootstrap::default() };
            reports.insert(split.name().to_owned(), split_report(&tally, bootstrap));
        }
        Ok(Report { suite: *self, splits: reports })
    }
}

/// Some pictures with their scenes.
struct Batch {
    scenes: Vec<Scene>,
    pictures: Vec<RgbImage>,
    items: Vec<(usize, VqaItem)>,
}

impl Batch {
    fn draw(suite: &Suite, split: Split, indices: &[u64]) -> Self {
        let seeds = || indices.iter().map(|&index| scene_seed(suite.seed, index));
        let scenes: Vec<Scene> = seeds().map(|seed| Scene::sample(split, seed)).collect();
        let pictures = scenes.iter().map(|scene| scene.render(suite.side)).collect();
        let mut items = Vec::new();
        for (position, (scene, seed)) in scenes.iter().zip(seeds()).enumerate() {
            let mut teller = Teller::new(scene, split, seed);
            let first = indices[position] as usize * suite.questions;
            for kind in (first..first + suite.questions).map(|n| VqaKind::ALL[n % 8]) {
                /// A scene without anything to ask of a kind is asked about another.
                const DRAWS: usize = 20;
                let item = (0..DRAWS).find_map(|_| teller.vqa_of(kind));
                items.push((position, item.unwrap_or_else(|| teller.vqa())));
            }
        }
        Self { scenes, pictures, items }
    }

    fn dialogue(
        &self,
        model: &mut dyn SceneModel,
        dialogue: Dialogue,
        tally: &mut DialogueTally,
    ) -> Result<(), BoxError> {
        let rows = complete("VIG", model.vig(&self.pictures, dialogue)?, self.pictures.len())?;
        let is_valid =
            |row: &&VigRow| !row.question.trim().is_empty() && !row.answer.trim().is_empty();
        let rows: Vec<Option<&VigRow>> =
            rows.iter().map(|row| row.as_ref().filter(is_valid)).collect();
        let valid: Vec<&VigRow> = rows.iter().copied().flatten().collect();
        let pictures: Vec<&RgbImage> =
            self.pictures.iter().zip(&rows).filter_map(|(p, row)| row.map(|_| p)).collect();
        let vic = complete("VIC", model.vic(&pictures, dialogue, &valid)?, valid.len())?;
        let once = model.answer_once(&pictures, dialogue, &valid)?;
        let once = complete("the answer at once", once, valid.len())?;
        let mut answers = vic.iter().zip(&once);
        for (scene, row) in self.scenes.iter().zip(rows) {
            match row.and_then(|row| Some((row, answers.next()?))) {
                Some((row, (vic, once))) => tally.add(scene, row, vic, once),
                None => tally.add_invalid(),
            }
        }
        Ok(())
    }

    fn vqa(&self, model: &mut dyn SceneModel, tally: &mut Tally) -> Result<(), BoxError> {
        let pictures: Vec<&RgbImage> =
            self.items.iter().map(|(position, _)| &self.pictures[*position]).collect();
        let questions: Vec<&str> =
            self.items.iter().map(|(_, item)| item.question.as_str()).collect();
        let answers = model.short_answers(&pictures, &questions)?;
        let answers = complete("VQA", answers, questions.len())?;
        for ((_, item), answer) in self.items.iter().zip(answers) {
            let counts = tally.vqa.entry(item.kind).or_default();
            counts.total += 1;
            counts.right += usize::from(item.accepts(&answer));
        }
        Ok(())
    }
}

fn complete<T>(task: &str, answers: Vec<T>, expected: usize) -> Result<Vec<T>, BoxError> {
    if answers.len() == expected {
        return Ok(answers);
    }
    Err(format!("{task} gave {} results for {expected} inputs", answers.len()).into())
}
