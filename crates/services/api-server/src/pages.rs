//! What is neither gRPC nor REST: health, logging out, downloads, and the pages.

use crate::credentials;
use crate::hub::Hub;
use crate::sso;
use crate::static_files;
use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use tokio_util::io::ReaderStream;

/// Addresses that are no places of the pages.
const NO_PAGES: [&str; 5] = ["/api/", "/auth/", "/extensions/", "/download/", "/terminal"];

/// Answers what nothing else does.
pub(crate) async fn answer(hub: &Hub, parts: &Parts) -> Response<Body> {
    match parts.uri.path() {
        "/healthz" => healthz(hub),
        "/auth/logout" => logout(hub, parts).await,
        "/swagger.json" | "/swagger-ui" if !hub.options.describes_api => or_nothing(hub, None),
        "/swagger.json" if parts.method == Method::GET => {
            described(wire::swagger::document(), "text/plain; charset=utf-8")
        }
        "/swagger-ui" if parts.method == Method::GET => described(overview(), "text/html; charset=utf-8"),
        path if path.starts_with("/download/") && parts.method == Method::GET => download(hub, path).await,
        path if NO_PAGES.iter().any(|prefix| path.starts_with(prefix)) => or_nothing(hub, None),
        _ => secured(hub, static_files::answer(&hub.options, parts).await),
    }
}

/// Whether the server serves.
pub(crate) fn healthz(hub: &Hub) -> Response<Body> {
    if hub.stopping.load(Ordering::Relaxed) {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    text(StatusCode::OK, "ok\n")
}

/// The description of the REST API. No page may hold it in a frame.
fn described(body: &'static str, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("content-security-policy", HeaderValue::from_static("frame-ancestors 'none'"));
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    response
}

/// The same as a page that needs nothing else: no script, nothing from elsewhere.
fn overview() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let rows: String = wire::route::routes()
            .iter()
            .map(|route| {
                let method = format!("{}.{}", route.service, route.method);
                format!("<tr><td>{}<td><code>{}</code><td>{method}\n", route.verb, route.template)
            })
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Argo CD API</title></head>\
             <body><h1>Argo CD API</h1><p>Requests and answers are described in \
             <a href=\"swagger.json\">swagger.json</a>.</p>\n<table><tr><th>Verb<th>Path<th>Method\n{rows}</table>\
             </body></html>\n"
        )
    });
    &PAGE
}

/// This program for the system it is running on: it is the command line, too.
async fn download(hub: &Hub, path: &str) -> Response<Body> {
    let missing = || secured(hub, text(StatusCode::NOT_FOUND, "404 page not found\n"));
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let plain = format!("/download/argocd-{}", std::env::consts::OS);
    let is_own = path == plain
        || path.strip_prefix(&plain).and_then(|rest| rest.strip_prefix('-')) == Some(architecture);
    let Some(program) = hub.options.program.as_ref().filter(|_| is_own) else { return missing() };
    let opened = async {
        let file = tokio::fs::File::open(program).await?;
        let size = file.metadata().await?.len();
        Ok::<_, std::io::Error>((file, size))
    };
    match opened.await {
        Ok((file, size)) => {
            let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
            response
        }
        Err(error) => {
            tracing::warn!(%error, program = %program.display(), "the program cannot be read for a download");
            missing()
        }
    }
}

/// An answer of what may be switched off; that nothing is there, when it is.
pub(crate) fn or_nothing(hub: &Hub, answer: Option<Response<Body>>) -> Response<Body> {
    secured(hub, answer.unwrap_or_else(|| text(StatusCode::NOT_FOUND, "404 page not found\n")))
}

/// An answer without words.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A text answer.
pub(crate) fn text(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if !status.is_success() {
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    }
    response
}

fn secured(hub: &Hub, mut response: Response<Body>) -> Response<Body> {
    let set = |headers: &mut HeaderMap, name: &'static str, value: &str| {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let headers = response.headers_mut();
    set(headers, "x-frame-options", &hub.options.frame_options);
    set(headers, "content-security-policy", &hub.options.content_security_policy);
    set(headers, "x-xss-protection", "1");
    set(headers, "x-robots-tag", "noindex, nofollow");
    set(headers, "x-content-type-options", "nosniff");
    response
}

/// Takes the session's token back and sends the browser to where users begin.
async fn logout(hub: &Hub, parts: &Parts) -> Response<Body> {
    let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let Some(token) = cookies.filter_map(credentials::cookie_token).find(|token| !token.is_empty()) else {
        return text(
            StatusCode::BAD_REQUEST,
            "Failed to retrieve ArgoCD auth token: failed to retrieve cookie argocd.token\n",
        );
    };
    let fallback = format!("/{}", hub.options.base_href.trim_matches('/'));
    let own = sso::external_url(hub, parts);
    let home = if own.is_empty() { fallback } else { own };
    let target = end_session(hub, &token, &home).await.unwrap_or(home);
    let mut response = Response::new(Body::empty());
    if parts.method == Method::GET {
        let page = format!("<a href=\"{}\">See Other</a>.\n\n", crate::badge::escaped(&target));
        *response.body_mut() = Body::from(page);
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(target) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(LOCATION, target);
    }
    let sent = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let names = sent.flat_map(crate::cookies::session_names);
    for cookie in crate::cookies::cleared(names, &hub.options.base_href, !hub.options.insecure) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// Takes a token back; where the provider it came from ends its own session.
async fn end_session(hub: &Hub, token: &str, home: &str) -> Option<String> {
    if auth::oidc::unverified_issuer(token).is_some_and(|issuer| issuer != auth::ISSUER) {
        return if hub.revoke_federated(token).await { sso::provider_logout(hub, token, home) } else { None };
    }
    if let Ok((identity, _)) = hub.identify(token).await {
        hub.revoke(&identity.claims).await;
    }
    None
}
