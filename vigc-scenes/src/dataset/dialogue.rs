//! Dialogues in LLaVA's and in VIGC's format.

use serde_json::{Value, json};

use super::super::{Dialogue, QuestionAnswer, Teller};
use super::Sample;

/// Turns of a conversation; the other dialogues have one.
const CONVERSATION_TURNS: usize = 3;

/// Different questions about one picture.
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

pub(super) fn llava(sample: &Sample, turns: &[QuestionAnswer]) -> Value {
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

pub(super) fn vigc(sample: &Sample, kind: Dialogue, index: usize, turn: &QuestionAnswer) -> Value {
    json!({
        "image": sample.file_name(),
        "question": turn.question,
        "answer": [turn.answer],
        "dataset": format!("llava_{}.json", kind.name()),
        "question_id": format!("{:012}_{}_{index}", sample.id, kind.name()),
    })
}
