//! A peer in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::Result;
use super::ours::Work;

/// `peers/worker.py`, waiting for its next turn.
pub(super) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub(super) fn start(
        name: &str,
        work: Work,
        calls: Option<&str>,
        dtype: &str,
        threads: usize,
        layers: usize,
        folder: &Path,
    ) -> Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/worker.py");
        let mut child = Command::new("python3")
            .args([script, "--peer", name, "--dtype", dtype, "--threads", &threads.to_string()])
            .args(work.arguments())
            .args(calls.map(|calls| ["--calls", calls]).into_iter().flatten())
            .args(
                work.is_language()
                    .then(|| ["--layers".to_owned(), layers.to_string()])
                    .into_iter()
                    .flatten(),
            )
            .arg("--folder")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let requests = child.stdin.take().ok_or("no input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Self { child, requests, answers };
        match peer.line()?.trim() {
            "ready" => Ok(peer),
            other => Err(format!("it said {other:?}").into()),
        }
    }

    /// Lets it work once; the seconds that took.
    pub(super) fn run(&mut self) -> Result<f64> {
        writeln!(self.requests, "run")?;
        self.requests.flush()?;
        let line = self.line()?;
        let answer: Value = serde_json::from_str(&line)?;
        answer["seconds"].as_f64().ok_or_else(|| format!("it said {line:?}").into())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It waits for input that will not come.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
