//! The folder of one repository in the cache, in the layout of `huggingface_hub`.
//!
//! ```text
//! models--owner--name/blobs/HASH                    contents
//! models--owner--name/blobs/HASH.incomplete         contents of an unfinished download
//! models--owner--name/snapshots/COMMIT/config.json  a link to its contents
//! models--owner--name/refs/main                     the branch's commit
//! .locks/models--owner--name/HASH.lock              held by the process that writes the contents
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::checksum::Checksum;
use super::repo::{RepoId, is_hex};
use crate::error::HubError;
use crate::files::partial_path;

#[derive(Debug)]
pub(super) struct RepoCache {
    root: PathBuf,
    locks: PathBuf,
}

impl RepoCache {
    pub(super) fn new(cache: &Path, repo: &RepoId) -> Self {
        let name = repo.folder_name();
        Self { root: cache.join(&name), locks: cache.join(".locks").join(name) }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    pub(super) fn blob(&self, checksum: &Checksum) -> PathBuf {
        self.root.join("blobs").join(checksum.as_str())
    }

    pub(super) fn partial(&self, checksum: &Checksum) -> PathBuf {
        self.root.join("blobs").join(format!("{}.incomplete", checksum.as_str()))
    }

    /// The commit of a revision when it was last fetched.
    pub(super) fn commit(&self, repo: &RepoId) -> Option<String> {
        let stored = fs::read_to_string(self.reference(repo)).ok();
        let commit =
            stored.map_or_else(|| repo.revision().to_owned(), |text| text.trim().to_owned());
        Some(commit).filter(|commit| is_hex(commit, 40))
    }

    /// Stores the commit of a revision.
    pub(super) fn set_commit(&self, repo: &RepoId, commit: &str) -> Result<(), HubError> {
        if repo.revision() == commit || self.commit(repo).as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference(repo);
        let write = || {
            make_parent(&path)?;
            let temporary = partial_path(&path);
            fs::write(&temporary, commit)?;
            fs::rename(temporary, &path)
        };
        write().map_err(HubError::cache(&path))
    }

    fn reference(&self, repo: &RepoId) -> PathBuf {
        self.root.join("refs").join(repo.revision())
    }

    /// Whether a file of a commit is complete.
    pub(super) fn has(&self, commit: &str, name: &str) -> bool {
        self.snapshot(commit).join(name).is_file()
    }

    /// The complete files of a commit.
    pub(super) fn names(&self, commit: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        collect(&self.snapshot(commit), "", &mut names);
        names
    }

    /// Locks some contents until the file is dropped. Waits for another process that holds the lock.
    pub(super) fn lock(&self, checksum: &Checksum) -> Result<File, HubError> {
        let path = self.locks.join(format!("{}.lock", checksum.as_str()));
        let lock = || {
            make_parent(&path)?;
            let file = File::options().create(true).append(true).open(&path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => {
                    tracing::warn!(
                        "another process is downloading the same file; waiting for {}",
                        path.display()
                    );
                    file.lock()?;
                }
                Err(TryLockError::Error(error)) => return Err(error),
                Ok(()) => {}
            }
            make_parent(&self.blob(checksum))?;
            Ok(file)
        };
        lock().map_err(HubError::cache(&path))
    }

    /// Links a file of a commit to its contents.
    pub(super) fn link(
        &self,
        checksum: &Checksum,
        commit: &str,
        name: &str,
    ) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(name);
        let link = || {
            make_parent(&path)?;
            let temporary = partial_path(&path);
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // Links are relative, as Python's are, so the cache can be moved.
            let up = "../".repeat(2 + name.split('/').count() - 1);
            make_link(
                &self.blob(checksum),
                &format!("{up}blobs/{}", checksum.as_str()),
                &temporary,
            )?;
            fs::rename(temporary, &path)
        };
        link().map_err(HubError::cache(&path))
    }
}

#[cfg(unix)]
fn make_link(_blob: &Path, relative: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(relative, link)
}

/// Symbolic links need a privilege on other systems.
#[cfg(not(unix))]
fn make_link(blob: &Path, _relative: &str, link: &Path) -> io::Result<()> {
    fs::hard_link(blob, link).or_else(|_| fs::copy(blob, link).map(drop))
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn collect(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(part) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{part}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), &format!("{name}/"), names),
            _ if entry.path().is_file() => names.extend([name]),
            _ => {}
        }
    }
}
