//! Calls over gRPC-web: frames and messages that say what they like, however they are cut.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};
use tonic::service::Routes;
use wire::account::account_service_server::{AccountService, AccountServiceServer};
use wire::application::application_service_server::{ApplicationService, ApplicationServiceServer};
use wire::web::{Frames, GRPC_WEB};

/// Longer bodies are no more interesting.
const LONGEST: usize = 16 << 10;
const PATHS: [&str; 4] = [
    "/application.ApplicationService/Create",
    "/application.ApplicationService/GetManifestsWithFiles",
    "/application.ApplicationService/Watch",
    "/account.AccountService/CanI",
];

/// Answers every method with its name, once the request has been read.
struct Unwilling;

impl ApplicationService for Unwilling {}
impl AccountService for Unwilling {}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread().build().expect("a runtime without timers and sockets needs nothing")
});

/// The first byte chooses the method. Whatever follows has an answer with a status, and frames that are whole.
pub(crate) fn web(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else { return };
    let body = &body[..body.len().min(LONGEST)];
    let (mut whole, mut pieces) = (Frames::default(), Frames::default());
    whole.pass(body);
    body.chunks(usize::from(*choice).max(1)).for_each(|part| pieces.pass(part));
    assert_eq!(whole, pieces, "where bytes are cut makes a difference");
    let path = PATHS[usize::from(*choice) % PATHS.len()];
    let routes = Routes::new(ApplicationServiceServer::new(Unwilling))
        .add_service(AccountServiceServer::new(Unwilling))
        .prepare()
        .into_axum_router();
    let request = Request::post(path).header(CONTENT_TYPE, GRPC_WEB);
    let request = request.body(Full::new(Bytes::copy_from_slice(body))).expect("the path is well formed");
    let service = tower::service_fn(move |request: Request<tonic::body::Body>| {
        tower::ServiceExt::oneshot(routes.clone(), request.map(axum::body::Body::new))
    });
    RUNTIME.block_on(async {
        let response = wire::web::answer(service, request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], GRPC_WEB);
        let status = response.headers().get("grpc-status").cloned();
        let body = response.into_body().collect().await.expect("it cannot fail").to_bytes();
        let mut frames = Frames::default();
        frames.pass(&body);
        assert!(status.is_some() || frames.end().is_ok(), "an answer without a status");
        // Nobody is willing: no request at all succeeds.
        let done = status.is_some_and(|status| status == "0") || body.ends_with(b"grpc-status: 0\r\n");
        assert!(!done, "a call was answered");
    });
}
