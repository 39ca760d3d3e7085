//! The three kinds of LLaVA's instruction data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::instructions::{LLAVA_CONVERSATION, LLAVA_DETAIL, LLAVA_REASONING};

/// A kind of LLaVA's instruction data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LlavaTask {
    /// Questions about what is seen.
    #[serde(rename = "conversation")]
    Conversation,
    /// Requests for a detailed description.
    #[serde(rename = "detail")]
    DetailDescription,
    /// Questions that need reasoning.
    #[serde(rename = "reasoning")]
    ComplexReasoning,
}

impl LlavaTask {
    /// The three tasks.
    pub const ALL: [Self; 3] =
        [Self::Conversation, Self::DetailDescription, Self::ComplexReasoning];

    /// The instruction that data is generated with.
    #[must_use]
    pub const fn instruction(self) -> &'static str {
        self.training_instructions()[0]
    }

    /// The instructions that VIG is trained with; one is drawn for each sample.
    #[must_use]
    pub const fn training_instructions(self) -> &'static [&'static str; 10] {
        match self {
            Self::Conversation => &LLAVA_CONVERSATION,
            Self::DetailDescription => &LLAVA_DETAIL,
            Self::ComplexReasoning => &LLAVA_REASONING,
        }
    }

    /// `conversation`, `detail` or `reasoning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::DetailDescription => "detail",
            Self::ComplexReasoning => "reasoning",
        }
    }

    /// The reference's name: `conv`, `desc` or `comp`.
    #[must_use]
    pub const fn reference_name(self) -> &'static str {
        match self {
            Self::Conversation => "conv",
            Self::DetailDescription => "desc",
            Self::ComplexReasoning => "comp",
        }
    }
}

impl fmt::Display for LlavaTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the tasks'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown task {0:?}, expected conversation, detail or reasoning")]
pub struct UnknownTask(pub String);

impl FromStr for LlavaTask {
    type Err = UnknownTask;

    fn from_str(name: &str) -> Result<Self, UnknownTask> {
        let known = |task: &Self| [task.name(), task.reference_name()].contains(&name);
        Self::ALL.into_iter().find(known).ok_or_else(|| UnknownTask(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for task in LlavaTask::ALL {
            assert_eq!(task.name().parse(), Ok(task));
            assert_eq!(task.reference_name().parse(), Ok(task));
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
        assert_eq!("all".parse::<LlavaTask>(), Err(UnknownTask("all".into())));
    }
}
