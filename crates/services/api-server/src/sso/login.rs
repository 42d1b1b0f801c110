//! `/auth/login` sends a browser to the provider, `/auth/callback` takes it back.

use super::App;
use super::pages::{
    STATE_COOKIE, cookie, external_url, is_secure, own_urls, redirect, refused, state_cookie,
};
use crate::cookies::set_cookies;
use crate::hub::Hub;
use auth::oidc::{
    AuthorizationRequest, LoginState, Pkce, STATE_SECONDS, authorization_url, check_return_url, random_text,
};
use axum::body::Body;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a provider may say went wrong (OAuth 2.0 and OpenID Connect): nothing else is repeated.
const CODES: [&str; 13] = [
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_scope",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
];
/// A longer code is nobody's.
const LONGEST_CODE: usize = 8 * 1024;

const UNREACHABLE: &str = "the identity provider cannot be used now; the server's log says why";

/// Sends a browser to the provider. Nothing when single sign-on is off.
pub(crate) async fn login(hub: &Hub, parts: &Parts) -> Option<Response<Body>> {
    let app = hub.sso().app.clone()?;
    Some(if parts.method == Method::GET {
        start(hub, &app, parts).await
    } else {
        refused(StatusCode::METHOD_NOT_ALLOWED, "only GET is possible here")
    })
}

async fn start(hub: &Hub, app: &App, parts: &Parts) -> Response<Body> {
    let query = query(parts);
    let text = |name: &str| query.get(name).map_or("", String::as_str);
    let own = own_urls(hub);
    if own.is_empty() {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "single sign-on needs url to be set in argocd-cm");
    }
    let home = format!("/{}", hub.options.base_href.trim_matches('/'));
    let return_url = match check_return_url(text("return_url"), &own, &home) {
        Ok(return_url) => return_url,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let discovery = match app.provider.discovery().await {
        Ok(discovery) => discovery,
        Err(error) => {
            tracing::warn!(%error, "a login could not be started");
            return refused(StatusCode::INTERNAL_SERVER_ERROR, UNREACHABLE);
        }
    };
    let pkce = (app.pkce || discovery.pkce).then(|| Pkce::new(rand::random()));
    let login = LoginState {
        state: random_text(rand::random()),
        nonce: random_text(rand::random()),
        verifier: pkce.as_ref().map(|pkce| pkce.verifier.clone()).unwrap_or_default(),
        return_url,
        redirect_uri: settings::below(&external_url(hub, parts), "/auth/callback"),
        expires: Timestamp::now().as_second() + STATE_SECONDS,
    };
    let request = AuthorizationRequest {
        client_id: &app.client.id,
        redirect_uri: &login.redirect_uri,
        scopes: &app.scopes,
        state: &login.state,
        nonce: &login.nonce,
        challenge: pkce.as_ref().map_or("", |pkce| &pkce.challenge),
        more: &app.parameters,
    };
    let target = authorization_url(&discovery.authorization_endpoint, &request);
    let cookie = state_cookie(hub, &login.seal(&app.sealed, rand::random()), STATE_SECONDS);
    redirect(target.as_str(), &[cookie])
}

/// Takes a browser back from the provider and gives it a session.
pub(crate) async fn callback(hub: &Arc<Hub>, parts: &Parts) -> Option<Response<Body>> {
    let app = hub.sso().app.clone()?;
    let outcome = finish(hub, &app, parts).await;
    hub.metrics.login(outcome.is_ok());
    Some(outcome.unwrap_or_else(|(status, text)| refused(status, &text)))
}

async fn finish(hub: &Arc<Hub>, app: &App, parts: &Parts) -> Result<Response<Body>, (StatusCode, String)> {
    let query = query(parts);
    let text = |name: &str| query.get(name).map_or("", String::as_str);
    let bad = |text: &str| (StatusCode::BAD_REQUEST, text.to_owned());
    let failed = |text: &str| (StatusCode::INTERNAL_SERVER_ERROR, text.to_owned());
    if !text("error").is_empty() {
        let known = CODES.iter().find(|code| **code == text("error")).unwrap_or(&"an error it does not name");
        tracing::warn!(error = ?text("error"), "the identity provider refused a login");
        return Err(bad(&format!("the identity provider refused the login: {known}")));
    }
    let code = text("code");
    if code.is_empty() || code.len() > LONGEST_CODE {
        return Err(bad("there is no code in the identity provider's answer"));
    }
    let state = cookie(&parts.headers, STATE_COOKIE);
    let login = LoginState::open(state, text("state"), &app.sealed, Timestamp::now())
        .map_err(|error| bad(&error.to_string()))?;
    // The settings may have changed since it was given out.
    let own = own_urls(hub);
    let home = format!("/{}", hub.options.base_href.trim_matches('/'));
    let within = login.return_url == home || check_return_url(&login.return_url, &own, "").is_ok();
    if !within {
        return Err(bad("the address to return to is not one of ours any more"));
    }
    let client = app.client_now(hub).map_err(|error| failed(&error))?;
    let tokens = app.provider.exchange(&client, code, &login.redirect_uri, &login.verifier).await;
    let tokens = tokens.map_err(|error| {
        tracing::warn!(%error, "a login could not be finished");
        failed("failed to get token: the identity provider did not take the code; the server's log says why")
    })?;
    if tokens.id_token.reveal().is_empty() {
        return Err(failed("no id_token in token response"));
    }
    let verified = app.verify_login(tokens.id_token.reveal(), &login.nonce).await;
    let claims = verified.map_err(|error| {
        tracing::warn!(%error, "a token of the identity provider was refused");
        failed("failed to verify the token")
    })?;
    hub.remember_session(app, &claims, &tokens).await;
    let mut cookies = set_cookies(tokens.id_token.reveal(), &hub.options.base_href, is_secure(hub));
    if cookies.len() > hub.options.most_cookies {
        return Err(failed(
            "the identity provider's token is too long for a browser; ask it for fewer claims",
        ));
    }
    tracing::info!(user = %claims.identifier(), "a user logged in through the identity provider");
    cookies.push(state_cookie(hub, "", 0));
    Ok(redirect(&login.return_url, &cookies))
}

/// The query, each name once.
fn query(parts: &Parts) -> BTreeMap<String, String> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        pairs.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    pairs
}
