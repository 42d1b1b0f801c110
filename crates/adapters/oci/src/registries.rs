//! All registries of this process, asked from async code by any number at once.

use crate::manifest::ACCEPTED;
use crate::reference::is_tag;
use crate::session::Session;
use crate::{Descriptor, Manifest, OciError, Reference, is_digest};
use bytes::Bytes;
use download::{Access, AccountId, DownloadError};
use moka::future::Cache;
use semver_range::{Range, Version, highest};
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha512};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Largest manifest, as registries have it.
const MANIFEST_BYTES: u64 = 4 << 20;
/// One page of tags.
const PAGE_BYTES: u64 = 8 << 20;
const MOST_PAGES: usize = 200;
const MOST_TAGS: usize = 200_000;
/// Repositories, each with the credentials it is asked with, whose connections are kept.
const MOST_ACCOUNTS: u64 = 1024;
const IDLE: Duration = Duration::from_secs(3600);
/// Layers kept in memory, all together.
const MOST_KEPT: u64 = 128 << 20;

/// Limits and times.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Largest layer as it comes, in bytes.
    pub layer_bytes: u64,
    /// How long tags and what they mean answer [`Freshness::Cached`].
    pub tags_ttl: Duration,
    /// Longest request.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layer_bytes: 1_000_000_000,
            tags_ttl: Duration::from_secs(180),
            timeout: Duration::from_secs(90),
        }
    }
}

/// A repository of a registry as it is configured.
#[derive(Clone)]
pub struct Repository {
    /// Where it lies.
    pub reference: Reference,
    /// Speak plain HTTP.
    pub plain_http: bool,
    /// How to be let in.
    pub access: Access,
}

/// How new an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// At most [`Options::tags_ttl`] old.
    Cached,
    /// The registry is asked now.
    Now,
}

/// All registries. Cheap to clone.
#[derive(Clone)]
pub struct Registries {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    salt: [u8; 32],
    sessions: Cache<AccountId, Arc<Session>>,
    tags: Cache<AccountId, Arc<Vec<String>>>,
    digests: Cache<(AccountId, String), String>,
    /// Manifests these credentials were given, by digest.
    manifests: Cache<(AccountId, String), Arc<Manifest>>,
    layers: Cache<(AccountId, String), Bytes>,
    admitted: Cache<AccountId, ()>,
}

impl fmt::Debug for Registries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registries").finish_non_exhaustive()
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repository").field("reference", &self.reference).finish_non_exhaustive()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Registries {
    /// Keeps everything in memory.
    pub fn new(options: Options) -> Self {
        let accounts = || Cache::builder().max_capacity(MOST_ACCOUNTS).time_to_idle(IDLE);
        let shared = Shared {
            options,
            salt: rand::random(),
            sessions: Cache::builder().max_capacity(MOST_ACCOUNTS).time_to_idle(IDLE).build(),
            tags: Cache::builder().max_capacity(MOST_ACCOUNTS).time_to_live(options.tags_ttl).build(),
            digests: Cache::builder().max_capacity(16 * MOST_ACCOUNTS).time_to_live(options.tags_ttl).build(),
            manifests: Cache::builder().max_capacity(4 * MOST_ACCOUNTS).time_to_idle(IDLE).build(),
            layers: Cache::builder()
                .max_capacity(MOST_KEPT)
                .time_to_idle(IDLE)
                .weigher(|_: &(AccountId, String), layer: &Bytes| {
                    u32::try_from(layer.len() + 256).unwrap_or(u32::MAX)
                })
                .build(),
            admitted: accounts().build(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Whether the registry answers, and lets these credentials in.
    pub async fn ping(&self, repository: &Repository) -> Result<(), OciError> {
        let (_, session) = self.shared.open(repository).await?;
        let answer = session.ask(session.base(), "*/*", false).await?;
        answer.successful()?;
        Ok(())
    }

    /// The tags of a repository, a plus in place of the underscore that stands for it.
    pub async fn tags(
        &self,
        repository: &Repository,
        freshness: Freshness,
    ) -> Result<Arc<Vec<String>>, OciError> {
        let (account, session) = self.shared.open(repository).await?;
        if freshness == Freshness::Now {
            self.shared.tags.invalidate(&account).await;
        }
        let listed = self.shared.tags.try_get_with(account.clone(), list(&session)).await;
        let listed = listed.map_err(|error| OciError::Tags(Box::new((*error).clone())));
        self.shared.note(&account, listed).await
    }

    /// The digest a revision means: a digest, a tag, or the highest tag that satisfies a constraint.
    pub async fn resolve(
        &self,
        repository: &Repository,
        revision: &str,
        freshness: Freshness,
    ) -> Result<String, OciError> {
        let failed = match self.digest(repository, revision, freshness).await {
            Ok(digest) => return Ok(digest),
            Err(error) => error,
        };
        let constraint = Version::parse(revision).is_err() && Range::parse(revision).is_ok();
        if !constraint {
            return Err(failed);
        }
        let tag = self.newest(repository, revision, freshness).await?;
        self.digest(repository, &tag, freshness).await
    }

    /// The tag a constraint means: the highest version in it, or the tag of exactly that name.
    pub async fn newest(
        &self,
        repository: &Repository,
        constraint: &str,
        freshness: Freshness,
    ) -> Result<String, OciError> {
        let tags = self.tags(repository, freshness).await?;
        let none = |reason: String| OciError::NoVersion(reason);
        let range = match Range::parse(constraint) {
            Ok(range) => range,
            Err(_) if tags.iter().any(|tag| tag == constraint) => return Ok(constraint.to_owned()),
            Err(error) => return Err(none(format!("failed to determine semver constraint: {error}"))),
        };
        let found = highest(&range, tags.iter().map(String::as_str)).map(str::to_owned);
        found.ok_or_else(|| none(format!("version matching constraint not found in {} tags", tags.len())))
    }

    /// Whether these credentials were let into a repository in this process, and not refused since.
    pub async fn admitted(&self, repository: &Repository) -> Result<bool, OciError> {
        let (account, _) = self.shared.open(repository).await?;
        Ok(self.shared.admitted.contains_key(&account))
    }

    /// The manifest of a digest.
    pub async fn manifest(&self, repository: &Repository, digest: &str) -> Result<Arc<Manifest>, OciError> {
        let (account, session) = self.shared.open(repository).await?;
        let key = (account.clone(), digest.to_owned());
        let fetched = self.shared.manifests.try_get_with(key, manifest(&session, digest)).await;
        self.shared.note(&account, fetched.map_err(|error| (*error).clone())).await
    }

    /// What a layer of a manifest holds, as it comes.
    pub async fn layer(&self, repository: &Repository, layer: &Descriptor) -> Result<Bytes, OciError> {
        let (account, session) = self.shared.open(repository).await?;
        let key = (account, layer.digest.clone());
        let fetched =
            self.shared.layers.try_get_with(key, blob(&session, layer, self.shared.options.layer_bytes));
        fetched.await.map_err(|error| (*error).clone())
    }

    /// The digest of a tag, or a digest that is there.
    async fn digest(
        &self,
        repository: &Repository,
        revision: &str,
        freshness: Freshness,
    ) -> Result<String, OciError> {
        let failed =
            |cause: OciError| OciError::Resolve { revision: revision.to_owned(), cause: Box::new(cause) };
        if is_digest(revision) {
            self.manifest(repository, revision).await.map_err(failed)?;
            return Ok(revision.to_owned());
        }
        let tag = revision.replace('+', "_");
        if !is_tag(&tag) {
            return Err(failed(OciError::NotFound(revision.to_owned())));
        }
        let (account, session) = self.shared.open(repository).await.map_err(failed)?;
        let key = (account.clone(), tag.clone());
        if freshness == Freshness::Now {
            self.shared.digests.invalidate(&key).await;
        }
        let found = self.shared.digests.try_get_with(key, resolve(&session, &tag)).await;
        self.shared.note(&account, found.map_err(|error| failed((*error).clone()))).await
    }
}

/// A session with a registry. On this very machine, and nowhere else, one that does not speak TLS is spoken to without.
async fn begin(
    reference: Reference,
    plain_http: bool,
    access: Access,
    timeout: Duration,
) -> Result<Arc<Session>, OciError> {
    let session = Session::new(reference.clone(), plain_http, access.clone(), timeout)?;
    if !plain_http && is_loopback(session.base()) && session.lacks_tls().await {
        return Ok(Arc::new(Session::new(reference, true, access, timeout)?));
    }
    Ok(Arc::new(session))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Shared {
    async fn open(&self, repository: &Repository) -> Result<(AccountId, Arc<Session>), OciError> {
        let Repository { reference, plain_http, access } = repository;
        let account = access.account(&format!("{reference} {plain_http}"), &self.salt);
        let timeout = self.options.timeout;
        let begun = begin(reference.clone(), *plain_http, access.clone(), timeout);
        let session = self.sessions.try_get_with(account.clone(), begun);
        let session = session.await.map_err(|error| (*error).clone())?;
        Ok((account, session))
    }

    /// Remembers whether these credentials were let in.
    async fn note<T>(&self, account: &AccountId, answer: Result<T, OciError>) -> Result<T, OciError> {
        match &answer {
            Ok(_) => self.admitted.insert(account.clone(), ()).await,
            Err(error) if error.refuses_access() => self.admitted.invalidate(account).await,
            Err(_) => {}
        }
        answer
    }
}

async fn list(session: &Session) -> Result<Arc<Vec<String>>, OciError> {
    let mut tags = Vec::new();
    let mut url = session.url("tags/list")?;
    for _ in 0..MOST_PAGES {
        let answer = session.ask(&url, "application/json", false).await?.successful()?;
        let next = answer.header("link").and_then(|link| next_page(link, &url));
        let invalid = |reason: String| OciError::Invalid {
            what: "the tags".into(),
            repository: session.reference.to_string(),
            reason,
        };
        let page: Page = serde_json::from_slice(&answer.bytes(PAGE_BYTES).await?)
            .map_err(|error| invalid(error.to_string()))?;
        // By convention: registries know no plus.
        tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| tag.replace('_', "+")));
        if tags.len() > MOST_TAGS {
            return Err(invalid(format!("more than {MOST_TAGS}")));
        }
        match next {
            Some(next) if download::same_place(&next, &url) => url = next,
            Some(_) | None => return Ok(Arc::new(tags)),
        }
    }
    Ok(Arc::new(tags))
}

/// Where the next page lies, as `Link: </v2/…>; rel="next"` says.
fn next_page(link: &str, from: &Url) -> Option<Url> {
    let (address, relation) = link.trim().strip_prefix('<')?.split_once('>')?;
    relation.contains("next").then(|| from.join(address).ok()).flatten()
}

async fn resolve(session: &Session, tag: &str) -> Result<String, OciError> {
    let url = session.url(&format!("manifests/{tag}"))?;
    let answer = session.ask(&url, ACCEPTED, true).await?;
    if answer.code() == 404 {
        return Err(OciError::NotFound(format!("{}:{tag}", session.reference)));
    }
    // Some registries answer no HEAD, and some do not say the digest.
    if answer.code() != 405
        && let Some(digest) = answer.successful()?.header("docker-content-digest")
        && is_digest(digest)
    {
        return Ok(digest.to_owned());
    }
    let body = session.ask(&url, ACCEPTED, false).await?.successful()?.bytes(MANIFEST_BYTES).await?;
    Ok(digest_of("sha256", &body))
}

async fn manifest(session: &Session, digest: &str) -> Result<Arc<Manifest>, OciError> {
    let url = session.url(&format!("manifests/{digest}"))?;
    let answer = session.ask(&url, ACCEPTED, false).await?;
    if answer.code() == 404 {
        return Err(OciError::NotFound(digest.to_owned()));
    }
    let body = answer.successful()?.bytes(MANIFEST_BYTES).await?;
    checked(session, digest, &body)?;
    let manifest = serde_json::from_slice(&body).map_err(|error| OciError::Invalid {
        what: format!("manifest {digest}"),
        repository: session.reference.to_string(),
        reason: error.to_string(),
    })?;
    Ok(Arc::new(manifest))
}

async fn blob(session: &Session, layer: &Descriptor, limit: u64) -> Result<Bytes, OciError> {
    let digest = &layer.digest;
    if !is_digest(digest) {
        return Err(OciError::NotFound(digest.clone()));
    }
    let url = session.url(&format!("blobs/{digest}"))?;
    if layer.size > limit {
        return Err(DownloadError::TooLarge { address: download::shown(&url), limit }.into());
    }
    let answer = session.ask(&url, "*/*", false).await?;
    if answer.code() == 404 {
        return Err(OciError::NotFound(digest.clone()));
    }
    let body = answer.successful()?.bytes(limit).await?;
    checked(session, digest, &body)?;
    Ok(body)
}

fn checked(session: &Session, digest: &str, body: &[u8]) -> Result<(), OciError> {
    let algorithm = digest.split(':').next().unwrap_or_default();
    let found = digest_of(algorithm, body);
    if found == digest {
        return Ok(());
    }
    Err(OciError::Digest { what: digest.to_owned(), repository: session.reference.to_string(), found })
}

fn digest_of(algorithm: &str, body: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match algorithm {
        "sha512" => format!("sha512:{}", hex(&Sha512::digest(body))),
        _ => format!("sha256:{}", hex(&Sha256::digest(body))),
    }
}
