//! What is neither gRPC nor REST: health, logging out, and pages.

use crate::credentials;
use crate::hub::Hub;
use axum::body::Body;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Argo CD</title></head>\
<body><h1>Argo CD</h1><p>The API server is running. This build has no web pages yet: use the <code>argocd</code> \
command or the REST API.</p></body></html>\n";

/// Answers what nothing else does.
pub(crate) async fn answer(hub: &Hub, method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
    match path {
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/auth/logout" => logout(hub, headers).await,
        _ if is_page(method, path, headers) => secured(hub, page()),
        _ => secured(hub, text(StatusCode::NOT_FOUND, "404 page not found\n")),
    }
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

fn is_page(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let wants = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let outside = ["/api/", "/auth/", "/extensions", "/download/", "/terminal"];
    *method == Method::GET
        && wants.contains("text/html")
        && !outside.iter().any(|prefix| path.starts_with(prefix))
}

fn page() -> Response<Body> {
    let mut response = Response::new(Body::from(PAGE));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private, max-age=0"));
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
async fn logout(hub: &Hub, headers: &HeaderMap) -> Response<Body> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let Some(token) = cookies.filter_map(credentials::cookie_token).find(|token| !token.is_empty()) else {
        return text(
            StatusCode::BAD_REQUEST,
            "Failed to retrieve ArgoCD auth token: failed to retrieve cookie argocd.token\n",
        );
    };
    if let Ok((identity, _)) = hub.identify(&token).await {
        hub.revoke(&identity.claims).await;
    }
    let snapshot = hub.snapshot();
    let fallback = format!("/{}", hub.options.base_href.trim_matches('/'));
    let target = if snapshot.server.url.is_empty() { &fallback } else { &snapshot.server.url };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, target);
    }
    for cookie in crate::cookies::set_cookies("", &hub.options.base_href, !hub.options.insecure) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}
