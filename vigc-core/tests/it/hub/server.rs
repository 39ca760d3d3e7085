//! A hub of one repository on this machine, with a second host for large files, that fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(super) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(super) const REPO: &str = "owner/name";

/// What the list of files is called where a fault is ordered.
pub(super) const LISTING: &str = "listing";

/// More requests than any test makes.
const MOST_REQUESTS: usize = 200;

/// How one answer is spoilt.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// The connection ends after so many bytes.
    Cut(usize),
    /// A whole answer with so many bytes.
    Short(usize),
    /// Another first byte.
    WrongBytes,
    /// The whole file, whatever part was asked for.
    NoRange,
    /// Nothing but a status.
    Status(u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Hub,
    Cdn,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) host: Host,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) from: Option<u64>,
    pub(super) token: Option<String>,
    pub(super) is_data: bool,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    listed: Vec<String>,
    commit: String,
    token: Option<String>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    requests: Vec<Request>,
}

#[derive(Debug)]
pub(super) struct Server {
    hub: SocketAddr,
    state: Arc<Mutex<State>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    pub(super) fn new(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
        let state = State { files: files.collect(), commit: COMMIT.to_owned(), ..State::default() };
        let (state, is_over) = (Arc::new(Mutex::new(state)), Arc::new(AtomicBool::new(false)));
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (hub, cdn) = (listen(), listen());
        let (hub_address, cdn_address) = (hub.local_addr().unwrap(), cdn.local_addr().unwrap());
        let threads = [(hub, Host::Hub), (cdn, Host::Cdn)].map(|(listener, host)| {
            let (state, is_over) = (state.clone(), is_over.clone());
            listener.set_nonblocking(true).unwrap();
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    match listener.accept() {
                        Ok((stream, _)) => drop(answer(&stream, host, cdn_address, &state)),
                        Err(_) => thread::sleep(Duration::from_millis(2)),
                    }
                }
            })
        });
        Self { hub: hub_address, state, is_over, threads: threads.into() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.hub)
    }

    /// Spoils the next answers with a file's contents.
    pub(super) fn spoil(&self, file: &str, faults: &[Fault]) {
        self.state().faults.insert(file.to_owned(), faults.iter().copied().collect());
    }

    /// Lists a file that is not there.
    pub(super) fn list(&self, name: &str) {
        self.state().listed.push(name.to_owned());
    }

    pub(super) fn set_commit(&self, commit: &str) {
        commit.clone_into(&mut self.state().commit);
    }

    pub(super) fn require_token(&self, token: &str) {
        self.state().token = Some(token.to_owned());
    }

    /// The requests since this was asked last.
    pub(super) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// What the hub calls a file: by SHA-256 if it is large, else as git does.
pub(super) fn hash(name: &str, bytes: &[u8]) -> String {
    if is_large(name) {
        return format!("{:x}", Sha256::digest(bytes));
    }
    let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    format!("{:x}", Sha1::digest(blob))
}

fn is_large(name: &str) -> bool {
    [".safetensors", ".bin", ".pth"].iter().any(|ending| name.ends_with(ending))
}

fn answer(
    stream: &TcpStream,
    host: Host,
    cdn: SocketAddr,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let request = read_request(stream, host)?;
    let mut state = state.lock().unwrap();
    let mut reply = reply(&request, cdn, &mut state);
    let is_data = request.method == "GET" && reply.status < 300 && reply.file != LISTING;
    state.requests.push(Request { is_data, ..request.clone() });
    if state.requests.len() > MOST_REQUESTS {
        return Ok(());
    }
    let mut end = usize::MAX;
    let spoilt = (request.method == "GET").then(|| state.faults.get_mut(&reply.file)).flatten();
    match spoilt.filter(|_| reply.status < 300).and_then(VecDeque::pop_front) {
        Some(Fault::Status(status)) => reply = Reply::status(status),
        Some(Fault::Cut(bytes)) => end = bytes,
        Some(Fault::Short(bytes)) => reply.body.truncate(bytes),
        Some(Fault::WrongBytes) => reply.body[0] ^= 1,
        Some(Fault::NoRange) => {
            reply.status = 200;
            reply.body.clone_from(&state.files[&reply.file]);
        }
        None => {}
    }
    drop(state);
    reply.send(&request, end, stream)
}

fn read_request(stream: &TcpStream, host: Host) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request { host, method, path, from: None, token: None, is_data: false };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=").and_then(|value| value.strip_suffix('-'));
                request.from = Some(from.unwrap().parse().unwrap());
            }
            "authorization" => request.token = value.strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    Ok(request)
}

#[derive(Debug, Default)]
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    file: String,
}

impl Reply {
    fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    fn send(&self, request: &Request, end: usize, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} -\r\nconnection: close\r\n", self.status);
        head += &format!("content-length: {}\r\n", self.body.len());
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if request.method != "HEAD" {
            stream.write_all(&self.body[..end.min(self.body.len())])?;
        }
        stream.shutdown(std::net::Shutdown::Write)
    }
}

fn reply(request: &Request, cdn: SocketAddr, state: &mut State) -> Reply {
    if request.host == Host::Hub && state.token.is_some() && state.token != request.token {
        return Reply::status(401);
    }
    let path = request.path.as_str();
    if path == format!("/api/models/{REPO}/revision/main") {
        let names = state.files.keys().chain(&state.listed);
        let siblings = names.map(|name| serde_json::json!({ "rfilename": name }));
        let siblings = siblings.collect::<Vec<_>>();
        let body = serde_json::json!({ "sha": state.commit, "siblings": siblings }).to_string();
        let file = LISTING.to_owned();
        return Reply { status: 200, body: body.into_bytes(), file, ..Reply::default() };
    }
    let (resolve, stored) = (format!("/{REPO}/resolve/{COMMIT}/"), "/stored/");
    let found = |prefix: &str| {
        let name = path.strip_prefix(prefix)?;
        Some((name.to_owned(), state.files.get(name)?))
    };
    // As the hub does: small files lie elsewhere on the same host, large ones on another.
    match (request.host, found(&resolve), found(stored)) {
        (Host::Hub, Some((name, bytes)), _) => {
            let (status, host, etag) = match is_large(&name) {
                true => (302, format!("http://{cdn}"), "x-linked-etag"),
                false => (307, String::new(), "etag"),
            };
            let headers = vec![
                ("x-repo-commit", COMMIT.to_owned()),
                (etag, format!("\"{}\"", hash(&name, bytes))),
                ("x-linked-size", bytes.len().to_string()),
                ("location", format!("{host}{stored}{name}")),
            ];
            Reply { status, headers, ..Reply::default() }
        }
        (_, _, Some((name, bytes))) => contents(request, name, bytes),
        _ => Reply::status(404),
    }
}

fn contents(request: &Request, name: String, bytes: &[u8]) -> Reply {
    let from = usize::try_from(request.from.unwrap_or(0)).unwrap();
    if from >= bytes.len() && from > 0 {
        return Reply::status(416);
    }
    let mut headers = vec![("etag", format!("\"{}\"", hash(&name, bytes)))];
    let mut status = 200;
    if request.from.is_some() {
        status = 206;
        let (last, len) = (bytes.len() - 1, bytes.len());
        headers.push(("content-range", format!("bytes {from}-{last}/{len}")));
    }
    Reply { status, headers, body: bytes[from..].to_vec(), file: name }
}
