//! The secrets a fresh installation lacks: the signing key and the administrator's password.

use crate::error::StoreError;
use crate::store::{Store, core};
use api::names::{PART_OF, PART_OF_VALUE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kubernetes::{Patch, Review};
use object::{Object, Secret};
use serde_json::{Map, Value, json};

const TRIES: usize = 8;
const SECRET: &str = "argocd-secret";
const INITIAL: &str = "argocd-initial-admin-secret";

/// What is made up when it is missing.
#[derive(Clone, Debug)]
pub struct Generated {
    /// A fresh signing key, as it is to be stored.
    pub secret_key: Secret<Vec<u8>>,
    /// A fresh administrator's password; `None` when the administrator is disabled.
    pub admin: Option<AdminPassword>,
    /// Now.
    pub now: Timestamp,
}

/// The administrator's first password.
#[derive(Clone, Debug)]
pub struct AdminPassword {
    /// The password.
    pub password: Secret<String>,
    /// Hashes a password as it is to be stored.
    pub hash: fn(&str) -> String,
}

impl Store {
    /// Fills in what `argocd-secret` lacks. Many may call this at once: all end with the same key and password.
    pub async fn ensure_argocd_secret(&self, generated: &Generated) -> Result<(), StoreError> {
        let resource = core("Secret", "secrets");
        for _ in 0..TRIES {
            let Some(live) = self.0.cluster.find(&resource, self.namespace(), SECRET).await? else {
                self.create_empty_secret().await?;
                continue;
            };
            let lacks = |key: &str| live.text_at(&["data", key]).is_empty();
            let mut data = Map::new();
            if lacks("server.secretkey") {
                data.insert("server.secretkey".into(), STANDARD.encode(generated.secret_key.reveal()).into());
            }
            if let Some(admin) = generated.admin.as_ref().filter(|_| lacks("admin.password")) {
                // The readable copy first: whoever loses the race takes the winner's password, and a crash in
                // between leaves a password that still counts.
                let password = self.initial_password(admin).await?;
                data.insert("admin.password".into(), STANDARD.encode((admin.hash)(password.reveal())).into());
                let time = generated.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                data.insert("admin.passwordMtime".into(), STANDARD.encode(time).into());
            }
            if data.is_empty() {
                self.0.secrets.observe(live).ok();
                return Ok(());
            }
            let patch = Patch::Merge(
                json!({"metadata": {"resourceVersion": live.resource_version()}, "data": Value::Object(data)}),
            );
            match self.patch_secret(SECRET, &patch).await {
                Err(StoreError::Cluster(error)) if error.is_conflict() => {}
                other => return other,
            }
        }
        Err(StoreError::Contention(SECRET.into()))
    }

    /// Sets values of `argocd-secret`; `None` removes one.
    pub async fn set_argocd_secret(
        &self,
        values: &[(String, Option<Secret<Vec<u8>>>)],
    ) -> Result<(), StoreError> {
        let encode = |value: &Option<Secret<Vec<u8>>>| {
            value.as_ref().map_or(Value::Null, |value| STANDARD.encode(value.reveal()).into())
        };
        let data: Map<_, _> = values.iter().map(|(key, value)| (key.clone(), encode(value))).collect();
        self.patch_secret(SECRET, &Patch::Merge(json!({"data": data}))).await
    }

    /// Whether the store's credentials may do something to a kind of the hub in the control plane's namespace.
    pub async fn may(&self, verb: &str, group: &str, plural: &str) -> Result<bool, StoreError> {
        let review = Review {
            verb: verb.into(),
            group: group.into(),
            plural: plural.into(),
            namespace: self.namespace().into(),
            name: String::new(),
        };
        Ok(self.0.cluster.may(&review).await?)
    }

    async fn create_empty_secret(&self) -> Result<(), StoreError> {
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": SECRET, "namespace": self.namespace(),
                "labels": {"app.kubernetes.io/name": SECRET, PART_OF: PART_OF_VALUE}},
        }))?;
        match self.0.cluster.create(&core("Secret", "secrets"), &object, &self.server_writes()).await {
            Err(error) if !error.is_already_exists() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The password users can read: the one there is, or the new one.
    async fn initial_password(&self, admin: &AdminPassword) -> Result<Secret<String>, StoreError> {
        let resource = core("Secret", "secrets");
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": INITIAL, "namespace": self.namespace()},
            "data": {"password": STANDARD.encode(admin.password.reveal())},
        }))?;
        match self.0.cluster.create(&resource, &object, &self.server_writes()).await {
            Ok(_) => Ok(admin.password.clone()),
            Err(error) if error.is_already_exists() => {
                let live = self.0.cluster.get(&resource, self.namespace(), INITIAL).await?;
                let text = STANDARD.decode(live.text_at(&["data", "password"])).ok();
                let text =
                    text.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty());
                text.map(Secret::new).ok_or_else(|| StoreError::Invalid {
                    kind: "Secret".into(),
                    namespace: self.namespace().into(),
                    name: INITIAL.into(),
                    reason: "it holds no password; delete it to have one made".into(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}
