//! Objects in short: what a history says of one, and the manifest that makes.

use object::Object;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The destination's namespace.
pub const NAMESPACE: &str = "place";

/// An object, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Thing {
    /// `ConfigMap`, `Deployment`, `Job`, `ClusterRole`, `Widget`, `CustomResourceDefinition` or `Namespace`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it says: two objects of different values differ. Multiples of seven become ill, or fail.
    pub value: i64,
    /// Its wave.
    #[serde(skip_serializing_if = "is_default")]
    pub wave: i64,
    /// The phases it is a hook of.
    #[serde(skip_serializing_if = "is_default")]
    pub hook: String,
    /// When the hook's object goes.
    #[serde(skip_serializing_if = "is_default")]
    pub delete_policy: String,
    /// Its sync options.
    #[serde(skip_serializing_if = "is_default")]
    pub options: String,
    /// The server completes its name.
    #[serde(skip_serializing_if = "is_default")]
    pub generated: bool,
    /// It says one thing more, which later versions may leave out.
    #[serde(skip_serializing_if = "is_default")]
    pub extra: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Version and group of a kind.
pub fn api_version(kind: &str) -> &'static str {
    match kind {
        "Deployment" | "ReplicaSet" => "apps/v1",
        "Job" => "batch/v1",
        "ClusterRole" => "rbac.authorization.k8s.io/v1",
        "Widget" => "example.com/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    }
}

/// Whether a kind's objects live in namespaces.
pub fn is_namespaced(kind: &str) -> bool {
    !matches!(kind, "ClusterRole" | "CustomResourceDefinition" | "Namespace")
}

/// `Kind/name` of an object.
pub fn label(object: &Object) -> String {
    format!("{}/{}", object.kind(), object.name())
}

impl Thing {
    /// `Kind/name`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Whether its controller ends badly.
    pub fn is_ill(value: i64) -> bool {
        value != 0 && value % 7 == 0
    }

    /// The manifest, as Git holds it.
    pub fn manifest(&self) -> Object {
        let mut metadata = json!({});
        metadata[if self.generated { "generateName" } else { "name" }] = self.name.as_str().into();
        let mut annotations = serde_json::Map::new();
        let mut annotate = |name: &str, text: &str| {
            if !text.is_empty() {
                annotations.insert(format!("argocd.argoproj.io/{name}"), text.into());
            }
        };
        annotate("hook", &self.hook);
        annotate("hook-delete-policy", &self.delete_policy);
        annotate("sync-options", &self.options);
        if self.wave != 0 {
            annotate("sync-wave", &self.wave.to_string());
        }
        if !annotations.is_empty() {
            metadata["annotations"] = annotations.into();
        }
        let mut manifest =
            json!({"apiVersion": api_version(&self.kind), "kind": self.kind, "metadata": metadata});
        for (name, value) in self.body() {
            manifest[name] = value;
        }
        match Object::from_value(manifest) {
            Ok(object) => object,
            Err(error) => unreachable!("a manifest names its kind: {error}"),
        }
    }

    /// What it says beside its metadata.
    fn body(&self) -> Vec<(&'static str, Value)> {
        let text = self.value.to_string();
        let image = format!("image:{text}");
        match self.kind.as_str() {
            "Deployment" => {
                let mut spec = json!({
                    "replicas": 1 + self.value % 3,
                    "selector": {"matchLabels": {"app": self.name}},
                    "template": {
                        "metadata": {"labels": {"app": self.name}},
                        "spec": {"containers": [{"name": "main", "image": image}]},
                    },
                });
                if self.extra {
                    spec["minReadySeconds"] = json!(5);
                }
                vec![("spec", spec)]
            }
            "Job" => vec![(
                "spec",
                json!({"template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": "main", "image": image}],
                }}}),
            )],
            "ClusterRole" => {
                vec![(
                    "rules",
                    json!([{"apiGroups": [""], "resources": [format!("r{text}")], "verbs": ["get"]}]),
                )]
            }
            "CustomResourceDefinition" => vec![(
                "spec",
                json!({
                    "group": "example.com", "scope": "Namespaced",
                    "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                        {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
                }),
            )],
            "Widget" => {
                let mut spec = json!({"size": self.value});
                if self.extra {
                    spec["colour"] = "red".into();
                }
                vec![("spec", spec)]
            }
            "Namespace" => Vec::new(),
            _ => {
                let mut data = json!({"value": text});
                if self.extra {
                    data["extra"] = "more".into();
                }
                vec![("data", data)]
            }
        }
    }
}
