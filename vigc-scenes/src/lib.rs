//! Rendered scenes with exact ground truth: pictures, the texts that go with them, and a judge.
//!
//! A [`Scene`] is a background and up to six objects of 18 kinds, 8 colors and 2 sizes in the cells
//! of a 3 x 3 grid. A [`Teller`] writes captions, dialogues and short questions about it in a closed
//! grammar; [`claims`] reads any sentence of that grammar, and a [`Judge`] says whether it is true.
//! [`DatasetConfig`] writes all of it to disk in the formats of COCO, LLaVA, OKVQA and A-OKVQA.
//!
//! ```
//! use vigc_scenes::{Dialogue, Judgement, Scene, Split, Teller};
//!
//! let scene = Scene::sample(Split::Train, 7);
//! let picture = scene.render(112);
//! assert_eq!(picture.dimensions(), (112, 112));
//!
//! let told = Teller::new(&scene, Split::Train, 7).dialogue(Dialogue::Detail);
//! let judged = scene.judge_answer(&told.question, &told.answer);
//! assert!(judged.iter().all(Judgement::is_true));
//! assert_ne!(scene.judge_answer("", "There are no objects."), [Judgement::True]);
//! ```

mod answer;
mod attributes;
mod background;
mod claim;
mod dataset;
mod drawings;
mod focus;
mod grammar;
mod judge;
mod marks;
mod masks;
mod noun;
mod purpose;
mod relation;
mod render;
mod sample;
mod scene;
mod shape;
mod texts;

pub use attributes::{Background, Cell, Color, Kind, Size};
pub use claim::{Claim, Property, Subjects, Trait};
pub use dataset::{DatasetConfig, DatasetError, DatasetSummary, open_scenes, scene_seed};
pub use focus::Focus;
pub use grammar::{Question, Unparsed, claims, parse_question, sentences};
pub use judge::{Judge, Judgement, QuestionJudgement, Verdict};
pub use marks::Merits;
pub use masks::{Masks, PatchLabel};
pub use noun::{Article, Group, Noun};
pub use purpose::Use;
pub use relation::{Extreme, Relation, between};
pub use sample::{Purpose, Split, held_out};
pub use scene::{Object, Pose, Scene};
pub use texts::{Dialogue, QuestionAnswer, Teller, VqaItem, VqaKind};

#[cfg(test)]
mod tests;
