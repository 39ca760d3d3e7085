//! Short questions in OKVQA's and in A-OKVQA's format.

use serde_json::{Value, json};

use super::super::{Teller, VqaItem, VqaKind};
use super::Sample;

/// As many people answer each question in the data sets that these files look like.
const ANSWERS: usize = 10;

/// At most one question of each kind.
pub(super) fn items(teller: &mut Teller<'_>) -> Vec<VqaItem> {
    VqaKind::ALL.into_iter().filter_map(|kind| teller.vqa_of(kind)).collect()
}

fn answers(item: &VqaItem) -> Vec<&str> {
    vec![item.answers[0].as_str(); ANSWERS]
}

pub(super) fn okvqa(sample: &Sample, index: usize, item: &VqaItem) -> Value {
    json!({
        "image": sample.file_name(),
        "question": item.question,
        "answer": answers(item),
        "question_id": question_id(sample, index),
        "question_type": item.kind,
    })
}

pub(super) fn aokvqa(sample: &Sample, index: usize, item: &VqaItem) -> Value {
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
