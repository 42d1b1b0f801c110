//! Keeps one kind current: list, then watch, from the last version seen, for as long as the cluster lets us.

use crate::cache::Shared;
use crate::entry::{ResourceVersion, Uid};
use crate::extract::Extract;
use crate::health::Scope;
use crate::options::Options;
use crate::status::KindState;
use futures::StreamExt;
use kubernetes::{ApiResource, Error, ListOptions, Listed, WatchEvent, WatchOptions};
use object::Object;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A watch that breaks this often in a row leaves the kind tainted: what is known may be old.
const BREAKS_TO_TAINT: u32 = 2;
/// A server that ends watches faster than this is not asked again at once.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);

/// Why a watch ended.
enum Ended {
    /// In good order, or it was time to list anew.
    Resume,
    /// The version is too old to go on from.
    Relist,
    /// It failed.
    Failed(Error),
}

struct Watcher<E: Extract> {
    shared: Arc<Shared<E>>,
    scope: Scope,
    resource: ApiResource,
    /// Whether the kind's changes are worth asking the cluster what it serves.
    defines_kinds: bool,
    failures: u32,
}

/// Runs until cancelled. A panic while one object is read taints the kind and starts it over.
pub(crate) async fn run<E: Extract>(
    shared: Arc<Shared<E>>,
    scope: Scope,
    resource: ApiResource,
    cancel: CancellationToken,
) {
    let defines_kinds = matches!(
        (scope.kind.group.as_str(), scope.kind.kind.as_str()),
        ("apiextensions.k8s.io", "CustomResourceDefinition") | ("apiregistration.k8s.io", "APIService")
    );
    let mut watcher = Watcher { shared, scope, resource, defines_kinds, failures: 0 };
    loop {
        let body = std::panic::AssertUnwindSafe(watcher.keep_current());
        let outcome = tokio::select! {
            () = cancel.cancelled() => return,
            outcome = futures::FutureExt::catch_unwind(body) => outcome,
        };
        if outcome.is_err() {
            watcher.taint("an object of this kind could not be read: internal error".into());
            watcher.failures += 1;
            let pause = backoff(&watcher.shared.options, watcher.failures);
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

impl<E: Extract> Watcher<E> {
    /// Lists and watches; never returns, but is dropped when cancelled.
    async fn keep_current(&mut self) {
        let mut first = true;
        loop {
            let Some(mut version) = self.list(first).await else { continue };
            first = false;
            let relist_at = self.shared.options.resync.map(|resync| Instant::now() + resync);
            loop {
                let began = Instant::now();
                match self.watch(&mut version, relist_at).await {
                    Ended::Resume if relist_at.is_some_and(|at| at <= Instant::now()) => break,
                    Ended::Resume if began.elapsed() < SHORTEST_WATCH => {
                        tokio::time::sleep(self.shared.options.backoff).await;
                    }
                    Ended::Resume => self.recovered(),
                    Ended::Relist => break,
                    Ended::Failed(error) => self.wait_after(&error).await,
                }
            }
        }
    }

    /// One list. `None` after a failure that has been waited out.
    async fn list(&mut self, first: bool) -> Option<String> {
        let shared = self.shared.clone();
        let options = ListOptions {
            page_size: shared.options.page_size,
            label_selector: (shared.options.selector)(&self.scope.kind),
            ..ListOptions::default()
        };
        let namespace = self.scope.namespace.clone().unwrap_or_default();
        let mut named = BTreeSet::new();
        // Lists come sorted by namespace: one copy of its name serves all that follow.
        let mut last: Arc<str> = "".into();
        let heard = AtomicBool::new(false);
        let listed = {
            let mut permit = Some(shared.lists.acquire().await.ok()?);
            let listing = shared.cluster.list_each(&self.resource, &namespace, &options, |listed| {
                heard.store(true, Ordering::Relaxed);
                match listed {
                    Listed::Restarted => named.clear(),
                    Listed::Object(object) => {
                        if *last != *object.namespace() {
                            last = object.namespace().into();
                        }
                        named.insert((last.clone(), object.name().into()));
                        // At the first list everything is news, and nobody can be told of all of it.
                        if first { shared.apply_quietly(&object) } else { shared.apply(&object) }
                    }
                }
            });
            tokio::pin!(listing);
            loop {
                tokio::select! {
                    listed = &mut listing => break listed,
                    () = tokio::time::sleep(shared.options.silence) => {
                        if !heard.swap(false, Ordering::Relaxed) {
                            shared.fall_silent(&self.scope);
                            // A list that is waited for in vain keeps no other from beginning.
                            drop(permit.take());
                        }
                    }
                }
            }
        };
        match listed {
            Ok(version) => {
                let namespace = self.scope.namespace.as_deref();
                let parsed = ResourceVersion::parse(&version);
                let gone = shared.index_mut().retain(&self.scope.kind, namespace, &named, &parsed);
                shared.tell(gone);
                self.recovered();
                Some(version)
            }
            Err(error) => {
                if error.is_forbidden() && (shared.options.skip_forbidden)() {
                    // The user wants to see only what the credentials may see. The kind counts as not watched,
                    // never as one without objects.
                    self.shared.leave_out(&self.scope);
                    tokio::time::sleep(shared.options.discovery_interval).await;
                    return None;
                }
                self.taint(error.message());
                self.wait_after(&error).await;
                None
            }
        }
    }

    async fn watch(&mut self, version: &mut String, relist_at: Option<Instant>) -> Ended {
        let mut timeout = self.shared.options.watch_timeout;
        if let Some(at) = relist_at {
            timeout = timeout.min(at.saturating_duration_since(Instant::now()));
        }
        let mut options = WatchOptions::since(version.clone());
        options.label_selector = (self.shared.options.selector)(&self.scope.kind);
        options.timeout_s = u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX).max(1);
        let namespace = self.scope.namespace.clone().unwrap_or_default();
        let mut events = match self.shared.cluster.watch(&self.resource, &namespace, &options).await {
            Ok(events) => events,
            Err(error) if error.is_gone() => return Ended::Relist,
            Err(error) => return Ended::Failed(error),
        };
        self.recovered();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.take(event, version),
                Err(error) if error.is_gone() => return Ended::Relist,
                Err(error) => return Ended::Failed(error),
            }
        }
        Ended::Resume
    }

    fn take(&self, event: WatchEvent, version: &mut String) {
        match event {
            WatchEvent::Bookmark(seen) => {
                if !seen.is_empty() {
                    *version = seen;
                }
                return;
            }
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                advance(version, &object);
                self.shared.apply(&object);
            }
            WatchEvent::Deleted(object) => {
                advance(version, &object);
                let uid = Uid::parse(object.uid());
                let seen = ResourceVersion::parse(object.resource_version());
                let change = {
                    let mut index = self.shared.index_mut();
                    index.reach(&self.scope.kind, self.scope.namespace.as_deref(), &seen);
                    index.delete(&object.key(), uid.as_ref(), Some(&seen))
                };
                self.shared.tell(change);
            }
        }
        if self.defines_kinds {
            self.shared.rediscover.notify_one();
        }
    }

    fn recovered(&mut self) {
        self.failures = 0;
        self.shared.set_state(&self.scope, KindState::Synced);
    }

    fn taint(&self, reason: String) {
        self.shared.set_state(&self.scope, KindState::Tainted { reason });
    }

    async fn wait_after(&mut self, error: &Error) {
        self.failures += 1;
        tracing::debug!(kind = %self.scope.kind, %error, failures = self.failures, "list or watch failed");
        if self.failures >= BREAKS_TO_TAINT {
            self.taint(error.message());
        }
        if matches!(error.code(), Some(404 | 405)) {
            // The kind is not served any more: whether it should be watched at all is decided elsewhere.
            self.shared.rediscover.notify_one();
        }
        tokio::time::sleep(backoff(&self.shared.options, self.failures)).await;
    }
}

fn advance(version: &mut String, object: &Object) {
    if !object.resource_version().is_empty() {
        object.resource_version().clone_into(version);
    }
}

/// How long to wait after so many failures in a row.
pub(crate) fn backoff(options: &Options, failures: u32) -> Duration {
    let doubled =
        options.backoff.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(options.longest_backoff)
}
