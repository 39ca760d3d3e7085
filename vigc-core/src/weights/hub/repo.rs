//! Names of repositories and of files in them.

use std::fmt;
use std::str::FromStr;

use crate::Error;

const BRANCH: &str = "main";

/// A repository at a revision: `owner/name` or `owner/name@revision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoId {
    owner: String,
    name: String,
    revision: String,
}

impl RepoId {
    /// The same repository at a branch, a tag or a commit.
    ///
    /// # Errors
    ///
    /// [`Error::RepoId`] if it is not a valid name of a revision.
    pub fn with_revision(self, revision: &str) -> Result<Self, Error> {
        format!("{}/{}@{revision}", self.owner, self.name).parse()
    }

    /// Owner and name without the revision.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The branch, tag or commit; `main` by default.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    pub(super) fn folder_name(&self) -> String {
        format!("models--{}--{}", self.owner, self.name)
    }
}

impl FromStr for RepoId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (path, revision) = text.split_once('@').unwrap_or((text, BRANCH));
        let parts = path.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        match parts.filter(|_| is_inside(revision)) {
            Some((owner, name)) => Ok(Self {
                owner: owner.to_owned(),
                name: name.to_owned(),
                revision: revision.to_owned(),
            }),
            None => Err(Error::RepoId { name: text.to_owned() }),
        }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, name, revision } = self;
        match revision.as_str() {
            BRANCH => write!(f, "{owner}/{name}"),
            _ => write!(f, "{owner}/{name}@{revision}"),
        }
    }
}

/// The hub's rule for names. `--` stands for the slash in the cache.
fn is_name(part: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: char| part.starts_with(c) || part.ends_with(c);
    (1..=96).contains(&part.len())
        && part.chars().all(is_known)
        && !ends('.')
        && !ends('-')
        && !part.contains("--")
        && !part.contains("..")
}

/// Whether a relative path stays in its folder, on every operating system.
pub(super) fn is_inside(name: &str) -> bool {
    let is_strange = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    !name.chars().any(is_strange) && name.split('/').all(is_plain)
}

/// Whether this is a hash, of a commit or of a file.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_owner_name_and_revision() {
        for text in ["a/b", "Salesforce/instructblip-vicuna-7b", "a/b@v1.0", "a/b@refs/pr/1"] {
            assert_eq!(text.parse::<RepoId>().unwrap().to_string(), text);
        }
        let repo = "a/b@main".parse::<RepoId>().unwrap();
        assert_eq!((repo.to_string().as_str(), repo.revision()), ("a/b", "main"));
        assert_eq!(repo.with_revision("v2").unwrap().to_string(), "a/b@v2");
    }

    #[test]
    fn what_could_leave_the_cache_is_no_repository() {
        let cases = [
            "", "a", "/b", "a/", "a/b/c", "../b", "a/..", "a--b/c", "a/b@", "a/b@../x", "a/b@/x",
            "a/b@x//y", "a b/c", "./b", "a/b@x\\y",
        ];
        for text in cases {
            assert!(text.parse::<RepoId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn files_stay_in_their_folder() {
        for name in ["a.json", "qformer_tokenizer/vocab.txt", "a..b"] {
            assert!(is_inside(name), "{name}");
        }
        for name in ["", "/a", "../a", "a/../b", "a/./b", "a\\b", "c:/a", "a/", "a\0"] {
            assert!(!is_inside(name), "{name:?}");
        }
    }
}
