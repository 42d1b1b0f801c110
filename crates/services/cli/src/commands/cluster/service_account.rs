//! The service account with which Argo CD works in a cluster: made with the rights of whoever registers the cluster.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubernetes::{ApiResource, Cluster, DeleteOptions, Error, WriteOptions};
use object::{Object, Secret};
use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

pub(crate) const ACCOUNT: &str = "argocd-manager";
const ROLE: &str = "argocd-manager-role";
const BINDING: &str = "argocd-manager-role-binding";
const RBAC: &str = "rbac.authorization.k8s.io";
/// How long the cluster may take to put a token into its Secret.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// Who does it where.
pub(crate) struct Manager<'c> {
    pub(crate) cluster: &'c Cluster,
    /// The namespace the service account lives in.
    pub(crate) namespace: String,
}

impl Manager<'_> {
    /// Makes the account and its rights, in all namespaces or in some, and gives its token.
    pub(crate) async fn install(
        &self,
        session: &mut Session<'_>,
        namespaces: &[String],
    ) -> Outcome<Secret<String>> {
        self.create_account(session).await?;
        let subject = json!({"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.namespace});
        let everything = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
        if namespaces.is_empty() {
            let rules = json!([everything, {"nonResourceURLs": ["*"], "verbs": ["*"]}]);
            self.put(session, "ClusterRole", "", ROLE, json!({"rules": rules})).await?;
            let binding = binding("ClusterRole", &subject);
            self.put(session, "ClusterRoleBinding", "", BINDING, binding).await?;
        }
        for namespace in namespaces {
            self.put(session, "Role", namespace, ROLE, json!({"rules": [everything]})).await?;
            self.put(session, "RoleBinding", namespace, BINDING, binding("Role", &subject)).await?;
        }
        self.token(session, ACCOUNT).await
    }

    /// The token of an account that is there: in a Secret that does not end.
    pub(crate) async fn token(&self, session: &mut Session<'_>, account: &str) -> Outcome<Secret<String>> {
        let name = format!("{account}-long-lived-token");
        let object = object(&json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": name, "namespace": self.namespace,
                "annotations": {"kubernetes.io/service-account.name": account}},
        }))?;
        let secrets = core("Secret", "secrets");
        match self.cluster.create(&secrets, &object, &writes()).await {
            Ok(_) => session.log(
                Level::Info,
                &format!("Created bearer token secret {name:?} for ServiceAccount {account:?}"),
            ),
            Err(error) if error.is_already_exists() => session.log(
                Level::Info,
                &format!("Using existing bearer token secret {name:?} for ServiceAccount {account:?}"),
            ),
            Err(error) => {
                return Err(Failure::generic(format!(
                    "failed to create secret {name:?} for serviceaccount {account:?}: {}",
                    error.message()
                )));
            }
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.cluster.get(&secrets, &self.namespace, &name).await.map_err(|error| {
                Failure::generic(format!(
                    "failed to get token for serviceaccount {account:?}: failed to get secret {name:?} for \
                     serviceaccount {account:?}: {}",
                    error.message()
                ))
            })?;
            let token = STANDARD.decode(found.text_at(&["data", "token"])).ok();
            let token = token.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty());
            if let Some(token) = token {
                return Ok(Secret::new(token));
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(Failure::generic(format!(
                    "failed to get token for serviceaccount {account:?}: context deadline exceeded"
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes the account and its rights away.
    pub(crate) async fn uninstall(&self, session: &mut Session<'_>) -> Outcome {
        for (kind, name) in
            [("ClusterRoleBinding", BINDING), ("ClusterRole", ROLE), ("ServiceAccount", ACCOUNT)]
        {
            let account = kind == "ServiceAccount";
            let (resource, namespace) = if account {
                (core(kind, "serviceaccounts"), self.namespace.as_str())
            } else {
                (rbac(kind), "")
            };
            let deleted = self.cluster.delete(&resource, namespace, name, &DeleteOptions::default()).await;
            let told = match deleted {
                Ok(_) => format!("{kind} {name:?} deleted"),
                Err(error) if error.is_not_found() && account => {
                    format!("{kind} {name:?} in namespace {namespace:?} not found")
                }
                Err(error) if error.is_not_found() => format!("{kind} {name:?} not found"),
                Err(error) => {
                    return Err(Failure::generic(format!("failed to delete {kind}: {}", error.message())));
                }
            };
            session.log(Level::Info, &told);
        }
        Ok(())
    }

    async fn create_account(&self, session: &mut Session<'_>) -> Outcome {
        let namespace = &self.namespace;
        let account = object(&json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": namespace},
        }))?;
        let created =
            self.cluster.create(&core("ServiceAccount", "serviceaccounts"), &account, &writes()).await;
        let told = match created {
            Ok(_) => format!("ServiceAccount {ACCOUNT:?} created in namespace {namespace:?}"),
            Err(error) if error.is_already_exists() => {
                format!("ServiceAccount {ACCOUNT:?} already exists in namespace {namespace:?}")
            }
            Err(error) => {
                let server = self.cluster.server();
                let url = format!("{server}/api/v1/namespaces/{namespace}/serviceaccounts");
                return Err(Failure::generic(format!(
                    "failed to create service account {ACCOUNT:?} in namespace {namespace:?}: {}",
                    error.go_text("Post", &url)
                )));
            }
        };
        session.log(Level::Info, &told);
        Ok(())
    }

    /// Creates an object, or replaces the one there is.
    async fn put(
        &self,
        session: &mut Session<'_>,
        kind: &str,
        namespace: &str,
        name: &str,
        content: Value,
    ) -> Outcome {
        let mut value = content;
        value["apiVersion"] = format!("{RBAC}/v1").into();
        value["kind"] = kind.into();
        value["metadata"] = json!({"name": name});
        if !namespace.is_empty() {
            value["metadata"]["namespace"] = namespace.into();
        }
        let object = object(&value)?;
        let resource = rbac(kind);
        let shown = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
        let failed = |verb: &str, error: &Error| {
            Failure::generic(format!("failed to {verb} {kind} {shown:?}: {}", error.message()))
        };
        let done = match self.cluster.create(&resource, &object, &writes()).await {
            Ok(_) => "created",
            Err(error) if error.is_already_exists() => {
                let replaced = self.cluster.replace(&resource, &object, &writes()).await;
                replaced.map_err(|error| failed("update", &error))?;
                "updated"
            }
            Err(error) => return Err(failed("create", &error)),
        };
        session.log(Level::Info, &format!("{kind} {shown:?} {done}"));
        Ok(())
    }
}

fn binding(role: &str, subject: &Value) -> Value {
    json!({"roleRef": {"apiGroup": RBAC, "kind": role, "name": ROLE}, "subjects": [subject]})
}

fn object(value: &Value) -> Outcome<Object> {
    Object::from_value(value.clone()).map_err(|error| Failure::generic(error.to_string()))
}

fn writes() -> WriteOptions {
    WriteOptions::manager("argocd")
}

/// How a kind is reached: these are the same in every cluster, and need no discovery.
fn core(kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        ..ApiResource::default()
    }
}

fn rbac(kind: &str) -> ApiResource {
    ApiResource {
        group: RBAC.into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: format!("{}s", kind.to_lowercase()),
        namespaced: !kind.starts_with("Cluster"),
        ..ApiResource::default()
    }
}
