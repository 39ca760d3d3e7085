//! The files of a data set: COCO, LLaVA, VIGC, OKVQA, A-OKVQA and LLaVA-Eval.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use crate::attributes::Kind;
use crate::error::DatasetError;
use crate::sample::Split;
use crate::scene::{Object, Scene};
use crate::texts::{Dialogue, QuestionAnswer, Teller, VqaItem, VqaKind};

/// A picture of the data set.
pub(super) struct Sample {
    pub(super) id: u64,
    pub(super) split: Split,
    pub(super) seed: u64,
    pub(super) scene: Scene,
}

impl Sample {
    pub(super) fn file_name(&self) -> String {
        format!("{:012}.jpg", self.id)
    }

    pub(super) fn teller(&self) -> Teller<'_> {
        Teller::new(&self.scene, self.split, self.seed)
    }
}

/// The contents of COCO's files of instances and captions. They are written at the end, since each file holds several
/// lists.
pub(super) struct Coco {
    folder: PathBuf,
    split: Split,
    images: Vec<Value>,
    instances: Vec<Value>,
    captions: Vec<Value>,
}

impl Coco {
    pub(super) fn new(folder: &Path, split: Split) -> Self {
        let (images, instances, captions) = (Vec::new(), Vec::new(), Vec::new());
        Self { folder: folder.to_owned(), split, images, instances, captions }
    }

    pub(super) fn add(&mut self, sample: &Sample, side: u32, caption: &str) {
        let id = sample.id;
        self.images.push(json!({
            "id": id, "file_name": sample.file_name(), "width": side, "height": side,
        }));
        self.captions.push(json!({
            "id": self.captions.len() + 1, "image_id": id, "caption": caption,
        }));
        let masks = sample.scene.masks(side);
        for (index, object) in sample.scene.objects.iter().enumerate() {
            self.instances.push(json!({
                "id": self.instances.len() + 1,
                "image_id": id,
                "category_id": object.kind.index() + 1,
                "bbox": masks.bounding_box(index).unwrap_or_default(),
                "area": masks.area(index),
                "segmentation": { "size": [side, side], "counts": masks.run_lengths(index) },
                "iscrowd": 0,
                "color": object.color,
                "size": object.size,
                "position": object.cell.name(),
            }));
        }
    }

    pub(super) fn finish(self) -> Result<(), DatasetError> {
        let info = json!({ "description": format!("rendered scenes, {}", self.split.name()) });
        let categories: Vec<Value> = Kind::ALL
            .iter()
            .map(|kind| json!({ "id": kind.index() + 1, "name": kind.name(), "supercategory": "object" }))
            .collect();
        let instances = json!({
            "info": info,
            "images": self.images,
            "annotations": self.instances,
            "categories": categories,
        });
        let captions = json!({ "info": info, "images": self.images, "annotations": self.captions });
        for (name, value) in [("instances", instances), ("captions", captions)] {
            let path = self.folder.join(format!("{name}_{}.json", self.split.name()));
            fs::write(&path, value.to_string()).map_err(failed(&path))?;
        }
        Ok(())
    }
}

/// The number of turns of a conversation. The other dialogues have one.
const CONVERSATION_TURNS: usize = 3;

/// The turns of a dialogue, without repeated questions.
pub(super) fn turns(teller: &mut Teller<'_>, kind: Dialogue) -> Vec<QuestionAnswer> {
    let count = if kind == Dialogue::Conversation { CONVERSATION_TURNS } else { 1 };
    let mut turns: Vec<QuestionAnswer> = Vec::new();
    for _ in 0..count {
        let turn = teller.dialogue(kind);
        if turns.iter().all(|earlier| earlier.question != turn.question) {
            turns.push(turn);
        }
    }
    turns
}

pub(super) fn llava_row(sample: &Sample, turns: &[QuestionAnswer]) -> Value {
    let mut conversations = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        let image = if index == 0 { "<image>\n" } else { "" };
        let question = format!("{image}{}", turn.question);
        conversations.push(json!({ "from": "human", "value": question }));
        conversations.push(json!({ "from": "gpt", "value": turn.answer }));
    }
    json!({
        "id": format!("{:012}", sample.id),
        "image": sample.file_name(),
        "conversations": conversations,
    })
}

pub(super) fn vigc_row(
    sample: &Sample,
    kind: Dialogue,
    index: usize,
    turn: &QuestionAnswer,
) -> Value {
    json!({
        "image": sample.file_name(),
        "question": turn.question,
        "answer": [turn.answer],
        "dataset": format!("llava_{}.json", kind.name()),
        "question_id": format!("{:012}_{}_{index}", sample.id, kind.name()),
    })
}

/// Ten people answered each question of OKVQA and A-OKVQA.
const ANSWERS: usize = 10;

/// Up to one question of each kind.
pub(super) fn vqa_items(teller: &mut Teller<'_>) -> Vec<VqaItem> {
    VqaKind::ALL.into_iter().filter_map(|kind| teller.vqa_of(kind)).collect()
}

fn answers(item: &VqaItem) -> Vec<&str> {
    vec![item.answers[0].as_str(); ANSWERS]
}

pub(super) fn okvqa_row(sample: &Sample, index: usize, item: &VqaItem) -> Value {
    json!({
        "image": sample.file_name(),
        "question": item.question,
        "answer": answers(item),
        "question_id": question_id(sample, index),
        "question_type": item.kind,
    })
}

pub(super) fn aokvqa_row(sample: &Sample, index: usize, item: &VqaItem) -> Value {
    json!({
        "image_path": sample.file_name(),
        "question": item.question,
        "direct_answers": answers(item),
        "choices": item.choices,
        "correct_choice_idx": item.correct_choice_idx,
        "image_id": sample.id,
        "question_id": question_id(sample, index),
        "question_type": item.kind,
    })
}

fn question_id(sample: &Sample, index: usize) -> u64 {
    sample.id * 100 + index as u64
}

/// The open files of LLaVA-Eval.
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

    /// Adds a picture with its caption and bounding boxes.
    pub(super) fn picture(
        &mut self,
        sample: &Sample,
        caption: &str,
        side: u32,
    ) -> Result<(), DatasetError> {
        let masks = sample.scene.masks(side);
        let instance = |(index, object): (usize, &Object)| {
            let bbox = masks.bounding_box(index).unwrap_or_default();
            json!({ "category": object.kind.name(), "bbox": bbox })
        };
        let instances: Vec<_> = sample.scene.objects.iter().enumerate().map(instance).collect();
        self.contexts.push(&json!({
            "image": sample.file_name(), "captions": [caption], "instances": instances,
        }))
    }

    /// Adds a question with its reference answer.
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

/// LLaVA-Eval's name for a kind of dialogue.
fn category(kind: Dialogue) -> &'static str {
    match kind {
        Dialogue::Conversation => "conv",
        Dialogue::Detail => "detail",
        Dialogue::Reasoning => "complex",
    }
}

/// Writes the instructions for a language model that judges answers instead of [`Scene::score_answer`].
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
    fs::write(path, Value::Object(rules).to_string()).map_err(failed(path))
}

/// A file that holds one JSON array, with one item per line.
#[derive(Debug)]
pub(super) struct JsonList {
    lines: JsonLines,
    empty: bool,
}

impl JsonList {
    pub(super) fn create(path: &Path) -> Result<Self, DatasetError> {
        let mut lines = JsonLines::create(path)?;
        lines.write(b"[")?;
        Ok(Self { lines, empty: true })
    }

    pub(super) fn push(&mut self, item: &impl Serialize) -> Result<(), DatasetError> {
        let separator: &[u8] = if self.empty { b"\n" } else { b",\n" };
        self.empty = false;
        self.lines.write(separator)?;
        self.lines.write_json(item)
    }

    pub(super) fn finish(mut self) -> Result<(), DatasetError> {
        self.lines.write(b"\n]\n")?;
        self.lines.finish()
    }
}

/// A JSON Lines file.
#[derive(Debug)]
pub(super) struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl JsonLines {
    pub(super) fn create(path: &Path) -> Result<Self, DatasetError> {
        let file = File::create(path).map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    pub(super) fn push(&mut self, item: &impl Serialize) -> Result<(), DatasetError> {
        self.write_json(item)?;
        self.write(b"\n")
    }

    pub(super) fn finish(mut self) -> Result<(), DatasetError> {
        self.file.flush().map_err(failed(&self.path))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DatasetError> {
        self.file.write_all(bytes).map_err(failed(&self.path))
    }

    fn write_json(&mut self, item: &impl Serialize) -> Result<(), DatasetError> {
        let written = serde_json::to_writer(&mut self.file, item);
        written.map_err(|error| failed(&self.path)(error.into()))
    }
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> DatasetError {
    let path = path.to_owned();
    |source| DatasetError::Write { path, source }
}
