//! Rendered scenes as a data set. A scene gets new texts every time it is read.

use image::RgbImage;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use vigc_pipeline::data::DataError;

use super::dataset::{ImageSource, InstructionDataset, InstructionRow};
use vigc_pipeline::prompt::instructions::CAPTION;
use vigc_pipeline::prompt::templates::QUESTION_ANSWERING;
use vigc_pipeline::prompt::{Task, qa_text};
use vigc_scenes::{Cell, Color, Dialogue, Focus, Kind, QuestionAnswer, Scene, Size, Split, Teller};

/// The task whose instructions ask for a kind of dialogue.
fn task_of(dialogue: Dialogue) -> Task {
    match dialogue {
        Dialogue::Conversation => Task::Conversation,
        Dialogue::Detail => Task::DetailDescription,
        Dialogue::Reasoning => Task::ComplexReasoning,
    }
}

/// Consecutive scenes of a split: `data.scenes` of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneRange {
    /// The split.
    #[serde(default = "train")]
    pub split: Split,
    /// The seed of the first scene.
    #[serde(default)]
    pub first: u64,
    /// The number of scenes.
    pub count: usize,
}

fn train() -> Split {
    Split::Train
}

impl SceneRange {
    /// The scene at an index of the range.
    #[must_use]
    pub fn scene(&self, index: usize) -> Scene {
        Scene::sample(self.split, self.first + index as u64)
    }
}

/// The picture of a scene for an encoder whose input has `side` pixels. Like real pictures it comes in several sizes:
/// `side`, 1.5 `side` or 2 `side`.
#[must_use]
pub fn picture(scene: &Scene, side: u32) -> RgbImage {
    let halves = 2 + u32::try_from(scene.texture % 3).unwrap_or(0);
    scene.render(side * halves / 2)
}

/// The pictures of a range of scenes.
#[derive(Debug, Clone, Copy)]
pub struct SceneImages {
    /// The scenes.
    pub range: SceneRange,
    /// The side of the encoder's input in pixels.
    pub side: u32,
}

impl ImageSource for SceneImages {
    fn len(&self) -> usize {
        self.range.count
    }

    fn fingerprint(&self) -> String {
        format!("{:?}, {} pixels and more", self.range, self.side)
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        Ok(picture(&self.range.scene(index), self.side))
    }
}

/// What is learned about scenes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneTask {
    /// To write a caption.
    Caption,
    /// To write the short answer to a question.
    Vqa,
    /// VIG: to write a question and its answer after an instruction.
    Vig(Dialogue),
    /// VIC: to write the answer after a question.
    Vic(Dialogue),
    /// VIC's later steps: to write the rest of an answer after a question and the beginning of the answer.
    Continue(Dialogue),
}

impl SceneTask {
    /// The name in recipes and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Caption => "caption",
            Self::Vqa => "vqa",
            Self::Vig(Dialogue::Conversation) => "vig_conversation",
            Self::Vig(Dialogue::Detail) => "vig_detail",
            Self::Vig(Dialogue::Reasoning) => "vig_reasoning",
            Self::Vic(Dialogue::Conversation) => "vic_conversation",
            Self::Vic(Dialogue::Detail) => "vic_detail",
            Self::Vic(Dialogue::Reasoning) => "vic_reasoning",
            Self::Continue(Dialogue::Conversation) => "continue_conversation",
            Self::Continue(Dialogue::Detail) => "continue_detail",
            Self::Continue(Dialogue::Reasoning) => "continue_reasoning",
        }
    }

    /// Writes a prompt about a scene and the text to write after it.
    #[must_use]
    pub fn text(self, scene: &Scene, split: Split, rng: &mut ChaCha8Rng) -> SceneText {
        let mut teller = Teller::new(scene, split, rng.random());
        match self {
            Self::Caption => {
                SceneText::of_everything((*any(&CAPTION, rng)).to_owned(), teller.caption())
            }
            Self::Vqa => {
                let item = teller.vqa();
                let answer = item.answers.into_iter().next().unwrap_or_default();
                // Without a template, the question could be one of a conversation.
                SceneText {
                    input: any(&QUESTION_ANSWERING[1..], rng).fill(&item.question),
                    focus: scene.focus(&item.question, "", &answer),
                    output: answer,
                }
            }
            Self::Vig(dialogue) => {
                let pair = teller.about_distinctive_objects().dialogue(dialogue);
                let output = qa_text::format(&pair.question, &pair.answer);
                SceneText::of_everything(instruction(dialogue, rng), output)
            }
            Self::Vic(dialogue) => {
                let pair = asked(&mut teller, dialogue, rng);
                let focus = scene.focus(&pair.question, "", &pair.answer);
                SceneText { input: pair.question, output: pair.answer, focus }
            }
            Self::Continue(dialogue) => {
                let pair = asked(&mut teller, dialogue, rng);
                continuation(&instruction(dialogue, rng), &pair, scene, rng)
            }
        }
    }
}

/// A prompt about a scene, and the text to write after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SceneText {
    /// The prompt.
    pub input: String,
    /// The text to write.
    pub output: String,
    /// The objects that matter for the output; see [`Scene::focus`].
    pub focus: Focus,
}

impl SceneText {
    /// A text whose prompt mentions no object.
    fn of_everything(input: String, output: String) -> Self {
        Self { input, output, focus: Focus::default() }
    }
}

/// How often a question to answer has a false premise, as generated questions sometimes have.
const FALSE_PREMISE: f64 = 0.35;

/// A question to answer, and its answer.
fn asked(teller: &mut Teller<'_>, dialogue: Dialogue, rng: &mut ChaCha8Rng) -> QuestionAnswer {
    match rng.random_bool(FALSE_PREMISE) {
        true => teller.false_premise(dialogue),
        false => teller.dialogue(dialogue),
    }
}

/// The prompt of a random step of VIC, and the rest of the answer.
fn continuation(
    instruction: &str,
    QuestionAnswer { question, answer }: &QuestionAnswer,
    scene: &Scene,
    rng: &mut ChaCha8Rng,
) -> SceneText {
    let sentences: Vec<&str> = answer.split_inclusive(". ").map(str::trim_end).collect();
    let said = rng.random_range(0..=sentences.len());
    let opening = match rng.random_bool(0.8) {
        true => format!("{instruction} Question: {question} Answer:"),
        false => question.clone(),
    };
    let (said, rest) = sentences.split_at(said);
    let output = rest.join(" ");
    SceneText {
        input: [&[opening.as_str()], said].concat().join(" "),
        focus: scene.focus(question, &said.join(" "), &output),
        output,
    }
}

fn any<'a, T>(of: &'a [T], rng: &mut ChaCha8Rng) -> &'a T {
    of.choose(rng).expect("the lists of prompts are not empty")
}

fn instruction(dialogue: Dialogue, rng: &mut ChaCha8Rng) -> String {
    let task = task_of(dialogue);
    // Data is generated with the first instruction, so it is seen as often as all others together.
    match rng.random_bool(0.5) {
        true => task.instruction().to_owned(),
        false => (*any(task.training_instructions(), rng)).to_owned(),
    }
}

/// A range of scenes as a data set of one task.
#[derive(Debug, Clone, Copy)]
pub struct SceneRows {
    /// The scenes.
    pub range: SceneRange,
    /// The task.
    pub task: SceneTask,
}

impl InstructionDataset for SceneRows {
    fn name(&self) -> &str {
        self.task.name()
    }

    fn len(&self) -> usize {
        self.range.count
    }

    fn row(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<InstructionRow, DataError> {
        let SceneText { input, output, focus: Focus { missing, objects } } =
            self.task.text(&self.range.scene(index), self.range.split, rng);
        Ok(InstructionRow { image: index, input, output, objects, missing })
    }
}

/// The facts of a scene as short lists of words: one for each object, in random order, and one for the background.
#[must_use]
pub fn facts(scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<String> {
    let mut facts: Vec<String> = scene
        .objects
        .iter()
        .map(|object| fact(object.size, object.color, object.kind, object.cell))
        .collect();
    facts.shuffle(rng);
    facts.push(scene.background.name().to_owned());
    facts
}

/// The fact of an object: its attributes as a short list of words.
#[must_use]
pub fn fact(size: Size, color: Color, kind: Kind, cell: Cell) -> String {
    [size.name(), color.name(), kind.name(), cell.name()].join(" ")
}
