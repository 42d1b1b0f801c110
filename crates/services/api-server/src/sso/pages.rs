//! Texts and cookies a browser gets on its way through a login.

use crate::hub::Hub;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use url::Url;

/// The cookie that holds a login under way.
pub(super) const STATE_COOKIE: &str = "argocd.oauthstate";

/// A plain text; nothing of the request is ever in it.
pub(super) fn refused(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// Sends a browser elsewhere.
pub(super) fn redirect(target: &str, cookies: &[String]) -> Response<Body> {
    let Ok(target) = HeaderValue::from_str(target) else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "the address to go to cannot be sent");
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, target);
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    response
}

/// `Set-Cookie` of a login's state; an empty value takes it away.
pub(super) fn state_cookie(hub: &Hub, value: &str, seconds: i64) -> String {
    let path = hub.options.base_href.trim_matches('/');
    let secure = if is_secure(hub) { "; Secure" } else { "" };
    let age = if value.is_empty() { 0 } else { seconds };
    format!("{STATE_COOKIE}={value}; Path=/{path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// Whether browsers reach us over TLS, here or in front of us.
pub(super) fn is_secure(hub: &Hub) -> bool {
    !hub.options.insecure || hub.snapshot().server.url.starts_with("https:")
}

/// A cookie of a request; empty when there is none.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(own, _)| *own == name)
        .map_or("", |(_, value)| value.trim_matches('"'))
}

/// All our own addresses, the first one first.
pub(crate) fn own_urls(hub: &Hub) -> Vec<String> {
    let server = &hub.snapshot().server;
    let all = std::iter::once(&server.url).chain(&server.additional_urls);
    all.filter(|url| !url.is_empty()).cloned().collect()
}

/// Which of our addresses a request came to: where it says so, the first one otherwise. What a request says is only
/// compared, never used.
pub(crate) fn external_url(hub: &Hub, parts: &Parts) -> String {
    let said = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let said = said.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    let own = own_urls(hub);
    let is_meant = |candidate: &&String| {
        Url::parse(candidate).is_ok_and(|url| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", url.host_str().unwrap_or_default()) == said
        })
    };
    own.iter().find(is_meant).or(own.first()).cloned().unwrap_or_default()
}
