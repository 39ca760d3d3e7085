//! LLaVA-Eval about a split's pictures, in the files that it is published as.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::super::{Dialogue, QuestionAnswer};
use super::json_list::JsonLines;
use super::{DatasetError, Sample, failed};

/// The open files.
pub(super) struct LlavaBench {
    questions: JsonLines,
    references: JsonLines,
    contexts: JsonLines,
    count: usize,
}

impl LlavaBench {
    pub(super) fn create(folder: &Path) -> Result<Self, DatasetError> {
        let folder = folder.join("llava_bench");
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        write_rules(&folder.join("rule.json"))?;
        let lines = |name: &str| JsonLines::create(&folder.join(name));
        Ok(Self {
            questions: lines("qa90_questions.jsonl")?,
            references: lines("qa90_gpt4_answer.jsonl")?,
            contexts: lines("caps_boxes_coco2014_val_80.jsonl")?,
            count: 0,
        })
    }

    /// Adds a picture with its caption and boxes.
    pub(super) fn picture(
        &mut self,
        sample: &Sample,
        caption: &str,
        side: u32,
    ) -> Result<(), DatasetError> {
        let masks = sample.scene.masks(side);
        let instance = |(index, object): (usize, &super::super::Object)| {
            let bbox = masks.bounding_box(index).unwrap_or_default();
            json!({ "category": object.kind.name(), "bbox": bbox })
        };
        let instances: Vec<_> = sample.scene.objects.iter().enumerate().map(instance).collect();
        self.contexts.push(&json!({
            "image": sample.file_name(), "captions": [caption], "instances": instances,
        }))
    }

    /// Adds a question with its true answer.
    pub(super) fn question(
        &mut self,
        sample: &Sample,
        kind: Dialogue,
        turn: &QuestionAnswer,
    ) -> Result<(), DatasetError> {
        let id = self.count;
        self.count += 1;
        self.questions.push(&json!({
            "question_id": id,
            "image": sample.file_name(),
            "text": turn.question,
            "category": category(kind),
        }))?;
        self.references.push(&json!({ "question_id": id, "text": turn.answer }))
    }

    pub(super) fn finish(self) -> Result<(), DatasetError> {
        self.questions.finish()?;
        self.references.finish()?;
        self.contexts.finish()
    }
}

/// What LLaVA-Eval calls a kind of dialogue.
fn category(kind: Dialogue) -> &'static str {
    match kind {
        Dialogue::Conversation => "conv",
        Dialogue::Detail => "detail",
        Dialogue::Reasoning => "complex",
    }
}

/// What a language model is told that judges in the place of the scenes' own judge.
fn write_rules(path: &Path) -> Result<(), DatasetError> {
    let rules: serde_json::Map<_, _> = Dialogue::ALL
        .into_iter()
        .map(|kind| {
            let prompt = "Two assistants answered the question about a picture that you know by its caption and \
                boxes. Mark each answer from 1 to 10 for being true of the picture, complete and to the point. \
                Write both marks on the first line with a space between them, the first assistant's first, and your \
                reasons below.";
            (category(kind).to_owned(), json!({ "role": "Assistant", "prompt": prompt }))
        })
        .collect();
    fs::write(path, serde_json::Value::Object(rules).to_string()).map_err(failed(path))
}
