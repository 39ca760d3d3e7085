//! The texts about a scene: captions, dialogues, and questions with short answers.

mod conversation;
mod description;
mod dialogue;
mod reasoning;
mod teller;
#[cfg(test)]
mod tests;
mod vqa;

pub use dialogue::Dialogue;
pub use teller::{QuestionAnswer, Teller};
pub use vqa::{VqaItem, VqaKind};
