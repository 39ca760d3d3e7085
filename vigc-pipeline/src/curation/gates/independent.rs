//! Gates that judge each row on its own: its picture, lengths, correction and log-probability.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::ImageReader;
use serde::{Deserialize, Serialize};

use super::gate::{Gate, Outcome};
use crate::curation::rows::{Pictures, Row};
use crate::prompt::Task;
use crate::vigc::diff::Verdict;
use crate::vigc::sentence;

/// The settings of [`Picture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureSettings {
    /// Whether the gate is on.
    pub enabled: bool,
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Drops rows whose picture is missing or is not an image file.
///
/// It reads the header of each file once and does not decode pixels. It remembers the name of every picture.
#[derive(Debug)]
pub struct Picture {
    pictures: Pictures,
    known: HashMap<String, Outcome>,
}

impl Picture {
    /// A gate for pictures in these places.
    #[must_use]
    pub fn new(pictures: Pictures) -> Self {
        Self { pictures, known: HashMap::new() }
    }
}

impl Gate for Picture {
    fn check(&mut self, row: &Row) -> Outcome {
        if let Some(outcome) = self.known.get(row.image()) {
            return outcome.clone();
        }
        let outcome = check_header(&self.pictures.file(row));
        self.known.insert(row.image().to_owned(), outcome.clone());
        outcome
    }
}

fn check_header(path: &Path) -> Outcome {
    let file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) => return Outcome::dropped("missing", format!("{}: {error}", path.display())),
    };
    let reader = ImageReader::new(file).with_guessed_format();
    match reader.map_err(Into::into).and_then(ImageReader::into_dimensions) {
        Ok(_) => Outcome::Passed,
        Err(error) => Outcome::dropped("unreadable", format!("{}: {error}", path.display())),
    }
}

/// The fewest and the most words that the texts of a task may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordLimits {
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
    /// [`Task::Conversation`].
    pub conversation: WordLimits,
    /// [`Task::DetailDescription`].
    pub detail: WordLimits,
    /// [`Task::ComplexReasoning`].
    pub reasoning: WordLimits,
    /// The other tasks, whose answers are short.
    pub short: WordLimits,
}

impl Default for LengthSettings {
    fn default() -> Self {
        let words = |answer| WordLimits { question: question(), answer };
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
    /// The limits of a task.
    #[must_use]
    pub fn of(&self, task: Task) -> WordLimits {
        match task {
            Task::Conversation => self.conversation,
            Task::DetailDescription => self.detail,
            Task::ComplexReasoning => self.reasoning,
            Task::KnowledgeVqa | Task::Vqa | Task::Caption => self.short,
        }
    }

    /// All limits with their keys.
    pub(super) fn entries(&self) -> [(&'static str, [usize; 2]); 8] {
        [
            ("length.conversation.question", self.conversation.question),
            ("length.conversation.answer", self.conversation.answer),
            ("length.detail.question", self.detail.question),
            ("length.detail.answer", self.detail.answer),
            ("length.reasoning.question", self.reasoning.question),
            ("length.reasoning.answer", self.reasoning.answer),
            ("length.short.question", self.short.question),
            ("length.short.answer", self.short.answer),
        ]
    }
}

/// Drops rows whose question or answer has fewer or more words than its task allows.
#[derive(Debug)]
pub struct Length {
    settings: LengthSettings,
}

impl Length {
    /// A gate with these limits.
    #[must_use]
    pub fn new(settings: LengthSettings) -> Self {
        Self { settings }
    }
}

impl Gate for Length {
    fn check(&mut self, row: &Row) -> Outcome {
        let limits = self.settings.of(row.task());
        for (text, [least, most], short, long) in [
            (row.question(), limits.question, "short_question", "long_question"),
            (row.answer(), limits.answer, "short_answer", "long_answer"),
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

/// The settings of [`Agreement`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgreementSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// The smallest share of the draft's sentences that the correction must keep unchanged, from 0 to 1.
    pub least_kept: f64,
    /// Whether to drop rows whose correction neither kept nor changed a single sentence of the draft.
    pub drop_contradicted: bool,
}

impl Default for AgreementSettings {
    fn default() -> Self {
        Self { enabled: true, least_kept: 0.0, drop_contradicted: true }
    }
}

/// Drops rows whose correction agrees too little with the draft, because the model then contradicts itself.
///
/// Rows that were not corrected are not judged.
#[derive(Debug)]
pub struct Agreement {
    settings: AgreementSettings,
}

impl Agreement {
    /// A gate with these thresholds.
    #[must_use]
    pub fn new(settings: AgreementSettings) -> Self {
        Self { settings }
    }
}

impl Gate for Agreement {
    fn check(&mut self, row: &Row) -> Outcome {
        let Some(changes) = row.changes() else { return Outcome::NotJudged };
        let count = |verdict| changes.iter().filter(|change| change.verdict == verdict).count();
        let (kept, changed) = (count(Verdict::Kept), count(Verdict::Changed));
        let draft = kept + changed + count(Verdict::Dropped);
        if draft == 0 {
            return Outcome::NotJudged;
        }
        if self.settings.drop_contradicted && kept + changed == 0 {
            return Outcome::dropped("contradicted", format!("none of {draft} sentences is left"));
        }
        if (kept as f64) < self.settings.least_kept * draft as f64 {
            let least = self.settings.least_kept;
            return Outcome::dropped("few_kept", format!("{kept} of {draft}, at least {least}"));
        }
        Outcome::Passed
    }
}

/// The settings of [`LogProb`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogProbSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// The lowest mean log-probability of the answer's tokens, in nats.
    pub least: f32,
}

impl Default for LogProbSettings {
    fn default() -> Self {
        Self { enabled: true, least: -1.0 }
    }
}

/// Drops rows whose corrected answer the model itself found unlikely.
///
/// It compares the mean log-probability per token. Rows that were not corrected are not judged, and neither are rows
/// of beam search under the upstream rules, which yields no log-probabilities.
#[derive(Debug)]
pub struct LogProb {
    settings: LogProbSettings,
}

impl LogProb {
    /// A gate with this threshold.
    #[must_use]
    pub fn new(settings: LogProbSettings) -> Self {
        Self { settings }
    }
}

impl Gate for LogProb {
    fn check(&mut self, row: &Row) -> Outcome {
        let least = self.settings.least;
        match row.log_prob_per_token() {
            None => Outcome::NotJudged,
            Some(found) if found >= least => Outcome::Passed,
            Some(found) => {
                Outcome::dropped("unlikely", format!("{found:.2} per token, at least {least}"))
            }
        }
    }
}
