//! From rendered files to manifests in the order they are installed in.

use crate::error::Error;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// One document of what a chart renders to.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template it comes from, as `chart/templates/file.yaml`.
    pub source: String,
    /// Its text.
    pub text: String,
    /// What the text says; null when it says nothing.
    pub value: Value,
    /// When it is a hook: its events.
    pub hook: Option<Vec<String>>,
}

impl Manifest {
    pub(crate) fn kind(&self) -> &str {
        self.value.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is a hook that tests the release.
    pub fn is_test(&self) -> bool {
        self.hook.iter().flatten().any(|event| event == "test")
    }
}

/// Kinds in the order they are installed in; all others come after, by name.
const INSTALL_ORDER: [&str; 36] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\t\n\x0C\r ]*\n)---[\t\n\x0C\r ]*").expect("the separator's pattern is valid")
});

/// The documents of a file, without what stands around them.
pub(crate) fn split(text: &str) -> Vec<&str> {
    SEPARATOR.split(text.trim()).filter(|document| !document.is_empty()).map(str::trim).collect()
}

/// Splits and sorts rendered files, which are given by path: manifests first, then hooks.
pub(crate) fn sort(files: &[(String, String)]) -> Result<(Vec<Manifest>, Vec<Manifest>), Error> {
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with('_') || content.trim().is_empty() {
            continue;
        }
        for text in split(content) {
            let failed = |error: String| Error::Manifest(format!("YAML parse error on {path}: {error}"));
            let value = object::yaml::decode(text.as_bytes()).map_err(|error| failed(error.message))?;
            check_head(&value).map_err(failed)?;
            let manifest =
                Manifest { source: path.clone(), text: text.to_owned(), hook: events(&value), value };
            match &manifest.hook {
                None => manifests.push(manifest),
                // An event nobody knows: Helm leaves the document out.
                Some(events) if events.is_empty() => {}
                Some(_) => hooks.push(manifest),
            }
        }
    }
    manifests.sort_by(|left, right| rank(left.kind()).cmp(&rank(right.kind())));
    hooks.sort_by(|left, right| rank(left.kind()).cmp(&rank(right.kind())));
    Ok((manifests, hooks))
}

fn rank(kind: &str) -> (usize, &str) {
    match INSTALL_ORDER.iter().position(|known| *known == kind) {
        Some(place) => (place, ""),
        None => (INSTALL_ORDER.len(), kind),
    }
}

/// The head must be of the right types, or Helm cannot read it.
fn check_head(value: &Value) -> Result<(), String> {
    let wrong = |found: &Value, field: &str, wanted: &str| {
        let found = match found {
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            _ => "object",
        };
        Err(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {field} of type {wanted}"
        ))
    };
    let members = match value {
        Value::Null => return Ok(()),
        Value::Object(members) => members,
        other => return wrong(other, "value", "releaseutil.SimpleHead"),
    };
    for field in ["apiVersion", "kind"] {
        match members.get(field) {
            None | Some(Value::Null | Value::String(_) | Value::Bool(_) | Value::Number(_)) => {}
            Some(other) => return wrong(other, &format!("struct field SimpleHead.{field}"), "string"),
        }
    }
    let metadata = match members.get("metadata") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(metadata)) => metadata,
        Some(other) => return wrong(other, "struct field SimpleHead.metadata", "struct"),
    };
    match metadata.get("name") {
        None | Some(Value::Null | Value::String(_) | Value::Bool(_) | Value::Number(_)) => {}
        Some(other) => return wrong(other, "struct field .metadata.name", "string"),
    }
    let annotations = match metadata.get("annotations") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(annotations)) => annotations,
        Some(other) => return wrong(other, "struct field .metadata.annotations", "map[string]string"),
    };
    match annotations.values().find(|annotation| annotation.is_array() || annotation.is_object()) {
        Some(other) => wrong(other, "struct field .metadata.annotations", "string"),
        None => Ok(()),
    }
}

/// A hook's events; none known when the list is empty.
fn events(value: &Value) -> Option<Vec<String>> {
    let annotation = value.pointer("/metadata/annotations/helm.sh~1hook")?;
    let names = crate::metadata::scalar(annotation)?;
    let mut events = Vec::new();
    for name in names.split(',') {
        let name = name.trim().to_lowercase();
        if !EVENTS.contains(&name.as_str()) {
            return Some(Vec::new());
        }
        events.push(if name == "test-success" { "test".to_owned() } else { name });
    }
    Some(events)
}
