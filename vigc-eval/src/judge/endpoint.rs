//! The endpoint, and one exchange with it.

use std::fmt;
use std::io::Read;
use std::time::{Duration, SystemTime};

use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body, Proxy};
use vigc_core::retry::parse_retry_after;

use super::problem::{JudgeError, Problem};
use super::reply::{Reply, message};

/// A secret key. It is neither printed nor written to a file.
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
    /// [`JudgeError::Key`] if it is empty or has characters that a header cannot have.
    pub fn new(key: &str) -> Result<Self, JudgeError> {
        let key = key.trim();
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic());
        if is_key { Ok(Self(key.to_owned())) } else { Err(JudgeError::Key) }
    }

    /// The key in an environment variable.
    ///
    /// # Errors
    ///
    /// [`JudgeError::NoKey`] if the variable is not set, and the errors of [`new`](Self::new).
    pub fn from_env(variable: &str) -> Result<Self, JudgeError> {
        let key = std::env::var(variable);
        Self::new(&key.map_err(|_| JudgeError::NoKey { variable: variable.to_owned() })?)
    }

    fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Removes the key from a text. Some endpoints repeat it in their answers.
    fn redact(&self, text: String) -> String {
        if text.contains(&self.0) { text.replace(&self.0, "[key]") } else { text }
    }
}

/// How long an endpoint may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The time until there is a connection.
    pub connect: Duration,
    /// The time until the first byte of an answer, and between two reads. Most models finish the reply before that byte.
    pub silence: Duration,
    /// The time until the answer is complete.
    pub whole: Duration,
}

impl Default for Timeouts {
    /// 30 seconds, 3 minutes and 10 minutes.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(30), silence: seconds(180), whole: seconds(600) }
    }
}

/// A server with the chat completions API of `api.openai.com`.
#[derive(Debug, Clone)]
pub struct Endpoint {
    address: String,
    is_local: bool,
    key: Option<ApiKey>,
    timeouts: Timeouts,
}

impl Endpoint {
    /// A server without a key. The address is the part before `/chat/completions`, and usually ends in `/v1`.
    ///
    /// # Errors
    ///
    /// [`JudgeError::Address`] if it is not a web address, or has more than host, port and path.
    pub fn new(address: &str) -> Result<Self, JudgeError> {
        let address = address.trim().trim_end_matches('/');
        // User names, passwords and queries are secret, so the error does not show them.
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

    /// Sets the key. It is sent to no other host.
    #[must_use]
    pub fn with_key(self, key: ApiKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Sets the timeouts.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }
}

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// A client of an endpoint.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    endpoint: Endpoint,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let (timeouts, is_local) = (endpoint.timeouts, endpoint.is_local);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The key must not be sent to another host.
            .max_redirects(0)
            .proxy(Proxy::try_from_env().filter(|_| !is_local))
            .user_agent(concat!("vigc/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(timeouts.connect))
            .timeout_connect(Some(timeouts.connect))
            .timeout_per_read(Some(timeouts.silence))
            .timeout_per_write(Some(timeouts.silence))
            .timeout_per_call(Some(timeouts.whole))
            .build();
        Self { agent: config.into(), endpoint }
    }

    /// Makes one request.
    pub(super) fn exchange(&self, body: &[u8]) -> Result<Reply, Problem> {
        let mut request =
            Request::post(&self.endpoint.address).header(CONTENT_TYPE, "application/json");
        if let Some(header) = self.endpoint.key.as_ref().and_then(|key| key.header()) {
            request = request.header(AUTHORIZATION, header);
        }
        let request = request.body(body).map_err(ureq::Error::from)?;
        let answer = self.agent.run(request)?;
        if answer.status().is_success() {
            return Reply::parse(&self.text(answer)?);
        }
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| parse_retry_after(text, SystemTime::now()));
        // The status is enough if the body does not arrive.
        let raw = self.text(answer).unwrap_or_default();
        let (message, is_quota) = message(&raw);
        Err(Problem::Status { status, message, is_quota, retry_after, raw })
    }

    fn text(&self, answer: Response<Body>) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        let mut body = answer.into_body().into_reader().take(LONGEST_ANSWER);
        body.read_to_end(&mut bytes).map_err(ureq::Error::from)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(match &self.endpoint.key {
            Some(key) => key.redact(text),
            None => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_web_address_without_secrets() {
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
