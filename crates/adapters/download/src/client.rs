//! One place's connections, and requests over them.

use crate::guard::{self, Resolver};
use crate::{Access, DownloadError};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, redirect};
use rustls::InvalidMessage;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::StreamReader;
use url::Url;

const USER_AGENT: &str = concat!("argocd-rs/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const MOST_REDIRECTS: usize = 10;

/// Connections with one access. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    access: Arc<Access>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The address.
    pub url: &'a Url,
    /// What will do, as `Accept` says it.
    pub accept: &'a str,
    /// The `Authorization` header, for the host of the address alone.
    pub authorization: Option<object::Secret<String>>,
    /// Ask for the headers only.
    pub head: bool,
}

impl<'a> Ask<'a> {
    /// Asks for whatever lies at an address, as nobody in particular.
    pub fn new(url: &'a Url) -> Self {
        Self { url, accept: "*/*", authorization: None, head: false }
    }
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    address: String,
}

impl Client {
    /// Opens nothing yet; `timeout` is for a whole request, its body among it. TLS uses ring; it is installed as the
    /// process's provider if none is.
    pub fn new(access: Access, timeout: Duration) -> Result<Self, DownloadError> {
        // Fails only when a provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let wrong = |what| {
            move |error: reqwest::Error| DownloadError::InvalidAccess {
                what,
                reason: error.without_url().to_string(),
            }
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .dns_resolver(Arc::new(Resolver))
            .redirect(redirect::Policy::custom(follow));
        if access.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        } else if !access.certificate_authorities.is_empty() {
            let bundle = reqwest::Certificate::from_pem_bundle(access.certificate_authorities.as_bytes());
            builder = builder.tls_certs_only(bundle.map_err(wrong("the trusted certificates"))?);
        }
        if !access.client_certificate.is_empty() {
            let pem = format!("{}\n{}", access.client_certificate, access.client_key.reveal());
            let identity = reqwest::Identity::from_pem(pem.as_bytes());
            builder = builder.identity(identity.map_err(wrong("the client certificate"))?);
        }
        if !access.proxy.is_empty() {
            let exceptions = reqwest::NoProxy::from_string(&access.no_proxy);
            let proxy = reqwest::Proxy::all(access.proxy.reveal()).map_err(wrong("the proxy"))?;
            builder = builder.no_proxy().proxy(proxy.no_proxy(exceptions));
        }
        let http = builder.build().map_err(wrong("the connection's settings"))?;
        Ok(Self { http, access: Arc::new(access) })
    }

    /// How this client gets in.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Sends a request and waits for the headers of an answer, whatever it says.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Answer, DownloadError> {
        let address = shown(ask.url);
        if guard::names_refused(ask.url) {
            let reason = "link-local addresses are not reached".to_owned();
            return Err(DownloadError::InvalidAddress { address, reason });
        }
        let method = if ask.head { Method::HEAD } else { Method::GET };
        let mut headers = HeaderMap::new();
        let header = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|error| DownloadError::InvalidAccess { what: "a header", reason: error.to_string() })
        };
        headers.insert(ACCEPT, header(ask.accept)?);
        if let Some(authorization) = &ask.authorization {
            let mut value = header(authorization.reveal())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        // A user in the address would become an `Authorization` that nobody decided on.
        let mut url = ask.url.clone();
        // Both fail only for addresses that cannot have a user.
        url.set_username("").ok();
        url.set_password(None).ok();
        let sent = self.http.request(method, url).headers(headers).send().await;
        let response = sent.map_err(|error| self.unreachable(&address, error))?;
        Ok(Answer { response, address })
    }

    /// What lies at an address, if it can be had and is small enough.
    pub async fn get(&self, ask: Ask<'_>, limit: u64) -> Result<Bytes, DownloadError> {
        self.ask(ask).await?.successful()?.bytes(limit).await
    }

    fn unreachable(&self, address: &str, error: reqwest::Error) -> DownloadError {
        let error = error.without_url();
        let (address, reason) = (address.to_owned(), self.access.scrub(&causes(&error)));
        if is_not_tls(&error) {
            return DownloadError::NotTls { address, reason };
        }
        DownloadError::Unreachable { address, reason }
    }
}

impl Answer {
    /// The code.
    pub fn code(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header's value.
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.response.headers().get(HeaderName::from_static(name))?.to_str().ok()
    }

    /// All values of a header.
    pub fn headers(&self, name: &'static str) -> Vec<String> {
        let values = self.response.headers().get_all(HeaderName::from_static(name));
        values.iter().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    }

    /// This answer, unless the server said no.
    pub fn successful(self) -> Result<Self, DownloadError> {
        let status = self.response.status();
        if status.is_success() {
            return Ok(self);
        }
        Err(DownloadError::Status {
            address: self.address,
            code: status.as_u16(),
            status: status.to_string(),
        })
    }

    /// The body, if it is small enough.
    pub async fn bytes(mut self, limit: u64) -> Result<Bytes, DownloadError> {
        let too_large = DownloadError::TooLarge { address: self.address.clone(), limit };
        if self.response.content_length().is_some_and(|length| length > limit) {
            return Err(too_large);
        }
        let mut bytes = BytesMut::new();
        loop {
            let chunk = self.response.chunk().await.map_err(|error| DownloadError::Unreachable {
                address: self.address.clone(),
                reason: causes(&error.without_url()),
            })?;
            let Some(chunk) = chunk else { return Ok(bytes.freeze()) };
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(too_large);
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    /// The body as it comes, for who reads it piece by piece; ends with an error beyond the limit.
    pub fn reader(self, limit: u64) -> impl tokio::io::AsyncRead + Send + Unpin + 'static {
        let mut taken = 0_u64;
        let stream = self.response.bytes_stream();
        let stream = stream.map_err(|error| io::Error::other(causes(&error.without_url())));
        let limited = stream.map(move |chunk| {
            let chunk = chunk?;
            taken += chunk.len() as u64;
            if taken > limit {
                return Err(io::Error::other(format!("larger than the limit of {limit} bytes")));
            }
            Ok(chunk)
        });
        StreamReader::new(Box::pin(limited))
    }
}

/// An address without user, password, query and fragment.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that cannot have a user.
    url.set_username("").ok();
    url.set_password(None).ok();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Whether two addresses are of one scheme, host and port.
pub fn same_place(left: &Url, right: &Url) -> bool {
    left.scheme() == right.scheme()
        && left.host_str() == right.host_str()
        && left.port_or_known_default() == right.port_or_known_default()
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("too many redirects");
    }
    let from_tls = attempt.previous().last().is_some_and(|from| from.scheme() == "https");
    if from_tls && attempt.url().scheme() != "https" {
        return attempt.error("a redirect from HTTPS to HTTP is not followed");
    }
    if guard::names_refused(attempt.url()) {
        return attempt.error("a redirect to a link-local address is not followed");
    }
    attempt.follow()
}

/// Whether it failed because what answered does not speak TLS.
fn is_not_tls(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) = error.downcast_ref()
        {
            return true;
        }
        // What an I/O error holds is not its source.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}

/// An error with what is behind it, each said once.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        if !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
        next = error.source();
    }
    text
}
