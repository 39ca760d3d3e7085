//! The record of all requests that ended.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use vigc_core::Result;
use vigc_core::json_lines::{JsonLines, read_lines};

use super::reply::{Outcome, Reply};
use super::request::Fingerprint;

/// A JSON Lines file with a line for every request that ended: the hash of its body, its id, and the reply or the failure.
///
/// A request with a reply is not made again, whatever its id is. A changed request counts as a new one, and failed
/// requests are made again. A line is written as soon as the answer arrives, before anybody is told, so a killed run
/// loses at most the requests that were open.
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
    /// Continues a journal, or starts it. An incomplete last line is removed.
    ///
    /// # Errors
    ///
    /// [`InUse`](vigc_core::Error::InUse) if another process is writing to it,
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

    /// The number of requests with a reply.
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
