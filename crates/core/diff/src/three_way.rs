//! What an apply would do: the three-way patch between what was applied, the target and the live object, put on
//! the live object.

use crate::schema::{self, Kind, Type};
use crate::strategic::{self, PatchError};
use crate::typed::{Absent, Passage, Unknown};
use crate::{defaults, merge};
use object::Object;
use serde_json::{Map, Value};

/// The live object and what it would become, both with the API server's defaults where its type is known.
pub(crate) fn three_way(
    applied: &Object,
    target: &Object,
    live: &Object,
) -> Result<(Object, Object), PatchError> {
    let applied = without_namespace(applied);
    let target = without_namespace(target);
    let gvk = applied.gvk();
    let Some(kind) = schema::kind(&gvk.group, &gvk.version, &gvk.kind) else {
        let current = merge::without_foreign(&applied.0, &live.0);
        let patch = merge::three_way(&applied.0, &target.0, &current);
        return Ok((live.clone(), Object(merge::apply(live.0.clone(), patch))));
    };
    let root = Type::Struct(kind.root);
    let current = if kind.root.ends_with(".StatefulSet") {
        without_claim_defaults(&applied, live)
    } else {
        live.clone()
    };
    let patch = strategic::three_way(&applied.0, &target.0, &current.0, &root)?;
    let predicted = strategic::apply(&live.0, patch, &root)?;
    Ok((Object(with_defaults(live.0.clone(), kind)?), Object(with_defaults(predicted, kind)?)))
}

/// The namespace is the destination's business, and an empty map of annotations is none.
fn without_namespace(object: &Object) -> Object {
    let mut object = object.clone();
    if let Some(Value::Object(metadata)) = object.0.get_mut("metadata") {
        metadata.remove("namespace");
        let empty = match metadata.get("annotations") {
            Some(Value::Null) => true,
            Some(Value::Object(annotations)) => annotations.is_empty(),
            _ => false,
        };
        if empty {
            metadata.remove("annotations");
        }
    }
    object
}

/// The claims in a stateful set get defaults of their own that are not to be seen from here; what was not
/// applied does not count.
fn without_claim_defaults(applied: &Object, live: &Object) -> Object {
    let path = ["spec", "volumeClaimTemplates"];
    let (Some(Value::Array(wanted)), Some(Value::Array(found))) = (applied.at(&path), live.at(&path)) else {
        return live.clone();
    };
    let claims = merge::without_foreign_items(wanted, found);
    let mut live = live.clone();
    if let Some(Value::Object(spec)) = live.0.get_mut("spec") {
        spec.insert("volumeClaimTemplates".into(), Value::Array(claims));
    }
    live
}

/// The object with defaults added by a patch, so that fields its type does not know stay. One that does not fit
/// its type stays as it is.
pub(crate) fn with_defaults(
    object: Map<String, Value>,
    kind: &Kind,
) -> Result<Map<String, Value>, PatchError> {
    let passage = Passage { unknown: Unknown::Dropped, absent: Absent::Written };
    let Ok(before) = passage.members(kind.root, &object) else { return Ok(object) };
    let mut after = before.clone();
    if kind.defaulted {
        defaults::apply(kind.root, &mut after);
    }
    let root = Type::Struct(kind.root);
    let patch = strategic::two_way(&before, &after, &root)?;
    strategic::apply(&object, patch, &root)
}
