//! What a list is narrowed to, its order, and its pages.

use crate::hub::Hub;
use api::v1alpha1::Application;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::Status;
use wire::application::ApplicationQuery;

/// States, destinations and texts that a list is narrowed to. What is not said permits all.
pub(super) struct Narrowed<'a> {
    query: &'a ApplicationQuery,
    /// Servers and names of the clusters asked for.
    clusters: BTreeSet<String>,
    search: String,
}

impl<'a> Narrowed<'a> {
    pub(super) fn new(hub: &Hub, query: &'a ApplicationQuery) -> Self {
        let mut clusters: BTreeSet<String> = query.clusters.iter().cloned().collect();
        if !clusters.is_empty() {
            // A destination says either.
            for cluster in hub.store.clusters(true).into_iter().flatten() {
                let cluster = cluster.reveal();
                if query.clusters.contains(&cluster.server) || query.clusters.contains(&cluster.name) {
                    clusters.extend([cluster.server.clone(), cluster.name.clone()]);
                }
            }
            clusters.remove("");
        }
        Self { query, clusters, search: query.search().to_lowercase() }
    }

    /// Whether an application is meant.
    pub(super) fn takes(&self, application: &Application) -> bool {
        let among = |asked: &[String], has: &str| asked.is_empty() || asked.iter().any(|asked| asked == has);
        let destination = &application.spec.destination;
        among(&self.query.sync_statuses, sync(application))
            && among(&self.query.health_statuses, health(application))
            && among(&self.query.destination_namespaces, &destination.namespace)
            && (self.query.clusters.is_empty()
                || self.clusters.contains(&destination.server)
                || self.clusters.contains(&destination.name))
            && (self.search.is_empty() || application.metadata.name.to_lowercase().contains(&self.search))
    }
}

fn or_unknown(status: &str) -> &str {
    if status.is_empty() { "Unknown" } else { status }
}

fn sync(application: &Application) -> &str {
    or_unknown(&application.status.sync.status)
}

fn health(application: &Application) -> &str {
    or_unknown(&application.status.health.status)
}

/// What a list is ordered by; within that by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    Created,
    LastSync,
    Sync,
    Health,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    key: Key,
    reversed: bool,
}

/// Where an application is in a list: the key, its name, its namespace.
type Place<'a> = (Cow<'a, str>, &'a str, &'a str);

impl Order {
    pub(super) fn parse(text: &str) -> Result<Self, Status> {
        let (reversed, word) = text.strip_prefix('-').map_or((false, text), |word| (true, word));
        let key = match word {
            "" | "name" => Key::Name,
            "created" => Key::Created,
            "lastSync" => Key::LastSync,
            "sync" => Key::Sync,
            "health" => Key::Health,
            other => {
                return Err(Status::invalid_argument(format!(
                    "sort is {other:?}: it is name, created, lastSync, sync or health, perhaps with - in front"
                )));
            }
        };
        Ok(Self { key, reversed })
    }

    fn place(self, application: &Application) -> Place<'_> {
        let metadata = &application.metadata;
        let key = match self.key {
            Key::Name => Cow::Borrowed(""),
            Key::Created => metadata.creation_timestamp.to_string().into(),
            Key::LastSync => {
                let state = application.status.operation_state.as_ref();
                state
                    .and_then(|state| state.finished_at)
                    .map(|time| time.to_string())
                    .unwrap_or_default()
                    .into()
            }
            Key::Sync => sync(application).into(),
            Key::Health => health(application).into(),
        };
        (key, &metadata.name, &metadata.namespace)
    }

    fn compare(self, left: &Place<'_>, right: &Place<'_>) -> std::cmp::Ordering {
        if self.reversed { right.cmp(left) } else { left.cmp(right) }
    }

    /// Puts a list into order.
    pub(super) fn sort(self, found: &mut [&Arc<Application>]) {
        found.sort_by(|left, right| self.compare(&self.place(left), &self.place(right)));
    }
}

/// A part of a list.
#[derive(Default)]
pub(super) struct Page {
    pub(super) items: Vec<Application>,
    /// Where the next one begins; empty at the end.
    pub(super) next: String,
    pub(super) remaining: Option<i64>,
}

/// What comes after the place that the page before ended at: what is created or deleted meanwhile moves nothing else.
pub(super) fn page(
    found: &[&Arc<Application>],
    order: Order,
    query: &ApplicationQuery,
) -> Result<Page, Status> {
    let limit = match query.limit() {
        0 => usize::MAX,
        limit => usize::try_from(limit)
            .map_err(|_| Status::invalid_argument(format!("limit is {limit}: it may not be negative")))?,
    };
    let rest = match query.r#continue() {
        "" => found,
        after => {
            let (key, place) = after.split_once('|').unwrap_or(("", after));
            let (namespace, name) = place.split_once('/').ok_or_else(|| {
                Status::invalid_argument(format!("continue is {after:?}: it is metadata.continue of a list"))
            })?;
            let last: Place<'_> = (key.into(), name, namespace);
            let before =
                |application: &&Arc<Application>| order.compare(&order.place(application), &last).is_le();
            found.get(found.partition_point(before)..).unwrap_or_default()
        }
    };
    let (shown, after) = rest.split_at(limit.min(rest.len()));
    let items = shown.iter().map(|application| Application::clone(application)).collect();
    let Some(last) = shown.last().filter(|_| !after.is_empty()) else {
        return Ok(Page { items, ..Page::default() });
    };
    let (key, name, namespace) = order.place(last);
    let key = if key.is_empty() { String::new() } else { format!("{key}|") };
    Ok(Page { items, next: format!("{key}{namespace}/{name}"), remaining: i64::try_from(after.len()).ok() })
}
