//! What renders ask of the world: repositories that kustomizations name, values files behind addresses, charts that
//! others need. Works on a blocking thread; every answer has a limit of size and of time.

use git::{Freshness, Repositories};
use render::{MissingDependency, Outside, RemoteBase, SeamError};
use reqwest::{Client, Url};
use semver_range::{Range, highest};
use serde::Deserialize;
use source_tree::Tree;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Values files and resources of kustomizations.
const LARGEST_FILE: usize = 10 << 20;
/// Charts, and the lists of what a repository of charts holds.
const LARGEST_CHART: usize = 128 << 20;

/// A name and password, and the addresses they are for.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    /// Addresses that start so.
    pub(crate) prefix: String,
    pub(crate) username: String,
    pub(crate) password: object::Secret<String>,
}

/// The world of one render.
pub(crate) struct World {
    pub(crate) repositories: Repositories,
    /// The application's own repository: its credentials open others on the same host.
    pub(crate) own: git::Repository,
    /// Credentials of chart repositories, the longest prefix first.
    pub(crate) charts: Vec<Credential>,
    /// Whether a chart repository's credentials go to whatever host its charts lie on.
    pub(crate) pass_credentials: bool,
    pub(crate) runtime: Handle,
}

/// `index.yaml` of a chart repository, as far as it is needed.
#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    entries: BTreeMap<String, Vec<Listed>>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    version: String,
    #[serde(default)]
    urls: Vec<String>,
}

impl Outside for World {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), String> {
        rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, buffer).map_err(|error| error.to_string())
    }

    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        let mut repository = git::Repository { url: base.repository.clone(), ..git::Repository::default() };
        if host(&base.repository).is_some_and(|there| host(&self.own.url).is_some_and(|here| here == there)) {
            repository = git::Repository { url: base.repository.clone(), ..self.own.clone() };
        } else {
            repository.known_hosts.clone_from(&self.own.known_hosts);
        }
        let revision = base.reference.as_deref().unwrap_or("HEAD");
        let failed = |error: git::GitError| SeamError { retry: error.retryable(), cause: error.to_string() };
        self.runtime.block_on(async {
            let resolved = self.repositories.resolve(&repository, revision, Freshness::Cached).await;
            let tree = self.repositories.tree(&repository, &resolved.map_err(failed)?).await;
            Ok(Arc::new(tree.map_err(failed)?) as Arc<dyn Tree>)
        })
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        self.runtime.block_on(get(&parsed(url)?, None, LARGEST_FILE))
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        let MissingDependency { name, repository, version } = wanted;
        let about = format!("chart {name} {version} of {repository}");
        let within = |error: SeamError| SeamError { cause: format!("{about}: {}", error.cause), ..error };
        if !repository.starts_with("http://") && !repository.starts_with("https://") {
            return Err(SeamError::fact(format!(
                "{about}: this version fetches charts over HTTP only; put the chart into charts/"
            )));
        }
        let base = parsed(&format!("{}/", repository.trim_end_matches('/'))).map_err(within)?;
        let credential = self.charts.iter().find(|credential| repository.starts_with(&credential.prefix));
        self.runtime.block_on(async {
            let address = base.join("index.yaml").map_err(|error| SeamError::fact(error.to_string()))?;
            let listed = get(&address, credential, LARGEST_CHART).await.map_err(within)?;
            let chart = chosen(&listed, wanted, &base).map_err(within)?;
            let same = chart.host_str() == base.host_str()
                && chart.port_or_known_default() == base.port_or_known_default();
            let credential = credential.filter(|_| same || self.pass_credentials);
            get(&chart, credential, LARGEST_CHART).await.map_err(within)
        })
    }
}

/// The address of the newest chart that will do.
fn chosen(index: &[u8], wanted: &MissingDependency, base: &Url) -> Result<Url, SeamError> {
    let index =
        object::yaml::decode(index).map_err(|error| SeamError::fact(format!("index.yaml: {error}")))?;
    let index: Index =
        serde_json::from_value(index).map_err(|error| SeamError::fact(format!("index.yaml: {error}")))?;
    let listed = index.entries.get(&wanted.name).map_or(&[][..], Vec::as_slice);
    let range = Range::parse(if wanted.version.is_empty() { "*" } else { &wanted.version })
        .map_err(|error| SeamError::fact(error.to_string()))?;
    // A version that is written out is meant, whatever ranges make of it.
    let exact = listed.iter().find(|listed| listed.version == wanted.version);
    let newest = highest(&range, listed.iter().map(|listed| listed.version.as_str()));
    let found = exact.or_else(|| listed.iter().find(|listed| Some(listed.version.as_str()) == newest));
    let address = found.and_then(|listed| listed.urls.first());
    let address = address.ok_or_else(|| SeamError::fact("the repository lists no such version"))?;
    base.join(address).map_err(|error| SeamError::fact(format!("{address}: {error}")))
}

fn parsed(url: &str) -> Result<Url, SeamError> {
    Url::parse(url).map_err(|error| SeamError::fact(format!("{url}: {error}")))
}

fn host(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok()?;
    Some((url.scheme().to_owned(), format!("{}:{:?}", url.host_str()?, url.port_or_known_default())))
}

async fn get(url: &Url, credential: Option<&Credential>, limit: usize) -> Result<Vec<u8>, SeamError> {
    // An address may hold a password; messages must not.
    let shown = format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    let failed = |retry: bool, cause: String| SeamError { retry, cause: format!("fetch {shown}: {cause}") };
    let broken = |error: reqwest::Error| failed(true, error.without_url().to_string());
    let client = Client::builder().timeout(TIMEOUT).build().map_err(broken)?;
    let mut request = client.get(url.clone());
    if let Some(credential) = credential {
        request = request.basic_auth(&credential.username, Some(credential.password.reveal()));
    }
    let mut response = request.send().await.map_err(broken)?;
    let status = response.status();
    if !status.is_success() {
        return Err(failed(status.is_server_error() || status.as_u16() == 429, status.to_string()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > limit {
            return Err(failed(false, format!("larger than the limit of {limit} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{chosen, parsed};
    use render::MissingDependency;

    #[test]
    fn the_newest_version_that_fits_is_chosen() {
        let index = b"apiVersion: v1\nentries:\n  db:\n  - {version: 2.0.0, urls: [db-2.0.0.tgz]}\n  - {version: 1.5.0, urls: ['https://cdn.example/db-1.5.0.tgz']}\n  - {version: 1.4.0, urls: [db-1.4.0.tgz]}\n";
        let base = parsed("https://charts.example/stable/").unwrap();
        let chosen = |name: &str, version: &str| {
            let wanted =
                MissingDependency { name: name.into(), version: version.into(), repository: String::new() };
            chosen(index, &wanted, &base).map(|url| url.to_string()).map_err(|error| error.cause)
        };
        assert_eq!(chosen("db", "^1.0").unwrap(), "https://cdn.example/db-1.5.0.tgz");
        assert_eq!(chosen("db", "1.4.0").unwrap(), "https://charts.example/stable/db-1.4.0.tgz");
        assert_eq!(chosen("db", "").unwrap(), "https://charts.example/stable/db-2.0.0.tgz");
        assert_eq!(chosen("db", "3.x").unwrap_err(), "the repository lists no such version");
        assert_eq!(chosen("no", "1.x").unwrap_err(), "the repository lists no such version");
    }
}
