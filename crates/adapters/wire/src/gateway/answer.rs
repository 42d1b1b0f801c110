//! HTTP answers of the gateway: JSON, errors, plain text.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tonic::{Code, Status};

use crate::transcode::put_string;

/// The body of the gateway's answers.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The HTTP status that stands for a gRPC code.
#[must_use]
pub fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => StatusCode::REQUEST_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The JSON that tells of a failed call.
#[must_use]
pub fn error_body(status: &Status) -> Vec<u8> {
    let mut json = vec![b'{'];
    if !status.message().is_empty() {
        json.extend_from_slice(b"\"error\":");
        put_string(&mut json, status.message());
        json.push(b',');
    }
    json.extend_from_slice(format!("\"code\":{}", status.code() as i32).as_bytes());
    if !status.message().is_empty() {
        json.extend_from_slice(b",\"message\":");
        put_string(&mut json, status.message());
    }
    json.push(b'}');
    json
}

/// The last part of a stream that failed.
pub(super) fn stream_error(status: &Status) -> Vec<u8> {
    let http = http_status(status.code());
    let mut json =
        format!("{{\"error\":{{\"grpc_code\":{},\"http_code\":{}", status.code() as i32, http.as_u16());
    let mut message = Vec::new();
    if !status.message().is_empty() {
        put_string(&mut message, status.message());
        json.push_str(",\"message\":");
    }
    let mut json = json.into_bytes();
    json.extend_from_slice(&message);
    let reason = http.canonical_reason().unwrap_or_default();
    json.extend_from_slice(format!(",\"http_status\":\"{reason}\"}}}}").as_bytes());
    json
}

pub(super) fn json(status: StatusCode, json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(json)).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn error(status: &Status) -> Response<Body> {
    json(http_status(status.code()), error_body(status))
}

/// Plain text, as Go's `http.Error` sends it.
pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{text}\n"))).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// To the clean form of a path.
pub(super) fn redirect(path: &str, query: Option<&str>) -> Response<Body> {
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let Ok(location) = HeaderValue::try_from(&target) else {
        return text(StatusCode::NOT_FOUND, "Not Found");
    };
    let page = format!("<a href=\"{}\">Temporary Redirect</a>.\n\n", escaped(&target));
    let mut response = Response::new(Full::new(Bytes::from(page)).boxed_unsync());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Text between tags and in attributes.
fn escaped(text: &str) -> String {
    let pairs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#39;")];
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, letter| {
        match pairs.iter().find(|(special, _)| *special == letter) {
            Some((_, entity)) => escaped.push_str(entity),
            None => escaped.push(letter),
        }
        escaped
    })
}

/// The metadata of an answer as headers with a prefix.
pub(super) fn put_metadata(headers: &mut HeaderMap, metadata: &HeaderMap) {
    for (name, value) in metadata {
        // What the protocol itself says, and what the HTTP server adds to every answer, is no metadata.
        if name.as_str().starts_with("grpc-") || name == "date" || name == "vary" {
            continue;
        }
        if let Ok(name) = HeaderName::try_from(format!("grpc-metadata-{name}")) {
            headers.append(name, value.clone());
        }
    }
}
