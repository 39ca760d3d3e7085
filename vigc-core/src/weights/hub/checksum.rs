//! The hashes that the hub names for its files.

use std::fmt;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::repo::is_hex;

/// The hash of a file's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    /// The SHA-256 of a file in Git LFS or Xet.
    Sha256(String),
    /// The SHA-1 of a blob in git.
    GitBlob(String),
}

impl Checksum {
    /// Reads an `ETag`, if it is a hash.
    pub(super) fn from_etag(etag: &str) -> Option<Self> {
        let text = etag.trim().trim_start_matches("W/").trim_matches('"').to_lowercase();
        if is_hex(&text, 64) {
            Some(Self::Sha256(text))
        } else {
            is_hex(&text, 40).then_some(Self::GitBlob(text))
        }
    }

    /// The hexadecimal digits, which name the contents in the cache.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::GitBlob(text) => text,
        }
    }

    /// Starts to hash a file of `size` bytes.
    pub(super) fn hasher(&self, size: u64) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::GitBlob(_) => Hasher::GitBlob(Sha1::new_with_prefix(format!("blob {size}\0"))),
        }
    }
}

/// An unfinished hash.
pub(super) enum Hasher {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::GitBlob(hash) => hash.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Checksum {
        match self {
            Self::Sha256(hash) => Checksum::Sha256(format!("{:x}", hash.finalize())),
            Self::GitBlob(hash) => Checksum::GitBlob(format!("{:x}", hash.finalize())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const EMPTY_BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    /// `echo hello | git hash-object --stdin`.
    const HELLO_BLOB: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    #[test]
    fn an_etag_is_a_hash_or_nothing() {
        for etag in [format!("\"{EMPTY_BLOB}\""), format!("W/\"{EMPTY_BLOB}\"")] {
            assert_eq!(Checksum::from_etag(&etag), Some(Checksum::GitBlob(EMPTY_BLOB.to_owned())));
        }
        let sha256 = Checksum::from_etag(EMPTY_SHA256);
        assert_eq!(sha256, Some(Checksum::Sha256(EMPTY_SHA256.to_owned())));
        for etag in ["", "\"abc-1\"", "../../../etc/passwd"] {
            assert_eq!(Checksum::from_etag(etag), None, "{etag}");
        }
    }

    #[test]
    fn hashes_are_gits_and_sha256() {
        for (etag, content) in [(EMPTY_SHA256, ""), (EMPTY_BLOB, ""), (HELLO_BLOB, "hello\n")] {
            let expected = Checksum::from_etag(etag).unwrap();
            let mut hasher = expected.hasher(content.len() as u64);
            hasher.update(content.as_bytes());
            assert_eq!(hasher.finish(), expected);
        }
    }
}
