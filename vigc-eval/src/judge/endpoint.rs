//! Where the judge is.

use std::fmt;
use std::time::Duration;

use ureq::http::{HeaderValue, Uri};

use super::JudgeError;

/// A secret that is neither printed nor written to any file.
#[derive(Clone)]
pub struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

impl ApiKey {
    /// A key.
    ///
    /// # Errors
    ///
    /// [`JudgeError::Key`] if it is empty or holds characters that no header may have.
    pub fn new(key: &str) -> Result<Self, JudgeError> {
        let key = key.trim();
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic());
        if is_key { Ok(Self(key.to_owned())) } else { Err(JudgeError::Key) }
    }

    /// The key in an environment variable.
    ///
    /// # Errors
    ///
    /// [`JudgeError::NoKey`] if there is no such variable, or as [`new`](Self::new).
    pub fn from_env(variable: &str) -> Result<Self, JudgeError> {
        let key = std::env::var(variable);
        Self::new(&key.map_err(|_| JudgeError::NoKey { variable: variable.to_owned() })?)
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// A text without the key, which some endpoints repeat in their answers.
    pub(super) fn redact(&self, text: String) -> String {
        if text.contains(&self.0) { text.replace(&self.0, "[key]") } else { text }
    }
}

/// How long an endpoint may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the first byte of an answer, and from one to the next. Most models write all of it before.
    pub silence: Duration,
    /// Until the answer is complete.
    pub whole: Duration,
}

impl Default for Timeouts {
    /// 30 seconds, 3 and 10 minutes.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(30), silence: seconds(180), whole: seconds(600) }
    }
}

/// A server that has chat completions as `api.openai.com` does.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(super) address: String,
    pub(super) is_local: bool,
    pub(super) key: Option<ApiKey>,
    pub(super) timeouts: Timeouts,
}

impl Endpoint {
    /// A server without a key. Its address is what stands before `/chat/completions`, and mostly ends in
    /// `/v1`.
    ///
    /// # Errors
    ///
    /// [`JudgeError::Address`] if that is no web address, or holds more than host, port and path.
    pub fn new(address: &str) -> Result<Self, JudgeError> {
        let address = address.trim().trim_end_matches('/');
        // Names, passwords and queries are secrets: not even the error shows them.
        let shown = address.split('?').next().unwrap_or_default();
        let shown = shown.rsplit('@').next().unwrap_or_default();
        let wrong = || JudgeError::Address { address: shown.to_owned() };
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if !is_web || shown != address {
            return Err(wrong());
        }
        let is_local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let address = format!("{address}/chat/completions");
        Ok(Self { address, is_local, key: None, timeouts: Timeouts::default() })
    }

    /// Shows this key, to no other host.
    #[must_use]
    pub fn with_key(self, key: ApiKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Waits that long.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_web_and_holds_no_secret() {
        let address = |text: &str| Endpoint::new(text).map(|endpoint| endpoint.address);
        let expected = "https://api.test/v1/chat/completions";
        assert_eq!(address(" https://api.test/v1/ ").unwrap(), expected);
        assert_eq!(address("http://[::1]:80").unwrap(), "http://[::1]:80/chat/completions");
        for wrong in ["", "api.test/v1", "file:///etc", "https://", "https://a b/", "ftp://a/"] {
            assert!(matches!(address(wrong), Err(JudgeError::Address { .. })), "{wrong}");
        }
        for secret in ["https://me:pass-word@api.test/v1", "https://api.test/v1?key=pass-word"] {
            let error = address(secret).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("pass-word"), "{error}");
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = ApiKey::new(" sk-secret\n").unwrap();
        let endpoint = Endpoint::new("http://localhost").unwrap().with_key(key.clone());
        let header = key.header().unwrap();
        assert!(!format!("{key:?} {endpoint:?} {header:?}").contains("secret"));
        assert_eq!(header.to_str().unwrap(), "Bearer sk-secret");
        assert_eq!(key.redact("no sk-secret here".into()), "no [key] here");
        for wrong in ["", " ", "a b", "a\nb", "schlüssel"] {
            assert!(matches!(ApiKey::new(wrong), Err(JudgeError::Key)), "{wrong:?}");
        }
        let error = ApiKey::from_env("VIGC_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("VIGC_NO_SUCH_VARIABLE"), "{error}");
    }
}
