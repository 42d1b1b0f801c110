//! A request that meets a bug of ours ends alone: it is answered without details, the log has them, and the server goes on.

use crate::pages;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use futures::{FutureExt as _, StreamExt as _};
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use tonic::Status;
use tonic::codegen::BoxStream;

const TEXT: &str = "internal error";

/// A router whose handlers may panic.
#[derive(Clone)]
pub(crate) struct Contained(Router);

impl Contained {
    pub(crate) fn new(router: Router) -> Self {
        Self(router.layer(axum::middleware::from_fn(contained)))
    }

    /// With something around it that sees the answers, those to panics, too.
    pub(crate) fn within(self, around: impl FnOnce(Router) -> Router) -> Self {
        Self(around(self.0))
    }

    pub(crate) fn into_router(self) -> Router {
        self.0
    }
}

async fn contained(request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let kind = request.headers().get(CONTENT_TYPE);
    let grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let status = ended(&path, panic.as_ref());
            if grpc {
                status.into_http()
            } else {
                pages::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
            }
        }
    }
}

/// Logs a panic; what callers are told of it.
fn ended(what: &str, panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let reason = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(what, reason, "a request ended in a panic");
    Status::internal(TEXT)
}

/// The next item of a stream, which may panic over it: that is its last item.
pub(crate) async fn next<T>(stream: &mut BoxStream<T>) -> Option<Result<T, Status>> {
    match AssertUnwindSafe(stream.next()).catch_unwind().await {
        Ok(item) => item,
        Err(panic) => Some(Err(ended("a stream", panic.as_ref()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    async fn broken(uri: http::Uri) -> String {
        uri.port_u16().expect("a detail that is nobody's business").to_string()
    }

    async fn ask(router: &Router, path: &str, kind: &str) -> (StatusCode, http::HeaderMap, String) {
        let request = Request::get(path).header("content-type", kind).body(Body::empty()).expect("a request");
        let (parts, body) = router.clone().oneshot(request).await.expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&bytes).into())
    }

    #[tokio::test]
    async fn a_panic_ends_one_request_and_tells_no_details() {
        let router = Router::new().route("/well", get(async || "well")).fallback(broken);
        let router = Contained::new(router).into_router();
        let (status, headers, text) =
            ask(&router, "/application.ApplicationService/Get", "application/grpc").await;
        assert_eq!(
            (status, headers["grpc-status"].as_bytes(), text.as_str()),
            (StatusCode::OK, &b"13"[..], "")
        );
        assert_eq!(headers["grpc-message"], "internal%20error");
        let (status, _, text) = ask(&router, "/api/v1/applications", "application/json").await;
        assert_eq!((status, text.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"));
        assert_eq!(ask(&router, "/well", "").await.2, "well");
    }

    #[tokio::test]
    async fn a_stream_that_panics_says_so() {
        let items = futures::stream::iter([1, 0]).map(|item: i32| {
            assert!(item > 0, "a detail that is nobody's business");
            Ok(item)
        });
        let mut stream: BoxStream<i32> = Box::pin(items);
        assert_eq!(next(&mut stream).await.expect("an item").expect("it is good"), 1);
        let status = next(&mut stream).await.expect("an item").expect_err("it is not");
        assert_eq!((status.code(), status.message()), (tonic::Code::Internal, "internal error"));
    }

    #[tokio::test]
    async fn what_is_around_sees_the_answer_to_a_panic() {
        let count = |router: Router| {
            router.layer(axum::middleware::map_response(async |mut response: Response<Body>| {
                *response.status_mut() = StatusCode::IM_A_TEAPOT;
                response
            }))
        };
        let router = Contained::new(Router::new().fallback(broken)).within(count).into_router();
        assert_eq!(ask(&router, "/", "").await.0, StatusCode::IM_A_TEAPOT);
    }
}
