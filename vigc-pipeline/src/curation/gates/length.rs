//! Whether questions and answers have as many words as they should.

use serde::{Deserialize, Serialize};

use super::{Gate, Outcome};
use crate::curation::Row;
use crate::prompt::Task;
use crate::vigc::sentence;

/// The fewest and the most words of a task's texts, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Of questions.
    #[serde(default = "question")]
    pub question: [usize; 2],
    /// Of answers.
    pub answer: [usize; 2],
}

fn question() -> [usize; 2] {
    [3, 60]
}

/// The settings of [`Length`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LengthSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// Questions about what is seen.
    pub conversation: Words,
    /// Detailed descriptions.
    pub detail: Words,
    /// Questions that need reasoning.
    pub reasoning: Words,
    /// The other tasks, whose answers are short.
    pub short: Words,
}

impl Default for LengthSettings {
    fn default() -> Self {
        let words = |answer| Words { question: question(), answer };
        Self {
            enabled: true,
            conversation: words([1, 200]),
            detail: words([10, 400]),
            reasoning: words([5, 400]),
            short: words([1, 10]),
        }
    }
}

impl LengthSettings {
    /// The bounds of a task.
    #[must_use]
    pub fn of(&self, task: Task) -> Words {
        match task {
            Task::Conversation => self.conversation,
            Task::DetailDescription => self.detail,
            Task::ComplexReasoning => self.reasoning,
            Task::KnowledgeVqa | Task::Vqa | Task::Caption => self.short,
        }
    }

    /// The bounds with their keys.
    pub(super) fn by_task(&self) -> [(&'static str, Words); 4] {
        [
            ("length.conversation", self.conversation),
            ("length.detail", self.detail),
            ("length.reasoning", self.reasoning),
            ("length.short", self.short),
        ]
    }
}

/// Drops rows whose question or answer has fewer or more words than its task allows.
#[derive(Debug)]
pub struct Length {
    settings: LengthSettings,
}

impl Length {
    /// With these bounds.
    #[must_use]
    pub fn new(settings: LengthSettings) -> Self {
        Self { settings }
    }
}

impl Gate for Length {
    fn check(&mut self, row: &Row) -> Outcome {
        let bounds = self.settings.of(row.task());
        for (text, [least, most], short, long) in [
            (row.question(), bounds.question, "short_question", "long_question"),
            (row.answer(), bounds.answer, "short_answer", "long_answer"),
        ] {
            let words = sentence::words(text).count();
            if words < least {
                return Outcome::dropped(short, format!("{words} words, at least {least}"));
            }
            if words > most {
                return Outcome::dropped(long, format!("{words} words, at most {most}"));
            }
        }
        Outcome::Passed
    }
}
