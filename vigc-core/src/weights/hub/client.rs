//! Requests to the hub, and the hosts that get the token.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, RANGE,
    RETRY_AFTER,
};
use ureq::http::{Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use super::checksum::Checksum;
use super::repo::{RepoId, is_hex};
use super::settings::{Settings, Token};
use crate::error::HubError;
use crate::retry::{RetryPolicy, RetryState, parse_retry_after};

/// The most redirects of one request.
const MOST_REDIRECTS: usize = 8;
/// The longest silence of a server.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest list of files, in bytes.
const LONGEST_LISTING: u64 = 32 << 20;

const COMMIT_DIGITS: usize = 40;

/// Characters that are escaped in a part of an address.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The files of a repository at one commit.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) commit: String,
    pub(super) names: BTreeSet<String>,
}

/// The hash and the size of a file, known before it is fetched.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) checksum: Checksum,
    pub(super) size: u64,
}

/// Whether a redirect to another host is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OtherHosts {
    Follow,
    Stop,
}

#[derive(Debug)]
pub(super) struct Client<'a> {
    agent: Agent,
    endpoint: Uri,
    base: String,
    token: Option<&'a Token>,
    retries: RetryPolicy,
    repo: &'a RepoId,
}

impl<'a> Client<'a> {
    pub(super) fn new(settings: &'a Settings, repo: &'a RepoId) -> Result<Self, HubError> {
        let base = settings.endpoint.trim_end_matches('/').to_owned();
        let endpoint = base.parse().ok().filter(is_web);
        let endpoint = endpoint.ok_or_else(|| HubError::Endpoint { endpoint: base.clone() })?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(settings.proxy.clone())
            .user_agent(concat!("vigc/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(TIMEOUT))
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            .timeout_per_read(Some(TIMEOUT))
            .build();
        let (token, retries) = (settings.token.as_ref(), settings.retries);
        Ok(Self { agent: config.into(), endpoint, base, token, retries, repo })
    }

    pub(super) fn retries(&self) -> RetryPolicy {
        self.retries
    }

    /// Asks for the commit of the revision, and its files.
    pub(super) fn listing(&self) -> Result<Listing, HubError> {
        #[derive(Deserialize)]
        struct Answer {
            sha: String,
            siblings: Vec<Sibling>,
        }
        #[derive(Deserialize)]
        struct Sibling {
            rfilename: String,
        }
        let revision = utf8_percent_encode(self.repo.revision(), ESCAPED);
        let address = format!("{}/api/models/{}/revision/{revision}", self.base, self.repo.path());
        let text = self.retry(|| {
            let response = self.send(&Method::GET, &address, 0, OtherHosts::Follow)?;
            let body = response.into_body().into_with_config().limit(LONGEST_LISTING);
            body.read_to_vec().map_err(connection)
        })?;
        let answer: Answer = serde_json::from_slice(&text).map_err(HubError::Listing)?;
        if !is_hex(&answer.sha, COMMIT_DIGITS) {
            return Err(HubError::Answer { lacks: "commit" });
        }
        let names = answer.siblings.into_iter().map(|sibling| sibling.rfilename);
        Ok(Listing { commit: answer.sha, names: names.collect() })
    }

    /// Asks for the hash and the size of a file. The hub answers also for files that another host stores.
    pub(super) fn metadata(&self, commit: &str, name: &str) -> Result<Metadata, HubError> {
        let address = self.address(commit, name);
        let answer = self.retry(|| self.send(&Method::HEAD, &address, 0, OtherHosts::Stop))?;
        let header = |name: &str| answer.headers().get(name)?.to_str().ok();
        let etag = header("x-linked-etag").or_else(|| header(ETAG.as_str()));
        // The length of a redirect is not that of the file.
        let own = header(CONTENT_LENGTH.as_str()).filter(|_| answer.status().is_success());
        let size = header("x-linked-size").or(own).and_then(|size| size.parse().ok());
        Ok(Metadata {
            checksum: etag
                .and_then(Checksum::from_etag)
                .ok_or(HubError::Answer { lacks: "etag that is a hash" })?,
            size: size.ok_or(HubError::Answer { lacks: "size" })?,
        })
    }

    /// Requests a file from a byte on. The status says whether the server began there.
    pub(super) fn open(
        &self,
        commit: &str,
        name: &str,
        from: u64,
    ) -> Result<Response<Body>, HubError> {
        let answer =
            self.send(&Method::GET, &self.address(commit, name), from, OtherHosts::Follow)?;
        let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let begins = |range: &str| range.trim().starts_with(&format!("bytes {from}-"));
        if answer.status() == StatusCode::PARTIAL_CONTENT && !range.is_some_and(begins) {
            return Err(HubError::Answer { lacks: "part that was asked for" });
        }
        Ok(answer)
    }

    /// Repeats a request until it succeeds or fails for good.
    fn retry<T>(&self, mut attempt: impl FnMut() -> Result<T, HubError>) -> Result<T, HubError> {
        let mut state = self.retries.start();
        loop {
            match attempt() {
                Err(error) if wait_after(&error, &mut state) => {}
                done => return done,
            }
        }
    }

    fn address(&self, commit: &str, name: &str) -> String {
        let parts = name.split('/').map(|part| utf8_percent_encode(part, ESCAPED).to_string());
        let name = parts.collect::<Vec<_>>().join("/");
        format!("{}/{}/resolve/{commit}/{name}", self.base, self.repo.path())
    }

    /// Sends one request. Redirects are followed here, because another host must not get the token.
    fn send(
        &self,
        method: &Method,
        address: &str,
        from: u64,
        others: OtherHosts,
    ) -> Result<Response<Body>, HubError> {
        let mut uri: Uri = address.parse().map_err(|_| redirect(address))?;
        for _ in 0..=MOST_REDIRECTS {
            let mut request = Request::builder().method(method).uri(&uri);
            // A compressed answer would have another length than the file.
            request = request.header(ACCEPT_ENCODING, "identity");
            if from > 0 {
                request = request.header(RANGE, format!("bytes={from}-"));
            }
            if let Some(Token(token)) = self.token.filter(|_| is_same_host(&uri, &self.endpoint)) {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let request = request.body(()).map_err(|error| connection(error.into()))?;
            let answer = self.agent.run(request).map_err(connection)?;
            if !answer.status().is_redirection() {
                return checked(answer);
            }
            let location = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok());
            let location = location.unwrap_or_default();
            let next = target(&uri, location).ok_or_else(|| redirect(location))?;
            if others == OtherHosts::Stop && !is_same_host(&uri, &next) {
                return Ok(answer);
            }
            uri = next;
        }
        Err(redirect(&uri.to_string()))
    }
}

/// Waits before another attempt. Returns false if there is none.
pub(super) fn wait_after(error: &HubError, state: &mut RetryState) -> bool {
    if !error.is_transient() {
        return false;
    }
    let Some(wait) = state.fail(error.retry_after()) else { return false };
    tracing::warn!("{error}; trying again in {:.1} s", wait.as_secs_f32());
    thread::sleep(wait);
    true
}

fn checked(answer: Response<Body>) -> Result<Response<Body>, HubError> {
    let status = answer.status();
    match status.as_u16() {
        _ if status.is_success() => Ok(answer),
        401 | 403 | 404 => Err(HubError::Denied { status: status.as_u16() }),
        status => {
            let text = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = text.and_then(|text| parse_retry_after(text, SystemTime::now()));
            Err(HubError::Status { status, retry_after })
        }
    }
}

fn connection(error: ureq::Error) -> HubError {
    HubError::Connection(error.into_io())
}

fn redirect(location: &str) -> HubError {
    // The query of a signed address is a secret.
    let location = location.split('?').next().unwrap_or_default().to_owned();
    HubError::Redirect { location }
}

fn is_web(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
}

fn is_same_host(one: &Uri, other: &Uri) -> bool {
    let host = |uri: &Uri| uri.host().unwrap_or_default().to_lowercase();
    let port = |uri: &Uri| {
        uri.port_u16().or(match uri.scheme_str() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        })
    };
    one.scheme() == other.scheme() && host(one) == host(other) && port(one) == port(other)
}

/// The address that a redirect leads to.
fn target(from: &Uri, location: &str) -> Option<Uri> {
    let address = match location {
        _ if location.starts_with("//") => format!("{}:{location}", from.scheme_str()?),
        _ if location.starts_with('/') => {
            format!("{}://{}{location}", from.scheme_str()?, from.authority()?)
        }
        _ => location.to_owned(),
    };
    address.parse().ok().filter(is_web)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_absolute_or_of_the_same_host() {
        let from = "https://hub.test:8443/a/b".parse().unwrap();
        let cases = [
            ("https://cdn.test/x?y=1", Some("https://cdn.test/x?y=1")),
            ("//cdn.test/x", Some("https://cdn.test/x")),
            ("/x", Some("https://hub.test:8443/x")),
            ("x", None),
            ("file:///etc/passwd", None),
            ("", None),
        ];
        for (location, expected) in cases {
            let found = target(&from, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn a_host_is_scheme_name_and_port() {
        let hub: Uri = "https://Hub.test/a".parse().unwrap();
        for (other, expected) in [
            ("https://hub.test/b", true),
            ("https://hub.test:443/", true),
            ("http://hub.test/", false),
            ("https://hub.test:8443/", false),
            ("https://cdn.hub.test/", false),
            ("https://hub.test@evil.test/", false),
        ] {
            assert_eq!(is_same_host(&hub, &other.parse().unwrap()), expected, "{other}");
        }
    }
}
