//! What ends a run.

use super::Problem;

/// Why a judge cannot be asked, or not any further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The address is none that requests can be sent to.
    #[error(
        "the address {address:?} is not http(s)://host/path without user name, password and query"
    )]
    Address {
        /// The address, without what may be secret.
        address: String,
    },
    /// The key is none.
    #[error("the key is empty, or holds spaces or characters beyond ASCII")]
    Key,
    /// There is no key.
    #[error("the environment has no variable {variable} that holds the key")]
    NoKey {
        /// The variable.
        variable: String,
    },
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] vigc_pipeline::Error),
    /// No request would do better. What was answered is in the journal, and another run asks for the rest.
    #[error("stopped with {done} of {total} requests done")]
    Stopped {
        /// Requests that ended.
        done: usize,
        /// All requests; equal ones count once.
        total: usize,
        /// Why.
        #[source]
        source: Box<Problem>,
    },
}
