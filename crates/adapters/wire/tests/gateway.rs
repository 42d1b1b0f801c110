//! The gateway over real services: status, headers and body of what a client gets.

use std::time::Duration;

use api::v1alpha1::{Application, ApplicationWatchEvent};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tonic::codegen::BoxStream;
use tonic::{Code, Status};
use wire::application::ApplicationQuery;
use wire::application::application_service_server::{ApplicationService, ApplicationServiceServer};
use wire::gateway::{Body, Gateway, Options};
use wire::session::session_service_server::{SessionService, SessionServiceServer};
use wire::session::{SessionCreateRequest, SessionResponse};
use wire::version::VersionMessage;
use wire::version::version_service_server::{VersionService, VersionServiceServer};

struct Server;

#[tonic::async_trait]
impl VersionService for Server {
    async fn version(&self, request: tonic::Request<()>) -> Result<tonic::Response<VersionMessage>, Status> {
        let agent = request.metadata().get("grpcgateway-user-agent").and_then(|value| value.to_str().ok());
        let version = agent.unwrap_or("none").to_owned();
        Ok(tonic::Response::new(VersionMessage { version, ..Default::default() }))
    }
}

#[tonic::async_trait]
impl SessionService for Server {
    async fn create(
        &self,
        request: tonic::Request<SessionCreateRequest>,
    ) -> Result<tonic::Response<SessionResponse>, Status> {
        let request = request.into_inner();
        if request.password.is_empty() {
            return Err(Status::new(Code::Unauthenticated, "Invalid <username> or password"));
        }
        Ok(tonic::Response::new(SessionResponse { token: request.username }))
    }
}

fn event(name: &str, kind: &str) -> ApplicationWatchEvent {
    let mut application = Application::default();
    application.metadata.name = name.to_owned();
    ApplicationWatchEvent { r#type: kind.to_owned(), application }
}

#[tonic::async_trait]
impl ApplicationService for Server {
    async fn watch(
        &self,
        request: tonic::Request<ApplicationQuery>,
    ) -> Result<tonic::Response<BoxStream<ApplicationWatchEvent>>, Status> {
        let name = request.into_inner().name.unwrap_or_default();
        if name == "forbidden" {
            return Err(Status::permission_denied("permission denied"));
        }
        let silent = name == "silent";
        let stream = async_stream::stream! {
            if silent {
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
            yield Ok(event("a", "ADDED"));
            yield Ok(event("b", "ADDED"));
            yield Ok(event("a", "ADDED"));
            yield Ok(event("a", "DELETED"));
            yield Err(Status::new(Code::Unavailable, "gone"));
        };
        Ok(tonic::Response::new(Box::pin(stream)))
    }
}

async fn ask(verb: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let services = tonic::service::Routes::new(VersionServiceServer::new(Server))
        .add_service(SessionServiceServer::new(Server))
        .add_service(ApplicationServiceServer::new(Server))
        .prepare();
    let mut request = Request::builder().method(verb).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body.to_owned()))).expect("a request");
    let options = Options { message_limit: 1000, ..Options::default() };
    Gateway::new(services, options).answer(request).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.expect("a body").to_bytes().to_vec())
        .expect("text")
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[tokio::test]
async fn unary_answers() {
    let response = ask("GET", "/api/version", &[("user-agent", "me/1")], "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["grpc-metadata-content-type"], "application/grpc");
    assert_eq!(text(response).await, r#"{"Version":"me/1"}"#);

    let response = ask("POST", "/api/v1/session", JSON, r#"{"USERNAME":"u","password":"p","x":[1]}"#).await;
    assert_eq!(text(response).await, r#"{"token":"u"}"#);
}

#[tokio::test]
async fn errors() {
    type Case = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static str,
        u16,
        &'static str,
    );
    let cases: &[Case] = &[
        (
            "POST",
            "/api/v1/session",
            JSON,
            "{}",
            401,
            r#"{"error":"Invalid \u003cusername\u003e or password","code":16,"message":"Invalid \u003cusername\u003e or password"}"#,
        ),
        (
            "GET",
            "/api/v1/session/userinfo",
            &[],
            "",
            501,
            r#"{"error":"method GetUserInfo not implemented","code":12,"message":"method GetUserInfo not implemented"}"#,
        ),
        ("GET", "/api/v1/projects", &[], "", 501, r#"{"code":12}"#),
        (
            "POST",
            "/api/v1/applications",
            JSON,
            "null",
            500,
            r#"{"error":"grpc: error while marshaling: proto: required field \"application\" not set","code":13,"message":"grpc: error while marshaling: proto: required field \"application\" not set"}"#,
        ),
        ("GET", "/api/v1/nothing", &[], "", 404, "Not Found\n"),
        ("PUT", "/api/version", JSON, "{}", 405, "Method Not Allowed\n"),
        (
            "POST",
            "/api/v1/session",
            &[("content-type", "application/json; charset=utf-8")],
            "{}",
            415,
            "Invalid content type\n",
        ),
        ("DELETE", "/api/v1/session", &[], "", 415, "Invalid content type\n"),
    ];
    for (verb, path, headers, body, status, answer) in cases {
        let response = ask(verb, path, headers, body).await;
        assert_eq!(response.status().as_u16(), *status, "{verb} {path}");
        assert_eq!(text(response).await, *answer, "{verb} {path}");
    }
    let large = format!(r#"{{"username":"{}"}}"#, "x".repeat(2000));
    assert_eq!(ask("POST", "/api/v1/session", JSON, &large).await.status(), 429);
    assert_eq!(ask("GET", "/api/v1//session", &[], "").await.status(), 307);
}

#[tokio::test]
async fn streams_drop_repeated_payloads_and_end_with_their_error() {
    let path = "/api/v1/stream/applications?fields=result.type,result.application.metadata.name";
    let line = |name: &str, kind: &str| {
        format!(r#"{{"result":{{"application":{{"metadata":{{"name":"{name}"}}}},"type":"{kind}"}}}}"#)
    };
    let error =
        r#"{"error":{"grpc_code":14,"http_code":503,"message":"gone","http_status":"Service Unavailable"}}"#;
    let payloads = [line("a", "ADDED"), line("b", "ADDED"), line("a", "DELETED"), error.to_owned()];

    let response = ask("GET", path, &[], "").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(text(response).await, payloads.map(|payload| payload + "\n").concat());

    let payloads = [line("a", "ADDED"), line("b", "ADDED"), line("a", "DELETED"), error.to_owned()];
    let response = ask("GET", path, &[("accept", "text/event-stream")], "").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(text(response).await, payloads.map(|payload| format!("data: {payload} \n\n\n")).concat());

    let response = ask("GET", "/api/v1/stream/applications?name=forbidden", &[], "").await;
    assert_eq!(response.status(), 403);
    let answer = r#"{"error":{"grpc_code":7,"http_code":403,"message":"permission denied","http_status":"Forbidden"}}"#;
    assert_eq!(text(response).await, format!("{answer}\n"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_event_stream_is_kept_alive() {
    let path = "/api/v1/stream/applications?name=silent";
    let response = ask("GET", path, &[("accept", "text/event-stream")], "").await;
    assert!(text(response).await.starts_with(":\ndata: {\"result\":{\"type\":\"ADDED\""));
}
