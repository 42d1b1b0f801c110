//! A new token for a cluster that is entered with a service account's: made there, tried, kept, the old one removed.

use super::listed::all;
use super::written::{connect, stored, version_of};
use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use api::v1alpha1::Cluster;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kubernetes::{ApiResource, DeleteOptions, Patch, WriteOptions};
use object::{GroupVersionKind, Object, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tonic::Status;
use wire::cluster::ClusterQuery;

/// How long the cluster may take to put a token into a Secret.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";

/// What a service account's long-lived token says of itself.
#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(rename = "kubernetes.io/serviceaccount/namespace", default)]
    namespace: String,
    #[serde(rename = "kubernetes.io/serviceaccount/secret.name", default)]
    secret: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.name", default)]
    account: String,
}

/// Gives all clusters that a query names new tokens.
pub(super) async fn rotate(hub: &Hub, access: &Access, query: &ClusterQuery) -> Result<(), Status> {
    for cluster in all(hub, access, query, "update")? {
        rotate_one(hub, cluster).await?;
    }
    Ok(())
}

async fn rotate_one(hub: &Hub, mut cluster: Cluster) -> Result<(), Status> {
    if cluster.config.bearer_token.is_empty() {
        let server = &cluster.server;
        let text = format!("Cluster '{server}' does not use bearer token authentication");
        return Err(Status::invalid_argument(text));
    }
    let claims = claims(&cluster.config.bearer_token)?;
    let there = There::connect(hub, &cluster).await?;
    let (name, token) = there.new_token(&claims).await?;
    // A token is what it is entered with from now on.
    cluster.config.tls_client_config.key_data.clear();
    cluster.config.tls_client_config.cert_data.clear();
    cluster.config.bearer_token = token.into_revealed();
    let version = version_of(hub, &cluster)
        .await
        .map_err(|status| failure::within("failed to get server version", &status))?;
    let updated = hub.store.update_cluster(&cluster).await;
    updated.map_err(|error| failure::store(&error))?;
    stored(hub, &cluster.server, &version).await?;
    There::connect(hub, &cluster).await?.replace(&claims, &name).await?;
    tracing::info!(server = %cluster.server, old = %claims.secret, new = %name, "the token of a cluster was rotated");
    Ok(())
}

/// Reads a token without verifying it: the cluster does that.
fn claims(token: &str) -> Result<Claims, Status> {
    let invalid = || Status::unknown("failed to parse service account token");
    let payload = token.split('.').nth(1).ok_or_else(invalid)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| invalid())?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if claims.namespace.is_empty() || claims.secret.is_empty() || claims.account.is_empty() {
        return Err(Status::invalid_argument(
            "the token is not that of a service account's Secret: only such tokens can be rotated",
        ));
    }
    Ok(claims)
}

/// The cluster whose token changes.
struct There {
    cluster: kubernetes::Cluster,
    secrets: ApiResource,
    accounts: ApiResource,
    writes: WriteOptions,
}

impl There {
    async fn connect(hub: &Hub, cluster: &Cluster) -> Result<Self, Status> {
        let failed = |error: kubernetes::Error| failure::kubernetes(&error);
        let cluster = connect(hub, cluster).await.map_err(failed)?;
        let secrets = cluster.resource(&GroupVersionKind::new("", "v1", "Secret")).await.map_err(failed)?;
        let account = GroupVersionKind::new("", "v1", "ServiceAccount");
        let accounts = cluster.resource(&account).await.map_err(failed)?;
        Ok(Self { cluster, secrets, accounts, writes: WriteOptions::manager(crate::COMPONENT) })
    }

    /// Makes a Secret like the one there is and waits for the token in it.
    async fn new_token(&self, claims: &Claims) -> Result<(String, Secret<String>), Status> {
        let failed = |error: kubernetes::Error| {
            failure::within("failed to generate new cluster manager secret", &failure::kubernetes(&error))
        };
        let before =
            self.cluster.get(&self.secrets, &claims.namespace, &claims.secret).await.map_err(failed)?;
        let stem = claims.secret.rsplit_once('-').map_or(claims.secret.as_str(), |(stem, _)| stem);
        let wanted = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "type": TOKEN_TYPE,
            "metadata": {
                "generateName": format!("{stem}-"), "namespace": claims.namespace,
                "annotations": {"kubernetes.io/service-account.name": before.annotations()
                    .get("kubernetes.io/service-account.name").cloned().unwrap_or_else(|| claims.account.clone())},
            },
        }))
        .map_err(|error| Status::internal(error.to_string()))?;
        let created = self.cluster.create(&self.secrets, &wanted, &self.writes).await.map_err(failed)?;
        let name = created.name().to_owned();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let now = self.cluster.get(&self.secrets, &claims.namespace, &name).await.map_err(failed)?;
            let token = STANDARD.decode(now.text_at(&["data", "token"])).ok();
            let token = token.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty());
            if let Some(token) = token {
                return Ok((name, Secret::new(token)));
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(Status::deadline_exceeded(format!(
                    "timed out waiting for secret {name:?} to hold a new token"
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Names the new Secret where the account names its Secrets, and removes the old one.
    async fn replace(&self, claims: &Claims, name: &str) -> Result<(), Status> {
        let failed = |error: kubernetes::Error| {
            failure::within("failed to rotate service account secrets", &failure::kubernetes(&error))
        };
        let namespace = &claims.namespace;
        let account = self.cluster.get(&self.accounts, namespace, &claims.account).await.map_err(failed)?;
        let mut named: Vec<Value> =
            account.at(&["secrets"]).and_then(Value::as_array).cloned().unwrap_or_default();
        named.retain(|entry| entry.get("name").and_then(Value::as_str) != Some(&claims.secret));
        named.push(json!({"name": name}));
        let version = account.resource_version();
        let patch = Patch::Merge(json!({"metadata": {"resourceVersion": version}, "secrets": named}));
        self.cluster
            .patch(&self.accounts, namespace, &claims.account, &patch, &self.writes)
            .await
            .map_err(failed)?;
        let options = DeleteOptions::default();
        match self.cluster.delete(&self.secrets, namespace, &claims.secret, &options).await {
            Err(error) if !error.is_not_found() => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn only_the_token_of_a_secret_can_be_rotated() {
        let prefix = "kubernetes.io/serviceaccount";
        let whole = json!({
            format!("{prefix}/namespace"): "kube-system",
            format!("{prefix}/secret.name"): "argocd-manager-long-lived-token",
            format!("{prefix}/service-account.name"): "argocd-manager",
        });
        let read = claims(&token(&whole)).unwrap();
        assert_eq!((read.namespace.as_str(), read.account.as_str()), ("kube-system", "argocd-manager"));
        for other in ["", "a", "a.b.c", &token(&json!({"sub": "x"})), &token(&json!([]))] {
            let refused = claims(other).unwrap_err();
            assert!(!refused.message().contains(other) || other.len() < 2, "{refused}");
        }
    }
}
