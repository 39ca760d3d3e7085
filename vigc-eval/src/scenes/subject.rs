//! VIG and VIC with a visual language model, as the suite asks for them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use image::RgbImage;

use super::suite::{BoxError, SceneModel, VigRow};
use vigc_pipeline::prompt::Task;
use vigc_pipeline::prompt::qa_text::{QuestionAnswer, parse_strict};
use vigc_pipeline::prompt::templates::SHORT_ANSWER;
use vigc_pipeline::vigc::{
    Correction, Generated, GenerationConfig, GenerationHint, Request, Vic, VisualLm,
};
use vigc_scenes::Dialogue;

/// Pictures that are kept encoded.
const KEPT: usize = 64;

/// A model under settings of decoding and correction.
#[derive(Debug)]
pub struct Subject<'a, M: VisualLm + ?Sized> {
    model: &'a M,
    decoding: GenerationConfig,
    correction: Correction,
    encoded: HashMap<u64, M::Image>,
}

impl<'a, M: VisualLm + ?Sized> Subject<'a, M>
where
    M::Image: Clone,
{
    /// Asks `model` with these settings.
    #[must_use]
    pub fn new(model: &'a M, decoding: GenerationConfig, correction: Correction) -> Self {
        Self { model, decoding, correction, encoded: HashMap::new() }
    }

    /// The encoded pictures, each encoded once while the suite is at them.
    fn encode(&mut self, pictures: &[&RgbImage]) -> Result<Vec<M::Image>, BoxError> {
        let keys: Vec<u64> = pictures.iter().map(|picture| key(picture)).collect();
        let mut new: Vec<(u64, RgbImage)> = Vec::new();
        for (&key, picture) in keys.iter().zip(pictures) {
            if !self.encoded.contains_key(&key) && new.iter().all(|(other, _)| *other != key) {
                new.push((key, (*picture).clone()));
            }
        }
        if !new.is_empty() {
            if self.encoded.len() > KEPT {
                self.encoded.retain(|key, _| keys.contains(key));
            }
            let (new_keys, images): (Vec<_>, Vec<_>) = new.into_iter().unzip();
            self.encoded.extend(new_keys.into_iter().zip(self.model.encode(&images)?));
        }
        Ok(keys.iter().map(|key| self.encoded[key].clone()).collect())
    }

    /// The best text for each prompt.
    fn ask(&self, images: &[M::Image], prompts: &[String]) -> Result<Vec<Generated>, BoxError> {
        self.ask_hinted(images, prompts, &vec![GenerationHint::default(); prompts.len()])
    }

    /// As [`ask`](Self::ask), with what is known of each text.
    fn ask_hinted(
        &self,
        images: &[M::Image],
        prompts: &[String],
        hints: &[GenerationHint<'_>],
    ) -> Result<Vec<Generated>, BoxError> {
        let requests: Vec<_> = (images.iter().zip(prompts).zip(hints))
            .map(|((image, prompt), &hint)| Request::new(image, prompt).with_hint(hint))
            .collect();
        let rows = self.model.generate(&requests, &self.decoding)?;
        let best = rows.into_iter().filter_map(|row| row.into_iter().next());
        Ok(best.collect())
    }

    fn correctors(&self, dialogue: Dialogue, rows: &[&VigRow]) -> Vec<Vic> {
        let instruction = task_of(dialogue).instruction();
        let pair = |row: &VigRow| QuestionAnswer {
            question: row.question.clone(),
            answer: row.answer.clone(),
        };
        rows.iter().map(|row| Vic::for_question(instruction, pair(row), self.correction)).collect()
    }
}

/// The task whose instruction asks for a kind of text about scenes.
fn task_of(dialogue: Dialogue) -> Task {
    match dialogue {
        Dialogue::Conversation => Task::Conversation,
        Dialogue::Detail => Task::DetailDescription,
        Dialogue::Reasoning => Task::ComplexReasoning,
    }
}

fn key(picture: &RgbImage) -> u64 {
    let mut hasher = DefaultHasher::new();
    picture.as_raw().hash(&mut hasher);
    hasher.finish()
}

impl<M: VisualLm + ?Sized> SceneModel for Subject<'_, M>
where
    M::Image: Clone,
{
    fn vig(
        &mut self,
        pictures: &[RgbImage],
        dialogue: Dialogue,
    ) -> Result<Vec<Option<VigRow>>, BoxError> {
        let images = self.encode(&pictures.iter().collect::<Vec<_>>())?;
        let prompt = task_of(dialogue).instruction().to_owned();
        let texts = self.ask(&images, &vec![prompt; images.len()])?;
        let row = |text: Generated| {
            let QuestionAnswer { question, answer } = parse_strict(&text.text).ok()?;
            Some(VigRow { question, answer })
        };
        Ok(texts.into_iter().map(row).collect())
    }

    fn vic(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        let images = self.encode(pictures)?;
        let mut vics = self.correctors(dialogue, rows);
        loop {
            let open: Vec<usize> =
                (0..vics.len()).filter(|&i| vics[i].next_prompt().is_some()).collect();
            if open.is_empty() {
                break;
            }
            let prompt = |&i: &usize| vics[i].next_prompt().unwrap_or_default().to_owned();
            let prompts: Vec<String> = open.iter().map(prompt).collect();
            let images: Vec<M::Image> = open.iter().map(|&i| images[i].clone()).collect();
            let hints: Vec<GenerationHint<'_>> = open.iter().map(|&i| vics[i].hint()).collect();
            let texts = self.ask_hinted(&images, &prompts, &hints)?;
            if texts.len() != open.len() {
                return Err("the model left a prompt unanswered".into());
            }
            for (i, text) in open.into_iter().zip(texts) {
                vics[i].accept(&text);
            }
        }
        let answer = |vic: Vic| vic.finish().map(|row| row.answer).unwrap_or_default();
        Ok(vics.into_iter().map(answer).collect())
    }

    fn answer_once(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        let images = self.encode(pictures)?;
        let first = |vic: &Vic| vic.next_prompt().unwrap_or_default().to_owned();
        let prompts: Vec<String> = self.correctors(dialogue, rows).iter().map(first).collect();
        Ok(self.ask(&images, &prompts)?.into_iter().map(|text| text.text).collect())
    }

    fn short_answers(
        &mut self,
        pictures: &[&RgbImage],
        questions: &[&str],
    ) -> Result<Vec<String>, BoxError> {
        let images = self.encode(pictures)?;
        let prompts: Vec<String> = questions.iter().map(|q| SHORT_ANSWER.fill(q)).collect();
        Ok(self.ask(&images, &prompts)?.into_iter().map(|text| text.text).collect())
    }
}
