//! What every method of the server shares.

use crate::authentication::Caller;
use crate::authorization::{Access, ProjectPolicies};
use crate::destinations::Destinations;
use crate::extensions::Extensions;
use crate::metrics::Metrics;
use crate::pull_requests::PullRequests;
use crate::snapshot::{self, Snapshot};
use crate::sso::Sso;
use crate::tokens::Revoked;
use crate::webhooks::Webhooks;
use crate::{Options, Parts};
use auth::Throttle;
use cache::Cache;
use jiff::Timestamp;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::Store;
use tokio::sync::Semaphore;
use tonic::transport::Channel;
use tonic::{Request, Status};
use wire::lookups::lookups_service_client::LookupsServiceClient;
use wire::previews::previews_service_client::PreviewsServiceClient;
use wire::reads::reads_service_client::ReadsServiceClient;
use wire::repository::repo_server_service_client::RepoServerServiceClient;

/// More logins at once than any machine can hash.
const NO_LIMIT: usize = 1 << 20;

/// Each takes one request of those that the client may have under way.
const LOOKS: usize = 8;

/// Each may take tens of megabytes and a thread.
const SCRIPTS: usize = 8;

/// The server's state.
pub(crate) struct Hub {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) cache: Cache,
    pub(crate) destinations: Destinations,
    pub(crate) revoked: Revoked,
    pub(crate) policies: ProjectPolicies,
    pub(crate) logins: Semaphore,
    /// Looks at the API server for what is not known here: whoever guesses names must not keep others from it.
    pub(crate) looks: Semaphore,
    /// Users' scripts and templates that run at once.
    scripts: Semaphore,
    pub(crate) metrics: Metrics,
    pub(crate) webhooks: Webhooks,
    pub(crate) pull_requests: PullRequests,
    pub(crate) sso: Sso,
    pub(crate) extensions: Extensions,
    /// Changes of accounts and of project tokens are read, changed and written one at a time.
    pub(crate) writes: tokio::sync::Mutex<()>,
    /// Whether the server was asked to stop: it finishes what is under way and is not healthy any more.
    pub(crate) stopping: AtomicBool,
    throttle: Mutex<Throttle>,
    repo_server: RepoServerServiceClient<Channel>,
    reads: ReadsServiceClient<Channel>,
    previews: PreviewsServiceClient<Channel>,
    lookups: LookupsServiceClient<Channel>,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
}

impl Hub {
    pub(crate) fn new(options: Options, parts: Parts, metrics: Metrics) -> Self {
        let logins = if options.parallel_logins == 0 { NO_LIMIT } else { options.parallel_logins };
        let throttle = Throttle::new(options.throttle);
        let limit = options.message_limit;
        let reads = ReadsServiceClient::new(parts.repo_server.clone()).max_decoding_message_size(limit);
        let previews = PreviewsServiceClient::new(parts.repo_server.clone())
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        let lookups = LookupsServiceClient::new(parts.repo_server.clone())
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        let repo_server = RepoServerServiceClient::new(parts.repo_server)
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        Self {
            options,
            destinations: Destinations::default(),
            revoked: Revoked::default(),
            policies: ProjectPolicies::default(),
            store: parts.store,
            cache: parts.cache,
            logins: Semaphore::new(logins),
            looks: Semaphore::new(LOOKS),
            scripts: Semaphore::new(SCRIPTS),
            metrics,
            webhooks: Webhooks::default(),
            pull_requests: PullRequests::default(),
            sso: Sso::default(),
            extensions: Extensions::default(),
            writes: tokio::sync::Mutex::new(()),
            stopping: AtomicBool::new(false),
            throttle: Mutex::new(throttle),
            repo_server,
            reads,
            previews,
            lookups,
            snapshot: RwLock::new(None),
        }
    }

    /// The settings as they are now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let now = snapshot::versions(&self.store);
        let known = self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) if *known.versions() == now => known,
            before => {
                let fresh = Arc::new(Snapshot::read(&self.store, before.as_deref()));
                *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
                self.tell_broken(before.as_deref(), &fresh);
                fresh
            }
        }
    }

    /// Runs a user's script or template, which takes time, on a thread where nothing waits for it.
    pub(crate) async fn scripted<T: Send + 'static>(
        &self,
        script: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let closed = || Status::unavailable("the server is stopping");
        let _turn = self.scripts.acquire().await.map_err(|_| closed())?;
        tokio::task::spawn_blocking(script).await.map_err(|error| {
            tracing::error!(%error, "a script did not end as it should");
            Status::internal("the script did not end as it should")
        })
    }

    /// The repo-server.
    pub(crate) fn repo_server(&self) -> RepoServerServiceClient<Channel> {
        self.repo_server.clone()
    }

    /// What the repo-server knows of what renders read.
    pub(crate) fn reads(&self) -> ReadsServiceClient<Channel> {
        self.reads.clone()
    }

    /// What the repo-server says of pull requests.
    pub(crate) fn previews(&self) -> PreviewsServiceClient<Channel> {
        self.previews.clone()
    }

    /// The repo-server, for renders that see the destination's cluster.
    pub(crate) fn lookups(&self) -> &LookupsServiceClient<Channel> {
        &self.lookups
    }

    /// What a caller may do.
    pub(crate) fn access(self: &Arc<Self>, caller: Caller) -> Access {
        Access::new(self.clone(), caller)
    }

    /// A request of somebody who may be nobody: for the methods that everybody may call.
    pub(crate) fn open<T>(self: &Arc<Self>, request: Request<T>) -> (Access, T) {
        let caller = request.extensions().get::<Caller>().cloned().unwrap_or(Caller::Nobody);
        (self.access(caller), request.into_inner())
    }

    /// A request of somebody. That it was authenticated was seen to before; this only makes sure of it.
    pub(crate) fn enter<T>(self: &Arc<Self>, request: Request<T>) -> Result<(Access, T), Status> {
        let (access, message) = self.open(request);
        if matches!(access.caller(), Caller::Nobody) {
            return Err(Status::unauthenticated("no session information"));
        }
        Ok((access, message))
    }

    /// Whether a login of this name may be tried.
    pub(crate) fn may_try(&self, name: &str) -> bool {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).permits(name, Timestamp::now())
    }

    /// Notes how a login went.
    pub(crate) fn note_login(&self, name: &str, succeeded: bool) {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).note(name, succeeded, Timestamp::now());
    }

    /// The namespace a request means.
    pub(crate) fn namespace_or_default<'a>(&'a self, namespace: &'a str) -> &'a str {
        if namespace.is_empty() { self.store.namespace() } else { namespace }
    }
}
