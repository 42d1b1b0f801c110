//! Destination clusters, without what opens them.

use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::path_value::unescaped;
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{Cluster, ClusterConfig, ClusterInfo, ClusterList};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::cluster::ClusterQuery;
use wire::cluster::cluster_service_server::ClusterService;

/// Clusters.
pub(crate) struct Clusters(pub(crate) Arc<Hub>);

#[tonic::async_trait]
impl ClusterService for Clusters {
    async fn list(&self, request: Request<ClusterQuery>) -> Result<Response<ClusterList>, Status> {
        let (access, query) = self.0.enter(request)?;
        let mut items = Vec::new();
        for cluster in visible(&self.0, &access, &query)? {
            items.push(told(&self.0, &cluster).await);
        }
        items.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Response::new(ClusterList { metadata: ListMeta::default(), items }))
    }

    async fn get(&self, request: Request<ClusterQuery>) -> Result<Response<Cluster>, Status> {
        let (access, query) = self.0.enter(request)?;
        if query.name.is_empty()
            && query.server.is_empty()
            && query.id.as_ref().is_none_or(|id| id.value.is_empty())
        {
            return Err(failure::denied());
        }
        // Not there and not to be seen look alike.
        let found = visible(&self.0, &access, &query)?.into_iter().next().ok_or_else(failure::denied)?;
        Ok(Response::new(told(&self.0, &found).await))
    }
}

/// The clusters of a query that the caller may see.
fn visible(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<Vec<Cluster>, Status> {
    let (mut name, mut server) = (query.name.clone(), query.server.clone());
    if let Some(id) = query.id.as_ref().filter(|id| !id.value.is_empty()) {
        match id.r#type.as_str() {
            "name" => name.clone_from(&id.value),
            "name_escaped" => name = unescaped(&id.value)?,
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
        .filter(|cluster| access.permits("clusters", "get", &object_of(cluster)))
        .collect())
}

fn object_of(cluster: &Cluster) -> String {
    if cluster.project.is_empty() {
        cluster.server.clone()
    } else {
        format!("{}/{}", cluster.project, cluster.server)
    }
}

/// A cluster as clients see it: how it is, and nothing of how it is entered (CVE-2023-40029).
async fn told(hub: &Hub, cluster: &Cluster) -> Cluster {
    let key = format!("cluster|info|{}", cluster.server);
    let known = hub.cache.get(&key).await.ok().flatten();
    let info: Option<ClusterInfo> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut info = info.unwrap_or_else(|| {
        let mut info = ClusterInfo::default();
        info.connection_state.status = "Unknown".into();
        info.connection_state.attempted_at = Some(jiff::Timestamp::now().into());
        info.connection_state.message = "Cluster has no applications and is not being monitored.".into();
        info
    });
    info.api_versions.clear();
    let mut annotations = cluster.annotations.clone();
    annotations.remove(api::names::LAST_APPLIED);
    Cluster {
        server: cluster.server.clone(),
        name: cluster.name.clone(),
        config: shown(&cluster.config),
        connection_state: info.connection_state.clone(),
        server_version: info.server_version.clone(),
        namespaces: cluster.namespaces.clone(),
        refresh_requested_at: cluster.refresh_requested_at,
        shard: cluster.shard,
        cluster_resources: cluster.cluster_resources,
        project: cluster.project.clone(),
        labels: cluster.labels.clone(),
        annotations,
        info,
    }
}

/// What of a configuration opens nothing.
fn shown(config: &ClusterConfig) -> ClusterConfig {
    let mut shown = ClusterConfig::default();
    shown.tls_client_config.insecure = config.tls_client_config.insecure;
    shown.tls_client_config.server_name.clone_from(&config.tls_client_config.server_name);
    shown.aws_auth_config.clone_from(&config.aws_auth_config);
    shown.disable_compression = config.disable_compression;
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
        assert_eq!(text, r#"{"tlsClientConfig":{"insecure":true}}"#);
    }
}
