//! Asking the controller to look again, and waiting until it has.

use crate::failure;
use crate::hub::Hub;
use api::names::REFRESH;
use api::v1alpha1::Application;
use std::sync::Arc;
use std::time::Duration;
use store::{EventKind, StoreError};
use tonic::Status;

/// How long a refresh may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// The application after a refresh that was asked for now.
pub(crate) async fn refreshed(
    hub: &Hub,
    namespace: &str,
    name: &str,
    hard: bool,
) -> Result<Arc<Application>, Status> {
    // Listening before asking: the answer cannot be missed.
    let mut changes = hub.store.applications().follow();
    let asked = hub.store.request_refresh(namespace, name, hard, jiff::Timestamp::now()).await;
    let asked = asked.map_err(|error| failure::store(&error))?;
    // What is known by now may be newer than the answer to the question: the controller was as quick as that.
    if !asked.metadata.annotations.contains_key(REFRESH) {
        return Ok(Arc::new(asked));
    }
    let since = asked.metadata.resource_version.parse::<u64>().unwrap_or(0);
    let waiting = async {
        loop {
            match changes.next().await {
                Some(Ok(event)) => {
                    if &*event.item.namespace != namespace || &*event.item.name != name {
                        continue;
                    }
                    let newer = event.resource_version.parse::<u64>().is_ok_and(|version| version > since);
                    if newer && event.kind == EventKind::Deleted {
                        return Err(failure::denied());
                    }
                    if let (true, Some(application)) = (newer, event.item.value())
                        && !application.metadata.annotations.contains_key(REFRESH)
                    {
                        return Ok(application.clone());
                    }
                }
                // Too many changes at once: what is in memory now tells as much.
                Some(Err(StoreError::Expired)) => {
                    let now =
                        hub.store.application(namespace, name).map_err(|error| failure::store(&error))?;
                    if !now.metadata.annotations.contains_key(REFRESH) {
                        return Ok(now);
                    }
                }
                Some(Err(error)) => return Err(failure::store(&error)),
                None => return Err(Status::unavailable("the server is stopping")),
            }
        }
    };
    tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap_or_else(|_| Err(Status::unknown("application refresh deadline exceeded")))
}
