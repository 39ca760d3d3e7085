//! Numbers that stand for values.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number for a value, the same for equal ones in every run of a program.
pub(super) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
