//! How objects of a kind merge under server-side apply, as the cluster's own schema says: which lists have elements that
//! are told apart, which are sets, and what is one value as a whole.
//! Source: Kubernetes, "Server-Side Apply", the extensions `x-kubernetes-list-type`, `-list-map-keys` and `-map-type`.

use crate::GroupVersionKind;
use serde_json::Value;
use std::collections::BTreeMap;

/// Schemas may refer to themselves: so deep they are read.
const DEPTH: usize = 32;
/// And so many parts of one document.
const PARTS: usize = 200_000;

/// How a value merges with another of its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// Objects merge member by member, a list is one value: what holds where nothing is said.
    #[default]
    Plain,
    /// One value as a whole.
    Atomic,
    /// An object some of whose members say more.
    Members {
        /// Those that are known by name.
        known: BTreeMap<String, Shape>,
        /// All others.
        others: Box<Shape>,
    },
    /// A list whose elements are told apart by some of their members.
    Elements {
        /// These, with what they are where they are left out.
        keys: Vec<(String, Value)>,
        /// How one element merges.
        element: Box<Shape>,
    },
    /// A list without repetitions.
    Set,
}

impl Shape {
    /// The shapes of all kinds that an OpenAPI document (version 3) of a cluster describes.
    pub fn of_document(document: &Value) -> BTreeMap<GroupVersionKind, Self> {
        let mut shapes = BTreeMap::new();
        let mut reader = Reader { document, left: PARTS };
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        for schema in schemas.into_iter().flat_map(|schemas| schemas.values()) {
            let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            for kind in kinds.into_iter().flatten() {
                let text = |name: &str| kind.get(name).and_then(Value::as_str).unwrap_or_default();
                let gvk = GroupVersionKind::new(text("group"), text("version"), text("kind"));
                shapes.insert(gvk, reader.read(schema, 0));
            }
        }
        shapes
    }

    /// The shape of a member.
    pub fn member(&self, name: &str) -> &Self {
        match self {
            Self::Members { known, others } => known.get(name).unwrap_or(others),
            _ => &Self::Plain,
        }
    }
}

struct Reader<'a> {
    document: &'a Value,
    left: usize,
}

impl Reader<'_> {
    fn read(&mut self, schema: &Value, depth: usize) -> Shape {
        if depth > DEPTH || self.left == 0 {
            return Shape::Plain;
        }
        self.left -= 1;
        // A reference may stand alone, or in a list of one beside a default.
        let reference =
            schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        if let Some(path) = reference.and_then(|reference| reference.strip_prefix('#')) {
            let document = self.document;
            return document.pointer(path).map(|schema| self.read(schema, depth + 1)).unwrap_or_default();
        }
        let says = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
        match schema.get("items") {
            Some(item) if says("x-kubernetes-list-type") == "map" => {
                let names = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
                let names = names.into_iter().flatten().filter_map(Value::as_str);
                let default = |name: &str| {
                    let properties = item.get("properties").and_then(|properties| properties.get(name));
                    properties.and_then(|property| property.get("default")).cloned().unwrap_or_default()
                };
                let keys: Vec<(String, Value)> = names.map(|name| (name.to_owned(), default(name))).collect();
                match keys.is_empty() {
                    true => Shape::Plain,
                    false => Shape::Elements { keys, element: Box::new(self.read(item, depth + 1)) },
                }
            }
            Some(_) if says("x-kubernetes-list-type") == "set" => Shape::Set,
            Some(_) => Shape::Plain,
            None if says("x-kubernetes-map-type") == "atomic" => Shape::Atomic,
            None => self.members(schema, depth),
        }
    }

    /// What says nothing is left out: most of a schema does not.
    fn members(&mut self, schema: &Value, depth: usize) -> Shape {
        let mut known = BTreeMap::new();
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let shape = self.read(member, depth + 1);
            if shape != Shape::Plain {
                known.insert(name.clone(), shape);
            }
        }
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let others = others.map(|others| self.read(others, depth + 1)).unwrap_or_default();
        match known.is_empty() && others == Shape::Plain {
            true => Shape::Plain,
            false => Shape::Members { known, others: Box::new(others) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_tells_how_lists_and_maps_merge() {
        let gvk = json!([{"group": "acme.io", "version": "v1", "kind": "Widget"}]);
        let document = json!({"components": {"schemas": {
            "meta": {"type": "object", "properties": {
                "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            }},
            "widget": {"x-kubernetes-group-version-kind": gvk, "type": "object", "properties": {
                "metadata": {"allOf": [{"$ref": "#/components/schemas/meta"}], "default": {}},
                "spec": {"type": "object", "properties": {
                    "colour": {"type": "string"},
                    "plain": {"type": "array", "items": {"type": "object"}},
                    "selector": {"type": "object", "x-kubernetes-map-type": "atomic"},
                    "ports": {
                        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
                        "items": {"type": "object", "properties": {"port": {}, "protocol": {"default": "TCP"}}},
                    },
                    "by-name": {"type": "object", "additionalProperties": {
                        "type": "array", "items": {}, "x-kubernetes-list-type": "set",
                    }},
                }},
                "again": {"$ref": "#/components/schemas/again"},
            }},
            "again": {"properties": {"again": {"$ref": "#/components/schemas/again"}}},
        }}});
        let shapes = Shape::of_document(&document);
        let widget = &shapes[&GroupVersionKind::new("acme.io", "v1", "Widget")];
        let spec = widget.member("spec");
        assert_eq!(widget.member("metadata").member("finalizers"), &Shape::Set);
        assert_eq!(spec.member("selector"), &Shape::Atomic);
        assert_eq!(spec.member("by-name").member("any"), &Shape::Set);
        let keys = vec![("port".to_owned(), Value::Null), ("protocol".to_owned(), "TCP".into())];
        assert_eq!(spec.member("ports"), &Shape::Elements { keys, element: Box::default() });
        for plain in ["colour", "plain", "unknown"] {
            assert_eq!(spec.member(plain), &Shape::Plain, "{plain}");
        }
        assert_eq!(widget.member("again"), &Shape::Plain);
        assert_eq!(Shape::of_document(&json!([])), BTreeMap::new());
    }
}
