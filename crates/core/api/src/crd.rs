//! The three CustomResourceDefinitions, made from the Rust types.

use crate::root::{API_VERSION, GROUP, Root};
use crate::v1alpha1::{AppProject, Application, ApplicationSet};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// All CRDs, in the order they are applied.
pub fn all() -> Vec<Value> {
    vec![application(), application_set(), app_project()]
}

/// The Application CRD.
pub fn application() -> Value {
    let column = |name: &str, path: &str, priority: u8| {
        let mut column = json!({"name": name, "type": "string", "jsonPath": path});
        if priority > 0 {
            column["priority"] = json!(priority);
        }
        column
    };
    let columns = json!([
        column("Sync Status", ".status.sync.status", 0),
        column("Health Status", ".status.health.status", 0),
        column("Revision", ".status.sync.revision", 10),
        column("Project", ".spec.project", 10),
    ]);
    definition::<Application>(&["app", "apps"], json!({"additionalPrinterColumns": columns}))
}

/// The ApplicationSet CRD.
pub fn application_set() -> Value {
    let mut crd =
        definition::<ApplicationSet>(&["appset", "appsets"], json!({"subresources": {"status": {}}}));
    // A generator's template has the fields of `spec.template`, where they are described once. Repeated some twenty
    // times, the sentences would bring the definition near the size that etcd refuses.
    if let Some(generators) = crd.pointer_mut(&format!("{SPEC}/properties/generators")) {
        silence_templates(generators);
    }
    crd
}

const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

/// Takes the descriptions out of what is below a property called `template`.
fn silence_templates(schema: &mut Value) {
    for (name, property) in schema.as_object_mut().into_iter().flatten() {
        if name != "template" {
            silence_templates(property);
        } else if let Some(properties) = property.get_mut("properties") {
            silence(properties);
        }
    }
}

fn silence(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    // A field may be called `description`, too: its schema is an object.
    map.retain(|name, inner| name != "description" || !inner.is_string());
    map.values_mut().for_each(silence);
}

/// The AppProject CRD.
pub fn app_project() -> Value {
    definition::<AppProject>(&["appproj", "appprojs"], json!({}))
}

fn definition<T: Root + JsonSchema>(short_names: &[&str], version: Value) -> Value {
    let crd_name = format!("{}.{GROUP}", T::PLURAL);
    let version_name = API_VERSION.rsplit('/').next().unwrap_or_default();
    let mut versions = json!({
        "name": version_name,
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": schema::<T>()},
    });
    if let (Value::Object(versions), Value::Object(extra)) = (&mut versions, version) {
        versions.extend(extra);
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": crd_name,
            "labels": {"app.kubernetes.io/name": crd_name, "app.kubernetes.io/part-of": "argocd"},
        },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": T::KIND,
                "listKind": format!("{}List", T::KIND),
                "plural": T::PLURAL,
                "shortNames": short_names,
                "singular": T::KIND.to_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [versions],
        },
    })
}

/// The structural schema of a root kind.
fn schema<T: Root + JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    structural(&mut schema);
    let Value::Object(root) = &mut schema else { unreachable!("a struct's schema is an object") };
    root.remove("title");
    let properties = object_member(root, "properties");
    // The API server knows what metadata is, and refuses a schema that says so itself.
    properties.insert("metadata".into(), json!({"type": "object"}));
    properties.insert("apiVersion".into(), json!({"type": "string", "description": API_VERSION_DOC}));
    properties.insert("kind".into(), json!({"type": "string", "description": KIND_DOC}));
    schema
}

const API_VERSION_DOC: &str = "Version of the schema this object is written in.";
const KIND_DOC: &str = "Kind of resource this object is.";

/// Makes a schema structural: no defaults, no nullable types, no combinators.
fn structural(value: &mut Value) {
    let Value::Object(map) = value else {
        if let Value::Array(list) = value {
            list.iter_mut().for_each(structural);
        }
        return;
    };
    for word in ["default", "nullable", "title", "$schema", "minimum"] {
        map.remove(word);
    }
    if map.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        map.remove("format");
    }
    if let Some(Value::Array(options)) = map.remove("anyOf") {
        // `Option<T>` of an inlined type.
        for option in options {
            if let Value::Object(option) = option
                && option.get("type").and_then(Value::as_str) != Some("null")
                && !option.contains_key("enum")
            {
                for (name, inner) in option {
                    map.entry(name).or_insert(inner);
                }
            }
        }
    }
    if let Some(Value::Array(parts)) = map.remove("allOf") {
        for part in parts {
            if let Value::Object(part) = part {
                for (name, inner) in part {
                    map.entry(name).or_insert(inner);
                }
            }
        }
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".into(), only);
        }
    }
    for (name, inner) in map.iter_mut() {
        if name == "properties" {
            if let Value::Object(properties) = inner {
                properties.values_mut().for_each(structural);
            }
        } else {
            structural(inner);
        }
    }
}

fn object_member<'a>(map: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    match map.entry(name).or_insert_with(|| json!({})) {
        Value::Object(map) => map,
        _ => unreachable!("`{name}` of a struct's schema is an object"),
    }
}
