//! The REST API: an HTTP request becomes a gRPC call of the same process, its answer becomes JSON.
//!
//! The gateway takes the service that answers gRPC, a `tonic` router usually, and is itself a service for everything
//! below `/api/`. It authenticates nobody: it hands the headers on as metadata, and every method decides.

mod answer;
mod call;
mod stream;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tonic::{Code, Status};
use tower::Service;

pub use answer::{Body, error_body, http_status};

use crate::bind::bind;
use crate::route::{Lookup, Route, lookup};
use crate::transcode::{self, Fields};
use call::Call;

const APPLICATION_SERVICE: &str = "application.ApplicationService";
const FORM: &str = "application/x-www-form-urlencoded";

/// A unary answer before it is sent, for what only the API server knows: cookies.
#[derive(Debug)]
pub struct Reply<'r> {
    /// The route that was called.
    pub route: &'r Route,
    /// The metadata that the method answered with.
    pub metadata: &'r HeaderMap,
    /// The bytes of the response message.
    pub message: &'r [u8],
}

/// Headers to add to a successful unary answer.
pub type ReplyHook = Arc<dyn Fn(&Reply<'_>) -> HeaderMap + Send + Sync>;

/// What the gateway is set to.
#[derive(Clone)]
pub struct Options {
    /// Content types that requests other than GET must have; none at all lets everything pass.
    pub content_types: Vec<String>,
    /// The largest request body and the largest message, in bytes.
    pub message_limit: usize,
    /// Adds headers to answers.
    pub hook: Option<ReplyHook>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            content_types: vec!["application/json".to_owned()],
            message_limit: crate::MESSAGE_LIMIT,
            hook: None,
        }
    }
}

/// The REST API over a gRPC service.
#[derive(Clone)]
pub struct Gateway<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S, B> Gateway<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: std::fmt::Display,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    /// A gateway to `inner`.
    pub fn new(inner: S, options: Options) -> Self {
        Self { inner, options: Arc::new(options) }
    }

    /// Answers one request.
    pub async fn answer<R>(self, request: Request<R>) -> Response<Body>
    where
        R: http_body::Body + Send + 'static,
        R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        if let Some(clean) = clean_path(parts.uri.path()) {
            return answer::redirect(&clean, parts.uri.query());
        }
        let content_type = header(&parts.headers, &CONTENT_TYPE).to_ascii_lowercase();
        let allowed = &self.options.content_types;
        if parts.method != Method::GET && !allowed.is_empty() && !allowed.contains(&content_type) {
            return answer::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Invalid content type");
        }
        // Browsers' forms can only send POST: such a request may say which verb it means, or none that fits.
        let is_form = parts.method == Method::POST && content_type == FORM;
        if is_form
            && let Some(verb) = parts.headers.get("x-http-method-override")
            && let Ok(verb) = Method::from_bytes(&verb.as_bytes().to_ascii_uppercase())
        {
            parts.method = verb;
        }
        let (route, path) = match lookup(&parts.method, parts.uri.path()) {
            Lookup::Found(route, path) => (route, path),
            Lookup::WrongVerb(route, path) if is_form => (route, path),
            Lookup::WrongVerb(..) => {
                return answer::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            }
            Lookup::NotFound => return answer::text(StatusCode::NOT_FOUND, "Not Found"),
        };
        let limit = self.options.message_limit;
        let body = match Limited::new(body, limit).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return answer::error(&unreadable(error.as_ref(), limit)),
        };
        let mut query = parts.uri.query().unwrap_or_default().to_owned();
        let body = if is_form {
            query = format!("{query}&{}", String::from_utf8_lossy(&body));
            Bytes::new()
        } else {
            body
        };
        let messages = match requests(route, &path, &query, &body) {
            Ok(messages) => messages,
            Err(status) => return answer::error(&status),
        };
        let call = Call::new(route, &parts, &messages);
        let fields = Fields::parse(&parameter(&query, "fields")).filter(|_| honours_fields(route));
        if route.server_streaming {
            let events = header(&parts.headers, &ACCEPT) == "text/event-stream";
            let wish = stream::Wish { route, fields, events, download: stream::Download::of(route, &query) };
            let messages = call.stream(self.inner, limit).await;
            stream::respond(wish, messages).await
        } else {
            self.unary(route, call, fields.as_ref()).await
        }
    }

    async fn unary(self, route: &Route, call: Call, fields: Option<&Fields>) -> Response<Body> {
        let (metadata, message) = match call.unary(self.inner, self.options.message_limit).await {
            Ok(answered) => answered,
            Err(status) => return answer::error(&status),
        };
        let mut json = Vec::with_capacity(message.len() * 2);
        let encoded = if route.service == APPLICATION_SERVICE && route.method == "List" {
            transcode::application_list_to_json(&message, fields, &mut json)
        } else {
            transcode::to_json_at(&route.response, &message, fields, "", &mut json)
        };
        if let Err(error) = encoded {
            return answer::error(&Status::internal(error.to_string()));
        }
        let mut response = answer::json(StatusCode::OK, json);
        answer::put_metadata(response.headers_mut(), &metadata);
        if let Some(hook) = &self.options.hook {
            response.headers_mut().extend(hook(&Reply { route, metadata: &metadata, message: &message }));
        }
        response
    }
}

impl<S, B, R> Service<Request<R>> for Gateway<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: std::fmt::Display,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
    R: http_body::Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let gateway = Self { inner: self.inner.clone(), options: Arc::clone(&self.options) };
        Box::pin(async move { Ok(gateway.answer(request).await) })
    }
}

/// The path that a path with empty parts, `.` or `..` means; nothing when it is clean. Go's server sends clients
/// there, which is how an address that was not escaped shows itself.
#[must_use]
pub fn clean_path(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let slash = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    let clean = format!("/{}{slash}", parts.join("/"));
    (clean != path).then_some(clean)
}

/// The request messages of a call: one, or for a client stream one for each JSON value of the body.
fn requests(
    route: &Route,
    path: &[(&str, String)],
    query: &str,
    body: &[u8],
) -> Result<Vec<Vec<u8>>, Status> {
    if !route.client_streaming {
        let message =
            bind(route, path, query, body).map_err(|error| Status::new(error.code, error.message))?;
        return Ok(vec![message]);
    }
    transcode::stream_from_json(&route.request, body)
        .map_err(|error| Status::invalid_argument(error.to_string()))
}

fn unreadable(error: &(dyn std::error::Error + Send + Sync + 'static), limit: usize) -> Status {
    if error.is::<LengthLimitError>() {
        Status::new(Code::ResourceExhausted, format!("grpc: received message larger than max ({limit})"))
    } else {
        Status::invalid_argument(error.to_string())
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> &'h str {
    headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default()
}

/// The first value of a query parameter.
fn parameter(query: &str, name: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// The methods whose answers `fields` applies to; the others do not look at it.
fn honours_fields(route: &Route) -> bool {
    matches!(
        (route.service.as_str(), route.method.as_str()),
        (APPLICATION_SERVICE, "List" | "Watch" | "WatchResourceTree" | "PodLogs" | "ManagedResources")
            | ("project.ProjectService", "List")
            | ("applicationset.ApplicationSetService", "Watch")
    )
}
