//! One request, one answer: limits of size and time, redirects that stay with the host, messages without what addresses
//! carry of secrets.

use crate::failure::Failure;
use crate::gate::Gate;
use crate::json::short;
use crate::reach::Reach;
use crate::world::World;
use object::Secret;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const LARGEST_ANSWER: usize = 256 << 10;
const REDIRECTS: usize = 10;
/// The longest a service may ask to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Makes one service's clients.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) world: World,
    pub(crate) reach: Reach,
    pub(crate) gate: Gate,
}

/// What a request goes through on its way to most hosts.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// Its address, which may hold a password.
    pub url: Secret<String>,
    /// Hosts, domains and networks that are reached without it, with commas between them.
    pub exceptions: String,
}

/// How to connect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    /// A proxy of this service's own, instead of the environment's.
    pub(crate) proxy: Option<Proxy>,
    /// Certificates are not looked at.
    pub(crate) insecure: bool,
    /// So many connections stay open when nothing is sent.
    pub(crate) most_idle: Option<usize>,
    /// And so long.
    pub(crate) longest_idle: Option<Duration>,
    /// So many connections to one host there are at once.
    pub(crate) most: Option<Limit>,
}

/// How many connections to each host there may be at once. Copies count together.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    most: usize,
    hosts: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

impl Limit {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.min(Semaphore::MAX_PERMITS), hosts: Arc::default() }
    }

    /// A connection's place; nothing where none becomes free in time.
    async fn place(&self, url: &Url, time: Duration) -> Option<OwnedSemaphorePermit> {
        let host = format!("{:?}", url.origin());
        let places = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.entry(host).or_insert_with(|| Arc::new(Semaphore::new(self.most))).clone()
        };
        tokio::time::timeout(time, places.acquire_owned()).await.ok()?.ok()
    }
}

/// Sends requests to one service.
pub(crate) struct Client {
    inner: reqwest::Client,
    outlet: Outlet,
    limit: Option<Limit>,
}

/// A request.
pub(crate) struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    largest: usize,
    shown: Option<String>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// How many bytes of it were read, where there were more.
    cut: Option<usize>,
    after: Option<Duration>,
}

impl Request {
    pub(crate) fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            largest: LARGEST_ANSWER,
            shown: None,
        }
    }

    /// What messages call its address.
    pub(crate) fn called(mut self, shown: &str) -> Self {
        self.shown = Some(shown.to_owned());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Reads more of the answer than is usual.
    pub(crate) fn up_to(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    pub(crate) fn json(self, body: impl Into<String>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    /// A form, by the order of its names.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded").body(form(fields))
    }

    pub(crate) fn basic(self, username: &str, password: &str) -> Self {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        self.header("Authorization", format!("Basic {text}"))
    }
}

/// Names and values as forms and queries have them, sorted by name.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|(name, _)| *name);
    let encoded = |text: &str| notify::secrets::percent_encoded(text).replace("%20", "+");
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// An address for messages: without user, password and query.
pub(crate) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        Err(_) => "an address that cannot be read".to_owned(),
    }
}

impl Outlet {
    pub(crate) fn new(world: &World, reach: Reach) -> Self {
        Self { world: world.clone(), reach, gate: Gate::new(world) }
    }

    /// A client for a service at that address.
    pub(crate) fn client(&self, url: &str, connection: &Connection) -> Result<Client, String> {
        let reach = self.reach;
        let redirects = Policy::custom(move |attempt| {
            let Some(first) = attempt.previous().first() else { return attempt.stop() };
            let stays = attempt.url().host_str() == first.host_str()
                && !(first.scheme() == "https" && attempt.url().scheme() != "https");
            if attempt.previous().len() > REDIRECTS {
                attempt.error("too many redirects")
            } else if !stays {
                attempt.error("a redirect to another host is not followed")
            } else if !reach.permits_host(attempt.url()) {
                attempt.error("a redirect to an address that must not be reached")
            } else {
                attempt.follow()
            }
        });
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent("argocd-notifications")
            .redirect(redirects)
            .dns_resolver(Arc::new(reach));
        if let Some(most) = connection.most_idle {
            builder = builder.pool_max_idle_per_host(most);
        }
        if let Some(longest) = connection.longest_idle {
            builder = builder.pool_idle_timeout(longest);
        }
        if let Some(Proxy { url, exceptions }) = &connection.proxy {
            let proxy = reqwest::Proxy::all(url.reveal());
            let proxy = proxy.map_err(|_| "the address of its proxy cannot be read".to_owned())?;
            let exceptions = reqwest::NoProxy::from_string(exceptions);
            builder = builder.no_proxy().proxy(proxy.no_proxy(exceptions));
        }
        if connection.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        } else if let Some(pem) = host(url).and_then(|host| (self.world.authorities)(&host)) {
            let read = reqwest::Certificate::from_pem_bundle(&pem);
            let certificates = read.map_err(|error| format!("certificates for {}: {error}", shown(url)))?;
            builder = builder.tls_certs_only(certificates);
        }
        let inner = builder.build().map_err(|error| format!("set up a client: {}", reason(&error)))?;
        Ok(Client { inner, outlet: self.clone(), limit: connection.most.clone() })
    }
}

/// Host of an address, with its port where one is written.
fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.to_owned();
    Some(url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
}

impl Client {
    /// Sends a request; whatever is answered comes back.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let about = match &request.shown {
            Some(shown) => format!("{} {shown}", request.method),
            None => format!("{} {}", request.method, shown(&request.url)),
        };
        let lasting = |error: &str| Failure::lasting(format!("{about}: {error}"));
        let passing = |error: &reqwest::Error| Failure::passing(format!("{about}: {}", reason(error)));
        let url = Url::parse(&self.outlet.world.reached(&request.url))
            .map_err(|error| lasting(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(lasting(&format!("unsupported protocol scheme {:?}", url.scheme())));
        }
        if !self.outlet.reach.permits_host(&url) {
            return Err(lasting("the address must not be reached"));
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|_| lasting("the method cannot be read"))?;
        // Both are held until the answer is read.
        let _connection = match &self.limit {
            Some(limit) => match limit.place(&url, TIMEOUT).await {
                Some(place) => Some(place),
                None => {
                    return Err(Failure::passing(format!(
                        "{about}: none of maxConnsPerHost became free in time"
                    )));
                }
            },
            None => None,
        };
        let _place = self.outlet.gate.place().await?;
        let mut sent = self.inner.request(method, url);
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| lasting(&format!("invalid header field name {name:?}")))?;
            let mut value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| lasting(&format!("invalid header field value for {:?}", name.as_str())))?;
            value.set_sensitive(true);
            sent = sent.header(name, value);
        }
        if let Some(body) = request.body {
            sent = sent.body(body);
        }
        let mut response = sent.send().await.map_err(|error| match error.is_redirect() {
            true => lasting(&reason(&error)),
            false => passing(&error),
        })?;
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let (mut bytes, mut cut) = (Vec::new(), None);
        while let Some(chunk) = response.chunk().await.map_err(|error| passing(&error))? {
            let room = request.largest - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            cut = cut.or_else(|| (chunk.len() > room).then_some(request.largest));
        }
        Ok(Answer {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
            cut,
            after: after.map(|pause: Duration| pause.min(LONGEST_PAUSE)),
        })
    }
}

/// What went wrong below, in one line and without the address.
fn reason(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    match causes.as_slice() {
        [] if error.is_timeout() => "no answer in time".to_owned(),
        [] => "the request could not be sent".to_owned(),
        causes => causes.join(": "),
    }
}

impl Answer {
    /// Whether it is 2xx.
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A failure of that text; whether trying again helps is what the status says.
    pub(crate) fn failure(&self, message: impl Into<String>) -> Failure {
        let retry = self.status >= 500 || matches!(self.status, 408 | 425 | 429);
        Failure { message: message.into(), retry, after: self.after }
    }

    /// An error unless it is 2xx, in the words that most services share.
    pub(crate) fn good(self, url: &str) -> Result<Self, Failure> {
        if self.is_good() { Ok(self) } else { self.exactly_good(url) }
    }

    /// The same where 200 alone is good.
    pub(crate) fn exactly_good(self, url: &str) -> Result<Self, Failure> {
        if self.status == 200 {
            return Ok(self);
        }
        Err(self.failure(format!(
            "request to {} has failed with error code {} : {}",
            shown(url),
            self.status,
            short(&self.body)
        )))
    }

    /// The body as JSON.
    pub(crate) fn json(&self, about: &str) -> Result<serde_json::Value, Failure> {
        if let Some(read) = self.cut {
            return Err(self.failure(format!("{about}: the answer is longer than {read} bytes")));
        }
        serde_json::from_str(&self.body).map_err(|error| {
            self.failure(format!("{about}: the answer ({}) is no JSON: {error}", self.status))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_they_carry() {
        let url = "https://user:password@sink.example:8443/hook?token=secret#x";
        assert_eq!(shown(url), "https://sink.example:8443/hook");
        assert_eq!(shown("nonsense with token"), "an address that cannot be read");
    }

    #[tokio::test]
    async fn so_many_connections_to_one_host_there_are_at_once() {
        let limit = Limit::new(1);
        let place = async |url: &str| {
            let url = Url::parse(url).expect("an address");
            limit.clone().place(&url, Duration::from_millis(20)).await
        };
        let first = place("https://a.example/x?y").await;
        assert!(first.is_some() && place("https://b.example/x").await.is_some());
        assert!(place("https://a.example/z").await.is_none(), "the one place is taken");
        drop(first);
        assert!(place("https://a.example/z").await.is_some());
    }

    #[test]
    fn forms_are_sorted_and_escaped() {
        let fields = [("text", "a b&c <d>"), ("channel", "#x")];
        assert_eq!(form(&fields), "channel=%23x&text=a+b%26c+%3Cd%3E");
    }
}
