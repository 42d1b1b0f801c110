//! Streams over HTTP: an object a line, or server-sent events.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tonic::Status;

use super::answer::{Body, http_status, put_metadata, stream_error};
use super::call::Messages;
use super::{APPLICATION_SERVICE, parameter};
use crate::route::Route;
use crate::transcode::protobuf::{Reader, Value};
use crate::transcode::{self, Fields};

/// How long an event stream may be silent before a comment keeps proxies from closing it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the client asked for.
pub(super) struct Wish {
    pub(super) route: &'static Route,
    pub(super) fields: Option<Fields>,
    /// Server-sent events instead of lines.
    pub(super) events: bool,
    pub(super) download: Option<Download>,
}

/// Logs as a text file.
pub(super) struct Download {
    name: String,
}

impl Download {
    /// The file that the query of a log request asks for.
    pub(super) fn of(route: &Route, query: &str) -> Option<Self> {
        if route.service != APPLICATION_SERVICE
            || route.method != "PodLogs"
            || parameter(query, "download") != "true"
        {
            return None;
        }
        let parts = ["namespace", "podName", "container"].map(|name| parameter(query, name));
        let name =
            if parts.iter().all(|part| is_resource_name(part)) { parts.join("-") } else { "log".to_owned() };
        Some(Self { name })
    }
}

/// A Kubernetes name: it may stand in a header as it is.
fn is_resource_name(name: &str) -> bool {
    let is_inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let is_end =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    bytes.len() <= 253
        && bytes.iter().all(|byte| is_inner(*byte))
        && is_end(bytes.first())
        && is_end(bytes.last())
}

/// What comes next on a stream.
enum Next {
    Part(Vec<u8>),
    KeepAlive,
    Failed(Status),
    End,
}

struct Parts {
    wish: Wish,
    messages: Messages,
    /// A hash of the last payload of each application: tens of thousands of payloads would be too much to keep.
    sent: HashMap<Vec<u8>, u64>,
    hasher: RandomState,
    clock: Option<Interval>,
}

/// The answer, once the first message is there: before it nothing is sent, because it may be an error.
pub(super) async fn respond(wish: Wish, messages: Result<Messages, Status>) -> Response<Body> {
    let messages = match messages {
        Ok(messages) => messages,
        Err(status) => return failed(&wish, &status),
    };
    let clock = wish.events.then(|| {
        let mut clock = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        clock
    });
    let mut response = Response::new(());
    put_metadata(response.headers_mut(), &messages.metadata);
    put_headers(&mut response, &wish);
    let mut parts = Parts { wish, messages, sent: HashMap::new(), hasher: RandomState::new(), clock };
    let first = match parts.next().await {
        Next::Failed(status) if parts.wish.download.is_none() => return failed(&parts.wish, &status),
        first => first,
    };
    let frames = async_stream::stream! {
        let mut next = first;
        loop {
            let (bytes, more) = parts.bytes(next);
            if !bytes.is_empty() {
                yield Ok::<_, Infallible>(Frame::data(Bytes::from(bytes)));
            }
            if !more {
                break;
            }
            next = parts.next().await;
        }
    };
    response.map(|()| StreamBody::new(frames).boxed_unsync())
}

fn put_headers(response: &mut Response<()>, wish: &Wish) {
    let headers = response.headers_mut();
    if let Some(download) = &wish.download {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Ok(value) = HeaderValue::try_from(format!("attachment;filename=\"{}.log\"", download.name)) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
    } else if wish.events {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

/// A stream that failed before its first message.
fn failed(wish: &Wish, status: &Status) -> Response<Body> {
    let mut response = Response::new(());
    put_headers(&mut response, wish);
    *response.status_mut() = http_status(status.code());
    let body = if wish.download.is_some() { described(status) } else { wish.framed(stream_error(status)) };
    response.map(|()| Full::new(Bytes::from(body)).boxed_unsync())
}

fn described(status: &Status) -> Vec<u8> {
    format!("rpc error: code = {:?} desc = {}", status.code(), status.message()).into_bytes()
}

impl Wish {
    /// A payload as it stands on the stream.
    fn framed(&self, json: Vec<u8>) -> Vec<u8> {
        let mut framed = json;
        if self.events {
            framed.splice(0..0, *b"data: ");
            framed.extend_from_slice(b" \n\n");
        }
        framed.push(b'\n');
        framed
    }

    /// Whose payload a message is, for streams that drop repeated ones: the name only, as in the original.
    fn key(&self, message: &[u8]) -> Option<Vec<u8>> {
        if self.route.method != "Watch" {
            return None;
        }
        // event.application.metadata.name
        [2, 1, 1].into_iter().try_fold(message, inner).map(<[u8]>::to_vec)
    }
}

/// The bytes of the last field with a number.
fn inner(message: &[u8], number: u32) -> Option<&[u8]> {
    let mut reader = Reader::new(message);
    let mut found = None;
    while let Ok(Some((field, value))) = reader.field() {
        if let (true, Value::Bytes(bytes)) = (field == number, value) {
            found = Some(bytes);
        }
    }
    found
}

impl Parts {
    async fn next(&mut self) -> Next {
        loop {
            let message = match &mut self.clock {
                None => self.messages.next().await,
                Some(clock) => tokio::select! {
                    message = self.messages.next() => message,
                    _ = clock.tick() => return Next::KeepAlive,
                },
            };
            match message {
                Err(status) => return Next::Failed(status),
                Ok(None) => return Next::End,
                Ok(Some(message)) => match self.part(&message) {
                    Ok(Some(part)) => return Next::Part(part),
                    Ok(None) if self.wish.download.is_some() => return Next::End,
                    Ok(None) => {}
                    Err(error) => return Next::Failed(Status::internal(error.to_string())),
                },
            }
        }
    }

    /// The payload of a message; nothing for the end of a download and for a payload that was sent just before.
    fn part(&mut self, message: &[u8]) -> Result<Option<Vec<u8>>, transcode::EncodeError> {
        if self.wish.download.is_some() {
            return Ok(log_line(message));
        }
        let mut json = b"{\"result\":".to_vec();
        transcode::to_json_at(
            &self.wish.route.response,
            message,
            self.wish.fields.as_ref(),
            "result",
            &mut json,
        )?;
        json.push(b'}');
        if let Some(key) = self.wish.key(message) {
            let hash = self.hasher.hash_one(&json);
            if self.sent.insert(key, hash) == Some(hash) {
                return Ok(None);
            }
        }
        Ok(Some(self.wish.framed(json)))
    }

    /// The bytes to send, and whether more may follow.
    fn bytes(&self, next: Next) -> (Vec<u8>, bool) {
        match next {
            Next::Part(part) => (part, true),
            Next::KeepAlive => (b":\n".to_vec(), true),
            Next::Failed(status) if self.wish.download.is_some() => (described(&status), false),
            Next::Failed(status) => (self.wish.framed(stream_error(&status)), false),
            Next::End => (Vec::new(), false),
        }
    }
}

/// The text of a log entry; nothing for the entry that ends the log.
fn log_line(entry: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(entry);
    let mut line = Vec::new();
    while let Ok(Some((number, value))) = reader.field() {
        match (number, value) {
            (1, Value::Bytes(content)) => line = content.to_vec(),
            (3, Value::Varint(last)) if last != 0 => return None,
            _ => {}
        }
    }
    line.push(b'\n');
    Some(line)
}
