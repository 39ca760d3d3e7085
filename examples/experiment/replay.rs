//! What a model said to the suite of scenes, said again with shorter corrections.
//!
//! A step of correction keeps one sentence and does not know how many may follow. So what a correction in three steps
//! writes are the first three sentences of one that goes on, and the model need not be asked again.

use vigc_eval::scenes::{BoxError, SceneModel, VigRow};
use vigc_pipeline::vision::image::RgbImage;
use vigc_scenes::{Dialogue, sentences};

/// What a model said to one of the suite's calls.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Drafts(Vec<Option<VigRow>>),
    Texts(Vec<String>),
}

/// Passes the suite's calls on, and keeps what is said to them.
pub(crate) struct Recorder<M> {
    model: M,
    replies: Vec<Reply>,
}

impl<M: SceneModel> Recorder<M> {
    pub(crate) fn new(model: M) -> Self {
        Self { model, replies: Vec::new() }
    }

    pub(crate) fn replies(&self) -> &[Reply] {
        &self.replies
    }

    fn keep(&mut self, texts: Vec<String>) -> Vec<String> {
        self.replies.push(Reply::Texts(texts.clone()));
        texts
    }
}

impl<M: SceneModel> SceneModel for Recorder<M> {
    fn vig(
        &mut self,
        pictures: &[RgbImage],
        dialogue: Dialogue,
    ) -> Result<Vec<Option<VigRow>>, BoxError> {
        let drafts = self.model.vig(pictures, dialogue)?;
        self.replies.push(Reply::Drafts(drafts.clone()));
        Ok(drafts)
    }

    fn vic(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        let texts = self.model.vic(pictures, dialogue, rows)?;
        Ok(self.keep(texts))
    }

    fn answer_once(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        let texts = self.model.answer_once(pictures, dialogue, rows)?;
        Ok(self.keep(texts))
    }

    fn short_answers(
        &mut self,
        pictures: &[&RgbImage],
        questions: &[&str],
    ) -> Result<Vec<String>, BoxError> {
        let texts = self.model.short_answers(pictures, questions)?;
        Ok(self.keep(texts))
    }
}

/// Says again what is on record, corrections with so many sentences at most.
pub(crate) struct Replay<'a> {
    replies: std::slice::Iter<'a, Reply>,
    steps: usize,
}

impl<'a> Replay<'a> {
    /// The suite has to be the one that the record was made with.
    pub(crate) fn new(replies: &'a [Reply], steps: usize) -> Self {
        Self { replies: replies.iter(), steps }
    }

    fn texts(&mut self) -> Result<Vec<String>, BoxError> {
        match self.replies.next() {
            Some(Reply::Texts(texts)) => Ok(texts.clone()),
            _ => Err("the record is of another suite".into()),
        }
    }
}

impl SceneModel for Replay<'_> {
    fn vig(&mut self, _: &[RgbImage], _: Dialogue) -> Result<Vec<Option<VigRow>>, BoxError> {
        match self.replies.next() {
            Some(Reply::Drafts(drafts)) => Ok(drafts.clone()),
            _ => Err("the record is of another suite".into()),
        }
    }

    fn vic(
        &mut self,
        _: &[&RgbImage],
        _: Dialogue,
        _: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        let steps = self.steps;
        let first = |text: String| sentences(&text).take(steps).collect::<Vec<_>>().join(" ");
        Ok(self.texts()?.into_iter().map(first).collect())
    }

    fn answer_once(
        &mut self,
        _: &[&RgbImage],
        _: Dialogue,
        _: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        self.texts()
    }

    fn short_answers(&mut self, _: &[&RgbImage], _: &[&str]) -> Result<Vec<String>, BoxError> {
        self.texts()
    }
}
