//! Replies, and how requests end.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problem::Problem;

/// The longest message of an endpoint in an error, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A reply of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Why it ended, usually `stop` or `length`.
    pub finish_reason: Option<String>,
    /// The model that wrote it, by the endpoint's name.
    pub model: Option<String>,
    /// The number of tokens, if the endpoint says so.
    pub usage: Option<Usage>,
}

/// The numbers of tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The tokens of the messages.
    pub prompt_tokens: u64,
    /// The tokens of the reply.
    pub completion_tokens: u64,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a reply.
    Reply(Reply),
    /// Without a reply, after all attempts. Another run tries again.
    Failure(Failure),
}

/// Why a request has no reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The last problem.
    pub problem: String,
    /// What the endpoint sent instead of a reply, as far as it arrived.
    pub raw: Option<String>,
    /// The number of attempts in this run.
    pub attempts: u32,
}

impl Reply {
    /// Reads the body of a successful answer.
    pub(super) fn parse(body: &str) -> Result<Self, Problem> {
        let invalid = |reason: String| Problem::InvalidReply { reason, raw: body.to_owned() };
        let Ok(answer) = serde_json::from_str::<Value>(body) else {
            return Err(invalid("is not JSON".into()));
        };
        let Some(choice) = answer.pointer("/choices/0") else {
            let says =
                endpoint_message(&answer).map_or(String::new(), |message| format!(": {message}"));
            return Err(invalid(format!("has no choices{says}")));
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let finish_reason = choice.get("finish_reason").and_then(text);
        let content = choice.pointer("/message/content").and_then(text).unwrap_or_default();
        if content.trim().is_empty() {
            let reason = finish_reason.as_deref().unwrap_or("unknown");
            return Err(invalid(format!("is empty (finish_reason: {reason})")));
        }
        let usage = answer.get("usage").cloned().map(serde_json::from_value);
        let (model, usage) = (answer.get("model").and_then(text), usage.and_then(Result::ok));
        Ok(Self { text: content, finish_reason, model, usage })
    }
}

/// The message of a failed endpoint, and whether the account's quota is used up.
pub(super) fn message(body: &str) -> (String, bool) {
    let answer = serde_json::from_str::<Value>(body).unwrap_or_default();
    let is = |key: &str| answer.pointer(key).is_some_and(|value| value == "insufficient_quota");
    let text = endpoint_message(&answer).unwrap_or_else(|| body.to_owned());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (text.chars().take(LONGEST_MESSAGE).collect(), is("/error/type") || is("/error/code"))
}

fn endpoint_message(answer: &Value) -> Option<String> {
    let places = ["/error/message", "/error", "/message", "/detail"];
    places.iter().find_map(|place| answer.pointer(place)?.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_the_first_choice() {
        let body = r#"  {"id": "x", "model": "m-1", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "8 7\nWhy"}}, {"message": {"content": "other"}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}}"#;
        let expected = Reply {
            text: "8 7\nWhy".into(),
            finish_reason: Some("stop".into()),
            model: Some("m-1".into()),
            usage: Some(Usage { prompt_tokens: 5, completion_tokens: 3 }),
        };
        assert_eq!(Reply::parse(body).unwrap(), expected);
        let little = Reply::parse(r#"{"choices": [{"message": {"content": "x"}}]}"#).unwrap();
        assert_eq!((little.finish_reason, little.model, little.usage), (None, None, None));
    }

    #[test]
    fn invalid_replies_are_described_and_kept() {
        for (body, expected) in [
            ("", "is not JSON"),
            ("<html>502</html>", "is not JSON"),
            (r#"{"choices": [{"message": {"content": "8 7"#, "is not JSON"),
            ("[]", "has no choices"),
            (r#"{"choices": []}"#, "has no choices"),
            (r#"{"error": {"message": "overloaded"}}"#, "has no choices: overloaded"),
            (r#"{"choices": [{"message": {"content": null}}]}"#, "is empty"),
            (
                r#"{"choices": [{"message": {"content": " "}, "finish_reason": "length"}]}"#,
                "is empty (finish_reason: length)",
            ),
        ] {
            let problem = Reply::parse(body).unwrap_err();
            assert!(problem.to_string().contains(expected), "{body}: {problem}");
            assert_eq!(problem.raw(), Some(body));
        }
    }

    #[test]
    fn the_message_of_the_endpoint_is_found() {
        for (body, expected, is_quota) in [
            (r#"{"error": {"message": "no\n such", "type": "x"}}"#, "no such", false),
            (r#"{"error": {"message": "pay", "type": "insufficient_quota"}}"#, "pay", true),
            (r#"{"error": {"message": "pay", "code": "insufficient_quota"}}"#, "pay", true),
            (r#"{"error": "plain"}"#, "plain", false),
            (r#"{"object": "error", "message": "vLLM's"}"#, "vLLM's", false),
            (r#"{"detail": "FastAPI's"}"#, "FastAPI's", false),
            ("<html>\n gateway", "<html> gateway", false),
            ("", "", false),
        ] {
            assert_eq!(message(body), (expected.to_owned(), is_quota), "{body}");
        }
    }
}
