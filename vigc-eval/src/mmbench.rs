//! MMBench: multiple-choice questions about images, each asked once for every order of its options.
//!
//! Liu et al., "MMBench: Is Your Multi-modal Model an All-around Player?", 2023. A question counts only if it is answered
//! right in all orders ("CircularEval"). Answers are read by the rules of VLMEvalKit with exact matching. Answers that these
//! rules cannot read are listed in [`Score::unresolved`], so that a person or a language model can read them.
//!
//! | type | what it holds |
//! |---|---|
//! | [`Tsv`], [`Entry`] | the published table |
//! | [`Template`], [`with_rotations`] | prompts, and the orders of the options |
//! | [`Mmbench`] | the suite |
//! | [`infer`], [`Score`] | what answers mean, and what they are worth |
//! | [`Submission`] | the file that MMBench's server scores |

mod asking;
mod choice;
mod score;
mod submission;
mod table;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub use asking::{Template, with_rotations};
pub use choice::{Choice, infer};
pub use score::{Ability, QuestionScore, RoundScore, Score, Unresolved, Verdict};
pub use submission::Submission;
pub use table::{Entry, Tsv};

use crate::answers::{AnswerMode, Query, QueryImage};
use crate::error::{Error, Result};
use crate::report::Findings;
use crate::suite::{Suite, SuiteKind, SuiteOption, SuiteOptions, check_known};

/// The suite `mmbench`.
pub const MMBENCH: SuiteKind = SuiteKind {
    name: "mmbench",
    about: "MMBench in all orders of the options; questions: the published table (.tsv)",
    options: &[SuiteOption {
        name: "form",
        value: "FORM",
        about: "write: the model writes an answer; letters: the most likely letter; texts: the most likely option [default: write]",
    }],
    open: |options| Ok(Box::new(open(options)?)),
};

fn open(options: &SuiteOptions) -> Result<Mmbench> {
    let form = options.get::<String>("form")?;
    let form = match form.as_deref() {
        None | Some("write") => Form::Write,
        Some("letters") => Form::Letters,
        Some("texts") => Form::Texts,
        Some(found) => {
            let reason = "expected write, letters or texts".to_owned();
            return Err(Error::Option { option: "form", found: found.to_owned(), reason });
        }
    };
    Ok(Mmbench::new(&Tsv::open(options.questions()?)?)?.with_form(form))
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The model writes an answer.
    #[default]
    Write,
    /// The most likely letter is the answer.
    Letters,
    /// The most likely text of an option is the answer.
    Texts,
}

/// MMBench as a suite: the questions of a table, each in every order of its options.
#[derive(Debug, Clone)]
pub struct Mmbench {
    entries: Vec<Entry>,
    /// The positions of the rows of each question, its first order first.
    questions: Vec<Vec<usize>>,
    template: Template,
    form: Form,
}

impl Mmbench {
    /// All orders that the table has. If it only has first orders, [`with_rotations`] adds the others.
    ///
    /// # Errors
    ///
    /// [`Error::FirstOrder`] if the first order of a question is missing.
    pub fn new(tsv: &Tsv) -> Result<Self> {
        let is_complete = tsv.entries.iter().any(|entry| entry.group != entry.index);
        let entries = if is_complete { tsv.entries.clone() } else { with_rotations(&tsv.entries) };
        let is_first = |(_, entry): &(usize, &Entry)| entry.group == entry.index;
        let firsts = entries.iter().enumerate().filter(is_first);
        let mut questions: Vec<Vec<usize>> = firsts.map(|(at, _)| vec![at]).collect();
        let by_group: HashMap<u64, usize> = questions
            .iter()
            .enumerate()
            .map(|(question, rows)| (entries[rows[0]].index, question))
            .collect();
        for (at, entry) in entries.iter().enumerate().filter(|row| !is_first(row)) {
            let question = by_group.get(&entry.group).ok_or_else(|| Error::FirstOrder {
                path: tsv.path.clone(),
                index: entry.index,
                first: entry.group,
            })?;
            questions[*question].push(at);
        }
        Ok(Self { entries, questions, template: Template::default(), form: Form::default() })
    }

    /// Sets the form of the prompts; the default is VLMEvalKit's.
    #[must_use]
    pub fn with_template(self, template: Template) -> Self {
        Self { template, ..self }
    }

    /// Sets how questions are answered.
    #[must_use]
    pub fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The rows that are asked.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn query(&self, entry: &Entry) -> Query {
        let options = entry.options.iter();
        let mode = match self.form {
            Form::Write => AnswerMode::Generate,
            Form::Letters => {
                AnswerMode::Choose(options.map(|(letter, _)| letter.to_string()).collect())
            }
            Form::Texts => AnswerMode::Choose(options.map(|(_, text)| text.clone()).collect()),
        };
        let image = QueryImage::Bytes(Arc::clone(&entry.image));
        Query { id: entry.id(), image, prompt: self.template.prompt(entry), mode }
    }

    /// Scores answers by the indices of their rows, with exact matching.
    ///
    /// A missing answer is wrong, and counted. Questions whose right option is secret are left out, and counted.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`] if an answer belongs to no row.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score> {
        self.score_with(answers, &HashMap::new())
    }

    /// As [`score`](Self::score), with readings of the answers that exact matching cannot read
    /// ([`Score::unresolved`]). A reading is filed under the index of its row. It is a letter, `Z` for none of the options,
    /// or a sentence with a letter.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`] if an answer or a reading belongs to no row.
    pub fn score_with(
        &self,
        answers: &HashMap<String, String>,
        readings: &HashMap<String, String>,
    ) -> Result<Score> {
        let ids: HashMap<String, usize> =
            self.entries.iter().enumerate().map(|(at, entry)| (entry.id(), at)).collect();
        let given = answers.keys().chain(readings.keys());
        check_known(given, |id| ids.contains_key(id), "the index of a row of the table")?;
        let mut score = Score::default();
        for rows in &self.questions {
            let rows: Vec<&Entry> = rows.iter().map(|&at| &self.entries[at]).collect();
            if rows.iter().any(|entry| entry.answer.is_none()) {
                score.without_key += 1;
                continue;
            }
            self.score_question(&rows, answers, readings, &mut score);
        }
        score.keep_worst_samples();
        Ok(score)
    }

    fn score_question(
        &self,
        rows: &[&Entry],
        answers: &HashMap<String, String>,
        readings: &HashMap<String, String>,
        score: &mut Score,
    ) {
        let round = |entry: &&Entry| {
            let id = entry.id();
            let answer = answers.get(&id).map(String::as_str);
            let reading = readings.get(&id).map(String::as_str);
            RoundScore { verdict: self.verdict(entry, answer, reading), id }
        };
        let question = QuestionScore::new(rows[0], rows.iter().map(round).collect());
        let is_open = question.rounds.iter().all(|round| round.verdict.is_open());
        for (round, entry) in question.rounds.iter().zip(rows) {
            if round.verdict == Verdict::Unresolved {
                let answer = answers.get(&round.id).cloned().unwrap_or_default();
                let prompt = self.template.prompt(entry);
                score.unresolved.push(Unresolved {
                    id: round.id.clone(),
                    prompt,
                    answer,
                    decides: is_open,
                });
            }
        }
        score.add(question, rows, answers, self.template);
    }

    fn verdict(&self, entry: &Entry, answer: Option<&str>, reading: Option<&str>) -> Verdict {
        let Some(answer) = answer else { return Verdict::Missing };
        let chosen = match self.form {
            Form::Texts => chosen_text(entry, answer),
            Form::Write | Form::Letters => None,
        };
        let choice = chosen
            .or_else(|| infer(answer, &entry.options))
            .or_else(|| infer(reading?, &entry.options));
        match choice {
            Some(Choice::Option(letter)) if Some(letter) == entry.answer => Verdict::Right,
            Some(Choice::Option(letter)) => Verdict::Wrong(letter),
            Some(Choice::Neither) => Verdict::Neither,
            None => Verdict::Unresolved,
        }
    }
}

/// The only option with exactly this text.
fn chosen_text(entry: &Entry, answer: &str) -> Option<Choice> {
    let mut found = entry.options.iter().filter(|(_, text)| text == answer);
    match (found.next(), found.next()) {
        (Some((letter, _)), None) => Some(Choice::Option(*letter)),
        _ => None,
    }
}

impl Suite for Mmbench {
    /// Every row. The id is its index.
    fn queries(&self) -> Vec<Query> {
        self.entries.iter().map(|entry| self.query(entry)).collect()
    }

    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        Ok(self.score(answers)?.findings())
    }

    /// Writes tab-separated values if the file name ends in `.tsv`, else a workbook (`.xlsx`).
    fn write_submission(&self, answers: &HashMap<String, String>, path: &Path) -> Result<()> {
        let submission = Submission::new(&self.entries, answers)?;
        match path.extension().is_some_and(|extension| extension == "tsv") {
            true => submission.write_tsv(path),
            false => submission.write_xlsx(path),
        }
    }
}

#[cfg(test)]
mod tests;
