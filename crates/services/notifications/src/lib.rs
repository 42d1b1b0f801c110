//! The notifications controller: watches applications, decides by `notify` what there is to tell, delivers by `deliver`, and
//! keeps in each application's annotation what was told. Of several replicas, one leads.

mod configs;
mod events;
mod lanes;
mod leading;
mod looking;
mod metrics;
mod options;
mod outside;
mod queue;
mod reach;
mod records;
mod repository;

pub use configs::{Ready, read_secret};
pub use options::Options;
pub use outside::Machine;
pub use reach::RepoServer;
pub use repository::{Silent, repository};

use crate::configs::Configs;
use crate::events::Events;
use crate::lanes::Lanes;
use crate::looking::Looker;
use crate::metrics::Metrics;
use crate::records::Records;
use boot::metrics::SharedRegistry;
use boot::stop::Stop;
use deliver::World;
use object::Object;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Store, StoreError, Watched};
use tokio::time::Instant;
use tonic::transport::Channel;
use wire::repository::repo_server_service_client::RepoServerServiceClient;

/// The component's name, as its binary is called.
pub const COMPONENT: &str = "argocd-notifications";

/// What a controller is made of.
pub struct Parts {
    /// The hub's objects.
    pub store: Store,
    /// The repo-server.
    pub repo_server: Channel,
    /// Where what is counted goes.
    pub registry: SharedRegistry,
    /// The process' environment.
    pub environment: BTreeMap<String, String>,
}

/// What all tasks of a controller share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) options: Options,
    pub(crate) repo_server: RepoServerServiceClient<Channel>,
    pub(crate) applications: Watched<Object>,
    pub(crate) projects: Watched<Object>,
    pub(crate) configs: Configs,
    pub(crate) records: Records,
    pub(crate) metrics: Metrics,
    pub(crate) events: Arc<Events>,
    pub(crate) silent: Silent,
    pub(crate) stop: Stop,
}

/// Where deliveries learn which certificates a host's must be signed by.
pub fn world(store: &Store, environment: &BTreeMap<String, String>) -> World {
    let known = deliver::AMAZON_VARIABLES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), environment.get(*name)?.clone())));
    let mut world = World::new(known.collect());
    let store = store.clone();
    world.authorities = Arc::new(move |host| {
        let mut known = store.config_map("argocd-tls-certs-cm");
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare).to_owned();
        known.remove(host).or_else(|| known.remove(&bare)).map(String::into_bytes)
    });
    world
}

/// Runs a controller until it is stopped.
pub async fn run(options: Options, parts: Parts, stop: Stop) -> Result<(), StoreError> {
    let Parts { store, repo_server, registry, environment } = parts;
    store.ready().await?;
    let metrics = Metrics::new(&registry);
    let mut world = world(&store, &environment);
    let leadership = leading::Leadership::new(&store, &environment);
    let held = leadership.held();
    // Whatever stood still meanwhile: nothing is sent by one who may not be the leader any more.
    world.may_send = Arc::new(move || held.at(Instant::now()));
    loop {
        let Some(how) = leadership.won(&stop).await else { return Ok(()) };
        // What is known is of this term: another replica may have told things in between.
        let term = stop.part();
        let events = Arc::<Events>::default();
        let shared = Arc::new(Shared {
            applications: store.raw_applications(&options.label_selector),
            projects: store.raw_projects(),
            configs: Configs::new(&store, &options, world.clone(), events.clone()),
            records: Records::default(),
            metrics: metrics.clone(),
            repo_server: RepoServerServiceClient::new(repo_server.clone()),
            store: store.clone(),
            options: options.clone(),
            events,
            silent: Silent::default(),
            stop: term.clone(),
        });
        let lanes = Lanes::new(shared.clone());
        let looker = Looker::new(shared.clone(), lanes);
        let mut work = tokio::spawn(looker.work());
        let ended = tokio::select! {
            ended = &mut work => Some(ended),
            () = leadership.kept(how, &term) => None,
        };
        term.ask();
        let ended = match ended {
            Some(ended) => ended,
            None => work.await,
        };
        match ended {
            Ok(outcome) => outcome?,
            Err(error) => tracing::error!(%error, "the notifications controller broke"),
        }
        shared.applications.stop().await;
        shared.projects.stop().await;
        shared.configs.stop().await;
        if stop.is_asked() {
            leadership.given_up().await;
            return Ok(());
        }
    }
}
