//! The prompts that a question is asked with.

use super::Entry;

/// A way to write a question with its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Template {
    /// VLMEvalKit's default (`dataset/image_mcq.py`, `build_prompt`).
    #[default]
    VlmEvalKit,
    /// LLaVA's (`model_vqa_mmbench.py`, `--single-pred-prompt`): it asks for the letter. Options
    /// end before the first that is `none`, as they do there.
    Llava,
}

impl Template {
    /// The whole prompt, without a mark for the picture.
    #[must_use]
    pub fn prompt(self, entry: &Entry) -> String {
        match self {
            Self::VlmEvalKit => vlm_eval_kit(entry),
            Self::Llava => llava(entry),
        }
    }
}

fn vlm_eval_kit(entry: &Entry) -> String {
    let hint = entry.hint.as_ref().map(|hint| format!("Hint: {hint}\n")).unwrap_or_default();
    let question = format!("{hint}Question: {}\n", entry.question);
    if entry.options.is_empty() {
        return question;
    }
    let options: String =
        entry.options.iter().map(|(letter, text)| format!("{letter}. {text}\n")).collect();
    // The space before the end of the line is VLMEvalKit's.
    format!(
        "{question}Options:\n{options}Please select the correct answer from the options above. \n"
    )
}

fn llava(entry: &Entry) -> String {
    let mut lines: Vec<String> = entry.hint.iter().filter(|hint| !is_none(hint)).cloned().collect();
    lines.push(entry.question.clone());
    let texts = ('A'..='D').map_while(|letter| entry.option(letter).filter(|text| !is_none(text)));
    lines.extend(('A'..).zip(texts).map(|(letter, text)| format!("{letter}. {text}")));
    lines.push("Answer with the option's letter from the given choices directly.".to_owned());
    lines.join("\n")
}

/// What LLaVA takes for nothing, beside empty cells.
fn is_none(text: &str) -> bool {
    ["nan", "none"].contains(&text.to_lowercase().as_str())
}
