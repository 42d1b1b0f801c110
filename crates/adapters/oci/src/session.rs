//! Requests to one repository of a registry, with what it asks for before it lets one in.

use crate::challenge::{self, Challenge};
use crate::{OciError, Reference};
use base64::Engine as _;
use download::{Access, Answer, Ask, Client, DownloadError};
use object::Secret;
use serde::Deserialize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use url::Url;

/// Longest answer of a token service.
const TOKEN_BYTES: u64 = 1 << 20;
/// How long a token is good whose service does not say, as the specification has it.
const TOKEN_TIME: u64 = 60;
/// A token is not used any more when it ends so soon.
const TOKEN_REST: Duration = Duration::from_secs(10);

/// One repository, with how it lets us in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) reference: Reference,
    base: Url,
    client: Client,
    authorization: Mutex<Option<Authorization>>,
}

#[derive(Clone, Debug)]
struct Authorization {
    header: Secret<String>,
    until: Option<Instant>,
}

#[derive(Deserialize)]
#[serde(default)]
struct Token {
    token: String,
    access_token: String,
    expires_in: u64,
}

impl Default for Token {
    fn default() -> Self {
        Self { token: String::new(), access_token: String::new(), expires_in: TOKEN_TIME }
    }
}

impl Session {
    pub(crate) fn new(
        reference: Reference,
        plain_http: bool,
        access: Access,
        timeout: Duration,
    ) -> Result<Self, OciError> {
        let scheme = if plain_http { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{}/v2/", reference.host()));
        let base = base.map_err(|_| OciError::InvalidReference {
            text: reference.to_string(),
            reason: "invalid registry",
        })?;
        let client = Client::new(access, timeout)?;
        Ok(Self { reference, base, client, authorization: Mutex::default() })
    }

    /// The address of something in this repository.
    pub(crate) fn url(&self, rest: &str) -> Result<Url, OciError> {
        let path = format!("{}/{rest}", self.reference.repository);
        self.base.join(&path).map_err(|_| OciError::InvalidReference {
            text: self.reference.to_string(),
            reason: "invalid repository",
        })
    }

    /// The address of the registry itself.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Whether what answers there does not speak TLS: no other failure says so.
    pub(crate) async fn lacks_tls(&self) -> bool {
        let ask = Ask { url: &self.base, accept: "", authorization: None, head: true };
        matches!(self.client.ask(ask).await, Err(DownloadError::NotTls { .. }))
    }

    /// Asks; where the registry refuses, once more with what it wants.
    pub(crate) async fn ask(&self, url: &Url, accept: &str, head: bool) -> Result<Answer, OciError> {
        let known = self.known();
        let authorization = known.clone().filter(|_| download::same_place(&self.base, url));
        let answer = self.client.ask(Ask { url, accept, authorization, head }).await?;
        if answer.code() != 401 || !download::same_place(&self.base, url) {
            return Ok(answer);
        }
        let Some(challenge) = challenge::first(&answer.headers("www-authenticate")) else {
            return Ok(answer);
        };
        let Some(fresh) = self.meet(challenge).await? else { return Ok(answer) };
        if known.is_some_and(|known| known.reveal() == fresh.header.reveal()) {
            // It was refused with just that.
            return Ok(answer);
        }
        let authorization = Some(fresh.header.clone());
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        Ok(self.client.ask(Ask { url, accept, authorization, head }).await?)
    }

    fn known(&self) -> Option<Secret<String>> {
        let kept = self.authorization.lock().unwrap_or_else(PoisonError::into_inner);
        let kept =
            kept.as_ref().filter(|kept| kept.until.is_none_or(|until| until > Instant::now() + TOKEN_REST));
        kept.map(|kept| kept.header.clone())
    }

    /// What a challenge is met with; nothing when we have nothing to meet it with.
    async fn meet(&self, challenge: Challenge) -> Result<Option<Authorization>, OciError> {
        let access = self.client.access();
        let basic = || {
            let pair = format!("{}:{}", access.username, access.password.reveal());
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            access.has_password().then(|| Secret::from(format!("Basic {pair}")))
        };
        if !access.bearer_token.is_empty() {
            let header = format!("Bearer {}", access.bearer_token.reveal()).into();
            return Ok(Some(Authorization { header, until: None }));
        }
        match challenge {
            Challenge::Basic => Ok(basic().map(|header| Authorization { header, until: None })),
            Challenge::Bearer { realm, service, scope } => {
                let url = self.token_url(&realm, &service, &scope)?;
                let asked = Instant::now();
                let ask = Ask { accept: "application/json", authorization: basic(), ..Ask::new(&url) };
                let body = self.client.get(ask, TOKEN_BYTES).await?;
                let token: Token = serde_json::from_slice(&body)
                    .map_err(|error| self.refused(format!("the token service's answer: {error}")))?;
                let text = if token.token.is_empty() { token.access_token } else { token.token };
                if text.is_empty() {
                    return Err(self.refused("the token service gave no token".into()));
                }
                let time = Duration::from_secs(token.expires_in.clamp(TOKEN_TIME, 24 * 3600));
                let header = format!("Bearer {text}").into();
                Ok(Some(Authorization { header, until: Some(asked + time) }))
            }
        }
    }

    fn token_url(&self, realm: &str, service: &str, scope: &str) -> Result<Url, OciError> {
        let mut url = Url::parse(realm)
            .map_err(|error| self.refused(format!("the token service's address {realm:?}: {error}")))?;
        if !matches!(url.scheme(), "http" | "https")
            || (self.base.scheme() == "https" && url.scheme() != "https")
        {
            return Err(self.refused(format!("its token service is reached by {}", url.scheme())));
        }
        let own = format!("repository:{}:pull", self.reference.repository);
        let scope = match (scope, self.reference.repository.is_empty()) {
            ("", true) => None,
            ("", false) => Some(own.as_str()),
            (told, _) => Some(told),
        };
        {
            let mut query = url.query_pairs_mut();
            if !service.is_empty() {
                query.append_pair("service", service);
            }
            if let Some(scope) = scope {
                query.append_pair("scope", scope);
            }
        }
        Ok(url)
    }

    fn refused(&self, reason: String) -> OciError {
        OciError::Authentication { registry: self.reference.registry.clone(), reason }
    }
}
