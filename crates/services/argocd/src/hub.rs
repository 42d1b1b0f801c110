//! The cluster the components live in: how it is reached, its namespace, its parameters, what must be there.

use anyhow::{Context, Result, bail};
use api::Root;
use api::v1alpha1::{AppProject, Application, ApplicationSet};
use base64::Engine;
use boot::flags::Flags;
use kubernetes::{Access, ApplyOptions, Cluster, Connection, Limits, Method, WriteOptions};
use object::Object;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use store::{Store, StoreOptions};

/// ConfigMaps and Secrets that are made when they are missing, and never changed.
const SETTINGS: [(&str, &str); 9] = [
    ("ConfigMap", "argocd-cm"),
    ("ConfigMap", "argocd-rbac-cm"),
    ("ConfigMap", "argocd-cmd-params-cm"),
    ("ConfigMap", store::KNOWN_HOSTS),
    ("ConfigMap", store::TLS_CERTIFICATES),
    ("ConfigMap", store::GPG_KEYS),
    ("ConfigMap", "argocd-notifications-cm"),
    ("Secret", "argocd-secret"),
    ("Secret", "argocd-notifications-secret"),
];
/// Keys of the hosts that most repositories are at, as their owners publish them.
const KNOWN_HOSTS: &str = include_str!("../known_hosts");
/// How long new CRDs may take to be served.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// The hub, connected as the flags say.
pub(crate) async fn connect(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<Cluster> {
    let (path, context) = (flags.text("kubeconfig"), flags.text("context"));
    let fake = environment.get("ARGOCD_FAKE_IN_CLUSTER").is_some_and(|value| value == "true");
    let inside =
        environment.contains_key("KUBERNETES_SERVICE_HOST") && !environment.contains_key("KUBECONFIG");
    let access = if inside && !fake && path.is_empty() && context.is_empty() {
        Access::InCluster
    } else {
        Access::Kubeconfig {
            path: (!path.is_empty()).then(|| path.into()),
            context: (!context.is_empty()).then_some(context),
        }
    };
    let limits = Limits { qps: 0.0, ..Limits::default() };
    let connection = Connection { limits, ..Connection::new(access) };
    Cluster::connect(&connection).await.context("connect to the cluster Argo CD lives in")
}

/// The control plane's namespace.
pub(crate) fn namespace(flags: &Flags, cluster: &Cluster) -> String {
    let given = flags.text("namespace");
    if given.is_empty() { cluster.default_namespace().to_owned() } else { given }
}

/// Flags and environment with what `argocd-cmd-params-cm` says where nobody else said anything. Logs follow.
pub(crate) async fn with_parameters(
    flags: Flags,
    environment: &BTreeMap<String, String>,
    cluster: &Cluster,
    namespace: &str,
) -> Result<(Flags, BTreeMap<String, String>)> {
    let kind = object::GroupVersionKind::new("", "v1", "ConfigMap");
    let found = cluster.find_kind(&kind, namespace, "argocd-cmd-params-cm").await;
    let found = found.context("read argocd-cmd-params-cm")?;
    let data = found.as_ref().and_then(|object| object.at(&["data"])).and_then(|data| data.as_object());
    let parameters: BTreeMap<String, String> = data
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    let environment = flags.environment(environment, &parameters);
    let flags = flags.with_parameters(&parameters)?;
    boot::logs::start(&flags.text("logformat"), &flags.text("loglevel"));
    Ok((flags, environment))
}

/// The hub's objects, watched; ApplicationSets only for those who show them.
pub(crate) fn store(cluster: Cluster, namespace: &str, flags: &Flags, application_sets: bool) -> Store {
    let options = StoreOptions {
        application_sets,
        application_namespaces: flags.list("application-namespaces"),
        ..StoreOptions::new(namespace)
    };
    Store::start(cluster, options)
}

/// Makes what a fresh cluster lacks: the namespace, the CRDs, empty settings.
pub(crate) async fn install(cluster: &Cluster, namespace: &str) -> Result<()> {
    alone(cluster, namespace).await?;
    let manager = WriteOptions::manager("argocd-server");
    let object = Object::from_value(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
    }))?;
    cluster.ensure_namespace(&object, &manager).await.context("make the namespace")?;
    let options = ApplyOptions { method: Method::ServerSide, ..ApplyOptions::default() };
    for crd in api::crd::all() {
        let crd = Object::from_value(crd)?;
        let resource = cluster.resource(&crd.gvk()).await?;
        cluster.apply(&resource, &crd, &options).await.with_context(|| format!("apply {}", crd.name()))?;
    }
    for (kind, name) in SETTINGS {
        let object = Object::from_value(empty_settings(kind, name, namespace))?;
        let resource = cluster.resource(&object.gvk()).await?;
        match cluster.create(&resource, &object, &manager).await {
            Err(error) if !error.is_already_exists() => {
                return Err(error).with_context(|| format!("make {name}"));
            }
            _ => {}
        }
    }
    served(cluster).await
}

/// Settings without any, marked as the original's manifests mark theirs.
fn empty_settings(kind: &str, name: &str, namespace: &str) -> serde_json::Value {
    let labels = json!({"app.kubernetes.io/name": name, api::names::PART_OF: api::names::PART_OF_VALUE});
    let mut value = json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
    });
    if name == store::KNOWN_HOSTS {
        value["data"] = json!({store::KNOWN_HOSTS_KEY: KNOWN_HOSTS});
    }
    value
}

/// Refuses a namespace where Argo CD is installed: its applications would have two controllers.
async fn alone(cluster: &Cluster, namespace: &str) -> Result<()> {
    for kind in ["StatefulSet", "Deployment"] {
        let kind = object::GroupVersionKind::new("apps", "v1", kind);
        let found = cluster.find_kind(&kind, namespace, "argocd-application-controller").await;
        if found.context("look for an installed Argo CD")?.is_some() {
            bail!("Argo CD is installed in the namespace {namespace}: choose another one with --namespace");
        }
    }
    Ok(())
}

/// Waits until the new kinds are served: a kind may be discovered before its objects can be listed.
async fn served(cluster: &Cluster) -> Result<()> {
    let waiting = async {
        for plural in [Application::PLURAL, AppProject::PLURAL, ApplicationSet::PLURAL] {
            let path = format!("/apis/{}/{plural}?limit=1", api::API_VERSION);
            while cluster.raw(&path, "application/json").await.is_err() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    };
    tokio::time::timeout(ESTABLISHED, waiting).await.context("the CRDs are not served after 30 seconds")
}

/// Writes the generated admin password, where there still is one, to a file only its owner reads.
pub(crate) async fn write_initial_password(cluster: &Cluster, namespace: &str, file: &Path) -> Result<()> {
    let kind = object::GroupVersionKind::new("", "v1", "Secret");
    let found = cluster.find_kind(&kind, namespace, "argocd-initial-admin-secret").await;
    let Some(secret) = found.context("read argocd-initial-admin-secret")? else { return Ok(()) };
    let encoded = secret.text_at(&["data", "password"]);
    let password =
        base64::engine::general_purpose::STANDARD.decode(encoded).context("decode the password")?;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(file);
    opened.and_then(|mut file| file.write_all(&password)).with_context(|| format!("write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_made_carry_the_labels_of_those_that_are_shipped() {
        let made = empty_settings("ConfigMap", "argocd-gpg-keys-cm", "argocd");
        let labels =
            json!({"app.kubernetes.io/name": "argocd-gpg-keys-cm", "app.kubernetes.io/part-of": "argocd"});
        assert_eq!(made["metadata"]["labels"], labels);
    }
}
