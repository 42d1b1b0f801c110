//! The cluster an installation runs in, reached as kubectl reaches it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubernetes::Cluster;
use object::GroupVersionKind;
use serde_json::Value;

use crate::connection::cluster;
use crate::session::Session;

/// The cluster and the namespace, as flags and kubeconfig say.
pub(super) struct Hub {
    pub(super) cluster: Cluster,
    pub(super) namespace: String,
}

impl Hub {
    pub(super) async fn connect(session: &Session<'_>) -> Result<Self, String> {
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let (kubeconfig, context) = (session.text("kubeconfig"), session.text("context"));
        let connected = cluster::connect(session.environment, &kubeconfig, &context).await;
        let cluster = connected.map_err(|error| error.message())?;
        let namespace =
            given(session.text("namespace")).unwrap_or_else(|| cluster.default_namespace().to_owned());
        Ok(Self { cluster, namespace })
    }

    /// The data of a ConfigMap or a Secret of the namespace, as text.
    pub(super) async fn data(&self, kind: &str, name: &str) -> Result<BTreeMap<String, String>, String> {
        let gvk = GroupVersionKind::new("", "v1", kind);
        let found = self.cluster.find_kind(&gvk, &self.namespace, name).await;
        let plural = format!("{}s", kind.to_lowercase());
        let object = found
            .map_err(|error| error.message())?
            .ok_or_else(|| format!("{plural} \"{name}\" not found"))?;
        Ok(data(kind, &Value::Object(object.0)))
    }
}

/// The data of a ConfigMap or of a Secret, as text. What a Secret holds that is no text is left out.
pub(super) fn data(kind: &str, object: &Value) -> BTreeMap<String, String> {
    let texts = |member: &str| {
        let entries = object.get(member).and_then(Value::as_object).into_iter().flatten();
        // YAML reads some words as numbers and switches.
        entries.filter_map(|(key, value)| match value {
            Value::String(text) => Some((key.clone(), text.clone())),
            Value::Bool(_) | Value::Number(_) => Some((key.clone(), value.to_string())),
            _ => None,
        })
    };
    if kind != "Secret" {
        return texts("data").collect();
    }
    let decoded = texts("data").filter_map(|(key, value)| {
        let bytes = STANDARD.decode(value.replace(['\n', '\r'], "")).ok()?;
        Some((key, String::from_utf8(bytes).ok()?))
    });
    decoded.chain(texts("stringData")).collect()
}
