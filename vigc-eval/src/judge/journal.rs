//! The record of what was answered.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::request::Fingerprint;
use super::{Outcome, Reply};
use vigc_pipeline::Result;
use vigc_pipeline::vigc::{JsonLines, read_lines};

/// Every request that ended, a line each in a JSONL file: the hash of what was sent, the request's name, and
/// the reply or the failure. What has a reply is not asked again, whatever it is called; changed requests are
/// other ones, and failures are asked anew.
///
/// A line is written when its answer has come, before anybody hears of it, so that a killed run loses at most
/// the requests that were open.
#[derive(Debug)]
pub struct Journal {
    lines: JsonLines,
    replies: HashMap<String, Reply>,
}

#[derive(Serialize)]
struct Line<'a> {
    request: &'a str,
    id: &'a str,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

#[derive(Deserialize)]
struct OwnedLine {
    request: String,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Journal {
    /// Goes on with a journal, or begins it. An unfinished last line is removed.
    ///
    /// # Errors
    ///
    /// [`InUse`](vigc_core::Error::InUse) if another process writes to it,
    /// [`Write`](vigc_core::Error::Write) if it cannot be written,
    /// [`Line`](vigc_core::Error::Line) if a line is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let lines = JsonLines::append_to(path)?;
        let mut replies = HashMap::new();
        for line in read_lines::<OwnedLine>(lines.path())? {
            let OwnedLine { request, outcome } = line?;
            if let Outcome::Reply(reply) = outcome {
                replies.insert(request, reply);
            }
        }
        Ok(Self { lines, replies })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.lines.path()
    }

    /// How many requests have a reply.
    #[must_use]
    pub fn replies(&self) -> usize {
        self.replies.len()
    }

    pub(super) fn reply(&self, fingerprint: Fingerprint) -> Option<&Reply> {
        self.replies.get(&fingerprint.hex())
    }

    pub(super) fn append(
        &mut self,
        fingerprint: Fingerprint,
        id: &str,
        outcome: &Outcome,
    ) -> Result<()> {
        let request = fingerprint.hex();
        self.lines.write(&Line { request: &request, id, outcome })?;
        if let Outcome::Reply(reply) = outcome {
            self.replies.insert(request, reply.clone());
        }
        Ok(())
    }
}
