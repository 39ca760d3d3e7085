//! One exchange with the endpoint.

use std::io::Read;
use std::time::{Duration, SystemTime};

use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{Request, Response};
use ureq::{Agent, Body, Proxy};

use super::reply::message;
use super::{Endpoint, Problem, Reply};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

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
            // The key is for this host alone.
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

    /// Asks once.
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
        let retry_after = retry_after.and_then(|text| wait(text, SystemTime::now()));
        // The status says enough if the rest does not come.
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

/// The wait of `Retry-After`: seconds, or until a date.
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    let seconds = text.trim().parse().ok().filter(|seconds: &f64| *seconds >= 0.0);
    let until = || httpdate::parse_http_date(text).ok();
    match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(wait) => Some(wait),
        None => Some(until()?.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, expected) in [
            ("20", Some(20.0)),
            (" 0 ", Some(0.0)),
            ("1.5", Some(1.5)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10.0)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10.0)),
            ("Sun Nov  6 08:49:47 1994", Some(10.0)),
            ("Sun, 06 Nov 1994 08:49:17 GMT", Some(0.0)),
            ("-3", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(wait(text, now).map(|wait| wait.as_secs_f64()), expected, "{text:?}");
        }
    }
}
