//! Zeros that were declared. A Go struct cannot tell `readOnly: false` from nothing said, so the passage through
//! the types loses it, and a live `true` that nobody remembers applying would pass for synced. The original
//! lets it pass; we do not.
//!
//! Only where a zero cannot mean "give me the default": flags that are no pointers, and the few fields below.

use crate::schema::{self, Field, Type};
use object::Object;
use serde_json::{Map, Value};

/// Numbers and texts that have no default, and that nothing allocates.
const WITHOUT_DEFAULT: [&str; 3] = ["initialDelaySeconds", "minReadySeconds", "value"];

/// The target with its declared zeros back wherever the live object says something else; nothing when there are
/// none.
pub(crate) fn restated(declared: &Object, target: &Object, live: &Object) -> Option<Object> {
    let gvk = target.gvk();
    let kind = schema::kind(&gvk.group, &gvk.version, &gvk.kind)?;
    let mut restated = target.clone();
    members(&Type::Struct(kind.root), &declared.0, &mut restated.0, &live.0).then_some(restated)
}

fn members(
    kind: &Type,
    declared: &Map<String, Value>,
    target: &mut Map<String, Value>,
    live: &Map<String, Value>,
) -> bool {
    let fields = match kind {
        Type::Struct(name) => schema::fields(name),
        _ => None,
    };
    let mut changed = false;
    for (name, said) in declared {
        let field = fields.and_then(|fields| fields.get(name.as_str()));
        let inner = match (field, kind) {
            (Some(field), _) => &field.kind,
            (None, Type::Map(inner)) => inner,
            _ => continue,
        };
        let Some(found) = live.get(name) else { continue };
        if !target.contains_key(name)
            && field.is_some_and(|field| is_declared_zero(name, field, said))
            && found != said
        {
            target.insert(name.clone(), said.clone());
            changed = true;
        } else if let Some(kept) = target.get_mut(name) {
            changed |= value(inner, field, said, kept, found);
        }
    }
    changed
}

fn is_declared_zero(name: &str, field: &Field, said: &Value) -> bool {
    match (&field.kind, said) {
        (Type::Bool, Value::Bool(false)) => true,
        (Type::Int(..), Value::Number(number)) => {
            number.as_i64() == Some(0) && WITHOUT_DEFAULT.contains(&name)
        }
        (Type::Text, Value::String(text)) => text.is_empty() && WITHOUT_DEFAULT.contains(&name),
        _ => false,
    }
}

fn value(kind: &Type, field: Option<&Field>, said: &Value, target: &mut Value, live: &Value) -> bool {
    match (kind, said, target, live) {
        (Type::Pointer(inner), said, target, live) => value(inner, field, said, target, live),
        (_, Value::Object(said), Value::Object(target), Value::Object(live)) => {
            members(kind, said, target, live)
        }
        (Type::List(element), Value::Array(said), Value::Array(target), Value::Array(live)) => {
            let merge_key =
                field.filter(|field| field.merge).map(|field| field.merge_key).unwrap_or_default();
            let mut changed = false;
            for (at, (said, target)) in said.iter().zip(target).enumerate() {
                let found = if merge_key.is_empty() {
                    live.get(at)
                } else {
                    live.iter().find(|item| item.get(merge_key) == target.get(merge_key))
                };
                if let Some(found) = found {
                    changed |= value(element, None, said, target, found);
                }
            }
            changed
        }
        _ => false,
    }
}
