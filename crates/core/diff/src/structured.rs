//! Prediction by server-side apply's rules: the target is merged into the live object field by field, and what
//! our manager owned but the target no longer says is removed.
//!
//! The lists that merge, and their keys, are those of the built-in types; of other kinds, those that the cluster's own
//! schema names. Where neither is known a list is replaced whole, as the API server does without a schema.

use crate::managed_fields::{self, Step};
use crate::schema::{self, Field, Type};
use crate::three_way::with_defaults;
use object::{LAST_APPLIED_ANNOTATION, Object, Shape};
use serde_json::{Map, Value};

/// The manager an apply of ours is recorded under.
pub const FIELD_MANAGER: &str = "argocd-controller";

/// Maps the API server takes as one value.
const ATOMIC: [&str; 16] = [
    "meta.LabelSelector",
    "core/v1.ObjectFieldSelector",
    "core/v1.ResourceFieldSelector",
    "core/v1.SecretKeySelector",
    "core/v1.ConfigMapKeySelector",
    "core/v1.LocalObjectReference",
    "core/v1.TypedLocalObjectReference",
    "core/v1.ObjectReference",
    "core/v1.SecretReference",
    "core/v1.NodeSelector",
    "core/v1.NodeSelectorTerm",
    "core/v1.ScopeSelector",
    "core/v1.TopologySelectorTerm",
    "rbac/v1.RoleRef",
    "rbac/v1.Subject",
    "storage/v1.TokenRequest",
];

/// The live object and what an apply would make of it, in one form.
pub(crate) fn apply(
    target: &Object,
    live: &Object,
    shape: Option<&Shape>,
) -> Result<(Object, Object), String> {
    let gvk = target.gvk();
    let kind = schema::kind(&gvk.group, &gvk.version, &gvk.kind);
    let root = kind.map_or(Type::Any, |kind| Type::Struct(kind.root));
    let lives = [&Value::Object(live.0.clone())];
    check(&root, &Value::Object(target.0.clone()), &lives, "")
        .map_err(|problem| format!("config resource: {problem}"))?;
    let mut merged = Value::Object(match (kind, shape) {
        (None, Some(shape)) => shaped_members(shape, &live.0, &target.0),
        _ => merge_members(&root, &live.0, &target.0),
    });
    remove_abandoned(&mut merged, target, live);
    let Value::Object(merged) = merged else { return Err("an object became something else".into()) };
    if merged == live.0 {
        return Ok((live.clone(), live.clone()));
    }
    let shown = |members: Map<String, Value>| {
        let mut object = Object(members);
        if let Some(Value::Object(metadata)) = object.0.get_mut("metadata")
            && let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
        {
            annotations.remove(LAST_APPLIED_ANNOTATION);
        }
        match kind {
            Some(kind) => with_defaults(object.0, kind).map(Object).map_err(|problem| problem.to_string()),
            None => Ok(object),
        }
    };
    Ok((shown(live.0.clone())?, shown(merged)?))
}

/// Refuses fields the type does not have. Those that the live object has in the same place the API server knows: its
/// types are newer than ours.
fn check(kind: &Type, value: &Value, lives: &[&Value], path: &str) -> Result<(), String> {
    let under = |name: &str| -> Vec<&Value> { lives.iter().filter_map(|live| live.get(name)).collect() };
    match (kind, value) {
        (Type::Pointer(inner), value) => check(inner, value, lives, path),
        (Type::Struct(name), Value::Object(members)) => {
            let Some(fields) = schema::fields(name) else { return Ok(()) };
            members.iter().try_for_each(|(name, value)| {
                let (lives, path) = (under(name), format!("{path}.{name}"));
                match fields.get(name.as_str()) {
                    Some(field) => check(&field.kind, value, &lives, &path),
                    None if lives.is_empty() => Err(format!("{path}: field not declared in schema")),
                    None => Ok(()),
                }
            })
        }
        (Type::List(inner), Value::Array(items)) => {
            let lives: Vec<&Value> = lives.iter().filter_map(|live| live.as_array()).flatten().collect();
            let mut items = items.iter().enumerate();
            items.try_for_each(|(at, item)| check(inner, item, &lives, &format!("{path}[{at}]")))
        }
        (Type::Map(inner), Value::Object(members)) => members
            .iter()
            .try_for_each(|(name, value)| check(inner, value, &under(name), &format!("{path}.{name}"))),
        _ => Ok(()),
    }
}

fn merge_members(kind: &Type, live: &Map<String, Value>, target: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = live.clone();
    for (name, new) in target {
        let value = match merged.remove(name) {
            Some(old) => merge_value(kind, name, &old, new),
            None => new.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn merge_value(parent: &Type, name: &str, old: &Value, new: &Value) -> Value {
    let (kind, field) = member(parent, name);
    match (&kind, old, new) {
        (Type::Struct(name), Value::Object(_), Value::Object(_)) if ATOMIC.contains(name) => new.clone(),
        (_, Value::Object(_), Value::Object(_)) if name == "selector" && matches!(kind, Type::Map(_)) => {
            new.clone()
        }
        (_, Value::Object(old), Value::Object(new)) => Value::Object(merge_members(&kind, old, new)),
        (Type::List(element), Value::Array(old), Value::Array(new)) => {
            match field.filter(|field| field.merge) {
                Some(field) => {
                    let (element, keys) = (plain(element), keys(parent, field));
                    let both = |old: &Value, new: &Value| match (old, new) {
                        (Value::Object(old), Value::Object(new)) => {
                            Value::Object(merge_members(&element, old, new))
                        }
                        _ => new.clone(),
                    };
                    let same = |left: &Value, right: &Value| same_element(&keys, left, right);
                    Value::Array(merge_items(same, both, old, new))
                }
                None => Value::Array(new.clone()),
            }
        }
        _ => new.clone(),
    }
}

/// The same by a cluster's own schema.
fn shaped_members(
    shape: &Shape,
    live: &Map<String, Value>,
    target: &Map<String, Value>,
) -> Map<String, Value> {
    let mut merged = live.clone();
    for (name, new) in target {
        let value = match merged.remove(name) {
            Some(old) => shaped_value(shape.member(name), &old, new),
            None => new.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn shaped_value(shape: &Shape, old: &Value, new: &Value) -> Value {
    match (shape, old, new) {
        (Shape::Plain | Shape::Members { .. }, Value::Object(old), Value::Object(new)) => {
            Value::Object(shaped_members(shape, old, new))
        }
        (Shape::Elements { keys, element }, Value::Array(old), Value::Array(new)) => {
            let same = |left: &Value, right: &Value| {
                keys.iter().all(|(key, default)| {
                    left.get(key).unwrap_or(default) == right.get(key).unwrap_or(default)
                })
            };
            Value::Array(merge_items(same, |old, new| shaped_value(element, old, new), old, new))
        }
        (Shape::Set, Value::Array(old), Value::Array(new)) => {
            Value::Array(merge_items(|left, right| left == right, |_, new| new.clone(), old, new))
        }
        _ => new.clone(),
    }
}

/// The type of a member, and its field where the parent is a struct.
fn member(parent: &Type, name: &str) -> (Type, Option<&'static Field>) {
    let found = match parent {
        Type::Struct(parent) => schema::fields(parent).and_then(|fields| fields.get(name)),
        Type::Map(inner) => return (plain(inner), None),
        _ => None,
    };
    found.map_or((Type::Any, None), |field| (plain(&field.kind), Some(field)))
}

fn plain(kind: &Type) -> Type {
    match kind {
        Type::Pointer(inner) => plain(inner),
        other => other.clone(),
    }
}

/// What tells a list's elements apart. Ports have their protocol as well, where the patch key knows only the number.
fn keys(parent: &Type, field: &Field) -> Vec<&'static str> {
    match (parent, field.merge_key) {
        (_, "") => Vec::new(),
        (_, key @ ("containerPort" | "port")) => vec![key, "protocol"],
        (_, "topologyKey") => vec!["topologyKey", "whenUnsatisfiable"],
        (_, key) => vec![key],
    }
}

fn same_element(keys: &[&str], left: &Value, right: &Value) -> bool {
    if keys.is_empty() {
        return left == right;
    }
    keys.iter().all(|key| {
        let of = |item: &Value| match (item.get(*key), *key) {
            (None, "protocol") => Value::from("TCP"),
            (value, _) => value.cloned().unwrap_or_default(),
        };
        of(left) == of(right)
    })
}

/// The target's elements in the target's order; those only the live object has stay where they were.
fn merge_items(
    same: impl Fn(&Value, &Value) -> bool,
    both: impl Fn(&Value, &Value) -> Value,
    old: &[Value],
    new: &[Value],
) -> Vec<Value> {
    let merge = |wanted: &Value| match old.iter().find(|old| same(old, wanted)) {
        Some(old) => both(old, wanted),
        None => wanted.clone(),
    };
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut rest = old.iter().peekable();
    for wanted in new {
        while let Some(only_live) = rest.next_if(|old| !new.iter().any(|new| same(old, new))) {
            merged.push(only_live.clone());
        }
        if rest.peek().is_some_and(|old| same(old, wanted)) {
            rest.next();
        }
        merged.push(merge(wanted));
    }
    merged.extend(rest.filter(|old| !new.iter().any(|new| same(old, new))).cloned());
    merged
}

/// Removes what our manager applied before, the target does not say any more, and nobody else owns.
fn remove_abandoned(merged: &mut Value, target: &Object, live: &Object) {
    let (ours, others) = managed_fields::owned_by(live, FIELD_MANAGER);
    let mut abandoned: Vec<&Vec<String>> = ours
        .iter()
        .filter(|path| !others.iter().any(|other| other.starts_with(path)))
        .filter(|path| {
            managed_fields::parse(path).is_some_and(|path| managed_fields::find(&target.0, &path).is_none())
        })
        .collect();
    // Shortest first: an element goes before the fields in it, by whose values it is found.
    abandoned.sort_by_key(|path| path.len());
    for path in abandoned.iter().filter_map(|path| managed_fields::parse(path)) {
        let is_key = match path.as_slice() {
            [.., Step::Key(key), Step::Field(name)] => key.contains_key(name),
            _ => false,
        };
        if !is_key {
            managed_fields::remove(merged, &path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn widget(spec: &Value) -> Object {
        let widget =
            json!({"apiVersion": "acme.io/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec});
        Object::from_value(widget).unwrap()
    }

    /// Whether an apply of the second would change the first.
    fn changes(shape: Option<&Shape>, live: &Object, target: &Object) -> bool {
        let (live, predicted) = apply(target, live, shape).unwrap();
        live != predicted
    }

    #[test]
    fn lists_of_other_kinds_merge_as_the_clusters_schema_says() {
        let plain = || Box::new(Shape::Plain);
        let members = |known: [(&str, Shape); 3]| Shape::Members {
            known: known.map(|(name, shape)| (name.to_owned(), shape)).into(),
            others: plain(),
        };
        let keys = vec![("port".to_owned(), Value::Null), ("protocol".to_owned(), "TCP".into())];
        let spec = members([
            ("ports", Shape::Elements { keys, element: plain() }),
            ("tags", Shape::Set),
            ("selector", Shape::Atomic),
        ]);
        let shape = Shape::Members { known: [("spec".to_owned(), spec)].into(), others: plain() };
        let live = widget(&json!({
            "ports": [{"port": 1, "protocol": "TCP", "defaulted": true}, {"port": 2, "protocol": "UDP"}],
            "tags": ["a", "b"], "selector": {"a": "1"}, "order": [1, 2],
        }));
        let same = widget(&json!({"ports": [{"port": 1}], "tags": ["b"], "selector": {"a": "1"}}));
        assert!(!changes(Some(&shape), &live, &same));
        assert!(changes(None, &live, &same), "without a schema a list is one value");
        for (name, spec) in [
            ("another element", json!({"ports": [{"port": 3}]})),
            ("another value in an element", json!({"ports": [{"port": 1, "defaulted": false}]})),
            ("another tag", json!({"tags": ["c"]})),
            ("less of what is one value", json!({"selector": {"b": "1"}})),
            ("another list without a word", json!({"order": [1]})),
        ] {
            assert!(changes(Some(&shape), &live, &widget(&spec)), "{name}");
        }
    }

    #[test]
    fn an_element_we_no_longer_declare_goes() {
        let keys = vec![("name".to_owned(), Value::Null)];
        let list = Shape::Elements { keys, element: Box::default() };
        let members = |name: &str, shape| Shape::Members {
            known: [(name.to_owned(), shape)].into(),
            others: Box::default(),
        };
        let shape = members("spec", members("items", list));
        let mut live = widget(&json!({"items": [{"name": "a"}, {"name": "b"}]}));
        let owned = json!([{
            "manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": "acme.io/v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:items": {
                "k:{\"name\":\"a\"}": {".": {}, "f:name": {}}, "k:{\"name\":\"b\"}": {".": {}, "f:name": {}},
            }}},
        }]);
        live.metadata_mut().insert("managedFields".into(), owned);
        let target = widget(&json!({"items": [{"name": "a"}]}));
        let (_, predicted) = apply(&target, &live, Some(&shape)).unwrap();
        assert_eq!(predicted.at(&["spec", "items"]), Some(&json!([{"name": "a"}])));
    }
}
