//! An endpoint on this machine that fails on demand, several requests at a time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How one answer is spoilt.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A status with headers and a body.
    Status(u16, &'static str, &'static str),
    /// A body in place of a reply.
    Body(&'static str),
    /// The connection ends at once.
    Close,
    /// The connection ends within the body.
    Cut,
    /// Nothing comes until the client is gone.
    Stall,
    /// Half of the body comes, and then nothing until the client is gone.
    StallWithin,
    /// The body comes in such small pieces that it takes forever.
    Trickle,
    /// The reply comes after so many milliseconds.
    Late(u64),
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The last message.
    pub(crate) text: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
    pub(crate) at: Instant,
}

#[derive(Debug, Default)]
struct State {
    faults: BTreeMap<String, VecDeque<Fault>>,
    replies: BTreeMap<String, VecDeque<String>>,
    asked: Vec<Asked>,
    answered: BTreeMap<String, usize>,
    open: usize,
    most_open: usize,
    /// Requests that may begin within a span of time, and when those that did began.
    limit: Option<(usize, Duration)>,
    admitted: Vec<Instant>,
}

#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (state, is_over) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let shared = (Arc::clone(&state), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if shared.1.load(Ordering::Relaxed) {
                    break;
                }
                let state = Arc::clone(&shared.0);
                open.push(thread::spawn(move || drop(answer(&stream, &state))));
            }
            for thread in open {
                drop(thread.join());
            }
        });
        Self { address, state, is_over, thread: Some(thread) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Spoils the next answers to a text.
    pub(crate) fn spoil(&self, text: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.entry(text.to_owned()).or_default().extend(faults);
    }

    /// What is replied to a text, one after the other; what is left unsaid is an echo.
    pub(crate) fn reply(&self, text: &str, replies: &[&str]) {
        let replies = replies.iter().map(|&reply| reply.to_owned());
        self.state().replies.entry(text.to_owned()).or_default().extend(replies);
    }

    /// Answers 429 to more requests than that within a span of time.
    pub(crate) fn limit(&self, requests: usize, span: Duration) {
        self.state().limit = Some((requests, span));
    }

    /// The requests since this was asked last.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// How often each text was asked since the requests were taken.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for asked in self.take_asked() {
            *counts.entry(asked.text).or_default() += 1;
        }
        counts
    }

    /// How often each text got a reply, ever.
    pub(crate) fn answered(&self) -> BTreeMap<String, usize> {
        self.state().answered.clone()
    }

    /// How many requests were open at a time.
    pub(crate) fn most_open(&self) -> usize {
        self.state().most_open
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Answers one request; each has a connection of its own.
fn answer(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let Some(asked) = read_request(stream)? else { return Ok(()) };
    let (fault, reply) = take(&asked, &mut state.lock().unwrap());
    let sent = match fault {
        Some(fault) => spoilt(stream, &fault, &reply),
        None => send(stream, 200, "", &reply).map(|()| true),
    };
    let mut state = state.lock().unwrap();
    state.open -= 1;
    if sent? {
        *state.answered.entry(asked.text).or_default() += 1;
    }
    drop(state);
    stream.shutdown(std::net::Shutdown::Write)
}

fn take(asked: &Asked, state: &mut State) -> (Option<Fault>, String) {
    state.asked.push(asked.clone());
    state.open += 1;
    state.most_open = state.most_open.max(state.open);
    let text = asked.text.as_str();
    let mut fault = state.faults.get_mut(text).and_then(VecDeque::pop_front);
    if let Some((most, span)) = state.limit {
        state.admitted.retain(|at| at.elapsed() < span);
        if state.admitted.len() >= most {
            fault = Some(Fault::Status(429, "retry-after: 0.1\r\n", "too many"));
        } else {
            state.admitted.push(asked.at);
        }
    }
    let replies = state.replies.get_mut(text).filter(|_| fault.is_none());
    let said = replies.and_then(VecDeque::pop_front).unwrap_or_else(|| format!("re: {text}"));
    let reply = json!({
        "model": "judge-1",
        "choices": [{ "message": { "content": said }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 2 },
    });
    (fault, reply.to_string())
}

/// Sends what a fault makes of a reply, and says whether that is the reply.
fn spoilt(mut stream: &TcpStream, fault: &Fault, reply: &str) -> std::io::Result<bool> {
    let half = &reply.as_bytes()[..reply.len() / 2];
    let head = format!("HTTP/1.1 200 -\r\ncontent-length: {}\r\n\r\n", reply.len());
    match fault {
        Fault::Status(status, headers, body) => send(stream, *status, headers, body)?,
        Fault::Body(body) => send(stream, 200, "", body)?,
        Fault::Close => stream.shutdown(std::net::Shutdown::Both)?,
        Fault::Cut => {
            stream.write_all(head.as_bytes())?;
            stream.write_all(half)?;
        }
        Fault::Stall => drop(stream.read(&mut [0])),
        Fault::StallWithin => {
            stream.write_all(head.as_bytes())?;
            stream.write_all(half)?;
            drop(stream.read(&mut [0]));
        }
        Fault::Trickle => {
            stream.write_all(b"HTTP/1.1 200 -\r\ncontent-length: 1000000\r\n\r\n")?;
            while stream.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        }
        Fault::Late(milliseconds) => {
            thread::sleep(Duration::from_millis(*milliseconds));
            send(stream, 200, "", reply)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn send(mut stream: &TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} -\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn read_request(stream: &TcpStream) -> std::io::Result<Option<Asked>> {
    let at = Instant::now();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let Some(path) = line.split(' ').nth(1).map(str::to_owned) else { return Ok(None) };
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body)?;
    let messages = body["messages"].as_array().unwrap();
    let text = messages.last().unwrap()["content"].as_str().unwrap().to_owned();
    Ok(Some(Asked { text, path, authorization, body, at }))
}
