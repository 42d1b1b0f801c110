//! What renders ask of the world: repositories that kustomizations name, values files behind addresses, charts that
//! others need. Works on a blocking thread; every answer has a limit of size and of time.

use crate::Options;
use crate::dependencies::ChartAccess;
use crate::lookups::Answers;
use crate::plugins::PluginWorld;
use crate::repository::authorities;
use crate::sources::Sources;
use download::Access;
use evaluator::Evaluators;
use git::Freshness;
use render::{
    Discovery, JsonnetError, JsonnetParameters, Lookup, MissingDependency, Outside, RemoteBase, SeamError,
};
use source_tree::{Tree, TreePath};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;

/// The world of one render.
pub(crate) struct World {
    pub(crate) sources: Sources,
    /// The application's own repository: its credentials open others on the same host.
    pub(crate) own: git::Repository,
    /// Repositories of charts that others need.
    pub(crate) charts: ChartAccess,
    /// Plugins, and the files they get.
    pub(crate) plugins: PluginWorld,
    /// What templates may know of the destination's cluster; nothing where there is none.
    pub(crate) answers: Option<Arc<Answers>>,
    /// Those who evaluate Jsonnet; without them it is done here.
    pub(crate) evaluators: Option<Evaluators>,
    /// When they are stopped: before nobody waits for the render any more, so that it is told why there is none.
    pub(crate) deadline: Instant,
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
        let certificate_authorities = authorities(url, &self.options.tls_data);
        let (proxy, no_proxy) = (self.own.proxy.clone(), self.own.no_proxy.clone());
        let access = Access { certificate_authorities, proxy, no_proxy, ..Access::default() };
        let fetched = self.runtime.block_on(download::named(url, access));
        fetched.map_err(|error| SeamError { retry: error.retryable(), cause: error.to_string() })
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        self.runtime.block_on(self.charts.chart(&self.sources, self.options.trust(), wanted))
    }

    fn lookup(&self, lookup: &Lookup) -> Result<Option<serde_json::Value>, SeamError> {
        Ok(self.answers.as_ref().and_then(|answers| answers.answer(lookup)))
    }

    fn evaluate(
        &self,
        tree: &dyn Tree,
        file: &TreePath,
        parameters: &JsonnetParameters,
    ) -> Result<String, JsonnetError> {
        match &self.evaluators {
            Some(evaluators) => {
                let left = self.deadline.saturating_duration_since(Instant::now());
                evaluators.evaluate(tree, file, parameters, left)
            }
            None => jsonnet::evaluate(tree, file, parameters),
        }
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
