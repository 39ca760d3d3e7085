//! What is asked, and how it is scored.

use std::collections::HashMap;
use std::sync::Arc;

use super::choice::{Choice, infer};
use super::circular::with_rotations;
use super::score::{QuestionScore, RoundScore, Score, Unresolved, Verdict};
use super::{Entry, MmbenchError, Template, Tsv};
use crate::answers::{Ask, AskImage, How};

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// In the model's own words.
    #[default]
    Write,
    /// By the likeliest of the letters.
    Letters,
    /// By the likeliest of the options' texts.
    Texts,
}

/// The questions of a table, each in every order of its options.
#[derive(Debug, Clone)]
pub struct Suite {
    entries: Vec<Entry>,
    /// The positions of each question's rows, its first order first.
    questions: Vec<Vec<usize>>,
    template: Template,
    form: Form,
}

impl Suite {
    /// All orders that the table holds; if it holds the first ones alone, all that there are.
    ///
    /// # Errors
    ///
    /// [`MmbenchError::FirstOrder`] if a question's first order is missing.
    pub fn new(tsv: &Tsv) -> Result<Self, MmbenchError> {
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
            let question = by_group.get(&entry.group).ok_or_else(|| MmbenchError::FirstOrder {
                path: tsv.path.clone(),
                index: entry.index,
                first: entry.group,
            })?;
            questions[*question].push(at);
        }
        Ok(Self { entries, questions, template: Template::default(), form: Form::default() })
    }

    /// Other prompts than VLMEvalKit's.
    #[must_use]
    pub fn with_template(self, template: Template) -> Self {
        Self { template, ..self }
    }

    /// Answers that are chosen, not written.
    #[must_use]
    pub fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The rows that are asked.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Everything that is to be asked.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        self.entries.iter().map(|entry| self.ask(entry)).collect()
    }

    fn ask(&self, entry: &Entry) -> Ask {
        let how = match self.form {
            Form::Write => How::Write,
            Form::Letters => {
                How::Choose(entry.options.iter().map(|(letter, _)| letter.to_string()).collect())
            }
            Form::Texts => {
                How::Choose(entry.options.iter().map(|(_, text)| text.clone()).collect())
            }
        };
        let image = AskImage::Bytes(Arc::clone(&entry.picture));
        Ask { id: entry.id(), image, prompt: self.template.prompt(entry), how }
    }

    /// Scores answers, named by their rows' indices, with exact matching alone. Rows without an
    /// answer are wrong and counted; questions whose right option is kept secret are left out and
    /// counted.
    ///
    /// # Errors
    ///
    /// [`MmbenchError::UnknownId`] for an answer to a row that the suite does not have.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score, MmbenchError> {
        self.score_with(answers, &HashMap::new())
    }

    /// As [`Suite::score`], with the letters that somebody else read from answers that exact
    /// matching cannot read ([`Score::unresolved`]): for a row's index, a letter, `Z` for none of
    /// the options, or a sentence that names one.
    ///
    /// # Errors
    ///
    /// [`MmbenchError::UnknownId`] for a name that no row has.
    pub fn score_with(
        &self,
        answers: &HashMap<String, String>,
        readings: &HashMap<String, String>,
    ) -> Result<Score, MmbenchError> {
        let ids: HashMap<String, usize> =
            self.entries.iter().enumerate().map(|(at, entry)| (entry.id(), at)).collect();
        let unknown = answers.keys().chain(readings.keys()).filter(|id| !ids.contains_key(*id));
        if let Some(id) = unknown.min() {
            return Err(MmbenchError::UnknownId { id: id.clone() });
        }
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

/// The only option with this very text.
fn chosen_text(entry: &Entry, answer: &str) -> Option<Choice> {
    let mut found = entry.options.iter().filter(|(_, text)| text == answer);
    match (found.next(), found.next()) {
        (Some((letter, _)), None) => Some(Choice::Option(*letter)),
        _ => None,
    }
}
