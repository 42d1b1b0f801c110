//! Known hosts, certificate authorities and signing keys, in the ConfigMaps the repo-server mounts.

use crate::error::StoreError;
use crate::store::{Store, core};
use api::names::{PART_OF, PART_OF_VALUE};
use kubernetes::Patch;
use object::Object;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Hosts whose keys are known, one line each under [`KNOWN_HOSTS_KEY`].
pub const KNOWN_HOSTS: &str = "argocd-ssh-known-hosts-cm";
/// The key in [`KNOWN_HOSTS`].
pub const KNOWN_HOSTS_KEY: &str = "ssh_known_hosts";
/// Certificates by host name.
pub const TLS_CERTIFICATES: &str = "argocd-tls-certs-cm";
/// Public keys by key id.
pub const GPG_KEYS: &str = "argocd-gpg-keys-cm";

impl Store {
    /// Sets keys of a ConfigMap, and removes those without a value; makes it where it is missing. `expected` are
    /// the values that the change was made from: where somebody else changed one meanwhile, nothing is written.
    pub async fn change_config_map(
        &self,
        name: &str,
        expected: &BTreeMap<String, String>,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<(), StoreError> {
        let resource = core("ConfigMap", "configmaps");
        let Some(live) = self.0.cluster.find(&resource, self.namespace(), name).await? else {
            return self.create_config_map(name, changes).await;
        };
        let now: BTreeMap<String, String> = match live.at(&["data"]) {
            Some(data) if !data.is_null() => serde_json::from_value(data.clone()).unwrap_or_default(),
            _ => BTreeMap::new(),
        };
        if changes.keys().any(|key| now.get(key) != expected.get(key)) {
            return Err(StoreError::Contention(name.into()));
        }
        let data: Map<String, Value> =
            changes.iter().map(|(key, value)| (key.clone(), value.as_deref().into())).collect();
        let patch =
            Patch::Merge(json!({"metadata": {"resourceVersion": live.resource_version()}, "data": data}));
        let options = self.server_writes();
        let written = self.0.cluster.patch(&resource, self.namespace(), name, &patch, &options).await;
        match written {
            Ok(object) => {
                self.0.config_maps.observe(object).ok();
                Ok(())
            }
            Err(error) if error.is_conflict() => Err(StoreError::Contention(name.into())),
            Err(error) => Err(error.into()),
        }
    }

    async fn create_config_map(
        &self,
        name: &str,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<(), StoreError> {
        let data: BTreeMap<_, _> =
            changes.iter().filter_map(|(key, value)| Some((key, value.as_ref()?))).collect();
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace(),
                "labels": {"app.kubernetes.io/name": name, PART_OF: PART_OF_VALUE}},
            "data": data,
        }))?;
        let resource = core("ConfigMap", "configmaps");
        match self.0.cluster.create(&resource, &object, &self.server_writes()).await {
            Ok(object) => {
                self.0.config_maps.observe(object).ok();
                Ok(())
            }
            Err(error) if error.is_already_exists() => Err(StoreError::Contention(name.into())),
            Err(error) => Err(error.into()),
        }
    }
}
