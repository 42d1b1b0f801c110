//! Which kinds are watched: follows what the cluster serves.

use crate::cache::Shared;
use crate::extract::Extract;
use crate::health::Scope;
use crate::status::KindState;
use crate::subscribe::Notice;
use crate::watcher;
use kubernetes::{ApiResource, Discovery};
use object::GroupKind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A new CustomResourceDefinition takes a moment to be served, and to show in the discovery documents: after a
/// hint the cluster is asked at these times.
const AFTER_A_HINT: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(600), Duration::from_secs(2), Duration::from_secs(6)];
/// How long a group may be silent before it is asked again.
const FAILED_GROUP_RETRY: Duration = Duration::from_secs(20);

struct Watcher {
    resource: ApiResource,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

type Watchers = BTreeMap<Scope, Watcher>;

/// Runs until the cache is stopped.
pub(crate) async fn run<E: Extract>(shared: Arc<Shared<E>>) {
    let mut watchers = Watchers::new();
    let mut failures: u32 = 0;
    let mut hints: Vec<Instant> = Vec::new();
    loop {
        let pause = match shared.cluster.refresh_discovery().await {
            Ok(discovery) => {
                failures = 0;
                follow(&shared, &mut watchers, &discovery).await;
                if discovery.failed_groups.is_empty() {
                    shared.options.discovery_interval
                } else {
                    FAILED_GROUP_RETRY
                }
            }
            Err(error) => {
                tracing::warn!(server = shared.cluster.server(), %error, "the cluster cannot be discovered");
                let reason = error.message();
                let changed = {
                    let mut health = shared.health_mut();
                    let changed = health.connection_error.as_ref() != Some(&reason);
                    health.connection_error = Some(reason);
                    changed
                };
                if changed {
                    shared.announce(Notice::Kinds);
                }
                failures += 1;
                watcher::backoff(&shared.options, failures)
            }
        };
        let mut until = Instant::now() + pause;
        hints.retain(|hint| *hint > Instant::now());
        if let Some(hint) = hints.iter().min() {
            until = until.min(*hint);
        }
        tokio::select! {
            () = shared.cancel.cancelled() => break,
            () = tokio::time::sleep_until(until) => {}
            () = shared.rediscover.notified() => {
                let now = Instant::now();
                hints = AFTER_A_HINT.iter().map(|after| now + *after).collect();
                tokio::select! {
                    () = shared.cancel.cancelled() => break,
                    () = tokio::time::sleep_until(hints[0]) => {}
                }
            }
            () = shared.restart.notified() => restart(&shared, &mut watchers).await,
        }
    }
    end(std::mem::take(&mut watchers)).await;
}

/// Starts what is missing, ends what is no longer served.
async fn follow<E: Extract>(shared: &Arc<Shared<E>>, watchers: &mut Watchers, discovery: &Discovery) {
    let wanted = wanted(shared, discovery);
    let failed: BTreeSet<&str> = discovery.failed_groups.iter().map(|failed| failed.group.as_str()).collect();
    let mut ended = Watchers::new();
    for scope in watchers.keys().cloned().collect::<Vec<_>>() {
        let keep = match wanted.get(&scope) {
            Some(resource) => watchers.get(&scope).is_some_and(|watcher| watcher.resource == *resource),
            // The group does not answer now; that its kinds are not listed does not mean they are gone.
            None => failed.contains(scope.kind.group.as_str()),
        };
        if !keep && let Some(watcher) = watchers.remove(&scope) {
            ended.insert(scope, watcher);
        }
    }
    end(ended).await;
    let (gone, complete) = {
        let mut health = shared.health_mut();
        health.connection_error = None;
        health.discovered = true;
        health.groups = discovery
            .failed_groups
            .iter()
            .map(|failed| ((failed.group.clone(), failed.version.clone()), failed.reason.clone()))
            .collect();
        // Also those that no watcher was started for again, since the settings leave them out now.
        let known = health.scopes.keys();
        let gone: Vec<Scope> = known
            .filter(|scope| !wanted.contains_key(scope) && !watchers.contains_key(scope))
            .cloned()
            .collect();
        for scope in &gone {
            health.remove(scope);
        }
        for scope in wanted.keys().filter(|scope| !watchers.contains_key(*scope)) {
            health.scopes.entry(scope.clone()).or_insert(KindState::Warming);
        }
        let watched: BTreeSet<GroupKind> = health.scopes.keys().map(|scope| scope.kind.clone()).collect();
        health.resources.retain(|kind, _| watched.contains(kind));
        for (scope, resource) in &wanted {
            health.resources.insert(scope.kind.clone(), resource.clone());
        }
        let complete = !gone.is_empty() && health.complete();
        (gone, complete)
    };
    for scope in &gone {
        let changes = shared.index_mut().remove_kind(&scope.kind, scope.namespace.as_deref());
        shared.tell(changes);
    }
    for (scope, resource) in wanted {
        if watchers.contains_key(&scope) {
            continue;
        }
        let cancel = shared.cancel.child_token();
        let task =
            tokio::spawn(watcher::run(shared.clone(), scope.clone(), resource.clone(), cancel.clone()));
        watchers.insert(scope, Watcher { resource, cancel, task });
    }
    shared.announce(if complete { Notice::Everything } else { Notice::Kinds });
}

/// Every kind once, at the version the server prefers among those that can be watched.
fn wanted<E: Extract>(shared: &Arc<Shared<E>>, discovery: &Discovery) -> BTreeMap<Scope, ApiResource> {
    let options = &shared.options;
    let mut seen = BTreeSet::new();
    let mut wanted = BTreeMap::new();
    for resource in discovery.resources.iter().filter(|resource| resource.is_watchable()) {
        let kind = resource.group_kind();
        if (options.excluded)(&kind) || !seen.insert(kind.clone()) {
            continue;
        }
        if options.namespaces.is_empty() || (!resource.namespaced && options.cluster_resources) {
            wanted.insert(Scope { kind, namespace: None }, resource.clone());
        } else if resource.namespaced {
            for namespace in &options.namespaces {
                let scope = Scope { kind: kind.clone(), namespace: Some(namespace.clone()) };
                wanted.insert(scope, resource.clone());
            }
        }
    }
    wanted
}

/// Ends every watcher and forgets what they found.
async fn restart<E: Extract>(shared: &Arc<Shared<E>>, watchers: &mut Watchers) {
    end(std::mem::take(watchers)).await;
    shared.health_mut().forget();
    shared.index_mut().clear();
    // Watchers that are started from now on read by the new rules.
    shared.health_mut().stale = false;
    shared.announce(Notice::Everything);
}

async fn end(watchers: Watchers) {
    watchers.values().for_each(|watcher| watcher.cancel.cancel());
    for watcher in watchers.into_values() {
        // A panic was reported where it happened.
        let _ = watcher.task.await;
    }
}
