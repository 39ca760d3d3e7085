//! From a question to a prompt, and from a prompt to the tokens around its image.

use serde::{Deserialize, Serialize};
use vigc_llm::tokenizer::TextTokenizer;

use crate::model::PromptTokens;
use crate::{Error, Result};

/// What stands for the image in a prompt.
pub const IMAGE: &str = "<image>";

/// How a question becomes a prompt, named as in LLaVA's `conversation.py`, whose texts models were trained with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Template {
    /// A user asks an assistant: LLaVA 1.5 and later.
    #[default]
    VicunaV1,
    /// The same with a human: the first LLaVA on Vicuna v1.
    LlavaV1,
    /// The user's turn alone, without an introduction: what Hugging Face's model cards show.
    UserAssistant,
    /// The image alone, as in pretraining (`preprocess_plain`): the question is left out.
    Plain,
}

impl Template {
    /// The prompt of a question about an image, for which `image` stands. A question that has no `<image>` gets it before
    /// itself, on a line of its own.
    #[must_use]
    pub fn prompt(self, question: &str, image: &str) -> String {
        let introduction = match self {
            Self::VicunaV1 => introduction("user"),
            Self::LlavaV1 => introduction("human"),
            Self::UserAssistant => String::new(),
            Self::Plain => return image.to_owned(),
        };
        let question = match question.contains(IMAGE) {
            true => question.replace(IMAGE, image),
            false => format!("{image}\n{question}"),
        };
        format!("{introduction}USER: {question} ASSISTANT:")
    }
}

fn introduction(asker: &str) -> String {
    format!(
        "A chat between a curious {asker} and an artificial intelligence assistant. \
         The assistant gives helpful, detailed, and polite answers to the {asker}'s questions. "
    )
}

/// Cuts a prompt at `<image>` and tokenizes both parts.
///
/// A tokenizer that has the token `image_token` for it reads the prompt as a whole, as Hugging Face's processor
/// does; with any other each part is a text of its own, as in the original program (`tokenizer_image_token`).
/// For LLaMA's tokenizer, which marks the beginning of every part, that is the same.
///
/// # Errors
///
/// [`Error::Llm`](crate::Error::Llm) if the prompt cannot be tokenized or does not hold `<image>` once.
pub fn tokenize_around_image(
    tokenizer: &TextTokenizer,
    prompt: &str,
    image_token: Option<u32>,
) -> Result<PromptTokens> {
    let known = image_token.filter(|&id| tokenizer.token_id(IMAGE) == Some(id));
    let parts = match known {
        Some(id) => {
            let ids = tokenizer.encode(prompt)?;
            ids.split(|&token| token == id).map(<[u32]>::to_vec).collect()
        }
        None => {
            let mut parts = prompt
                .split(IMAGE)
                .map(|part| tokenizer.encode_pieces(part))
                .collect::<Result<Vec<_>, _>>()?;
            parts[0].insert(0, tokenizer.bos_id());
            parts
        }
    };
    let [before, after] = <[_; 2]>::try_from(parts).map_err(|parts: Vec<_>| {
        let (prompt, found) = (prompt.to_owned(), parts.len() - 1);
        Error::ImagePlaceholders { prompt, placeholder: IMAGE, found }
    })?;
    Ok(PromptTokens { before, after, ..PromptTokens::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_stands_before_a_question_that_does_not_place_it() {
        let prompt = Template::VicunaV1.prompt("Why?", IMAGE);
        assert!(prompt.ends_with("questions. USER: <image>\nWhy? ASSISTANT:"), "{prompt}");
        let placed = Template::LlavaV1.prompt("Why <image>?", "<im_start><image><im_end>");
        assert!(placed.ends_with(" USER: Why <im_start><image><im_end>? ASSISTANT:"), "{placed}");
        assert_eq!(Template::Plain.prompt("Why?", IMAGE), IMAGE);
        let bare = Template::UserAssistant.prompt("Why?", IMAGE);
        assert_eq!(bare, "USER: <image>\nWhy? ASSISTANT:");
    }
}
