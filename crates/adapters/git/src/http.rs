//! The options of one HTTP connection: trust, client certificate, proxy, credentials.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::Engine as _;
use gix::{
    credentials::{helper::Action, protocol::Outcome},
    protocol::transport::client::blocking_io::http::{self, reqwest::Options as Backend},
};
use reqwest::blocking::ClientBuilder;
use url::Url;

use crate::Repository;
use object::Secret;

pub(crate) const USER_AGENT: &str = concat!("argocd-rs/", env!("CARGO_PKG_VERSION"));

/// The transport options of a connection to `repository`.
pub(crate) fn options(repository: &Repository, url: &Url, timeout: Duration) -> http::Options {
    let owned = repository.clone();
    let backend = Backend {
        configure_client: Some(Box::new(move |builder| {
            configure(builder, &owned, timeout).map_err(gix::Error::from_error)
        })),
        configure_request: None,
    };
    http::Options {
        extra_headers: authorization(repository, url).into_iter().collect(),
        user_agent: Some(USER_AGENT.to_owned()),
        backend: Some(Arc::new(Mutex::new(backend))),
        ..http::Options::default()
    }
}

/// Trust, client certificate, proxy and times of a client for `repository`.
pub(crate) fn configure(
    builder: ClientBuilder,
    repository: &Repository,
    timeout: Duration,
) -> reqwest::Result<ClientBuilder> {
    let mut builder = builder.timeout(timeout).connect_timeout(timeout);
    if repository.insecure {
        builder = builder.tls_danger_accept_invalid_certs(true);
    } else if !repository.certificate_authorities.is_empty() {
        let authorities =
            reqwest::Certificate::from_pem_bundle(repository.certificate_authorities.as_bytes())?;
        builder = builder.tls_certs_only(authorities);
    }
    if !repository.tls_client_certificate.is_empty() {
        let pem = format!("{}\n{}", repository.tls_client_certificate, repository.tls_client_key.reveal());
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes())?);
    }
    if !repository.proxy.is_empty() {
        let exceptions = reqwest::NoProxy::from_string(&repository.no_proxy);
        builder =
            builder.no_proxy().proxy(reqwest::Proxy::all(repository.proxy.reveal())?.no_proxy(exceptions));
    }
    Ok(builder)
}

/// The header that goes out with every request. Requests with it follow no redirect, so it reaches no other host.
/// Over plain HTTP the transport answers no refusal with a password, so there this is the only way.
fn authorization(repository: &Repository, url: &Url) -> Option<String> {
    let waits = repository.bearer_token.is_empty() && !repository.force_basic_auth;
    if waits && url.scheme() != "http" {
        return None;
    }
    authorization_value(repository).map(|value| format!("Authorization: {value}"))
}

/// What an `Authorization` header says for these credentials.
pub(crate) fn authorization_value(repository: &Repository) -> Option<String> {
    if !repository.bearer_token.is_empty() {
        return Some(format!("Bearer {}", repository.bearer_token.reveal()));
    }
    let (username, password) = basic(repository)?;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{}", password.reveal()));
    Some(format!("Basic {pair}"))
}

/// Why a request failed, down to the cause, without its address.
pub(crate) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut texts = vec![error.to_string()];
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    texts.dedup();
    texts.join(": ")
}

fn basic(repository: &Repository) -> Option<(String, &Secret<String>)> {
    if repository.username.is_empty() && repository.password.is_empty() {
        return None;
    }
    // Hosts that take a token as password want some user name.
    let username = if repository.username.is_empty() { "x-access-token" } else { &repository.username };
    Some((username.to_owned(), &repository.password))
}

/// Answers a refusal with the credentials, if the refusal came from the host they were given for. `asked` is set
/// when the remote wanted any.
pub(crate) fn credentials(
    repository: &Repository,
    url: &Url,
    asked: Arc<AtomicBool>,
) -> impl FnMut(Action) -> gix::Result<Option<Outcome>> + 'static {
    let (repository, url) = (repository.clone(), url.clone());
    move |action| {
        let Action::Get(context) = action else { return Ok(None) };
        asked.store(true, Ordering::SeqCst);
        let same_host =
            context.url.as_ref().and_then(|url| Url::parse(&url.to_string()).ok()).is_some_and(|asking| {
                asking.scheme() == url.scheme()
                    && asking.host_str() == url.host_str()
                    && asking.port_or_known_default() == url.port_or_known_default()
            });
        // What was refused as a header is refused.
        let fresh = authorization(&repository, &url).is_none();
        let Some((username, password)) = basic(&repository).filter(|_| same_host && fresh) else {
            return Ok(None);
        };
        let identity = gix::sec::identity::Account {
            username,
            password: password.reveal().to_owned(),
            oauth_refresh_token: None,
        };
        Ok(Some(Outcome { identity, next: context.into() }))
    }
}
