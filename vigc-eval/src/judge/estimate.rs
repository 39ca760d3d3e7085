//! What requests would take, before any is made.

use super::job::Jobs;
use super::{Journal, Judge, Message, Request};

/// Characters of a token, roughly: about four in English.
const CHARACTERS: usize = 4;

/// The tokens that requests would take, estimated from their characters: a rough guess, and other languages
/// than English take more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenEstimate {
    /// The requests.
    pub requests: usize,
    /// The tokens of their messages, at four characters each.
    pub prompt_tokens: usize,
    /// The tokens of the replies at most, if their length has a limit.
    pub most_reply_tokens: Option<usize>,
}

impl Judge {
    /// The requests that a run would make now: those without a reply in the journal, equal ones once.
    #[must_use]
    pub fn pending<'a>(&self, requests: &'a [Request], journal: &Journal) -> Vec<&'a Request> {
        let jobs = Jobs::new(requests, &self.parameters).list.into_iter();
        let pending = jobs.filter(|job| journal.reply(job.fingerprint).is_none());
        pending.map(|job| job.request).collect()
    }

    /// What these requests would take.
    #[must_use]
    pub fn estimate(&self, requests: &[&Request]) -> TokenEstimate {
        let length = |message: &Message| message.content.chars().count();
        let tokens = |request: &&Request| {
            request.messages.iter().map(length).sum::<usize>().div_ceil(CHARACTERS)
        };
        let most = self.parameters.max_tokens.map(|most| most as usize * requests.len());
        TokenEstimate {
            requests: requests.len(),
            prompt_tokens: requests.iter().map(tokens).sum(),
            most_reply_tokens: most,
        }
    }
}
