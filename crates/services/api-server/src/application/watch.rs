//! Streams: applications and trees as they change.

use crate::application::read::{Filter, with_health};
use crate::application::resources;
use crate::authentication::Caller;
use crate::authorization::{APPLICATIONS, Access};
use crate::found;
use crate::hub::Hub;
use crate::streams::{Listing, Opened, fell_behind, guarded, opened};
use api::v1alpha1::{Application, ApplicationTree, ApplicationWatchEvent};
use futures::StreamExt as _;
use std::sync::Arc;
use store::{EventKind, Stored};
use tonic::Status;
use tonic::codegen::BoxStream;
use wire::application::{ApplicationQuery, ResourcesQuery};

/// What a watcher is told about.
struct Watcher {
    hub: Arc<Hub>,
    caller: Caller,
    filter: Filter,
    /// Older versions are not told.
    from: u64,
}

impl Watcher {
    /// The event for an application, if the caller may see it now and asked for it.
    async fn event(
        &self,
        kind: EventKind,
        stored: &Stored<Application>,
        version: &str,
    ) -> Option<ApplicationWatchEvent> {
        let application = stored.value()?;
        if version.parse::<u64>().unwrap_or(u64::MAX) < self.from || !self.filter.takes(application) {
            return None;
        }
        // Anew for every event: permissions may have changed since the stream began.
        let access = self.hub.access(self.caller.clone());
        if !access.permits(APPLICATIONS, "get", &access.object_of(application)) {
            return None;
        }
        let r#type = match kind {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
        };
        let application = with_health(&self.hub, application).await;
        Some(ApplicationWatchEvent { r#type: r#type.to_owned(), application })
    }
}

/// Applications: what is there, unless the caller knows it already, then every change.
pub(crate) fn applications(
    hub: Arc<Hub>,
    access: &Access,
    query: &ApplicationQuery,
) -> Result<BoxStream<ApplicationWatchEvent>, Status> {
    let mut filter = Filter::new(query)
        .map_err(|error| Status::unknown(format!("error parsing labels with selectors: {error}")))?;
    filter.of_one(hub.store.namespace());
    let version = query.resource_version();
    let from: u64 = version.parse().unwrap_or(0);
    let listing = if query.name().is_empty() { Listing::All } else { Listing::One };
    let Opened { listed, mut changes, mut known } =
        opened(hub.store.applications(), version, listing, "applications")?;
    let watcher = Watcher { hub: hub.clone(), caller: access.caller().clone(), filter, from };
    let events = Box::pin(async_stream::try_stream! {
        for stored in listed {
            if let Some(event) = watcher.event(EventKind::Added, &stored, &stored.resource_version).await {
                known.add(&stored);
                yield event;
            }
        }
        while let Some(change) = changes.next().await {
            let change = change.map_err(|_| fell_behind("applications"))?;
            if known.has(&change) {
                continue;
            }
            if let Some(event) = watcher.event(change.kind, &change.item, &change.resource_version).await {
                yield event;
            }
        }
    });
    Ok(guarded(hub, access.caller().clone(), events, |_| Ok(())))
}

/// The tree of one application, whole, at each change.
pub(crate) async fn tree(
    hub: Arc<Hub>,
    access: &Access,
    query: ResourcesQuery,
) -> Result<BoxStream<ApplicationTree>, Status> {
    let application = access.application(resources::wanted(&query), "get").await?;
    let instance = found::instance(&hub, &application);
    let caller = access.caller().clone();
    let mut changes = hub
        .cache
        .subscribe(&found::channel(&instance))
        .await
        .map_err(|error| Status::unavailable(format!("the cache cannot be listened to: {error}")))?;
    let (shared, asking) = (hub.clone(), caller.clone());
    let trees = Box::pin(async_stream::try_stream! {
        while changes.next().await.is_some() {
            let access = hub.access(caller.clone());
            access.known_application(resources::wanted(&query), "get")?;
            if let Some(tree) = found::known_tree(&hub, &instance).await {
                yield tree;
            }
        }
    });
    Ok(guarded(shared, asking, trees, |_| Ok(())))
}
