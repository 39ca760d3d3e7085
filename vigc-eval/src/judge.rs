//! A language model as a judge, behind any endpoint with the chat completions API of `api.openai.com`.
//!
//! A [`Judge`] makes several requests at a time, repeats those that fail, and keeps every reply in a [`Journal`], so that
//! no request is paid for twice.
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

mod endpoint;
mod journal;
mod problem;
mod reply;
mod request;
mod run;

pub use endpoint::{ApiKey, Endpoint, Timeouts};
pub use journal::Journal;
pub use problem::{JudgeError, Problem};
pub use reply::{Failure, Outcome, Reply, Usage};
pub use request::{Message, Parameters, Request, Role};
pub use run::{EndedRequest, Judge, TokenEstimate};
