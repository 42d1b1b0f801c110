//! Destination clusters, out of labelled Secrets, and the one the hub runs in.

use crate::error::StoreError;
use crate::registrations::fnv1a;
use crate::secret_data::SecretEntry;
use crate::store::{Store, core};
use api::names::{
    IN_CLUSTER_NAME, IN_CLUSTER_SERVER, LAST_APPLIED, MANAGED_BY, MANAGED_BY_VALUE, REFRESH, SECRET_TYPE,
};
use api::v1alpha1::{Cluster, ClusterConfig};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubernetes::{Access, Connection, Limits, Patch};
use object::{Object, Secret};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Store {
    /// Every destination: registered clusters by name of their Secret, and the hub's own when it is enabled and not
    /// registered. Those that cannot be read come with the reason.
    pub fn clusters(&self, in_cluster_enabled: bool) -> Vec<Result<Secret<Cluster>, StoreError>> {
        let mut clusters: Vec<_> = self
            .secrets_of("cluster")
            .iter()
            .filter(|entry| in_cluster_enabled || entry.text("server") != IN_CLUSTER_SERVER)
            .map(|entry| cluster_of(entry).map(Secret::new).map_err(|reason| invalid(entry, reason)))
            .collect();
        let registered =
            self.secrets_of("cluster").iter().any(|entry| entry.text("server") == IN_CLUSTER_SERVER);
        if in_cluster_enabled && !registered {
            clusters.push(Ok(Secret::new(in_cluster())));
        }
        clusters
    }

    /// The destination at a server URL.
    pub fn cluster_by_server(
        &self,
        server: &str,
        in_cluster_enabled: bool,
    ) -> Result<Secret<Cluster>, StoreError> {
        let wanted = server.trim_end_matches('/');
        if wanted == IN_CLUSTER_SERVER && !in_cluster_enabled {
            return Err(StoreError::NotFound { kind: "cluster", name: server.into() });
        }
        let entries = self.secrets_of("cluster");
        match entries.iter().find(|entry| entry.text("server").trim_end_matches('/') == wanted) {
            Some(entry) => cluster_of(entry).map(Secret::new).map_err(|reason| invalid(entry, reason)),
            None if wanted == IN_CLUSTER_SERVER => Ok(Secret::new(in_cluster())),
            None => Err(StoreError::NotFound { kind: "cluster", name: server.into() }),
        }
    }

    /// A connection with the credentials of a registration, which need not be kept yet. The cluster of this installation is
    /// reached as it is by itself, but for what the registration names. Whoever measures requests to the hub measures these.
    pub async fn connect(
        &self,
        registered: &Cluster,
        limits: Limits,
    ) -> Result<kubernetes::Cluster, kubernetes::Error> {
        let connected = if registered.server.trim_end_matches('/') == IN_CLUSTER_SERVER {
            self.cluster().registered_as(&registered.config).await?
        } else {
            let (server, config) = (registered.server.clone(), Box::new(registered.config.clone()));
            let access = Access::Server { server, config };
            kubernetes::Cluster::connect(&Connection { access, impersonate: None, limits }).await?
        };
        connected.measure_as(self.cluster());
        Ok(connected)
    }

    /// The uid of each registered cluster's Secret, by its server: how shards are shared out.
    pub fn cluster_uids(&self) -> BTreeMap<String, String> {
        let entries = self.secrets_of("cluster");
        entries
            .iter()
            .map(|entry| (entry.text("server").trim_end_matches('/').to_owned(), entry.uid.clone()))
            .collect()
    }

    /// The destinations of a name; several when users gave one name twice.
    pub fn clusters_by_name(
        &self,
        name: &str,
        in_cluster_enabled: bool,
    ) -> Vec<Result<Secret<Cluster>, StoreError>> {
        self.clusters(in_cluster_enabled)
            .into_iter()
            .filter(|cluster| cluster.as_ref().is_ok_and(|cluster| cluster.reveal().name == name))
            .collect()
    }

    /// Registers a cluster.
    pub async fn create_cluster(&self, cluster: &Cluster) -> Result<(), StoreError> {
        let name = cluster_secret_name(&cluster.server).ok_or_else(|| StoreError::Invalid {
            kind: "cluster".into(),
            namespace: self.namespace().into(),
            name: cluster.server.clone(),
            reason: "the server is not a URL".into(),
        })?;
        if self.cluster_secret(&cluster.server).is_ok() {
            return Err(StoreError::Registered { kind: "cluster", name: cluster.server.clone() });
        }
        let mut labels: Map<String, Value> = texts(&cluster.labels);
        labels.insert(SECRET_TYPE.into(), "cluster".into());
        let mut annotations = texts(&cluster.annotations);
        annotations.insert(MANAGED_BY.into(), MANAGED_BY_VALUE.into());
        annotations
            .extend(cluster.refresh_requested_at.map(|at| (REFRESH.to_owned(), at.to_string().into())));
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": name, "namespace": self.namespace(), "labels": labels, "annotations": annotations},
            "data": data(cluster),
        }))?;
        match self.0.cluster.create(&core("Secret", "secrets"), &object, &self.server_writes()).await {
            Ok(created) => {
                self.0.secrets.observe(created).ok();
                Ok(())
            }
            Err(error) if error.is_already_exists() => {
                Err(StoreError::Registered { kind: "cluster", name: cluster.server.clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces what is registered of a cluster: what the new registration does not name is gone.
    pub async fn update_cluster(&self, cluster: &Cluster) -> Result<(), StoreError> {
        let entry = match self.cluster_secret(&cluster.server) {
            // The own cluster is there without being registered: what is said of it registers it, as in the original.
            Err(StoreError::NotFound { .. }) if same_server(&cluster.server, IN_CLUSTER_SERVER) => {
                return self.create_cluster(cluster).await;
            }
            found => found?,
        };
        let mut labels = texts(&cluster.labels);
        labels.insert(SECRET_TYPE.into(), "cluster".into());
        let mut annotations = texts(&cluster.annotations);
        match cluster.refresh_requested_at {
            Some(at) => annotations.insert(REFRESH.into(), at.to_string().into()),
            None => annotations.remove(REFRESH),
        };
        // Whose Secret it is does not change.
        annotations.remove(MANAGED_BY);
        let mut wanted = data(cluster);
        clear(&mut wanted, entry.data.keys());
        clear(&mut labels, entry.labels.keys());
        clear(&mut annotations, entry.annotations.keys().filter(|key| *key != MANAGED_BY));
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": entry.resource_version, "labels": labels, "annotations": annotations},
            "data": wanted,
        }));
        self.patch_secret(&entry.name, &patch).await
    }

    /// Takes a registration back: the Secret goes when the API made it, else it only loses its mark.
    pub async fn delete_cluster(&self, server: &str) -> Result<(), StoreError> {
        let entry = self.cluster_secret(server)?;
        self.unregister(&entry).await
    }

    pub(crate) async fn patch_secret(&self, name: &str, patch: &Patch) -> Result<(), StoreError> {
        let resource = core("Secret", "secrets");
        let options = self.server_writes();
        let object = self.0.cluster.patch(&resource, self.namespace(), name, patch, &options).await?;
        self.0.secrets.observe(object).ok();
        Ok(())
    }

    fn cluster_secret(&self, server: &str) -> Result<std::sync::Arc<SecretEntry>, StoreError> {
        let found =
            self.secrets_of("cluster").into_iter().find(|entry| same_server(&entry.text("server"), server));
        found.ok_or_else(|| StoreError::NotFound { kind: "cluster", name: server.into() })
    }
}

/// Name of the Secret a cluster is registered in: its host, and a hash of its URL (FNV-1a, 32 bits).
pub fn cluster_secret_name(server: &str) -> Option<String> {
    let url = url::Url::parse(server).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_lowercase();
    // The original cuts the host at its first colon, which matters for IPv6 addresses.
    let host = host.split(':').next().unwrap_or_default();
    Some(format!("cluster-{host}-{}", fnv1a(&[server])))
}

fn in_cluster() -> Cluster {
    Cluster { server: IN_CLUSTER_SERVER.into(), name: IN_CLUSTER_NAME.into(), ..Cluster::default() }
}

/// Reads a cluster Secret. The reason names the member that is wrong, never its value.
pub fn cluster_of(entry: &SecretEntry) -> Result<Cluster, String> {
    let config = match entry.text("config").as_str() {
        "" => ClusterConfig::default(),
        text => serde_json::from_str(text).map_err(|error| {
            format!(
                "config is not a cluster configuration (line {}, column {})",
                error.line(),
                error.column()
            )
        })?,
    };
    let server = entry.text("server").trim_end_matches('/').to_owned();
    let name = match (entry.text("name"), server.as_str()) {
        (name, IN_CLUSTER_SERVER) if name.is_empty() => IN_CLUSTER_NAME.to_owned(),
        (name, _) => name,
    };
    let shard = if entry.data.contains_key("shard") { Some(entry.number("shard")?) } else { None };
    let own = |name: &str| name == SECRET_TYPE || name == MANAGED_BY;
    Ok(Cluster {
        name,
        config,
        namespaces: entry
            .text("namespaces")
            .split(',')
            .map(str::trim)
            .filter(|namespace| !namespace.is_empty())
            .map(str::to_owned)
            .collect(),
        cluster_resources: entry.flag("clusterResources")?,
        project: entry.text("project"),
        shard,
        labels: entry
            .labels
            .iter()
            .filter(|(key, _)| !own(key))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        // What was applied last repeats the credentials.
        annotations: entry
            .annotations
            .iter()
            .filter(|(key, _)| !own(key) && *key != LAST_APPLIED)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        refresh_requested_at: entry
            .annotations
            .get(REFRESH)
            .and_then(|at| api::k8s::meta_v1::Time::parse(at)),
        server,
        ..Cluster::default()
    })
}

fn invalid(entry: &SecretEntry, reason: String) -> StoreError {
    StoreError::Invalid {
        kind: "cluster Secret".into(),
        namespace: String::new(),
        name: entry.name.clone(),
        reason,
    }
}

fn same_server(left: &str, right: &str) -> bool {
    left.trim_end_matches('/') == right.trim_end_matches('/')
}

/// Has the keys removed that are not wanted any more.
fn clear<'k>(wanted: &mut Map<String, Value>, known: impl Iterator<Item = &'k String>) {
    for key in known {
        if !wanted.contains_key(key) {
            wanted.insert(key.clone(), Value::Null);
        }
    }
}

fn texts(map: &BTreeMap<String, String>) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect()
}

/// What a cluster's Secret holds, by key, as one would write it by hand.
pub fn cluster_secret_data(cluster: &Cluster) -> BTreeMap<String, Secret<String>> {
    let config = serde_json::to_string(&cluster.config).expect("a configuration is JSON");
    let name = if cluster.name.is_empty() { &cluster.server } else { &cluster.name };
    let mut values = vec![("server", cluster.server.clone()), ("name", name.clone()), ("config", config)];
    if !cluster.namespaces.is_empty() {
        values.push(("namespaces", cluster.namespaces.join(",")));
    }
    if cluster.cluster_resources {
        values.push(("clusterResources", "true".into()));
    }
    if !cluster.project.is_empty() {
        values.push(("project", cluster.project.clone()));
    }
    if let Some(shard) = cluster.shard {
        values.push(("shard", shard.to_string()));
    }
    values.into_iter().map(|(key, value)| (key.to_owned(), Secret::new(value))).collect()
}

fn data(cluster: &Cluster) -> Map<String, Value> {
    let values = cluster_secret_data(cluster).into_iter();
    values.map(|(key, value)| (key, STANDARD.encode(value.reveal()).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_secret_is_the_originals() {
        let name = cluster_secret_name("https://kubernetes.default.svc");
        assert_eq!(name.as_deref(), Some("cluster-kubernetes.default.svc-3396314289"));
        assert_eq!(cluster_secret_name("not a url"), None);
    }

    #[test]
    fn a_broken_configuration_does_not_show_its_text() {
        let mut entry = SecretEntry::default();
        entry.data.insert("config".into(), Secret::new(br#"{"bearerToken": hunter2"#.to_vec()));
        let reason = cluster_of(&entry).unwrap_err();
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}
