//! Clusters as clients may see them: how they are, and nothing of how they are entered.

use super::RESOURCE;
use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::path_value::unescaped;
use crate::services::register::scoped;
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{Cluster, ClusterConfig, ClusterInfo, ClusterList};
use tonic::Status;
use wire::cluster::ClusterQuery;

/// The clusters of a query that the caller may see.
pub(super) async fn list(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<ClusterList, Status> {
    let mut items = Vec::new();
    let found = matching(hub, access, query)?.into_iter();
    for cluster in found.filter(|cluster| access.permits(RESOURCE, "get", &object_of(cluster))) {
        items.push(told(hub, &cluster).await);
    }
    Ok(ClusterList { metadata: ListMeta::default(), items })
}

/// The cluster that a query names, for somebody who may do this with it. Not there and not permitted look alike.
pub(super) fn one(hub: &Hub, access: &Access, query: &ClusterQuery, action: &str) -> Result<Cluster, Status> {
    let mut found = named(hub, access, query)?.into_iter();
    found.find(|cluster| access.permits(RESOURCE, action, &object_of(cluster))).ok_or_else(failure::denied)
}

/// All clusters that a query names, for somebody who may do this with each of them.
pub(super) fn all(
    hub: &Hub,
    access: &Access,
    query: &ClusterQuery,
    action: &str,
) -> Result<Vec<Cluster>, Status> {
    let found = named(hub, access, query)?;
    let permitted = found.iter().all(|cluster| access.permits(RESOURCE, action, &object_of(cluster)));
    if found.is_empty() || !permitted {
        return Err(failure::denied());
    }
    Ok(found)
}

/// What a query names; one that names nothing names no cluster. An id comes before an address, that before a name.
fn named(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<Vec<Cluster>, Status> {
    let mut query = query.clone();
    if query.id.as_ref().is_some_and(|id| !id.value.is_empty()) {
        query.server.clear();
        query.name.clear();
    } else if !query.server.is_empty() {
        query.name.clear();
    } else if query.name.is_empty() {
        return Ok(Vec::new());
    }
    matching(hub, access, &query)
}

fn matching(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<Vec<Cluster>, Status> {
    let (mut name, mut server) = (query.name.clone(), query.server.clone());
    if let Some(id) = query.id.as_ref().filter(|id| !id.value.is_empty()) {
        match id.r#type.as_str() {
            "name" | "name_escaped" => name = unescaped(&id.value)?,
            _ => server = unescaped(&id.value)?,
        }
    }
    let server = server.trim_end_matches('/');
    let enabled = access.snapshot().server.in_cluster_enabled;
    let found = hub.store.clusters(enabled).into_iter().filter_map(|cluster| match cluster {
        Ok(cluster) => Some(cluster.into_revealed()),
        Err(error) => {
            tracing::warn!(%error, "a cluster cannot be read");
            None
        }
    });
    Ok(found
        .filter(|cluster| name.is_empty() || cluster.name == name)
        .filter(|cluster| server.is_empty() || cluster.server.trim_end_matches('/') == server)
        .collect())
}

/// The object of the policy that a cluster is.
pub(super) fn object_of(cluster: &Cluster) -> String {
    scoped(&cluster.project, &cluster.server)
}

/// Where what the controller finds of a cluster is kept.
pub(super) fn key(server: &str) -> String {
    format!("cluster|info|{server}")
}

/// A cluster as clients see it (CVE-2023-40029).
pub(super) async fn told(hub: &Hub, cluster: &Cluster) -> Cluster {
    let known = hub.cache.get(&key(&cluster.server)).await.ok().flatten();
    let info: Option<ClusterInfo> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let info = info.unwrap_or_else(|| {
        let mut info = ClusterInfo::default();
        info.connection_state.status = "Unknown".into();
        info.connection_state.attempted_at = Some(jiff::Timestamp::now().into());
        info.connection_state.message = "Cluster has no applications and is not being monitored.".into();
        info
    });
    Cluster {
        connection_state: info.connection_state.clone(),
        server_version: info.server_version.clone(),
        info,
        ..registered(cluster)
    }
}

/// How a cluster is registered, without what opens it.
pub(crate) fn registered(cluster: &Cluster) -> Cluster {
    Cluster {
        server: cluster.server.clone(),
        name: cluster.name.clone(),
        config: shown(&cluster.config),
        namespaces: cluster.namespaces.clone(),
        refresh_requested_at: cluster.refresh_requested_at,
        shard: cluster.shard,
        cluster_resources: cluster.cluster_resources,
        project: cluster.project.clone(),
        labels: cluster.labels.clone(),
        annotations: cluster.annotations.clone(),
        ..Cluster::default()
    }
}

/// What of a configuration opens nothing.
fn shown(config: &ClusterConfig) -> ClusterConfig {
    let mut shown = ClusterConfig::default();
    shown.tls_client_config.insecure = config.tls_client_config.insecure;
    shown.tls_client_config.server_name.clone_from(&config.tls_client_config.server_name);
    shown.aws_auth_config.clone_from(&config.aws_auth_config);
    shown.disable_compression = config.disable_compression;
    shown.proxy_url = crate::masking::without_password(&config.proxy_url);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_opens_a_cluster_is_shown() {
        let mut config = ClusterConfig {
            username: "canary".into(),
            password: "canary".into(),
            bearer_token: "canary".into(),
            proxy_url: "http://u:canary@proxy".into(),
            ..ClusterConfig::default()
        };
        config.tls_client_config.key_data = b"canary".to_vec();
        config.tls_client_config.insecure = true;
        let text = serde_json::to_string(&shown(&config)).unwrap();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains(r#""proxyUrl":"http://u:xxxxx@proxy/""#), "{text}");
    }
}
