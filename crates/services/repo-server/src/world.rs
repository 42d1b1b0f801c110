//! What renders ask of the world: repositories that kustomizations name, values files behind addresses, charts that
//! others need. Works on a blocking thread; every answer has a limit of size and of time.

use crate::Options;
use crate::dependencies::ChartAccess;
use crate::patience::Patience;
use crate::plugins::PluginWorld;
use crate::repository::authorities;
use crate::sources::Sources;
use base64::Engine as _;
use download::{Access, Ask, Client, DownloadError};
use git::Freshness;
use render::{Discovery, MissingDependency, Outside, RemoteBase, SeamError};
use source_tree::{Tree, TreePath};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Values files and resources of kustomizations.
const LARGEST_FILE: u64 = 10 << 20;

/// The world of one render.
pub(crate) struct World {
    pub(crate) sources: Sources,
    /// The application's own repository: its credentials open others on the same host.
    pub(crate) own: git::Repository,
    /// Repositories of charts that others need.
    pub(crate) charts: ChartAccess,
    /// Plugins, and the files they get.
    pub(crate) plugins: PluginWorld,
    /// Programs that perhaps never end are begun only while few of them are overdue.
    pub(crate) patience: Patience,
    pub(crate) most_overdue: usize,
    pub(crate) options: Arc<Options>,
    pub(crate) runtime: Handle,
}

impl Outside for World {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), String> {
        rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, buffer).map_err(|error| error.to_string())
    }

    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        let authorities = |url: &str| authorities(url, &self.options.tls_data);
        let repository = self.own.leading_to(&base.repository, authorities).map_err(SeamError::fact)?;
        let repository = git::Repository { submodules: base.submodules, ..repository };
        let revision = base.reference.as_deref().unwrap_or("HEAD");
        let failed = |error: git::GitError| SeamError { retry: error.retryable(), cause: error.to_string() };
        self.runtime.block_on(async {
            let resolved = self.sources.git.resolve(&repository, revision, Freshness::Cached).await;
            let tree = self.sources.git.tree(&repository, &resolved.map_err(failed)?).await;
            Ok(Arc::new(tree.map_err(failed)?) as Arc<dyn Tree>)
        })
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        let failed = |error: DownloadError| SeamError { retry: error.retryable(), cause: error.to_string() };
        let parsed = Url::parse(url).map_err(|error| SeamError::fact(format!("{url}: {error}")))?;
        let certificate_authorities = authorities(url, &self.options.tls_data);
        let (proxy, no_proxy) = (self.own.proxy.clone(), self.own.no_proxy.clone());
        let access = Access { certificate_authorities, proxy, no_proxy, ..Access::default() };
        let client = Client::new(access, TIMEOUT).map_err(failed)?;
        // A user in the address is the source's own.
        let authorization = (!parsed.username().is_empty()).then(|| basic(&parsed).into());
        let ask = Ask { authorization, ..Ask::new(&parsed) };
        self.runtime.block_on(client.get(ask, LARGEST_FILE)).map(Vec::from).map_err(failed)
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        self.runtime.block_on(self.charts.chart(&self.sources, self.options.trust(), wanted))
    }

    fn may_evaluate(&self) -> Result<(), SeamError> {
        let overdue = self.patience.overdue();
        if overdue < self.most_overdue {
            return Ok(());
        }
        let cause =
            format!("{overdue} renders are overdue: no Jsonnet is evaluated until one of them has ended");
        Err(SeamError { retry: true, cause })
    }

    fn discover(&self, path: &TreePath, variables: &[(String, String)]) -> Result<Discovery, SeamError> {
        self.plugins.discover(&self.runtime, path, variables)
    }

    fn plugin(
        &self,
        name: &str,
        path: &TreePath,
        variables: &[(String, String)],
    ) -> Result<Vec<String>, SeamError> {
        self.plugins.manifests(&self.runtime, name, path, variables)
    }
}

/// The user and password an address holds, as a header.
fn basic(url: &Url) -> String {
    let decoded = |part: &str| {
        let pair = format!("x={}", part.replace('+', "%2B"));
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        pairs.next().map_or_else(String::new, |(_, value)| value.into_owned())
    };
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
