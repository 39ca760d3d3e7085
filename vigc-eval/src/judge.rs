//! A language model as a judge: any endpoint that has chat completions as `api.openai.com` does.
//!
//! ```no_run
//! use vigc_eval::judge::{ApiKey, Endpoint, Journal, Judge, Message, Parameters, Request};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::new("https://api.openai.com/v1")?
//!     .with_key(ApiKey::from_env("OPENAI_API_KEY")?);
//! let judge = Judge::new(endpoint, Parameters::new("gpt-4-0314")).with_requests_per_minute(60);
//! let mut journal = Journal::open("judged.jsonl")?;
//! let requests = [Request::new("0", vec![Message::user("Which answer is better?")])];
//! let outcomes = judge.ask(&requests, &mut journal, &mut |_| {})?;
//! # Ok(())
//! # }
//! ```

mod client;
mod endpoint;
mod error;
mod estimate;
mod job;
mod journal;
mod pace;
mod problem;
mod queue;
mod reply;
mod request;
mod retries;

use serde::{Deserialize, Serialize};

use client::Client;
pub use endpoint::{ApiKey, Endpoint, Timeouts};
pub use error::JudgeError;
pub use estimate::TokenEstimate;
pub use journal::Journal;
pub use problem::Problem;
pub use reply::{Reply, Usage};
pub use request::{Message, Parameters, Request, Role};
pub use retries::Retries;

const THREADS: usize = 4;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a reply.
    Reply(Reply),
    /// Without one, after all attempts. Another run asks again.
    Failure(Failure),
}

/// Why a request has no reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The last problem.
    pub problem: String,
    /// What the endpoint sent instead of a reply, as far as it came.
    pub raw: Option<String>,
    /// How often it was asked in this run.
    pub attempts: u32,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The request that ended, by its name.
    pub id: &'a str,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// Whether an earlier run had the reply.
    pub is_recorded: bool,
    /// Requests that ended, this one included; equal ones count once.
    pub done: usize,
    /// All requests; equal ones count once.
    pub total: usize,
}

/// An endpoint with everything that a request to it depends on.
#[derive(Debug)]
pub struct Judge {
    client: Client,
    parameters: Parameters,
    retries: Retries,
    requests_per_minute: Option<u32>,
    threads: usize,
}

impl Judge {
    /// Four requests at a time, as many a minute as it takes.
    #[must_use]
    pub fn new(endpoint: Endpoint, parameters: Parameters) -> Self {
        let client = Client::new(endpoint);
        let retries = Retries::default();
        Self { client, parameters, retries, requests_per_minute: None, threads: THREADS }
    }

    /// Begins no more requests a minute than this, retries included, evenly spaced.
    #[must_use]
    pub fn with_requests_per_minute(self, requests: u32) -> Self {
        Self { requests_per_minute: Some(requests.max(1)), ..self }
    }

    /// Keeps that many requests open at a time, at least one.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Tries that often when the endpoint fails.
    #[must_use]
    pub fn with_retries(self, retries: Retries) -> Self {
        Self { retries, ..self }
    }

    /// What goes with every request.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}
