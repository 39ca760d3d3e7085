//! The suite of rendered scenes: whether the sentences that VIG and VIC write about an image are true.
//!
//! The images are drawn by [`vigc_scenes`], so their contents are known exactly, and every sentence is judged against them. A
//! sentence that the grammar of the scenes cannot parse counts as false, and is counted separately as well.
//!
//! | type | what it holds |
//! |---|---|
//! | [`Scenes`] | the suite |
//! | [`Report`] | the measures |
//! | [`reviews`] | LLaVA-Eval about scenes, with an exact judge in place of a language model |

mod pictures;
mod report;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use vigc_pipeline::prompt::Task;
use vigc_pipeline::prompt::qa_text::{QuestionAnswer, parse_strict};
use vigc_pipeline::prompt::templates::SHORT_ANSWER;
use vigc_pipeline::vigc::{Correction, Vic};
use vigc_scenes::{Dialogue, Scene, Split};

pub use pictures::Scenes;
pub use report::{AnswerReport, DialogueReport, QuestionReport, Report, SplitReport, VqaReport};

use self::pictures::{Picture, Writer};
use self::report::{Tally, split_report};
use crate::answers::{AnswerMode, Query, QueryImage};
use crate::error::Result;
use crate::interval::Bootstrap;
use crate::llava_bench::{LlavaBench, Question, Review, ScorePair};
use crate::report::Findings;
use crate::suite::{Suite, SuiteKind, SuiteOption, check_complete, check_known};

/// The suite `scenes`.
pub const SCENES: SuiteKind = SuiteKind {
    name: "scenes",
    about: "rendered scenes with known contents: every sentence that VIG and VIC write; needs no files",
    options: &[SuiteOption {
        name: "count",
        value: "N",
        about: "images with combinations that training showed, and as many with others [default: 500]",
    }],
    open: |options| {
        let mut scenes = Scenes::new(options.get("count")?.unwrap_or(500)).with_seed(options.seed);
        if let Some(batch) = options.batch {
            scenes = scenes.with_batch(batch);
        }
        Ok(Box::new(scenes))
    },
};

impl Scenes {
    /// Judges answers by their ids.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`](crate::Error::UnknownQuestion) if an answer belongs to no question,
    /// [`Error::MissingAnswers`](crate::Error::MissingAnswers) if one is missing.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Report> {
        let pictures: Vec<Picture> = self.groups().flatten().collect();
        let known: HashSet<String> = pictures.iter().flat_map(Picture::ids).collect();
        check_known(answers.keys(), |id| known.contains(id), "an id such as test/7/detail/vic")?;
        let needed: Vec<String> = pictures.iter().flat_map(|p| needed_ids(p, answers)).collect();
        check_complete(needed.iter().map(String::as_str), answers, "this suite needs all of them")?;
        let report = |split: Split| {
            let mut tally = Tally::default();
            for picture in pictures.iter().filter(|picture| picture.split == split) {
                add(&mut tally, picture, answers);
            }
            let bootstrap = Bootstrap { seed: self.seed(), ..Bootstrap::default() };
            (split.name().to_owned(), split_report(&tally, bootstrap))
        };
        Ok(Report { suite: *self, splits: self.splits().map(|(split, _)| report(split)).collect() })
    }
}

/// VIG's question and draft, if its text has both.
fn draft(
    picture: &Picture,
    dialogue: Dialogue,
    answers: &HashMap<String, String>,
) -> Option<QuestionAnswer> {
    let text = answers.get(&picture.id(dialogue, Writer::Vig))?;
    let is_empty = |text: &str| text.trim().is_empty();
    let pair = parse_strict(text).ok()?;
    (!is_empty(&pair.question) && !is_empty(&pair.answer)).then_some(pair)
}

/// The ids of the answers that are needed for a picture: VIC's only if there is a draft.
fn needed_ids(picture: &Picture, answers: &HashMap<String, String>) -> Vec<String> {
    let mut ids = Vec::new();
    for dialogue in Dialogue::ALL {
        ids.push(picture.id(dialogue, Writer::Vig));
        if draft(picture, dialogue, answers).is_some() {
            ids.extend([Writer::Vic, Writer::Once].map(|writer| picture.id(dialogue, writer)));
        }
    }
    ids.extend((0..picture.questions.len()).map(|number| picture.vqa_id(number)));
    ids
}

/// Counts the answers about a picture.
fn add(tally: &mut Tally, picture: &Picture, answers: &HashMap<String, String>) {
    let text = |id: String| answers.get(&id).map_or("", String::as_str);
    for dialogue in Dialogue::ALL {
        let tally = tally.dialogues.entry(dialogue).or_default();
        match draft(picture, dialogue, answers) {
            Some(row) => {
                let [vic, once] =
                    [Writer::Vic, Writer::Once].map(|writer| text(picture.id(dialogue, writer)));
                tally.add(&picture.scene, &row, vic, once);
            }
            None => tally.add_invalid(),
        }
    }
    for (number, item) in picture.questions.iter().enumerate() {
        let counts = tally.vqa.entry(item.kind).or_default();
        counts.total += 1;
        counts.right += usize::from(item.accepts(text(picture.vqa_id(number))));
    }
}

/// The instruction for a kind of dialogue.
fn instruction(dialogue: Dialogue) -> &'static str {
    let task = match dialogue {
        Dialogue::Conversation => Task::Conversation,
        Dialogue::Detail => Task::DetailDescription,
        Dialogue::Reasoning => Task::ComplexReasoning,
    };
    task.instruction()
}

impl Suite for Scenes {
    /// VIG's instructions and the short questions.
    fn queries(&self) -> Vec<Query> {
        let mut queries = Vec::new();
        for group in self.groups() {
            let images: Vec<Arc<[u8]>> = group.iter().map(|picture| self.png(picture)).collect();
            let shown = || group.iter().zip(&images);
            for dialogue in Dialogue::ALL {
                queries.extend(shown().map(|(picture, image)| Query {
                    id: picture.id(dialogue, Writer::Vig),
                    image: QueryImage::Bytes(Arc::clone(image)),
                    prompt: instruction(dialogue).to_owned(),
                    mode: AnswerMode::Generate,
                }));
            }
            let most = group.iter().map(|picture| picture.questions.len()).max().unwrap_or(0);
            for number in 0..most {
                queries.extend(shown().map(|(picture, image)| Query {
                    id: picture.vqa_id(number),
                    image: QueryImage::Bytes(Arc::clone(image)),
                    prompt: SHORT_ANSWER.fill(&picture.questions[number].question),
                    mode: AnswerMode::Generate,
                }));
            }
        }
        queries
    }

    /// VIC's corrections of the drafts, and VIG's questions answered in one step.
    fn follow_ups(&self, answers: &HashMap<String, String>) -> Result<Vec<Query>> {
        let mut queries = Vec::new();
        for group in self.groups() {
            let images: Vec<Arc<[u8]>> = group.iter().map(|picture| self.png(picture)).collect();
            for dialogue in Dialogue::ALL {
                let drafts: Vec<_> = (group.iter().zip(&images))
                    .filter_map(|(picture, image)| {
                        Some((picture, image, draft(picture, dialogue, answers)?))
                    })
                    .collect();
                let query = |picture: &Picture, image: &Arc<[u8]>, writer, prompt, mode| Query {
                    id: picture.id(dialogue, writer),
                    image: QueryImage::Bytes(Arc::clone(image)),
                    prompt,
                    mode,
                };
                queries.extend(drafts.iter().map(|(picture, image, pair)| {
                    let QuestionAnswer { question, answer: draft } = pair.clone();
                    let mode = AnswerMode::Correct { question, draft };
                    query(picture, image, Writer::Vic, instruction(dialogue).to_owned(), mode)
                }));
                queries.extend(drafts.iter().map(|(picture, image, pair)| {
                    let prompt = one_step_prompt(dialogue, pair.clone());
                    query(picture, image, Writer::Once, prompt, AnswerMode::Generate)
                }));
            }
        }
        Ok(queries)
    }

    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        Ok(self.score(answers)?.findings())
    }
}

/// The prompt with which VIC starts, as a question of its own.
fn one_step_prompt(dialogue: Dialogue, pair: QuestionAnswer) -> String {
    let vic = Vic::for_question(instruction(dialogue), pair, Correction::default());
    vic.next_prompt().unwrap_or_default().to_owned()
}

/// Judges the answers to LLaVA-Eval's questions by the scenes of their images. The reference answers, which are true, get
/// 10. A missing answer counts as an empty one, and a question about an unknown scene gets no judgment.
#[must_use]
pub fn reviews(
    bench: &LlavaBench,
    scenes: &HashMap<String, Scene>,
    answers: &HashMap<String, String>,
) -> Vec<Review> {
    let review = |question: &Question| {
        let answer = answers.get(&question.id).map_or("", String::as_str);
        let scene = scenes.get(&question.image)?;
        let reference = vigc_scenes::QuestionAnswer {
            question: question.text.clone(),
            answer: question.reference.clone(),
        };
        let score = scene.score_answer(&reference, answer);
        let scores = ScorePair { reference: 10.0, candidate: score.points() };
        let content = format!(
            "10 {:.1}\n{} of {} sentences are true, {} of {} of the reference's statements are told.",
            scores.candidate,
            score.true_sentences,
            score.sentences,
            score.covered,
            score.statements
        );
        Some(Review {
            question_id: question.id.clone(),
            category: Some(question.category.clone()),
            content,
            scores: Some(scores),
        })
    };
    bench.questions().iter().filter_map(review).collect()
}

#[cfg(test)]
mod tests;
