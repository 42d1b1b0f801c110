//! What is counted of gRPC calls, under the names of the usual middleware.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use boot::metrics::SharedRegistry;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use tonic::Code;

/// A length-prefixed message begins with this many bytes.
const PREFIX: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    grpc_type: &'static str,
    grpc_service: String,
    grpc_method: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    grpc_type: &'static str,
    grpc_service: String,
    grpc_method: String,
    grpc_code: &'static str,
}

/// The counters of a server; clones count together.
#[derive(Clone, Debug)]
pub struct Calls {
    methods: Arc<BTreeMap<String, Method>>,
    started: Family<Method, Counter>,
    handled: Family<Ended, Counter>,
    received: Family<Method, Counter>,
    sent: Family<Method, Counter>,
}

impl Calls {
    /// Registers the counters. Which methods there are, the encoded descriptor sets say; others are not counted.
    pub fn new(registry: &SharedRegistry, descriptors: &[&[u8]]) -> Self {
        let calls = Self {
            methods: Arc::new(methods(descriptors)),
            started: Family::default(),
            handled: Family::default(),
            received: Family::default(),
            sent: Family::default(),
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("grpc_server_started", "Calls begun", calls.started.clone());
        registry.register("grpc_server_handled", "Calls ended, by how", calls.handled.clone());
        registry.register("grpc_server_msg_received", "Messages received", calls.received.clone());
        registry.register("grpc_server_msg_sent", "Messages sent", calls.sent.clone());
        drop(registry);
        calls
    }

    /// The router, its calls counted.
    pub fn count(&self, router: Router) -> Router {
        let calls = self.clone();
        router.layer(axum::middleware::from_fn(move |request: Request, next: Next| {
            let calls = calls.clone();
            async move { calls.call(request, next).await }
        }))
    }

    async fn call(self, request: Request, next: Next) -> Response {
        let Some(method) = self.methods.get(request.uri().path()).cloned() else {
            return next.run(request).await;
        };
        self.started.get_or_create(&method).inc();
        let received = self.received.get_or_create(&method).clone();
        let ending = Ending { handled: self.handled.clone(), method: Some(method.clone()) };
        let request = request.map(|body| Body::new(Counted::new(body, received, None)));
        let response = next.run(request).await;
        let (parts, body) = response.into_parts();
        let sent = self.sent.get_or_create(&method).clone();
        let mut ending = ending;
        // An answer without messages has its end in its head.
        if let Some(code) = code(&parts.headers) {
            ending.end(code);
        }
        Response::from_parts(parts, Body::new(Counted::new(body, sent, Some(ending))))
    }
}

fn methods(descriptors: &[&[u8]]) -> BTreeMap<String, Method> {
    let mut methods = BTreeMap::new();
    for file in
        descriptors.iter().filter_map(|set| FileDescriptorSet::decode(*set).ok()).flat_map(|set| set.file)
    {
        for service in &file.service {
            let name = match file.package() {
                "" => service.name().to_owned(),
                package => format!("{package}.{}", service.name()),
            };
            for method in &service.method {
                let grpc_type = match (method.client_streaming(), method.server_streaming()) {
                    (false, false) => "unary",
                    (true, false) => "client_stream",
                    (false, true) => "server_stream",
                    (true, true) => "bidi_stream",
                };
                let known =
                    Method { grpc_type, grpc_service: name.clone(), grpc_method: method.name().to_owned() };
                methods.insert(format!("/{name}/{}", method.name()), known);
            }
        }
    }
    methods
}

fn code(headers: &http::HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// A code as Go prints it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

/// Counts the end of a call, once. Dropped before there was one, the caller went away.
#[derive(Debug)]
struct Ending {
    handled: Family<Ended, Counter>,
    method: Option<Method>,
}

impl Ending {
    fn end(&mut self, code: Code) {
        if let Some(Method { grpc_type, grpc_service, grpc_method }) = self.method.take() {
            let ended = Ended { grpc_type, grpc_service, grpc_method, grpc_code: code_name(code) };
            self.handled.get_or_create(&ended).inc();
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

/// A body whose messages are counted as they pass.
struct Counted {
    body: Body,
    messages: Counter,
    ending: Option<Ending>,
    prefix: [u8; PREFIX],
    filled: usize,
    /// Bytes left of the message that passes.
    left: usize,
}

impl Counted {
    fn new(body: Body, messages: Counter, ending: Option<Ending>) -> Self {
        Self { body, messages, ending, prefix: [0; PREFIX], filled: 0, left: 0 }
    }

    fn pass(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(data.len());
                self.left -= skipped;
                data = &data[skipped..];
                continue;
            }
            let taken = (PREFIX - self.filled).min(data.len());
            self.prefix[self.filled..self.filled + taken].copy_from_slice(&data[..taken]);
            self.filled += taken;
            data = &data[taken..];
            if self.filled == PREFIX {
                let [_, length @ ..] = self.prefix;
                self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.filled = 0;
                self.messages.inc();
            }
        }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            if let Some(data) = frame.data_ref() {
                self.pass(data);
            }
            if let Some(code) = frame.trailers_ref().and_then(code)
                && let Some(ending) = &mut self.ending
            {
                ending.end(code);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> (Calls, SharedRegistry) {
        let registry = boot::metrics::registry();
        let calls = Calls::new(&registry, &[tonic_health::pb::FILE_DESCRIPTOR_SET]);
        (calls, registry)
    }

    #[tokio::test]
    async fn calls_are_counted_by_method_and_end() {
        let (calls, registry) = calls();
        let (_reporter, health) = tonic_health::server::health_reporter();
        let router = calls.count(tonic::service::Routes::new(health).prepare().into_axum_router());
        let channel = crate::in_process(router).unwrap();
        let mut client = tonic_health::pb::health_client::HealthClient::new(channel);
        let request = |service: &str| tonic_health::pb::HealthCheckRequest { service: service.to_owned() };
        client.check(request("")).await.unwrap();
        client.check(request("")).await.unwrap();
        client.check(request("x")).await.unwrap_err();
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry.lock().unwrap()).unwrap();
        let of = r#"grpc_type="unary",grpc_service="grpc.health.v1.Health",grpc_method="Check""#;
        for line in [
            format!("grpc_server_started_total{{{of}}} 3"),
            format!("grpc_server_handled_total{{{of},grpc_code=\"OK\"}} 2"),
            format!("grpc_server_handled_total{{{of},grpc_code=\"NotFound\"}} 1"),
            format!("grpc_server_msg_received_total{{{of}}} 3"),
            format!("grpc_server_msg_sent_total{{{of}}} 2"),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let mut counted = Counted::new(Body::empty(), Counter::default(), None);
        let text = [0, 0, 0, 0, 2, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7];
        for cut in 1..text.len() {
            for part in text.chunks(cut) {
                counted.pass(part);
            }
        }
        assert_eq!(counted.messages.get(), 3 * (text.len() as u64 - 1));
    }
}
