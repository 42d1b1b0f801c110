//! A server that remembers what it was asked and answers what it was told to: what webhooks and chat services are tested
//! against.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::accept::Accepting;
use crate::error::Error;
use crate::http::{self, Request};

const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// How many requests are remembered.
const RECORD_LIMIT: usize = 100_000;

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Method.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// Headers in their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Received {
    /// The value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// How long it takes.
    pub delay: Duration,
}

impl Answer {
    /// An answer at once, without headers.
    #[must_use]
    pub fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned(), delay: Duration::ZERO }
    }
}

/// A running sink. Dropping it stops it.
#[derive(Debug)]
pub struct HttpSink {
    shared: Arc<Shared>,
    _accepting: Accepting,
    /// The loopback port.
    pub port: u16,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Vec<Received>>,
    /// What a request begins with, and what it is answered; the last answer stays.
    answers: Mutex<Vec<(String, VecDeque<Answer>)>>,
}

impl HttpSink {
    /// Starts one on a free port; it answers `200 {}` until it is told otherwise.
    pub fn start() -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let accepting = Accepting::start(usize::MAX, move |stream| {
            // A client that goes away in the middle is its own affair.
            serving.connection(stream).ok();
        })?;
        Ok(Self { shared, port: accepting.port, _accepting: accepting })
    }

    /// Its address, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Requests that begin so (`POST /hook`) are answered like this, one after another; the last answer stays.
    pub fn answer(&self, request: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut known = self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(prefix, _)| prefix != request);
        known.push((request.to_owned(), answers.into_iter().collect()));
        known.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENCE_LIMIT))?;
        stream.set_write_timeout(Some(SILENCE_LIMIT))?;
        let mut both = Both { reader: BufReader::new(stream.try_clone()?), writer: stream };
        let Some(request) = Request::read(&mut both)? else { return Ok(()) };
        let separator = if request.query.is_empty() { "" } else { "?" };
        let received = Received {
            target: format!("{}{separator}{}", request.path, request.query),
            headers: request.headers().to_vec(),
            method: request.method,
            body: String::from_utf8_lossy(&request.body).into_owned(),
        };
        let answer = self.answer_to(&format!("{} {}", received.method, received.target));
        {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            if requests.len() < RECORD_LIMIT {
                requests.push(received);
            }
        }
        thread::sleep(answer.delay);
        let mut headers = answer.headers.clone();
        headers.push(("Content-Length".to_owned(), answer.body.len().to_string()));
        let status = format!("{} Answered", answer.status);
        http::answer(&mut both.writer, &status, &headers, &mut answer.body.as_bytes())
    }

    fn answer_to(&self, request: &str) -> Answer {
        let mut known = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter_mut().find(|(prefix, _)| request.starts_with(prefix.as_str()));
        let answer = found.and_then(|(_, answers)| match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        });
        answer.unwrap_or_else(|| Answer::new(200, "{}"))
    }
}

/// Both directions of one connection.
struct Both {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Read for Both {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

impl io::BufRead for Both {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl Write for Both {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.writer.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
