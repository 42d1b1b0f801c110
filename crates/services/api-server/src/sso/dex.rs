//! `/api/dex`: the bundled Dex, behind our own address.

use super::pages::redirect;
use crate::hub::Hub;
use axum::body::Body;
use axum::extract::Request;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// Where users learn that the login failed.
const FAILED: &str = "/login?has_sso_error=true";

/// Whether there is a Dex behind us.
pub(crate) fn has_dex(hub: &Hub) -> bool {
    hub.sso().app.as_ref().is_some_and(|app| app.dex.is_some())
}

/// Passes a request on to Dex.
pub(crate) async fn forward(hub: &Hub, mut request: Request) -> Response<Body> {
    let app = hub.sso().app.clone();
    let Some((forwarder, address)) = app.as_ref().and_then(|app| app.dex.as_ref()) else {
        return super::pages::refused(StatusCode::NOT_FOUND, "404 page not found");
    };
    let mut to = address.clone();
    to.set_path(request.uri().path());
    to.set_query(request.uri().query());
    // Our sessions are none of Dex's business.
    keep_foreign_cookies(request.headers_mut());
    let home = hub.options.base_href.trim_matches('/');
    let login = if home.is_empty() { FAILED.to_owned() } else { format!("/{home}{FAILED}") };
    match forwarder.forward(request, to).await {
        // What Dex says of its own failure is for the log.
        Ok(answer) if answer.status() == StatusCode::INTERNAL_SERVER_ERROR => {
            tracing::error!("Dex answered 500; its log says why");
            redirect(&login, &[])
        }
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "Dex could not be asked");
            super::pages::refused(StatusCode::BAD_GATEWAY, "the identity provider cannot be reached")
        }
    }
}

/// Takes our own cookies out of a request.
fn keep_foreign_cookies(headers: &mut HeaderMap) {
    let kept: Vec<String> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .map(str::trim)
        .filter(|pair| !pair.is_empty() && !pair.starts_with("argocd."))
        .map(str::to_owned)
        .collect();
    headers.remove(COOKIE);
    if let (false, Ok(value)) = (kept.is_empty(), HeaderValue::from_str(&kept.join("; "))) {
        headers.insert(COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_ours_are_not_told_to_dex() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=b; argocd.token=1; argocd.token-1=2".parse().unwrap());
        headers.append(COOKIE, "argocd.oauthstate=3;c=d".parse().unwrap());
        keep_foreign_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=b; c=d"]);
        headers.insert(COOKIE, "argocd.token=1".parse().unwrap());
        keep_foreign_cookies(&mut headers);
        assert!(headers.is_empty());
    }
}
