//! One file from the server, resumed where it was cut off.

use std::io::{ErrorKind, Read};
use std::path::Path;

use ureq::http::StatusCode;

use super::client::{Client, Metadata};
use super::partial::{CHUNK, Partial};
use super::{Problem, Progress};

#[derive(Debug)]
pub(super) struct Download<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) commit: &'a str,
    pub(super) name: &'a str,
    pub(super) metadata: &'a Metadata,
}

impl Download<'_> {
    /// Writes to `partial` what is not there yet and renames it to `blob` when it is whole and right.
    pub(super) fn run(
        &self,
        partial: &Path,
        blob: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(), Problem> {
        let mut file = Partial::open(partial, self.metadata)?;
        progress.update(self.name, file.len(), self.metadata.size);
        let mut furthest = file.len();
        let mut patience = self.client.retries().begin();
        while file.len() < self.metadata.size {
            let Err(problem) = self.transfer(&mut file, progress) else { continue };
            // Measured against the furthest point, a server that starts anew each time is given up on.
            if file.len() > furthest {
                furthest = file.len();
                patience = self.client.retries().begin();
            }
            if !patience.waits_after(&problem) {
                if matches!(problem, Problem::Size { .. }) {
                    file.delete()?;
                }
                return Err(problem);
            }
        }
        file.finish(blob)
    }

    /// Asks for the rest of the file once and takes what comes.
    fn transfer(&self, file: &mut Partial<'_>, progress: &mut dyn Progress) -> Result<(), Problem> {
        let response = match self.client.open(self.commit, self.name, file.len()) {
            Err(Problem::Status { status, .. })
                if status == StatusCode::RANGE_NOT_SATISFIABLE && file.len() > 0 =>
            {
                file.restart()?;
                self.client.open(self.commit, self.name, 0)
            }
            answer => answer,
        }?;
        if response.status() != StatusCode::PARTIAL_CONTENT && file.len() > 0 {
            file.restart()?;
        }
        let mut body = response.into_body().into_reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match body.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(Problem::Connection)?,
            };
            if read == 0 {
                break;
            }
            file.append(&chunk[..read])?;
            progress.update(self.name, file.len(), self.metadata.size);
        }
        match (file.len(), self.metadata.size) {
            (found, expected) if found < expected => Err(Problem::Size { expected, found }),
            _ => Ok(()),
        }
    }
}
