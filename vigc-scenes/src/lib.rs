//! Rendered scenes with exact ground truth: pictures, texts about them, and a judge of sentences.
//!
//! A [`Scene`] has a background and up to six objects of 18 kinds, 8 colors and 2 sizes, in the cells of a 3 x 3 grid.
//! Everything is a function of a seed, and the same seed gives the same scene, picture and texts on every machine. Use
//! scenes to train small vision-language models without downloads, and to measure them without annotators: whether a
//! sentence about a scene is true is a matter of computation.
//!
//! # Tutorial
//!
//! ```
//! use vigc_scenes::{
//!     DatasetConfig, DatasetError, Dialogue, Judgment, QuestionJudgment, Scene, Split, Teller,
//!     open_scenes,
//! };
//!
//! # fn main() -> Result<(), DatasetError> {
//! // A scene and its picture, an `image::RgbImage`.
//! let scene = Scene::sample(Split::Train, 7);
//! let picture = scene.render(112);
//! assert_eq!(picture.dimensions(), (112, 112));
//! let boxes = scene.masks(112);
//! assert!(boxes.bounding_box(0).is_some());
//!
//! // Texts about it: a caption, a dialogue, a question with a short answer.
//! let mut teller = Teller::new(&scene, Split::Train, 7);
//! println!("{}", teller.caption());
//! let detail = teller.dialogue(Dialogue::Detail);
//! let vqa = teller.vqa();
//! assert!(vqa.accepts(&vqa.answers[0]));
//!
//! // The judge reads any sentence of the texts' grammar, whoever wrote it.
//! let judgments = scene.judge_answer(&detail.question, &detail.answer);
//! assert!(judgments.iter().all(Judgment::is_true));
//! let judgments = scene.judge_answer("", "There are no objects. Colorless ideas sleep.");
//! assert!(matches!(judgments[..], [Judgment::False(_), Judgment::Unparsed]));
//! assert_eq!(scene.judge_question(&detail.question), QuestionJudgment::Sound);
//!
//! // A score from 1 to 10 for an answer, compared with a true one.
//! let score = scene.score_answer(&detail, "There are no objects.");
//! assert_eq!(score.points(), 1.0);
//!
//! // A small data set on disk, and its scenes again.
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let out = folder.path().join("scenes");
//! DatasetConfig::new(1).with_train_count(3).with_side(64).write(&out, |_| {})?;
//! let scenes = open_scenes(out.join("train"))?;
//! assert_eq!(scenes.len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! | to | use |
//! |---|---|
//! | sample scenes | [`Scene::sample`], [`Split`], [`is_held_out`] |
//! | know what a scene contains | [`Scene`], [`Object`], [`Kind`], [`Color`], [`Size`], [`Cell`], [`Background`] |
//! | draw it | [`Scene::render`], [`Scene::masks`], [`Scene::patch_labels`] |
//! | write about it | [`Teller`], [`Dialogue`], [`QuestionAnswer`], [`VqaItem`], [`VqaKind`] |
//! | read sentences | [`parse_sentence`], [`parse_question`], [`sentences`], [`Claim`], [`Property`], [`NounPhrase`] |
//! | judge them | [`Scene::judge_answer`], [`Scene::judge_question`], [`Judge`], [`Judgment`] |
//! | score an answer | [`Scene::score_answer`], [`AnswerScore`] |
//! | find the objects that the next words are about | [`Scene::focus`], [`Focus`] |
//! | write and read data sets | [`DatasetConfig`], [`open_scenes`], [`scene_seed`] |

mod attributes;
mod background;
mod claim;
mod dataset;
mod drawings;
mod error;
mod focus;
mod grammar;
mod judge;
mod masks;
mod noun_phrase;
mod relation;
mod render;
mod sample;
mod scene;
mod score;
mod texts;
mod uses;

pub use attributes::{Background, Cell, Color, Kind, Size};
pub use claim::{Attribute, Claim, Property, Subjects};
pub use dataset::{DatasetConfig, DatasetSummary, open_scenes, scene_seed};
pub use error::DatasetError;
pub use focus::Focus;
pub use grammar::{ParseSentenceError, Question, parse_question, parse_sentence, sentences};
pub use judge::{Judge, Judgment, QuestionJudgment};
pub use masks::{Masks, PatchLabel};
pub use noun_phrase::{Article, Group, NounPhrase};
pub use relation::{Extreme, Relation};
pub use sample::{Split, is_held_out};
pub use scene::{Object, Pose, Scene};
pub use score::AnswerScore;
pub use texts::{Dialogue, QuestionAnswer, Teller, VqaItem, VqaKind};
pub use uses::Use;

#[cfg(test)]
mod tests;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
