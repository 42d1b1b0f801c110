//! Passes HTTP requests on to another server. Whether to, and with which headers, is decided before.

use axum::body::Body;
use futures::TryStreamExt as _;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, Request, Response};
use std::time::Duration;
use url::Url;

/// Largest body of a request.
const LARGEST: usize = 64 << 20;

/// Whose certificates are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// Those the system's authorities signed.
    OfTheSystem,
    /// Those one of these signed, PEM.
    SignedBy(Vec<u8>),
    /// All: for a server of ours that makes its own certificate at start.
    NotVerified,
}

/// How connections are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How long connecting may take.
    pub connect: Duration,
    /// How often an idle connection is probed.
    pub keep_alive: Duration,
    /// How long a connection is kept without use.
    pub idle: Duration,
    /// How many are kept without use.
    pub most_idle: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            most_idle: 30,
        }
    }
}

/// Why a request was not answered by the other server. No text holds what was sent.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The request's body is too large.
    #[error("the request is larger than {LARGEST} bytes")]
    TooLarge,
    /// No answer.
    #[error("pass a request on to {address}: {reason}")]
    Unreachable {
        /// Where, without path and query.
        address: String,
        /// What happened.
        reason: String,
    },
}

/// Passes requests on.
#[derive(Clone, Debug)]
pub struct Forwarder(reqwest::Client);

impl Forwarder {
    /// With connections of its own.
    pub fn new(certificates: &Certificates, connections: &Connections) -> Result<Self, ForwardError> {
        // Installing twice is no failure: whoever was first chose the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = |error: reqwest::Error| ForwardError::Settings(error.without_url().to_string());
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connections.connect)
            .tcp_keepalive(connections.keep_alive)
            .pool_idle_timeout(connections.idle)
            .pool_max_idle_per_host(connections.most_idle);
        let builder = match certificates {
            Certificates::OfTheSystem => builder,
            Certificates::SignedBy(pem) => {
                builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem).map_err(settings)?)
            }
            Certificates::NotVerified => builder.tls_danger_accept_invalid_certs(true),
        };
        builder.build().map(Self).map_err(settings)
    }

    /// The answer to a request of the server at an address; path and query come from there.
    pub async fn forward(&self, request: Request<Body>, to: Url) -> Result<Response<Body>, ForwardError> {
        let address = format!("{}://{}", to.scheme(), to.host_str().unwrap_or_default());
        let (mut parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST).await.map_err(|_| ForwardError::TooLarge)?;
        drop_of_connection(&mut parts.headers);
        parts.headers.remove(HOST);
        parts.headers.remove(CONTENT_LENGTH);
        let request = self.0.request(parts.method, to).headers(parts.headers).body(body);
        let answered = request.send().await.map_err(|error| ForwardError::Unreachable {
            address,
            reason: error.without_url().to_string(),
        })?;
        let mut response = Response::builder().status(answered.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answered.headers());
            drop_of_connection(headers);
        }
        let stream = answered.bytes_stream().map_err(reqwest::Error::without_url);
        response.body(Body::from_stream(stream)).map_err(|error| ForwardError::Settings(error.to_string()))
    }
}

/// Takes out what is between two neighbours only, and what they named as such.
fn drop_of_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let always = [
        CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in named.iter().chain(&always) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, drop_of_connection};

    #[test]
    fn headers_of_one_connection_stay_there() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("te", "x"),
            ("x-kept", "2"),
            ("upgrade", "ws"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        drop_of_connection(&mut headers);
        assert_eq!(headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
    }
}
