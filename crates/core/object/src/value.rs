//! One object as a JSON tree, with names for the parts every object has.

use crate::key::{GroupKind, GroupVersionKind, ResourceKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A Kubernetes object as it is on the wire. Fields of the wrong JSON type read as absent: whether an
/// object is well-formed is for the API server to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(pub Map<String, Value>);

/// Why a JSON value is not an object of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObject {
    /// The value is a list, a string or a number.
    #[error("expected an object, found {0}")]
    NotAnObject(&'static str),
    /// No `apiVersion`.
    #[error("apiVersion is missing")]
    NoApiVersion,
    /// No `kind`.
    #[error("kind is missing")]
    NoKind,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// API version of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner.
    pub name: String,
    /// Uid of the owner.
    pub uid: String,
    /// Whether the owner is the managing controller.
    pub controller: Option<bool>,
    /// Whether the owner's foreground deletion waits for this object.
    pub block_owner_deletion: Option<bool>,
}

impl Object {
    /// Takes a JSON value that names its kind.
    pub fn from_value(value: Value) -> Result<Self, InvalidObject> {
        let object = match value {
            Value::Object(map) => Self(map),
            Value::Null => return Err(InvalidObject::NotAnObject("null")),
            Value::Bool(_) => return Err(InvalidObject::NotAnObject("a boolean")),
            Value::Number(_) => return Err(InvalidObject::NotAnObject("a number")),
            Value::String(_) => return Err(InvalidObject::NotAnObject("a string")),
            Value::Array(_) => return Err(InvalidObject::NotAnObject("a list")),
        };
        if object.kind().is_empty() {
            return Err(InvalidObject::NoKind);
        }
        if object.api_version().is_empty() {
            return Err(InvalidObject::NoApiVersion);
        }
        Ok(object)
    }

    /// The JSON tree.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// A copy of the JSON tree.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// `apiVersion`, or nothing.
    pub fn api_version(&self) -> &str {
        text(self.0.get("apiVersion"))
    }

    /// `kind`, or nothing.
    pub fn kind(&self) -> &str {
        text(self.0.get("kind"))
    }

    /// API group; empty for the core group.
    pub fn group(&self) -> &str {
        crate::split_api_version(self.api_version()).0
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::from_api_version(self.api_version(), self.kind())
    }

    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group(), self.kind())
    }

    /// The object's name in its cluster.
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(self.group(), self.kind(), self.namespace(), self.name())
    }

    /// The object's name among others, whose position there is `index`: one whose name is yet to be made is like none of them.
    pub fn key_among(&self, index: usize) -> ResourceKey {
        let mut key = self.key();
        if key.name.is_empty() && !self.generate_name().is_empty() {
            key.name = format!("{}{index}", self.generate_name());
        }
        key
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata_text("name")
    }

    /// `metadata.generateName`.
    pub fn generate_name(&self) -> &str {
        self.metadata_text("generateName")
    }

    /// `metadata.namespace`; empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.metadata_text("namespace")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata_text("uid")
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.metadata_text("resourceVersion")
    }

    /// `metadata.creationTimestamp` as RFC 3339 text.
    pub fn creation_timestamp(&self) -> &str {
        self.metadata_text("creationTimestamp")
    }

    /// `metadata.deletionTimestamp` as RFC 3339 text; empty while the object is not being deleted.
    pub fn deletion_timestamp(&self) -> &str {
        self.metadata_text("deletionTimestamp")
    }

    /// `metadata.generation`; 0 when the kind keeps none.
    pub fn generation(&self) -> i64 {
        self.metadata().and_then(|metadata| metadata.get("generation")).and_then(Value::as_i64).unwrap_or(0)
    }

    /// `metadata`.
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.0.get("metadata").and_then(Value::as_object)
    }

    /// `metadata` to write to, made when it is not there.
    pub fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        member_mut(&mut self.0, "metadata")
    }

    /// One label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(name)?.as_str()
    }

    /// One annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(name)?.as_str()
    }

    /// All labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.text_map("labels")
    }

    /// All annotations.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.text_map("annotations")
    }

    /// Sets a label.
    pub fn set_label(&mut self, name: &str, value: &str) {
        member_mut(self.metadata_mut(), "labels").insert(name.into(), value.into());
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, name: &str, value: &str) {
        member_mut(self.metadata_mut(), "annotations").insert(name.into(), value.into());
    }

    /// Removes an annotation, and the empty map it may leave.
    pub fn remove_annotation(&mut self, name: &str) {
        self.remove_from("annotations", name);
    }

    /// Removes a label, and the empty map it may leave.
    pub fn remove_label(&mut self, name: &str) {
        self.remove_from("labels", name);
    }

    /// Sets `metadata.name`.
    pub fn set_name(&mut self, name: &str) {
        self.metadata_mut().insert("name".into(), name.into());
    }

    /// Sets `metadata.namespace`, or removes it when empty.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            self.metadata_mut().remove("namespace");
        } else {
            self.metadata_mut().insert("namespace".into(), namespace.into());
        }
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> Vec<&str> {
        self.metadata()
            .and_then(|metadata| metadata.get("finalizers"))
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    /// `metadata.ownerReferences`; entries that do not read as one are left out.
    pub fn owner_references(&self) -> Vec<OwnerReference> {
        self.metadata()
            .and_then(|metadata| metadata.get("ownerReferences"))
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(|entry| OwnerReference::deserialize(entry).ok()).collect())
            .unwrap_or_default()
    }

    /// The value at a path of member names.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }

    /// The text at a path of member names; empty when there is none.
    pub fn text_at(&self, path: &[&str]) -> &str {
        text(self.at(path))
    }

    /// The whole number at a path of member names.
    pub fn int_at(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// The entries of a `List` kind: a kind ending in `List` with an `items` list.
    pub fn list_items(&self) -> Option<&Vec<Value>> {
        self.kind().ends_with("List").then(|| self.0.get("items")?.as_array()).flatten()
    }

    fn metadata_text(&self, name: &str) -> &str {
        text(self.metadata().and_then(|metadata| metadata.get(name)))
    }

    fn text_map(&self, name: &str) -> BTreeMap<String, String> {
        self.metadata()
            .and_then(|metadata| metadata.get(name))
            .and_then(Value::as_object)
            .map(|map| {
                map.iter()
                    .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                    .collect()
            })
            .unwrap_or_default()
    }

    fn remove_from(&mut self, map: &str, name: &str) {
        let Some(Value::Object(metadata)) = self.0.get_mut("metadata") else { return };
        let Some(Value::Object(entries)) = metadata.get_mut(map) else { return };
        entries.remove(name);
        if entries.is_empty() {
            metadata.remove(map);
        }
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// The member as an object, replacing anything else that stands there.
fn member_mut<'a>(map: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let value = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object just above"),
    }
}
