//! Requests.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions of the model.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The text.
    pub content: String,
}

impl Message {
    /// Instructions of the model.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Role::System, content: content.into() }
    }

    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }
}

/// The parameters of all requests. Those that are not set are not sent, so that the endpoint uses its defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// The model, by the endpoint's name.
    pub model: String,
    /// The temperature of sampling; 0 for the most likely reply.
    pub temperature: Option<f64>,
    /// The longest reply, in tokens.
    pub max_tokens: Option<u32>,
    /// The seed of sampling, for endpoints that support it.
    pub seed: Option<u64>,
}

impl Parameters {
    /// A model with the endpoint's defaults.
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), temperature: None, max_tokens: None, seed: None }
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the results. It is not sent.
    pub id: String,
    /// The chat so far.
    pub messages: Vec<Message>,
    /// Count this up to make the same request again although there is a reply. It is added to the seed.
    pub repeat: u32,
}

impl Request {
    /// A request that is made for the first time.
    pub fn new(id: impl Into<String>, messages: Vec<Message>) -> Self {
        Self { id: id.into(), messages, repeat: 0 }
    }

    /// The body of the HTTP request.
    fn body(&self, parameters: &Parameters) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(flatten)]
            parameters: Sent<'a>,
            messages: &'a [Message],
        }
        #[derive(Serialize)]
        struct Sent<'a> {
            model: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            temperature: Option<f64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            max_tokens: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            seed: Option<u64>,
        }
        let Parameters { model, temperature, max_tokens, seed } = parameters;
        let seed = seed.map(|seed| seed.wrapping_add(u64::from(self.repeat)));
        let parameters = Sent { model, temperature: *temperature, max_tokens: *max_tokens, seed };
        let body = Body { parameters, messages: &self.messages };
        serde_json::to_vec(&body).expect("text and numbers can be serialized")
    }
}

/// The key of a request in the journal: a hash of the body and of the repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn new(body: &[u8], repeat: u32) -> Self {
        Self(Sha256::new().chain_update(body).chain_update(repeat.to_le_bytes()).finalize().into())
    }

    pub(super) fn hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A request, together with all that are equal to it.
#[derive(Debug)]
pub(super) struct Job<'a> {
    /// The first of them.
    pub(super) request: &'a Request,
    pub(super) fingerprint: Fingerprint,
    pub(super) body: Vec<u8>,
}

/// The distinct requests, in their order.
#[derive(Debug)]
pub(super) struct Jobs<'a> {
    pub(super) list: Vec<Job<'a>>,
    /// The job of each request.
    pub(super) places: Vec<usize>,
}

impl<'a> Jobs<'a> {
    pub(super) fn new(requests: &'a [Request], parameters: &Parameters) -> Self {
        let mut known = HashMap::new();
        let mut jobs = Self { list: Vec::new(), places: Vec::new() };
        for request in requests {
            let body = request.body(parameters);
            let fingerprint = Fingerprint::new(&body, request.repeat);
            let place = *known.entry(fingerprint).or_insert(jobs.list.len());
            jobs.places.push(place);
            if place == jobs.list.len() {
                jobs.list.push(Job { request, fingerprint, body });
            }
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(request: &Request, parameters: &Parameters) -> String {
        Fingerprint::new(&request.body(parameters), request.repeat).hex()
    }

    #[test]
    fn unset_parameters_are_not_sent() {
        let request = Request::new("a", vec![Message::system("S"), Message::user("é")]);
        let body = |parameters| String::from_utf8(request.body(&parameters)).unwrap();
        let messages =
            r#""messages":[{"role":"system","content":"S"},{"role":"user","content":"é"}]"#;
        assert_eq!(body(Parameters::new("m")), format!(r#"{{"model":"m",{messages}}}"#));
        let all = Parameters {
            temperature: Some(0.2),
            max_tokens: Some(1024),
            seed: Some(7),
            ..Parameters::new("m")
        };
        let expected =
            format!(r#"{{"model":"m","temperature":0.2,"max_tokens":1024,"seed":7,{messages}}}"#);
        assert_eq!(body(all), expected);
    }

    #[test]
    fn everything_that_changes_the_reply_changes_the_fingerprint() {
        let (request, parameters) =
            (Request::new("a", vec![Message::user("Q")]), Parameters::new("m"));
        let first = fingerprint(&request, &parameters);
        assert_eq!(first.len(), 64);
        let named = Request { id: "b".into(), ..request.clone() };
        assert_eq!(fingerprint(&named, &parameters), first);
        let requests = [
            Request { messages: vec![Message::user("q")], ..request.clone() },
            Request { messages: vec![Message::system("Q")], ..request.clone() },
            Request { repeat: 1, ..request.clone() },
        ];
        let changed = [
            Parameters::new("n"),
            Parameters { temperature: Some(0.0), ..parameters.clone() },
            Parameters { max_tokens: Some(1), ..parameters.clone() },
            Parameters { seed: Some(0), ..parameters.clone() },
        ];
        let others = requests.iter().map(|request| fingerprint(request, &parameters));
        let others = others.chain(changed.iter().map(|changed| fingerprint(&request, changed)));
        assert!(others.into_iter().all(|other| other != first));
    }
}
