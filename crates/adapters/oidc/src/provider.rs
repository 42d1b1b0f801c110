//! A provider as it is known now: its configuration and keys, fetched when needed and kept for a while.

use crate::error::OidcError;
use crate::http;
use auth::oidc::{
    Audiences, Discovery, Expected, FederatedClaims, IdTokenError, KeySet, RequestedValue, verify_id_token,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use url::Url;

/// A token of an unknown key makes keys be fetched again, but not more often than this.
const SOONEST: Duration = Duration::from_secs(10);
/// A failure is believed for this long.
const FAILED: Duration = Duration::from_secs(3);
/// The same, where there is something to go on with meanwhile.
const FAILED_AGAIN: Duration = Duration::from_secs(30);

/// Whose certificates are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// Those the system's authorities signed.
    OfTheSystem,
    /// Those one of these signed, PEM.
    SignedBy(String),
    /// All: the settings say so.
    NotVerified,
}

/// Where a provider is and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderOptions {
    /// The issuer, as its tokens spell it.
    pub issuer: String,
    /// Where requests really go, when not where the issuer says.
    pub via: Option<Url>,
    /// Whose certificates are believed.
    pub certificates: Certificates,
    /// How long configuration and keys are good without asking again.
    pub keep: Duration,
}

/// What a token must be like, beside being the provider's.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// For whom it may be.
    pub audiences: Audiences<'a>,
    /// The nonce of the login it answers.
    pub nonce: Option<&'a str>,
    /// Claims of the login it answers.
    pub essential: Option<&'a BTreeMap<String, RequestedValue>>,
}

#[derive(Clone)]
struct Known {
    discovery: Arc<Discovery>,
    keys: Arc<KeySet>,
    at: Instant,
}

/// An identity provider.
pub struct Provider {
    pub(crate) options: ProviderOptions,
    pub(crate) client: reqwest::Client,
    known: RwLock<Option<Known>>,
    /// Held by whoever asks; remembers what came of it when that was nothing.
    asking: Mutex<Option<(Instant, OidcError)>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Provider").field("issuer", &self.options.issuer).finish_non_exhaustive()
    }
}

impl Provider {
    /// Asks nothing yet.
    pub fn new(options: ProviderOptions) -> Result<Self, OidcError> {
        let client = http::client(&options)?;
        Ok(Self { options, client, known: RwLock::default(), asking: Mutex::default() })
    }

    /// Knows from now on what `other` knows, where both are reached in the same way and this one knows nothing yet: a provider that
    /// is away while settings change locks nobody out.
    pub fn know_from(&self, other: &Self) {
        if self.options != other.options {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = other.remembered();
        }
    }

    /// How it is reached.
    pub fn options(&self) -> &ProviderOptions {
        &self.options
    }

    /// What it says of itself.
    pub async fn discovery(&self) -> Result<Arc<Discovery>, OidcError> {
        self.known(self.options.keep).await.map(|known| known.discovery)
    }

    /// What a token of it says. Where no known key has signed it, the keys are asked for again first.
    pub async fn verify(
        &self,
        token: &str,
        wanted: &Wanted<'_>,
        now: Timestamp,
    ) -> Result<FederatedClaims, OidcError> {
        let known = self.known(self.options.keep).await?;
        match self.judge(token, wanted, &known, now) {
            Err(IdTokenError::Signature) if known.at.elapsed() >= SOONEST => {
                let known = self.known(SOONEST).await?;
                Ok(self.judge(token, wanted, &known, now)?)
            }
            judged => Ok(judged?),
        }
    }

    fn judge(
        &self,
        token: &str,
        wanted: &Wanted<'_>,
        known: &Known,
        now: Timestamp,
    ) -> Result<FederatedClaims, IdTokenError> {
        let expected = Expected {
            issuer: &self.options.issuer,
            algorithms: &known.discovery.algorithms,
            audiences: wanted.audiences,
            nonce: wanted.nonce,
            essential: wanted.essential,
        };
        verify_id_token(token, &known.keys, &expected, now)
    }

    /// What is known and younger than `oldest`; asks for it otherwise. While the provider is away, what is known stands.
    async fn known(&self, oldest: Duration) -> Result<Known, OidcError> {
        let fresh = |known: &Known| known.at.elapsed() < oldest;
        if let Some(known) = self.remembered().filter(fresh) {
            return Ok(known);
        }
        let mut asking = match (self.asking.try_lock(), self.remembered()) {
            (Ok(asking), _) => asking,
            // Somebody is asking already: what is known is good enough for the others.
            (Err(_), Some(known)) => return Ok(known),
            (Err(_), None) => self.asking.lock().await,
        };
        // It may have been asked meanwhile.
        let before = self.remembered();
        if let Some(known) = before.clone().filter(fresh) {
            return Ok(known);
        }
        let believed = if before.is_some() { FAILED_AGAIN } else { FAILED };
        if let Some((_, error)) = asking.as_ref().filter(|(at, _)| at.elapsed() < believed) {
            return before.ok_or_else(|| error.clone());
        }
        match self.ask().await {
            Ok(known) => {
                *asking = None;
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
                Ok(known)
            }
            Err(error) => {
                tracing::warn!(%error, "the identity provider could not be asked");
                *asking = Some((Instant::now(), error.clone()));
                before.ok_or(error)
            }
        }
    }

    fn remembered(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self) -> Result<Known, OidcError> {
        let issuer = &self.options.issuer;
        let address = Discovery::address(issuer);
        let address = Url::parse(&address)
            .map_err(|error| OidcError::Settings(format!("issuer {issuer:?}: {error}")))?;
        let address = self.reached(&address);
        let what = "read the provider's configuration at";
        let (_, document) = http::answer(what, &address, self.client.get(address.clone())).await?;
        let discovery = Discovery::parse(&document, issuer)?;
        let keys_at = self.reached(&discovery.jwks_uri);
        let what = "read the provider's keys at";
        let (_, document) = http::answer(what, &keys_at, self.client.get(keys_at.clone())).await?;
        let keys = KeySet::parse(&document).map_err(|reason| OidcError::Malformed {
            what,
            address: http::shown(&keys_at),
            reason,
        })?;
        Ok(Known { discovery: Arc::new(discovery), keys: Arc::new(keys), at: Instant::now() })
    }

    /// Where a request for an address goes.
    pub(crate) fn reached(&self, url: &Url) -> Url {
        let Some(via) = &self.options.via else { return url.clone() };
        let mut reached = via.clone();
        reached.set_path(url.path());
        reached.set_query(url.query());
        reached
    }
}
