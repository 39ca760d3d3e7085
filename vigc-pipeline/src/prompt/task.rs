//! The tasks: kinds of questions and answers about images.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::instructions::{
    CAPTION, KNOWLEDGE_VQA, KNOWLEDGE_VQA_GENERATION, LLAVA_CONVERSATION, LLAVA_DETAIL,
    LLAVA_REASONING, VQAV2,
};

/// A kind of instruction data: what is asked about an image and what its answers look like.
///
/// The task decides which instruction VIG gets. Generated rows, data cards and training recipes all name their
/// task with this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Questions about what the image shows, as in LLaVA's conversations.
    Conversation,
    /// Requests for a detailed description, as in LLaVA's detailed descriptions.
    #[serde(rename = "detail")]
    DetailDescription,
    /// Questions that need reasoning, as in LLaVA's complex reasoning.
    #[serde(rename = "reasoning")]
    ComplexReasoning,
    /// Questions that need common sense or world knowledge, with short answers, as in OKVQA and A-OKVQA. Rows call
    /// this task `short`, recipes call it `knowledge_vqa`; both names are read.
    #[serde(rename = "short", alias = "knowledge_vqa")]
    KnowledgeVqa,
    /// Questions about what the image shows, with short answers, as in VQAv2.
    Vqa,
    /// Captions. They answer no question, so they are only trained on, never generated.
    Caption,
}

impl Task {
    /// The three tasks of LLaVA's instruction data, which VIG generates and VIC corrects.
    pub const LLAVA: [Self; 3] =
        [Self::Conversation, Self::DetailDescription, Self::ComplexReasoning];

    /// The instruction that VIG generates data with.
    #[must_use]
    pub const fn instruction(self) -> &'static str {
        match self {
            Self::KnowledgeVqa => KNOWLEDGE_VQA_GENERATION,
            task => task.training_instructions()[0],
        }
    }

    /// The instructions that VIG is trained with. One of them is drawn for each sample.
    #[must_use]
    pub const fn training_instructions(self) -> &'static [&'static str] {
        match self {
            Self::Conversation => &LLAVA_CONVERSATION,
            Self::DetailDescription => &LLAVA_DETAIL,
            Self::ComplexReasoning => &LLAVA_REASONING,
            Self::KnowledgeVqa => &KNOWLEDGE_VQA,
            Self::Vqa => &VQAV2,
            Self::Caption => &CAPTION,
        }
    }

    /// Whether answers are a word or a short phrase instead of sentences.
    #[must_use]
    pub const fn has_short_answers(self) -> bool {
        matches!(self, Self::KnowledgeVqa | Self::Vqa)
    }

    /// The name that rows have for the task: `conversation`, `detail`, `reasoning`, `short`, `vqa` or `caption`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::DetailDescription => "detail",
            Self::ComplexReasoning => "reasoning",
            Self::KnowledgeVqa => "short",
            Self::Vqa => "vqa",
            Self::Caption => "caption",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_serde_reads_and_writes() {
        let others = [Task::KnowledgeVqa, Task::Vqa, Task::Caption];
        for task in Task::LLAVA.into_iter().chain(others) {
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
            assert_eq!(serde_json::from_value::<Task>(task.name().into()).unwrap(), task);
        }
        let recipe = serde_json::from_str::<Task>("\"knowledge_vqa\"").unwrap();
        assert_eq!(recipe, Task::KnowledgeVqa);
    }

    #[test]
    fn llava_is_generated_with_the_first_training_instruction() {
        for task in Task::LLAVA {
            assert_eq!(task.instruction(), task.training_instructions()[0]);
        }
        assert!(!KNOWLEDGE_VQA.contains(&Task::KnowledgeVqa.instruction()));
    }
}
