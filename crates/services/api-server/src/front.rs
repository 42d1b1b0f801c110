//! The port: which protocol a request speaks, and who answers it.

use crate::authentication::{Authenticated, RENEWED};
use crate::contained::Contained;
use crate::hub::Hub;
use crate::{StartError, badge, cookies, extensions, pages, services, sso, terminal, webhooks};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::header::{CONTENT_TYPE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use prost::Message as _;
use std::sync::Arc;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use wire::gateway::{Gateway, Reply};
use wire::web::GRPC_WEB;

const GRPC: &str = "application/grpc";

/// All that a request may be sent to.
#[derive(Clone)]
struct Front {
    hub: Arc<Hub>,
    grpc: Authenticated,
    rest: Gateway<Authenticated>,
}

/// Takes answers that are there as a whole: a compressed stream would be held back until enough has gathered.
#[derive(Clone, Copy)]
struct Whole;

impl Predicate for Whole {
    fn should_compress<B: http_body::Body>(&self, response: &Response<B>) -> bool {
        response.body().size_hint().exact().is_some()
    }
}

/// The gRPC services, authenticated.
pub(crate) fn grpc_router(hub: &Arc<Hub>) -> Result<Router, StartError> {
    let grpc = authenticated(hub)?;
    Ok(Router::new().fallback(move |request: Request| {
        let grpc = grpc.clone();
        async move { answered(grpc.oneshot(request.map(tonic::body::Body::new)).await) }
    }))
}

/// Everything.
pub(crate) fn router(hub: &Arc<Hub>) -> Result<Router, StartError> {
    let grpc = authenticated(hub)?;
    let hook_hub = hub.clone();
    let options = wire::gateway::Options {
        content_types: hub.options.content_types.clone(),
        message_limit: hub.options.message_limit,
        hook: Some(Arc::new(move |reply: &Reply<'_>| session_cookies(&hook_hub, reply))),
    };
    let rest = Gateway::new(grpc.clone(), options);
    let front = Front { hub: hub.clone(), grpc, rest };
    let router = Contained::new(Router::new().fallback(dispatch).with_state(front)).into_router();
    Ok(if hub.options.gzip {
        // Short answers as well, as clients of the original see them.
        let kinds = NotForContentType::GRPC.and(NotForContentType::IMAGES).and(NotForContentType::SSE);
        let compressed = CompressionLayer::new().compress_when(SizeAbove::new(1).and(kinds).and(Whole));
        router.layer(compressed).layer(axum::middleware::map_response(varying))
    } else {
        router
    })
}

/// What a port with TLS says to plain HTTP. With a root path the redirect is under it, health is told right away, and
/// nothing else is there.
pub(crate) fn plain_text(hub: &Arc<Hub>) -> Router {
    let root = hub.options.root_path.clone();
    if root.is_empty() {
        return transport::https_redirect();
    }
    let hub = hub.clone();
    let guard = move |request: Request, next: axum::middleware::Next| {
        let (hub, root) = (hub.clone(), root.clone());
        async move {
            let path = request.uri().path();
            if path == "/healthz" {
                return pages::healthz(&hub);
            }
            let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(root.as_str()));
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                return next.run(request).await;
            }
            pages::text(StatusCode::NOT_FOUND, "404 page not found\n")
        }
    };
    transport::https_redirect().layer(axum::middleware::from_fn(guard))
}

fn authenticated(hub: &Arc<Hub>) -> Result<Authenticated, StartError> {
    let (router, names) = services::router(hub)?;
    let router = Contained::new(router).within(|router| hub.metrics.calls.count(router));
    Ok(Authenticated::new(hub.clone(), router, names.into()))
}

async fn dispatch(State(front): State<Front>, mut request: Request) -> Response<Body> {
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let content_type = content_type.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
    if request.version() == Version::HTTP_2 && content_type == GRPC {
        return answered(front.grpc.oneshot(request.map(tonic::body::Body::new)).await);
    }
    let root = front.hub.options.root_path.clone();
    if !root.is_empty() && request.uri().path() != "/healthz" && !strip(&mut request, &root) {
        return pages::text(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    if content_type == GRPC_WEB {
        return wire::web::answer(front.grpc, request).await.map(Body::new);
    }
    let path = request.uri().path().to_owned();
    if path == "/api/webhook" {
        return webhooks::answer(&front.hub, request).await;
    }
    if path == "/api/badge" {
        return badge::answer(&front.hub, request.uri().query().unwrap_or_default());
    }
    if path == "/auth/login" || path == "/auth/callback" {
        let (parts, _) = request.into_parts();
        let answer = match path.as_str() {
            "/auth/login" => sso::login(&front.hub, &parts).await,
            _ => sso::callback(&front.hub, &parts).await,
        };
        return pages::or_nothing(&front.hub, answer);
    }
    if (path == "/api/dex" || path.starts_with("/api/dex/")) && sso::has_dex(&front.hub) {
        return sso::forward_to_dex(&front.hub, request).await;
    }
    if path == "/api" || path.starts_with("/api/") {
        return front.rest.answer(request).await.map(Body::new);
    }
    if path == "/extensions.js" {
        return extensions::scripts(&front.hub.options.extensions_folder).await;
    }
    if path.starts_with("/extensions/") {
        let answer = extensions::answer(&front.hub, request).await;
        return answer.unwrap_or_else(|| pages::or_nothing(&front.hub, None));
    }
    if path == "/terminal" {
        let answer = terminal::answer(&front.hub, request).await;
        return answer.unwrap_or_else(|| pages::empty(StatusCode::NOT_FOUND));
    }
    let (parts, _) = request.into_parts();
    pages::answer(&front.hub, &parts).await
}

/// Caches between us and clients must know that answers depend on what the client can unpack, packed or not.
async fn varying(mut response: Response<Body>) -> Response<Body> {
    let grpc =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()));
    if !grpc {
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// Takes the root path off; whether it was there.
fn strip(request: &mut Request, root: &str) -> bool {
    let uri = request.uri().clone();
    let rest = uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(root));
    let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) else { return false };
    let rest = if rest.is_empty() { "/" } else { rest };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match format!("{rest}{query}").parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return false,
    }
    true
}

fn answered(result: Result<Response<tonic::body::Body>, std::convert::Infallible>) -> Response<Body> {
    match result {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// A new session, and one that was renewed, go to the browser as cookies.
fn session_cookies(hub: &Hub, reply: &Reply<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let session = reply.route.service == "session.SessionService";
    let token = match reply.route.method.as_str() {
        "Create" if session => {
            wire::session::SessionResponse::decode(reply.message).map(|response| response.token).ok()
        }
        "Delete" if session => Some(String::new()),
        _ => reply.metadata.get(RENEWED).and_then(|token| token.to_str().ok()).map(str::to_owned),
    };
    for cookie in token
        .iter()
        .flat_map(|token| cookies::set_cookies(token, &hub.options.base_href, !hub.options.insecure))
    {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    headers
}
