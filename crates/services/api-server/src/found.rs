//! What the controller found: the resource tree and the managed resources of an application, out of the cache.
//! Where nothing is known, a refresh is asked for and waited for.

use crate::application::refresh;
use crate::hub::Hub;
use api::codes::ConditionType;
use api::v1alpha1::{Application, ApplicationTree, ResourceDiff, ResourceNode};
use futures::StreamExt as _;
use serde_json::Value;
use std::time::Duration;
use tonic::Status;

/// How long the entry may come after the refresh.
const PATIENCE: Duration = Duration::from_secs(5);
/// A tree is never in more pieces than this.
const MOST_SHARDS: i64 = 10_000;

/// The name of an application in keys of the cache.
pub(crate) fn instance(hub: &Hub, application: &Application) -> String {
    let (namespace, name) = (&application.metadata.namespace, &application.metadata.name);
    if namespace.is_empty() || namespace == hub.store.namespace() {
        name.clone()
    } else {
        format!("{namespace}_{name}")
    }
}

/// The channel on which the controller tells that a tree changed.
pub(crate) fn channel(instance: &str) -> String {
    format!("app|managed-resources|{instance}")
}

/// The tree of an application.
pub(crate) async fn tree(hub: &Hub, application: &Application) -> Result<ApplicationTree, Status> {
    let instance = instance(hub, application);
    if let Some(tree) = known_tree(hub, &instance).await {
        return Ok(tree);
    }
    let mut changes = ask(hub, application, &instance).await?;
    loop {
        if let Some(tree) = known_tree(hub, &instance).await {
            return Ok(tree);
        }
        heard(&mut changes).await?;
    }
}

/// The managed resources of an application, Secrets as the controller masked them.
pub(crate) async fn managed(hub: &Hub, application: &Application) -> Result<Vec<ResourceDiff>, Status> {
    let instance = instance(hub, application);
    if let Some(found) = known_resources(hub, &instance).await {
        return Ok(found);
    }
    let mut changes = ask(hub, application, &instance).await?;
    loop {
        if let Some(found) = known_resources(hub, &instance).await {
            return Ok(found);
        }
        heard(&mut changes).await?;
    }
}

/// The tree, if it is known.
pub(crate) async fn known_tree(hub: &Hub, instance: &str) -> Option<ApplicationTree> {
    let key = format!("app|resources-tree|{instance}");
    let mut tree: ApplicationTree = read(hub, &key).await?;
    for shard in 1..tree.shards_count.min(MOST_SHARDS) {
        let more: ApplicationTree = read(hub, &format!("{key}|{shard}")).await?;
        tree.nodes.extend(more.nodes);
        tree.orphaned_nodes.extend(more.orphaned_nodes);
        tree.hosts.extend(more.hosts);
    }
    tree.shards_count = 0;
    Some(tree)
}

/// The node of a tree, among those that are managed and those that are not.
pub(crate) fn node<'t>(
    tree: &'t ApplicationTree,
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Option<&'t ResourceNode> {
    tree.nodes.iter().chain(&tree.orphaned_nodes).find(|node| {
        let found = &node.resource_ref;
        found.group == group && found.kind == kind && found.namespace == namespace && found.name == name
    })
}

async fn known_resources(hub: &Hub, instance: &str) -> Option<Vec<ResourceDiff>> {
    read::<Option<Vec<ResourceDiff>>>(hub, &format!("app|managed-resources|{instance}"))
        .await
        .map(Option::unwrap_or_default)
}

async fn read<T: serde::de::DeserializeOwned>(hub: &Hub, key: &str) -> Option<T> {
    match hub.cache.get(key).await {
        Ok(found) => match serde_json::from_slice(&found?) {
            Ok(value) => Some(value),
            Err(error) => {
                // Its place in the text, and nothing of the text: it may hold what nobody is to see.
                tracing::warn!(
                    key,
                    line = error.line(),
                    column = error.column(),
                    "an entry of the cache cannot be read"
                );
                None
            }
        },
        Err(error) => {
            tracing::debug!(key, %error, "the cache does not answer");
            None
        }
    }
}

/// Asks for a refresh; what comes back tells of changes from before it was asked for.
async fn ask(hub: &Hub, application: &Application, instance: &str) -> Result<Waiting, Status> {
    let failed: Vec<String> = application
        .status
        .conditions
        .iter()
        .filter(|condition| {
            [ConditionType::ComparisonError, ConditionType::InvalidSpecError]
                .iter()
                .any(|kind| condition.r#type == kind.as_str())
        })
        .map(|condition| format!("{}: {}", condition.r#type, condition.message))
        .collect();
    if !failed.is_empty() {
        return Err(Status::unknown(failed.join(";")));
    }
    let changes = hub.cache.subscribe(&channel(instance)).await.ok();
    let namespace = hub.namespace_or_default(&application.metadata.namespace);
    refresh::refreshed(hub, namespace, &application.metadata.name, false).await?;
    Ok(Waiting { changes, until: tokio::time::Instant::now() + PATIENCE })
}

struct Waiting {
    changes: Option<futures::stream::BoxStream<'static, ()>>,
    until: tokio::time::Instant,
}

/// Waits for the next change; an error when none comes in time.
async fn heard(waiting: &mut Waiting) -> Result<(), Status> {
    let missing = || Status::unknown("cache: key is missing");
    let changes = waiting.changes.as_mut().ok_or_else(missing)?;
    match tokio::time::timeout_at(waiting.until, changes.next()).await {
        Ok(Some(())) => Ok(()),
        _ => Err(missing()),
    }
}

/// The part of an object's text that says what it is, or nothing when it is not an object.
pub(crate) fn object(text: &str) -> Option<object::Object> {
    serde_json::from_str::<Value>(text).ok().and_then(|value| object::Object::from_value(value).ok())
}
