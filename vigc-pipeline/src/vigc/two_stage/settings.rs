//! Settings of both stages.

use serde::{Deserialize, Serialize};
use vigc_llm::generation::{GenerationConfig, Rules};

use crate::prompt::TextProcessor;
use crate::prompt::question_prefix::{A_OKVQA, OKVQA, QuestionPrefixes};
use crate::vigc::correction::LoopRules;

/// The index of the settings that questions are generated with.
pub(super) const QUESTION: usize = 0;
/// The index of the settings that answers are generated with.
pub(super) const ANSWERS: usize = 1;

/// Which data set's questions are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionStyle {
    /// First words drawn as in OKVQA.
    Okvqa,
    /// First words drawn as in A-OKVQA.
    AOkvqa,
    /// First words left to the model.
    Free,
}

impl QuestionStyle {
    /// The first words, unless they are left to the model.
    #[must_use]
    pub const fn prefixes(self) -> Option<QuestionPrefixes> {
        match self {
            Self::Okvqa => Some(OKVQA),
            Self::AOkvqa => Some(A_OKVQA),
            Self::Free => None,
        }
    }
}

/// How first words are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefixDraw {
    /// By their frequency.
    #[default]
    Weighted,
    /// All alike.
    Uniform,
}

/// Settings of both stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoStageSettings {
    /// Which data set's questions are imitated.
    pub style: QuestionStyle,
    /// How first words are drawn.
    pub draw: PrefixDraw,
    /// How questions are generated.
    pub question_decoding: GenerationConfig,
    /// How answers are generated; `n_best` is their number.
    pub answer_decoding: GenerationConfig,
    /// What is done to a question before it is asked.
    pub text_processor: TextProcessor,
    /// Ours, or the reference's, which keep empty questions and doubled answers.
    pub rules: LoopRules,
    /// The seed of the run.
    pub seed: u64,
}

impl TwoStageSettings {
    /// Five beams, a question of up to 199 tokens, then 5 answers of up to 9 tokens.
    #[must_use]
    pub fn new(style: QuestionStyle) -> Self {
        let modern = |config: GenerationConfig| config.with_rules(Rules::Modern);
        let upstream = Self::upstream(style);
        Self {
            question_decoding: modern(upstream.question_decoding),
            answer_decoding: modern(upstream.answer_decoding),
            rules: LoopRules::Strict,
            ..upstream
        }
    }

    /// The upstream program's settings and rules.
    #[must_use]
    pub fn upstream(style: QuestionStyle) -> Self {
        Self {
            style,
            draw: PrefixDraw::Weighted,
            question_decoding: GenerationConfig::upstream()
                .with_max_length(200)
                .with_min_length(10),
            answer_decoding: GenerationConfig::upstream()
                .with_max_length(10)
                .with_min_length(1)
                .with_n_best(5),
            text_processor: TextProcessor::BlipCaption,
            rules: LoopRules::Upstream,
            seed: 42,
        }
    }

    /// The settings of a stage, by its index.
    pub(super) fn decoding(&self, stage: usize) -> &GenerationConfig {
        if stage == QUESTION { &self.question_decoding } else { &self.answer_decoding }
    }

    /// With the rules of another version of transformers, for both stages.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        let Self { question_decoding, answer_decoding, .. } = self;
        Self {
            question_decoding: question_decoding.with_rules(rules),
            answer_decoding: answer_decoding.with_rules(rules),
            ..self
        }
    }

    /// With another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}
