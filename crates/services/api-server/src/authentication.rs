//! Who asks. Every gRPC path, known or not, comes through here first; what anybody may call is listed by name.

use crate::contained::Contained;
use crate::credentials;
use crate::hub::Hub;
use crate::tokens::Identity;
use http::{HeaderMap, HeaderValue, Request, Response};
use semver::{BuildMetadata, Version};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use subtle::ConstantTimeEq as _;
use tonic::Status;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

/// What anybody may call. Everything else, and everything that will ever be added, needs a session.
const OPEN: [&str; 8] = [
    "/version.VersionService/Version",
    "/session.SessionService/Create",
    "/session.SessionService/Delete",
    "/session.SessionService/GetUserInfo",
    "/cluster.SettingsService/Get",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
];
/// Metadata in which a renewed token goes back.
pub(crate) const RENEWED: &str = "renew-token";
const CLIENT: &str = "argocd-client";
const OLDEST_CLIENT: Version = Version::new(1, 4, 0);
/// What clients called themselves before they said what they are; alone, it is one of those.
const BEFORE_CLIENTS: [&str; 2] = ["grpc-go/1.15.0", "grpc-go/1.10.0"];

/// Who calls a method.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Authentication is off.
    Unlimited,
    /// Nobody in particular, where settings let everybody in with the default role.
    Anonymous,
    /// Nobody: only the open methods are for them.
    Nobody,
    /// Somebody whose token stands.
    Known(Arc<Identity>),
}

impl Caller {
    /// The identity, if there is one.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            _ => None,
        }
    }
}

/// The gRPC services behind authentication.
#[derive(Clone)]
pub(crate) struct Authenticated {
    hub: Arc<Hub>,
    inner: Contained,
    services: Arc<[String]>,
}

impl Authenticated {
    /// `services` are the names of the services that are there, for telling what is not.
    pub(crate) fn new(hub: Arc<Hub>, inner: Contained, services: Arc<[String]>) -> Self {
        Self { hub, inner, services }
    }

    async fn answer(self, mut request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let (caller, renewed) = match self.caller(&path, request.headers()).await {
            Ok(found) => found,
            Err(status) => return status.into_http(),
        };
        if let Err(status) = check_client(request.headers()) {
            return status.into_http();
        }
        request.extensions_mut().insert(caller);
        let answered = self.inner.into_router().oneshot(request.map(axum::body::Body::new)).await;
        let mut response = match answered {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        };
        if is_unexplained(response.headers()) {
            response = unknown(&path, &self.services).into_http();
        } else if let Some(status) = Status::from_header_map(response.headers()).as_ref().and_then(unreadable)
        {
            response = status.into_http();
        }
        if let Some(token) = renewed.and_then(|token| HeaderValue::try_from(token).ok()) {
            response.headers_mut().insert(RENEWED, token);
        }
        response
    }

    async fn caller(&self, path: &str, headers: &HeaderMap) -> Result<(Caller, Option<String>), Status> {
        if self.hub.options.disable_auth {
            return Ok((Caller::Unlimited, None));
        }
        if let Some(wanted) = &self.hub.options.local_token {
            let given = credentials::token(headers).unwrap_or_default();
            let same: bool = given.as_bytes().ct_eq(wanted.reveal().as_bytes()).into();
            let unknown = || Status::unauthenticated("this server knows only the call that started it");
            return if same { Ok((Caller::Unlimited, None)) } else { Err(unknown()) };
        }
        let identified = match credentials::token(headers) {
            None => Err("no session information".to_owned()),
            Some(token) => {
                self.hub.identify(&token).await.map_err(|reason| format!("invalid session: {reason}"))
            }
        };
        match identified {
            Ok((identity, renewed)) => Ok((Caller::Known(Arc::new(identity)), renewed)),
            Err(_) if OPEN.contains(&path) => Ok((Caller::Nobody, None)),
            // A token that does not stand is worth as much as none: the default role, and nothing it says.
            Err(_) if self.hub.snapshot().sessions.anonymous => Ok((Caller::Anonymous, None)),
            Err(text) => Err(Status::unauthenticated(text)),
        }
    }
}

impl Service<Request<Body>> for Authenticated {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(request).await) })
    }
}

/// Clients from before the API was what it is are told so.
fn check_client(headers: &HeaderMap) -> Result<(), Status> {
    let agent = headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
    let agents: Vec<&str> = agent.unwrap_or_default().split_whitespace().collect();
    let unsatisfied =
        |text: &str| Status::failed_precondition(format!("unsatisfied client version constraint: {text}"));
    if let [agent] = agents.as_slice()
        && BEFORE_CLIENTS.contains(agent)
    {
        return Err(unsatisfied(&format!(">={OLDEST_CLIENT}")));
    }
    let own = |agent: &&str| {
        agent.split_once('/').is_some_and(|(name, version)| name == CLIENT && !version.contains('/'))
    };
    let Some(agent) = agents.into_iter().find(own) else { return Ok(()) };
    match client_version(agent) {
        Some(version) if version < OLDEST_CLIENT => {
            Err(unsatisfied(&format!("{version} is less than {OLDEST_CLIENT}")))
        }
        Some(_) => Ok(()),
        None => Err(Status::invalid_argument(format!("could not parse version from user-agent: {agent}"))),
    }
}

/// The version in `argocd-client/v3.6.0-rc1+build`. A candidate for a release counts as the release, and parts that are
/// missing are 0.
fn client_version(agent: &str) -> Option<Version> {
    let (_, text) = agent.split_once('/')?;
    let (text, _) = text.split_once('-').unwrap_or((text, ""));
    let (numbers, build) = text.split_once('+').unwrap_or((text, ""));
    let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
    let parts: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    let (major, minor, patch) = match parts?.as_slice() {
        [major] => (*major, 0, 0),
        [major, minor] => (*major, *minor, 0),
        [major, minor, patch] => (*major, *minor, *patch),
        _ => return None,
    };
    Some(Version { build: BuildMetadata::new(build).ok()?, ..Version::new(major, minor, patch) })
}

fn is_unexplained(headers: &HeaderMap) -> bool {
    let has_text = headers.get("grpc-message").is_some_and(|text| !text.is_empty());
    headers.get("grpc-status").is_some_and(|code| code == "12") && !has_text
}

/// What cannot be read of a request, in the words of Go's servers, which clients know.
fn unreadable(status: &Status) -> Option<Status> {
    let message = status.message();
    if let Some(rest) = message.strip_prefix("failed to decode Protobuf message: ") {
        return Some(Status::internal(format!("grpc: error unmarshalling request: {rest}")));
    }
    if let Some(rest) = message.strip_prefix("Error, decoded message length too large: found ") {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit()).filter(|word| !word.is_empty());
        let (found, limit) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        let text = format!("grpc: received message larger than max ({found} vs. {limit})");
        return Some(Status::resource_exhausted(text));
    }
    match message {
        "Unexpected EOF decoding stream." => Some(Status::unknown("unexpected EOF")),
        "Missing request message." => Some(Status::unknown("EOF")),
        _ => None,
    }
}

/// What there is not, by its name.
fn unknown(path: &str, services: &[String]) -> Status {
    let (service, method) = path.trim_start_matches('/').rsplit_once('/').unwrap_or((path, ""));
    if services.iter().any(|known| known == service) {
        Status::unimplemented(format!("unknown method {method} for service {service}"))
    } else {
        Status::unimplemented(format!("unknown service {service}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &str) -> Result<(), Status> {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", text.parse().unwrap());
        check_client(&headers)
    }

    #[test]
    fn old_clients_are_told_and_others_pass() {
        let told = |text: &str| {
            let status = agent(text).unwrap_err();
            (status.code(), status.message().to_owned())
        };
        let old = |text: &str| {
            let text = format!("unsatisfied client version constraint: {text}");
            (tonic::Code::FailedPrecondition, text)
        };
        assert_eq!(told("argocd-client/1.0.0"), old("1.0.0 is less than 1.4.0"));
        assert_eq!(told("argocd-client/1.3 grpc-go/1.15.0"), old("1.3.0 is less than 1.4.0"));
        assert_eq!(told("argocd-client/v0.11.0+cde040e"), old("0.11.0+cde040e is less than 1.4.0"));
        for text in ["grpc-go/1.15.0", "grpc-go/1.10.0"] {
            assert_eq!(told(text), old(">=1.4.0"));
        }
        for text in ["argocd-client/x", "argocd-client/", "argocd-client/1.4.0.1", "argocd-client/1..0"] {
            let message = format!("could not parse version from user-agent: {text}");
            assert_eq!(told(text), (tonic::Code::InvalidArgument, message));
        }
        for text in [
            "argocd-client/v3.6.0 grpc-go/1.80",
            "argocd-client/1.4.0-rc1",
            "argocd-client/1.4.0+abc",
            "argocd-client/2",
            "argocd-client/1.0.0/x",
            "argocd-client",
            "grpc-go/1.15.0 x",
            "grpc-go/1.80.0",
            "curl/8",
            "",
        ] {
            assert!(agent(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_in_words_that_clients_know() {
        let told = |text: &str| {
            unreadable(&Status::internal(text)).map(|status| (status.code(), status.message().to_owned()))
        };
        assert_eq!(
            told("Error, decoded message length too large: found 10 bytes, the limit is: 5 bytes"),
            Some((
                tonic::Code::ResourceExhausted,
                "grpc: received message larger than max (10 vs. 5)".into()
            ))
        );
        assert_eq!(
            told("failed to decode Protobuf message: invalid varint"),
            Some((tonic::Code::Internal, "grpc: error unmarshalling request: invalid varint".into()))
        );
        assert_eq!(told("Missing request message."), Some((tonic::Code::Unknown, "EOF".into())));
        assert_eq!(told("anything else"), None);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let services = ["version.VersionService".to_owned()];
        let text = |path: &str| unknown(path, &services).message().to_owned();
        assert_eq!(
            text("/version.VersionService/Nope"),
            "unknown method Nope for service version.VersionService"
        );
        assert_eq!(text("/nope.Service/Nope"), "unknown service nope.Service");
        assert_eq!(text("nonsense"), "unknown service nonsense");
    }
}
