//! All chart repositories of this process, asked from async code by any number at once.

use crate::{ChartError, Index};
use base64::Engine as _;
use bytes::Bytes;
use download::{Access, AccountId, Ask, Client};
use moka::future::Cache;
use object::Secret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;
use url::Url;

/// Repositories, each with the credentials it is asked with, whose connections are kept.
const MOST_ACCOUNTS: u64 = 1024;
/// Connections nobody uses are closed.
const ACCOUNT_IDLE: Duration = Duration::from_secs(3600);
/// All indexes together, in memory.
const MOST_INDEXES: u64 = 256 << 20;
/// All packed charts together, in memory.
const MOST_CHARTS: u64 = 128 << 20;
const KEEP_CHARTS: Duration = Duration::from_secs(3600);

/// Limits and times.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Largest `index.yaml`, in bytes.
    pub index_bytes: u64,
    /// Largest packed chart, in bytes.
    pub chart_bytes: u64,
    /// How long an index answers [`Freshness::Cached`].
    pub index_ttl: Duration,
    /// Longest request.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            index_bytes: 1_000_000_000,
            chart_bytes: 128 << 20,
            index_ttl: Duration::from_secs(180),
            timeout: Duration::from_secs(90),
        }
    }
}

/// A chart repository as it is configured.
#[derive(Clone, Default)]
pub struct Repository {
    /// `https://…` or `http://…`.
    pub url: String,
    /// How to be let in.
    pub access: Access,
}

/// How new an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// At most [`Options::index_ttl`] old.
    Cached,
    /// The repository is asked now.
    Now,
}

/// Where a chart is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Here it is, packed.
    Chart(Bytes),
    /// In a registry, under this address (`oci://…`).
    Registry(String),
}

/// All repositories. Cheap to clone.
#[derive(Clone)]
pub struct Repositories {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    salt: [u8; 32],
    clients: Cache<AccountId, Client>,
    /// What these credentials were told. One that is there, however old, was let in.
    indexes: Cache<AccountId, Arc<Index>>,
    admitted: Cache<AccountId, Arc<Index>>,
    charts: Cache<(AccountId, String), Bytes>,
}

/// A repository whose address has been read.
struct Opened {
    account: AccountId,
    base: Url,
    client: Client,
}

impl fmt::Debug for Repositories {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repositories").finish_non_exhaustive()
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repository").field("url", &self.shown_url()).finish_non_exhaustive()
    }
}

impl Repository {
    /// The address without credentials.
    pub fn shown_url(&self) -> String {
        Url::parse(&self.url).map_or_else(|_| "(invalid)".into(), |url| without_slash(&download::shown(&url)))
    }
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

impl Repositories {
    /// Keeps everything in memory.
    pub fn new(options: Options) -> Self {
        let weight = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let indexes = |ttl: Option<Duration>| {
            let cache = Cache::builder()
                .max_capacity(MOST_INDEXES)
                .weigher(move |_: &AccountId, index: &Arc<Index>| weight(index.weight() + 128));
            match ttl {
                Some(ttl) => cache.time_to_live(ttl).build(),
                None => cache.time_to_idle(ACCOUNT_IDLE).build(),
            }
        };
        let shared = Shared {
            options,
            salt: rand::random(),
            clients: Cache::builder().max_capacity(MOST_ACCOUNTS).time_to_idle(ACCOUNT_IDLE).build(),
            indexes: indexes(Some(options.index_ttl)),
            admitted: indexes(None),
            charts: Cache::builder()
                .max_capacity(MOST_CHARTS)
                .time_to_live(KEEP_CHARTS)
                .weigher(move |_: &(AccountId, String), chart: &Bytes| weight(chart.len() + 256))
                .build(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// What the repository lists.
    pub async fn index(
        &self,
        repository: &Repository,
        freshness: Freshness,
    ) -> Result<Arc<Index>, ChartError> {
        let opened = self.shared.open(repository).await?;
        self.shared.index(&opened, freshness).await
    }

    /// The version a revision of a chart means. One that is written out means itself, whether or not it exists: then
    /// these credentials need only have been let in before.
    pub async fn resolve(
        &self,
        repository: &Repository,
        chart: &str,
        revision: &str,
        freshness: Freshness,
    ) -> Result<String, ChartError> {
        let opened = self.shared.open(repository).await?;
        if semver_range::Version::parse(revision).is_ok()
            && self.shared.admitted.contains_key(&opened.account)
        {
            return Ok(revision.to_owned());
        }
        self.shared.index(&opened, freshness).await?.resolve(chart, revision)
    }

    /// A chart, packed. `version` may be a constraint.
    pub async fn chart(
        &self,
        repository: &Repository,
        chart: &str,
        version: &str,
        pass_credentials: bool,
        freshness: Freshness,
    ) -> Result<Place, ChartError> {
        let opened = self.shared.open(repository).await?;
        let mut index = self.shared.index(&opened, freshness).await?;
        if index.find(chart, version).is_none() && freshness == Freshness::Cached {
            // It may have come after the index was read.
            index = self.shared.index(&opened, Freshness::Now).await?;
        }
        let listed = index.find(chart, version).filter(|listed| !listed.urls.is_empty());
        let listed = listed.ok_or_else(|| ChartError::UnknownVersion {
            chart: chart.to_owned(),
            version: version.to_owned(),
            repository: repository.shown_url(),
        })?;
        let address = &listed.urls[0];
        if address.starts_with("oci://") {
            return Ok(Place::Registry(address.clone()));
        }
        let url = place(&opened.base, address).map_err(|reason| ChartError::InvalidPlace {
            chart: chart.to_owned(),
            version: listed.version.clone(),
            address: Url::parse(address).map_or_else(|_| address.clone(), |url| download::shown(&url)),
            reason,
        })?;
        let key = (opened.account.clone(), format!("{url} {}", listed.digest));
        if freshness == Freshness::Now {
            self.shared.charts.invalidate(&key).await;
        }
        let fetched =
            self.shared.charts.try_get_with(key, self.shared.fetch(&opened, &url, pass_credentials));
        fetched.await.map(Place::Chart).map_err(|error| (*error).clone())
    }
}

impl Shared {
    async fn open(&self, repository: &Repository) -> Result<Opened, ChartError> {
        let invalid = |reason: String| ChartError::InvalidUrl { url: repository.shown_url(), reason };
        let mut base = Url::parse(&repository.url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid("its scheme is neither http nor https".into()));
        }
        let mut access = repository.access.clone();
        if !base.username().is_empty() && !access.has_password() {
            access.username = decoded(base.username());
            access.password = decoded(base.password().unwrap_or_default()).into();
        }
        // Both fail only for addresses that cannot have a user.
        base.set_username("").ok();
        base.set_password(None).ok();
        let path = format!("{}/", base.path().trim_end_matches('/'));
        base.set_path(&path);
        let account = access.account(base.as_str(), &self.salt);
        let timeout = self.options.timeout;
        let client = self.clients.try_get_with(account.clone(), async move { Client::new(access, timeout) });
        let client = client.await.map_err(|error| ChartError::Access((*error).clone()))?;
        Ok(Opened { account, base, client })
    }

    async fn index(&self, opened: &Opened, freshness: Freshness) -> Result<Arc<Index>, ChartError> {
        if freshness == Freshness::Now {
            self.indexes.invalidate(&opened.account).await;
        }
        let read = self.indexes.try_get_with(opened.account.clone(), self.read(opened));
        match read.await {
            Ok(index) => {
                self.admitted.insert(opened.account.clone(), index.clone()).await;
                Ok(index)
            }
            Err(error) => {
                if let ChartError::Index(cause) = &*error
                    && cause.refuses_access()
                {
                    self.admitted.invalidate(&opened.account).await;
                }
                Err((*error).clone())
            }
        }
    }

    async fn read(&self, opened: &Opened) -> Result<Arc<Index>, ChartError> {
        let mut url = opened.base.clone();
        url.set_path(&format!("{}index.yaml", opened.base.path()));
        let authorization = authorization(opened.client.access());
        let answer = opened.client.ask(Ask { authorization, ..Ask::new(&url) }).await;
        let answer = answer.and_then(download::Answer::successful).map_err(ChartError::Index)?;
        let reader = SyncIoBridge::new(answer.reader(self.options.index_bytes));
        let read = tokio::task::spawn_blocking(move || Index::read(reader));
        let index = read.await.map_err(|error| ChartError::InvalidIndex(error.to_string()))??;
        Ok(Arc::new(index))
    }

    async fn fetch(&self, opened: &Opened, url: &Url, pass_credentials: bool) -> Result<Bytes, ChartError> {
        let at_home = download::same_place(&opened.base, url);
        let access = opened.client.access();
        let own = at_home || pass_credentials;
        let authorization = own.then(|| authorization(access)).flatten();
        let elsewhere;
        let client = if own {
            &opened.client
        } else {
            elsewhere = Client::new(access.anonymous(), self.options.timeout).map_err(ChartError::Access)?;
            &elsewhere
        };
        let got = client.get(Ask { authorization, ..Ask::new(url) }, self.options.chart_bytes).await;
        got.map_err(ChartError::Fetch)
    }
}

/// Where a chart lies: whole addresses as they are, others below the repository, with its query.
fn place(base: &Url, address: &str) -> Result<Url, String> {
    let url = match Url::parse(address) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let mut url = base.join(address).map_err(|error| error.to_string())?;
            url.set_query(base.query());
            url
        }
        Err(error) => return Err(error.to_string()),
    };
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(format!("charts are not fetched by {}", url.scheme()))
    }
}

fn authorization(access: &Access) -> Option<Secret<String>> {
    if !access.bearer_token.is_empty() {
        return Some(format!("Bearer {}", access.bearer_token.reveal()).into());
    }
    let pair = format!("{}:{}", access.username, access.password.reveal());
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    access.has_password().then(|| format!("Basic {pair}").into())
}

/// A part of an address with its escapes taken away.
fn decoded(part: &str) -> String {
    let pair = format!("x={}", part.replace('+', "%2B"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs.next().map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::place;
    use url::Url;

    #[test]
    fn addresses_are_taken_from_the_repositorys() {
        let base = Url::parse("https://charts.example/stable/?token=a").unwrap();
        let of = |address: &str| place(&base, address).map(|url| url.to_string());
        assert_eq!(of("db.tgz").unwrap(), "https://charts.example/stable/db.tgz?token=a");
        assert_eq!(of("/db.tgz").unwrap(), "https://charts.example/db.tgz?token=a");
        assert_eq!(of("https://cdn.example/db.tgz").unwrap(), "https://cdn.example/db.tgz");
        assert!(of("file:///etc/passwd").is_err());
    }
}
