//! Rendered scenes with exact ground truth.

mod attributes;
mod background;
mod claim;
mod drawings;
mod grammar;
mod judge;
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
pub use grammar::{Question, Unparsed, claims, parse_question, sentences};
pub use judge::{Judge, Judgement, QuestionJudgement, Verdict};
pub use masks::{Masks, PatchLabel};
pub use noun::{Article, Group, Noun};
pub use purpose::Use;
pub use relation::{Extreme, Relation, between};
pub use sample::{Purpose, Split, held_out};
pub use scene::{Object, Pose, Scene};
pub use texts::{Dialogue, QuestionAnswer, Teller, VqaItem, VqaKind};
