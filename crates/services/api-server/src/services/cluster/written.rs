//! Registering clusters, changing and forgetting them. A cluster that does not answer is not kept.

use super::RESOURCE;
use super::listed::{all, key, object_of, one, told};
use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::register::{different, no_payload, scoped};
use api::names::{IN_CLUSTER_SERVER, LAST_APPLIED};
use api::v1alpha1::{Cluster, ClusterInfo, ConnectionState};
use jiff::Timestamp;
use kubernetes::Limits;
use std::time::Duration;
use store::StoreError;
use tonic::Status;
use wire::cluster::{ClusterCreateRequest, ClusterQuery, ClusterUpdateRequest};

/// How long what a change found of a cluster stands where no controller looks.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(32);

/// Registers a cluster. One that is registered the same way already is no mistake.
pub(super) async fn create(
    hub: &Hub,
    access: &Access,
    request: ClusterCreateRequest,
) -> Result<Cluster, Status> {
    let wanted = request.cluster.ok_or_else(no_payload)?;
    access.require(RESOURCE, "create", &object_of(&wanted))?;
    without_applied(&wanted).map_err(|status| {
        Status::invalid_argument(format!("error creating cluster: {}", failure::go_text(&status)))
    })?;
    if wanted.server == IN_CLUSTER_SERVER && !access.snapshot().server.in_cluster_enabled {
        return Err(Status::invalid_argument("cannot register cluster: in-cluster has been disabled"));
    }
    let version = version_of(hub, &wanted).await.map_err(|status| {
        failure::within("error getting server version: failed to get server version", &status)
    })?;
    match hub.store.create_cluster(&wanted).await {
        Ok(()) => {}
        Err(StoreError::Registered { .. }) => {
            let known = hub.store.cluster_by_server(&wanted.server, true).map_err(|error| {
                let status = failure::store(&error);
                let text = status.message();
                Status::internal(format!("unable to check existing cluster details: {text}"))
            })?;
            let differences = differences(known.reveal(), &wanted);
            if !differences.is_empty() {
                if request.upsert {
                    let request = ClusterUpdateRequest { cluster: Some(wanted), ..Default::default() };
                    return update(hub, access, request).await;
                }
                // What a Secret has and a request has not is always different.
                let mut members = vec!["ID".to_owned()];
                members.extend(differences);
                members.extend(["ObjectMeta", "Name", "ObjectMeta", "Namespace"].map(str::to_owned));
                let members: Vec<&str> = members.iter().map(String::as_str).collect();
                return Err(different("cluster", &members));
            }
        }
        Err(error) => return Err(failure::within("error creating cluster", &failure::store(&error))),
    }
    stored(hub, &wanted.server, &version).await
}

/// Changes a registration: the named members, or all. Whoever does must be allowed to change what there is and what
/// will be; the address stays what it is (CVE-2023-23947).
pub(super) async fn update(
    hub: &Hub,
    access: &Access,
    request: ClusterUpdateRequest,
) -> Result<Cluster, Status> {
    let given = request.cluster.ok_or_else(no_payload)?;
    let query = ClusterQuery { server: given.server.clone(), name: given.name.clone(), id: request.id };
    let found = one(hub, access, &query, "update")?;
    let fields = &request.updated_fields;
    let moved = fields.is_empty() || fields.iter().any(|field| field == "project");
    if moved && !access.permits(RESOURCE, "update", &scoped(&given.project, &found.server)) {
        return Err(failure::denied());
    }
    without_applied(&given)?;
    let server = found.server.clone();
    let mut wanted = if fields.is_empty() { given } else { patched(found, &given, fields) };
    wanted.server.clone_from(&server);
    let version = version_of(hub, &wanted)
        .await
        .map_err(|status| failure::within("failed to get server version", &status))?;
    let updated = hub.store.update_cluster(&wanted).await;
    updated.map_err(|error| failure::store(&error))?;
    stored(hub, &server, &version).await
}

/// What was applied last repeats a registration's credentials, where whoever may see annotations would read them.
fn without_applied(cluster: &Cluster) -> Result<(), Status> {
    if cluster.annotations.get(LAST_APPLIED).is_some_and(|applied| !applied.is_empty()) {
        return Err(Status::invalid_argument(format!("annotation {LAST_APPLIED} cannot be set")));
    }
    Ok(())
}

fn patched(mut found: Cluster, given: &Cluster, fields: &[String]) -> Cluster {
    for field in fields {
        match field.as_str() {
            "name" => found.name.clone_from(&given.name),
            "namespaces" => found.namespaces.clone_from(&given.namespaces),
            "config" => found.config = given.config.clone(),
            "shard" => found.shard = given.shard,
            "clusterResources" => found.cluster_resources = given.cluster_resources,
            "labels" => found.labels.clone_from(&given.labels),
            "annotations" => found.annotations.clone_from(&given.annotations),
            "project" => found.project.clone_from(&given.project),
            _ => {}
        }
    }
    found.namespaces.retain(|namespace| !namespace.is_empty());
    found
}

/// Takes registrations back: all of a name, or none.
pub(super) async fn delete(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<(), Status> {
    for cluster in all(hub, access, query, "delete")? {
        match hub.store.delete_cluster(&cluster.server).await {
            // The hub's own is there without being registered.
            Err(error) if !error.is_not_found() => return Err(failure::store(&error)),
            _ => {}
        }
    }
    Ok(())
}

/// Asks the controller to look at everything anew.
pub(super) async fn invalidate(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<Cluster, Status> {
    let mut found = one(hub, access, query, "update")?;
    found.refresh_requested_at = Some(Timestamp::now().into());
    let updated = hub.store.update_cluster(&found).await;
    updated.map_err(|error| failure::store(&error))?;
    Ok(told(hub, &current(hub, &found.server)?).await)
}

/// Remembers that a cluster answered, and tells it.
pub(super) async fn stored(hub: &Hub, server: &str, version: &str) -> Result<Cluster, Status> {
    let info = ClusterInfo {
        server_version: version.to_owned(),
        connection_state: ConnectionState {
            status: "Successful".into(),
            attempted_at: Some(Timestamp::now().into()),
            ..ConnectionState::default()
        },
        ..ClusterInfo::default()
    };
    if let Ok(bytes) = serde_json::to_vec(&info)
        && let Err(error) = hub.cache.set(&key(server.trim_end_matches('/')), bytes.into(), REMEMBERED).await
    {
        tracing::debug!(%error, "the state of a cluster could not be remembered");
    }
    Ok(told(hub, &current(hub, server)?).await)
}

fn current(hub: &Hub, server: &str) -> Result<Cluster, Status> {
    let found = hub.store.cluster_by_server(server, true).map_err(|error| failure::store(&error))?;
    Ok(found.into_revealed())
}

/// The version of a cluster, asked with the credentials it is to be registered with.
pub(super) async fn version_of(hub: &Hub, cluster: &Cluster) -> Result<String, Status> {
    let url = format!("{}/version?timeout={}s", cluster.server.trim_end_matches('/'), PATIENCE.as_secs());
    let failed = |error: &kubernetes::Error| Status::unknown(error.go_text("Get", &url));
    let connected = connect(hub, cluster).await.map_err(|error| failed(&error))?;
    match tokio::time::timeout(PATIENCE, connected.version()).await {
        Ok(answer) => answer.map(|version| version.plain()).map_err(|error| failed(&error)),
        Err(_) => Err(Status::unknown(format!("Get {url:?}: context deadline exceeded"))),
    }
}

/// A connection with the credentials of a registration that need not be stored.
pub(super) async fn connect(hub: &Hub, cluster: &Cluster) -> Result<kubernetes::Cluster, kubernetes::Error> {
    // Somebody waits for the answer: what does not answer once is told at once.
    hub.store.connect(cluster, Limits { retries: 0, ..Limits::default() }).await
}

/// Names of the members in which two registrations differ; never their values.
fn differences(known: &Cluster, wanted: &Cluster) -> Vec<String> {
    let mut members = Vec::new();
    let mut differ = |name: &str, different: bool| {
        if different {
            members.push(name.to_owned());
        }
    };
    let name = if wanted.name.is_empty() { &wanted.server } else { &wanted.name };
    differ("Name", known.name != *name);
    differ("Config", known.config != wanted.config);
    differ("Namespaces", known.namespaces != wanted.namespaces);
    differ("Shard", known.shard != wanted.shard);
    differ("ClusterResources", known.cluster_resources != wanted.cluster_resources);
    differ("Project", known.project != wanted.project);
    for (member, left, right) in
        [("Labels", &known.labels, &wanted.labels), ("Annotations", &known.annotations, &wanted.annotations)]
    {
        let keys = left.keys().chain(right.keys()).collect::<std::collections::BTreeSet<_>>();
        for key in keys.into_iter().filter(|key| left.get(*key) != right.get(*key)) {
            members.extend([member.to_owned(), key.clone()]);
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_names_and_never_values() {
        let mut known = Cluster { server: "https://h".into(), name: "a".into(), ..Cluster::default() };
        known.config.bearer_token = "hunter2".into();
        known.labels.insert("env".into(), "test".into());
        let wanted = Cluster { server: "https://h".into(), name: "b".into(), ..Cluster::default() };
        assert_eq!(differences(&known, &wanted), ["Name", "Config", "Labels", "env"]);
        assert!(differences(&known, &known).is_empty());
    }

    #[test]
    fn only_the_named_members_change() {
        let found = Cluster { name: "a".into(), namespaces: vec!["x".into()], ..Cluster::default() };
        let given = Cluster { name: "b".into(), project: "red".into(), ..Cluster::default() };
        let changed = patched(found.clone(), &given, &["name".into(), "bogus".into()]);
        assert_eq!((changed.name.as_str(), changed.namespaces.len(), changed.project.as_str()), ("b", 1, ""));
        let all = Cluster { namespaces: vec![String::new()], ..Cluster::default() };
        assert!(patched(found, &all, &["namespaces".into()]).namespaces.is_empty());
    }
}
