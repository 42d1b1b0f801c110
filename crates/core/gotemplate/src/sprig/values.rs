//! Defaults, emptiness, types, JSON.

use super::text;
use crate::codec;
use crate::functions::Line;
use crate::value::Value;

pub(super) const LINES: &[Line] = &[
    ("default", "a*a", |_, a| {
        Ok(match a.get(1) {
            Some(given) if !is_empty(given) => given.clone(),
            _ => a[0].clone(),
        })
    }),
    ("empty", "a", |_, a| Ok(Value::Bool(is_empty(&a[0])))),
    ("coalesce", "*a", |_, a| Ok(a.iter().find(|value| !is_empty(value)).cloned().unwrap_or(Value::Nil))),
    ("all", "*a", |_, a| Ok(Value::Bool(!a.iter().any(is_empty)))),
    ("any", "*a", |_, a| Ok(Value::Bool(a.iter().any(|value| !is_empty(value))))),
    ("ternary", "aab", |_, a| Ok(a[usize::from(!a[2].truth())].clone())),
    ("typeOf", "a", |_, a| Ok(a[0].type_name().into())),
    ("typeIs", "sa", |_, a| Ok(Value::Bool(text(a, 0).to_str() == a[1].type_name()))),
    ("typeIsLike", "sa", |_, a| {
        let name = a[1].type_name();
        Ok(Value::Bool(text(a, 0).to_str() == name || format!("*{}", text(a, 0).to_str()) == name))
    }),
    ("kindOf", "a", |_, a| Ok(a[0].kind().into())),
    ("kindIs", "sa", |_, a| Ok(Value::Bool(text(a, 0).as_bytes() == a[1].kind().as_bytes()))),
    ("deepEqual", "aa", |machine, a| {
        machine.spend(1)?;
        Ok(Value::Bool(crate::compare::deep_equal(&a[0], &a[1])))
    }),
    ("fromJson", "s", |_, a| Ok(codec::from_json(&text(a, 0)).unwrap_or(Value::Nil))),
    ("mustFromJson", "s", |_, a| codec::from_json(&text(a, 0))),
    ("toJson", "a", |machine, a| machine.made(codec::to_json(&a[0], true).unwrap_or_default().into_bytes())),
    ("mustToJson", "a", |machine, a| machine.made(codec::to_json(&a[0], true)?.into_bytes())),
    ("toRawJson", "a", |machine, a| machine.made(codec::to_json(&a[0], false)?.into_bytes())),
    ("mustToRawJson", "a", |machine, a| machine.made(codec::to_json(&a[0], false)?.into_bytes())),
    ("toPrettyJson", "a", |machine, a| {
        machine.made(codec::to_pretty_json(&a[0]).unwrap_or_default().into_bytes())
    }),
    ("mustToPrettyJson", "a", |machine, a| machine.made(codec::to_pretty_json(&a[0])?.into_bytes())),
];

/// Sprig's emptiness: as Go's truth, but for objects that are no structs.
pub(super) fn is_empty(value: &Value) -> bool {
    !value.truth()
}
