//! One gRPC call within the process: headers as metadata, messages in frames, the status from wherever it is.

use std::fmt::Display;
use std::pin::Pin;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version, request};
use http_body_util::{BodyExt as _, Full};
use tonic::{Code, Status};
use tower::{Service, ServiceExt as _};

use crate::route::Route;

/// Headers of IANA's registry that methods may want to see; they come with a prefix.
const HANDED_ON: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-language",
    "accept-ranges",
    "authorization",
    "cache-control",
    "content-type",
    "cookie",
    "date",
    "expect",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-schedule-tag-match",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "via",
    "warning",
];

/// The length of a frame's head: a flag and four bytes of length.
const HEAD: usize = 5;

pub(super) struct Call {
    request: Request<tonic::body::Body>,
}

impl Call {
    pub(super) fn new(route: &Route, parts: &request::Parts, messages: &[Vec<u8>]) -> Self {
        let mut frames = BytesMut::with_capacity(messages.iter().map(|message| HEAD + message.len()).sum());
        for message in messages {
            frames.extend_from_slice(&[0]);
            // The body limit is far below four gibibytes.
            frames.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
            frames.extend_from_slice(message);
        }
        let mut request = Request::new(tonic::body::Body::new(Full::new(frames.freeze())));
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = route.grpc_path().parse().unwrap_or_default();
        *request.extensions_mut() = parts.extensions.clone();
        *request.headers_mut() = metadata(parts);
        Self { request }
    }

    /// Metadata and message of a unary answer.
    pub(super) async fn unary<S, B>(self, service: S, limit: usize) -> Result<(HeaderMap, Bytes), Status>
    where
        S: Service<Request<tonic::body::Body>, Response = Response<B>>,
        S::Error: Display,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display,
    {
        let mut messages = self.stream(service, limit).await?;
        let message = messages.next().await?;
        // The status comes after the message.
        if message.is_some() {
            messages.next().await?;
        }
        let message = message.ok_or_else(|| Status::internal("the method answered nothing"))?;
        Ok((messages.metadata, message))
    }

    /// The messages of an answer as they come.
    pub(super) async fn stream<S, B>(self, service: S, limit: usize) -> Result<Messages, Status>
    where
        S: Service<Request<tonic::body::Body>, Response = Response<B>>,
        S::Error: Display,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display,
    {
        let response =
            service.oneshot(self.request).await.map_err(|error| Status::unavailable(error.to_string()))?;
        let (parts, body) = response.into_parts();
        if let Some(status) = status(&parts.headers) {
            status?;
        } else if !parts.status.is_success() {
            return Err(Status::unknown(format!("unexpected HTTP status {}", parts.status)));
        }
        let body = body.map_err(|error| Status::unknown(error.to_string()));
        Ok(Messages { metadata: parts.headers, body: Box::pin(body), buffer: BytesMut::new(), limit })
    }
}

type Frames = Pin<Box<dyn http_body::Body<Data = Bytes, Error = Status> + Send>>;

/// The messages of one answer.
pub(super) struct Messages {
    pub(super) metadata: HeaderMap,
    body: Frames,
    buffer: BytesMut,
    limit: usize,
}

impl Messages {
    /// The next message; nothing when the method ended well.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(Some(message));
            }
            match self.body.frame().await.transpose()? {
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(Status::internal("the answer ends inside a message")),
                Some(frame) => match frame.into_data() {
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(frame) => {
                        if let Some(Err(status)) = frame.trailers_ref().and_then(status) {
                            return Err(status);
                        }
                    }
                },
            }
        }
    }

    fn buffered(&mut self) -> Result<Option<Bytes>, Status> {
        let Some((flag, length)) =
            self.buffer.first_chunk::<HEAD>().map(|[flag, length @ ..]| (*flag, *length))
        else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(length) as usize;
        if flag != 0 {
            return Err(Status::internal("the answer is compressed, which was not asked for"));
        }
        if length > self.limit {
            let text = format!("grpc: received message larger than max ({length} vs. {})", self.limit);
            return Err(Status::new(Code::ResourceExhausted, text));
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        self.buffer.advance(HEAD);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// The status in headers or trailers, when there is one.
fn status(headers: &HeaderMap) -> Option<Result<(), Status>> {
    let status = Status::from_header_map(headers)?;
    Some(if status.code() == Code::Ok { Ok(()) } else { Err(status) })
}

/// Request headers as metadata: registered ones with a prefix, `Grpc-Metadata-…` without it, and who the client is.
fn metadata(parts: &request::Parts) -> HeaderMap {
    let mut metadata = HeaderMap::new();
    metadata.insert("content-type", HeaderValue::from_static("application/grpc"));
    metadata.insert("te", HeaderValue::from_static("trailers"));
    for (name, value) in &parts.headers {
        if name == AUTHORIZATION {
            metadata.append(AUTHORIZATION, value.clone());
        }
        let handed_on = match name.as_str().strip_prefix("grpc-metadata-") {
            // Not the protocol's own headers, which would say what the frames are.
            Some(plain) if plain != "te" && plain != "content-type" && !plain.starts_with("grpc-") => {
                HeaderName::try_from(plain).ok()
            }
            Some(_) => None,
            None if HANDED_ON.contains(&name.as_str()) => {
                HeaderName::try_from(format!("grpcgateway-{name}")).ok()
            }
            None if name == "grpc-timeout" => Some(name.clone()),
            None => None,
        };
        if let Some(name) = handed_on {
            metadata.append(name, value.clone());
        }
    }
    let host = parts.headers.get("x-forwarded-host").or_else(|| parts.headers.get(HOST)).cloned();
    let host = host.or_else(|| HeaderValue::try_from(parts.uri.authority()?.as_str()).ok());
    if let Some(host) = host {
        metadata.insert("x-forwarded-host", host);
    }
    if let Some(client) = parts.headers.get("x-forwarded-for") {
        metadata.insert("x-forwarded-for", client.clone());
    }
    metadata
}
