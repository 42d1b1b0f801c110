//! What is registered, read together: projects with all they inherit, clusters and whose they are. Made anew only
//! after something of it changed; a decision about one application costs what that application needs.

use crate::rules::Rules;
use api::v1alpha1::AppProject;
use project::Cluster;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;

/// A registered cluster: its project, and the namespaces it is limited to.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) cluster: Cluster,
    pub(crate) project: String,
    pub(crate) namespaces: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) shard: Option<i64>,
    /// Uid of its Secret; empty for the hub's own that has none.
    pub(crate) id: String,
    /// Whether its Secret says that it is to be left alone.
    pub(crate) is_skipped: bool,
}

/// A project with what it inherits and owns.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    /// As it is stored.
    pub(crate) stored: Arc<AppProject>,
    /// With what global projects, repositories and clusters add.
    pub(crate) project: Arc<AppProject>,
    /// Clusters that belong to it.
    pub(crate) own_clusters: Arc<[Cluster]>,
}

/// One reading.
#[derive(Debug)]
struct Reading {
    projects: u64,
    secrets: u64,
    rules: Arc<Rules>,
    clusters: Arc<[Registered]>,
    /// All clusters, as destinations are looked up among.
    names: Arc<[Cluster]>,
    effective: BTreeMap<String, Option<Effective>>,
}

/// The registrations in force.
#[derive(Debug, Default)]
pub(crate) struct Registrations(Mutex<Option<Reading>>);

impl Registrations {
    /// Every registered cluster.
    pub(crate) fn clusters(&self, store: &Store, rules: &Arc<Rules>) -> Arc<[Registered]> {
        self.with(store, rules, |reading| reading.clusters.clone())
    }

    /// Every registered cluster, by address and name.
    pub(crate) fn names(&self, store: &Store, rules: &Arc<Rules>) -> Arc<[Cluster]> {
        self.with(store, rules, |reading| reading.names.clone())
    }

    /// A project; nothing when it is not there, or cannot be read.
    pub(crate) fn project(&self, store: &Store, rules: &Arc<Rules>, name: &str) -> Option<Effective> {
        self.with(store, rules, |reading| {
            if let Some(known) = reading.effective.get(name) {
                return known.clone();
            }
            let made = effective(store, rules, name, &reading.clusters);
            // Only names that are projects: others could be as many as applications.
            if made.is_some() {
                reading.effective.insert(name.to_owned(), made.clone());
            }
            made
        })
    }

    fn with<T>(&self, store: &Store, rules: &Arc<Rules>, work: impl FnOnce(&mut Reading) -> T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before what they are the versions of: a change in between is found the next time.
        let (projects, secrets) = (store.projects().generation(), store.secrets().generation());
        let current = known.take().filter(|reading| {
            reading.projects == projects && reading.secrets == secrets && Arc::ptr_eq(&reading.rules, rules)
        });
        let reading = current.unwrap_or_else(|| {
            let clusters = registered(store, rules);
            Reading {
                projects,
                secrets,
                rules: rules.clone(),
                names: clusters.iter().map(|known| known.cluster.clone()).collect(),
                clusters,
                effective: BTreeMap::new(),
            }
        });
        work(known.insert(reading))
    }
}

fn registered(store: &Store, rules: &Rules) -> Arc<[Registered]> {
    let ids = store.cluster_uids();
    let readable = store.clusters(rules.in_cluster_enabled).into_iter().filter_map(Result::ok);
    readable
        .map(|cluster| {
            let cluster = cluster.reveal();
            let skip = cluster.annotations.get(api::names::SKIP_RECONCILE);
            Registered {
                cluster: Cluster { server: cluster.server.clone(), name: cluster.name.clone() },
                project: cluster.project.clone(),
                namespaces: cluster.namespaces.clone(),
                labels: cluster.labels.clone(),
                shard: cluster.shard,
                id: ids.get(&cluster.server).cloned().unwrap_or_default(),
                is_skipped: skip.is_some_and(|value| {
                    matches!(value.as_str(), "true" | "1" | "t" | "T" | "TRUE" | "True")
                }),
            }
        })
        .collect()
}

fn effective(store: &Store, rules: &Rules, name: &str, clusters: &[Registered]) -> Option<Effective> {
    let stored = store.project(name).ok()?;
    let globals: Vec<Arc<AppProject>> = rules
        .global_projects
        .0
        .iter()
        .filter(|global| global.name != name && project::selects(&global.selector, &stored))
        .filter_map(|global| store.project(&global.name).ok())
        .collect();
    let globals: Vec<&AppProject> = globals.iter().map(AsRef::as_ref).collect();
    let own_repositories: Vec<String> = store
        .repositories()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|repository| repository.reveal().project == name)
        .map(|repository| repository.reveal().repo.clone())
        .collect();
    let own = clusters.iter().filter(|known| known.project == name);
    let own: Vec<(Cluster, Vec<String>)> =
        own.map(|known| (known.cluster.clone(), known.namespaces.clone())).collect();
    Some(Effective {
        project: Arc::new(project::effective(&stored, &globals, &own_repositories, &own)),
        own_clusters: own.into_iter().map(|(cluster, _)| cluster).collect(),
        stored,
    })
}
