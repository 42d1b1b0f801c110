//! `RespectIgnoreDifferences`: a target that leaves alone what is ignored.

use crate::rules::OwnRules;
use crate::schema::{self, Type};
use crate::{DiffError, DiffOptions, managed_fields, merge, strategic};
use object::Object;
use serde_json::{Map, Value};

/// The target with what the rules ignore taken from the live object: an apply then changes none of it. What the
/// live object has not, the target loses. The live `status` is its controller's, and nobody's to apply.
pub fn respecting_ignored(
    target: &Object,
    live: &Object,
    options: &DiffOptions,
) -> Result<Object, DiffError> {
    let own = OwnRules::of(Some(target));
    let mut live = live.clone();
    live.0.remove("status");
    let live = &live;
    let (mut wanted, mut left) = (target.clone(), live.clone());
    let managers = options.rules.trusted_managers(target);
    if !managers.is_empty() {
        managed_fields::remove_trusted(&mut wanted, &mut left, &managers);
    }
    options.rules.remove_ignored(&mut wanted, &own)?;
    options.rules.remove_ignored(&mut left, &own)?;
    if left == *live {
        // Nothing of it is ignored; what the target alone says of it goes.
        return Ok(wanted);
    }
    let failed = |problem: strategic::PatchError| DiffError::Patch {
        object: target.key().to_string(),
        problem: problem.to_string(),
    };
    let gvk = target.gvk();
    let mut members = match schema::kind(&gvk.group, &gvk.version, &gvk.kind) {
        Some(kind) => {
            let root = Type::Struct(kind.root);
            let patch = strategic::two_way(&left.0, &live.0, &root).map_err(failed)?;
            strategic::apply(&wanted.0, patch, &root).map_err(failed)?
        }
        None => {
            let patch = merge::difference(&left.0, &live.0);
            merge::apply(wanted.0.clone(), patch)
        }
    };
    restore(&mut members, &target.0, &wanted.0, Some(&left.0));
    Ok(Object(members))
}

/// A map that is patched as one value comes from the live object whole, for one ignored member of it. Members that
/// nobody ignores, which the rules left as they were, become the target's again.
fn restore(
    patched: &mut Map<String, Value>,
    target: &Map<String, Value>,
    wanted: &Map<String, Value>,
    left: Option<&Map<String, Value>>,
) {
    for (name, declared) in target {
        match (patched.get_mut(name), declared, wanted.get(name)) {
            (Some(Value::Object(patched)), Value::Object(declared), Some(Value::Object(wanted))) => {
                let left = left.and_then(|left| left.get(name)).and_then(Value::as_object);
                restore(patched, declared, wanted, left);
            }
            (_, declared, Some(wanted)) if declared == wanted => {
                patched.insert(name.clone(), declared.clone());
            }
            _ => {}
        }
    }
    patched.retain(|name, _| target.contains_key(name) || !left.is_some_and(|left| left.contains_key(name)));
}
