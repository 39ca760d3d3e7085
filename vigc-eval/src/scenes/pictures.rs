//! The scenes of the suite, and the questions about them.

use std::io::Cursor;
use std::sync::Arc;

use image::ImageFormat;
use serde::{Deserialize, Serialize};
use vigc_scenes::{Dialogue, Scene, Split, Teller, VqaItem, VqaKind, scene_seed};

/// The suite of rendered scenes.
///
/// Everything is a function of these settings: the scenes, their images, and the short questions. The ids of the answers
/// are `SPLIT/SCENE/DIALOGUE/WRITER`, such as `test/7/detail/vic`, and `SPLIT/SCENE/vqa/NUMBER`. The writers are `vig`,
/// `vic` and `once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenes {
    count: usize,
    unseen_count: usize,
    seed: u64,
    side: u32,
    batch: usize,
    questions: usize,
}

impl Scenes {
    /// `count` scenes of the test split, and as many of the split of unseen combinations. The seed is 0.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { count, unseen_count: count, seed: 0, side: 224, batch: 16, questions: 2 }
    }

    /// Sets the seed of the scenes. Training never draws scenes of these splits, whatever the seed is.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the number of scenes with unseen combinations.
    #[must_use]
    pub fn with_unseen_count(self, unseen_count: usize) -> Self {
        Self { unseen_count, ..self }
    }

    /// Sets the side of the images in pixels; the default is 224.
    #[must_use]
    pub fn with_side(self, side: u32) -> Self {
        Self { side, ..self }
    }

    /// Sets the number of scenes whose queries are next to each other; the default is 16. With the batch size of the
    /// [`QueryRunner`](crate::answers::QueryRunner), most images are encoded only once for several queries.
    #[must_use]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch: batch.max(1), ..self }
    }

    /// Sets the number of short questions about each scene; the default is 2. Their kinds alternate.
    #[must_use]
    pub fn with_questions(self, questions: usize) -> Self {
        Self { questions, ..self }
    }

    /// The seed.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The splits that have scenes, with the number of scenes.
    pub(super) fn splits(&self) -> impl Iterator<Item = (Split, usize)> {
        let splits = [(Split::Test, self.count), (Split::Unseen, self.unseen_count)];
        splits.into_iter().filter(|&(_, count)| count > 0)
    }

    /// Groups of scenes whose queries are next to each other.
    pub(super) fn groups(&self) -> impl Iterator<Item = Vec<Picture>> {
        self.splits().flat_map(move |(split, count)| {
            let firsts = (0..count).step_by(self.batch);
            firsts.map(move |first| {
                let last = count.min(first + self.batch);
                (first..last).map(|index| self.picture(split, index)).collect()
            })
        })
    }

    /// The scene at a position of a split, with its questions.
    pub(super) fn picture(&self, split: Split, index: usize) -> Picture {
        /// How often a question of a kind is drawn, before a question of any kind is taken.
        const DRAWS: usize = 20;
        let seed = scene_seed(self.seed, index as u64);
        let scene = Scene::sample(split, seed);
        let mut teller = Teller::new(&scene, split, seed);
        let first = index * self.questions;
        let kinds = (first..first + self.questions).map(|n| VqaKind::ALL[n % VqaKind::ALL.len()]);
        let item =
            |kind| (0..DRAWS).find_map(|_| teller.vqa_of(kind)).unwrap_or_else(|| teller.vqa());
        let questions = kinds.map(item).collect();
        Picture { split, index, scene, questions }
    }

    /// The image of a scene as a PNG file.
    pub(super) fn png(&self, picture: &Picture) -> Arc<[u8]> {
        let mut bytes = Cursor::new(Vec::new());
        picture
            .scene
            .render(self.side)
            .write_to(&mut bytes, ImageFormat::Png)
            .expect("an image in memory can be encoded");
        bytes.into_inner().into()
    }
}

/// A scene with its place in the suite and its short questions.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) split: Split,
    pub(super) index: usize,
    pub(super) scene: Scene,
    pub(super) questions: Vec<VqaItem>,
}

/// The writers of answers in a dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// VIG writes a question and a draft.
    Vig,
    /// VIC corrects the draft.
    Vic,
    /// The model answers VIG's question in one step.
    Once,
}

impl Writer {
    pub(super) const ALL: [Self; 3] = [Self::Vig, Self::Vic, Self::Once];

    fn name(self) -> &'static str {
        match self {
            Self::Vig => "vig",
            Self::Vic => "vic",
            Self::Once => "once",
        }
    }
}

impl Picture {
    /// The id of an answer in a dialogue.
    pub(super) fn id(&self, dialogue: Dialogue, writer: Writer) -> String {
        format!("{}/{}/{}/{}", self.split.name(), self.index, dialogue.name(), writer.name())
    }

    /// The id of a short answer.
    pub(super) fn vqa_id(&self, number: usize) -> String {
        format!("{}/{}/vqa/{number}", self.split.name(), self.index)
    }

    /// The ids of all answers that there can be.
    pub(super) fn ids(&self) -> Vec<String> {
        let dialogues = Dialogue::ALL.into_iter().flat_map(|dialogue| {
            Writer::ALL.into_iter().map(move |writer| self.id(dialogue, writer))
        });
        dialogues.chain((0..self.questions.len()).map(|number| self.vqa_id(number))).collect()
    }
}
