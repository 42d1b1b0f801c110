//! `RespectIgnoreDifferences`: a target that leaves alone what is ignored.

use crate::schema::{self, Type};
use crate::{DiffError, DiffOptions, managed_fields, merge, strategic};
use object::Object;

/// The target with what the rules ignore taken from the live object: an apply then changes none of it. What the
/// live object has not, the target loses.
pub fn respecting_ignored(
    target: &Object,
    live: &Object,
    options: &DiffOptions,
) -> Result<Object, DiffError> {
    let (mut wanted, mut left) = (target.clone(), live.clone());
    let managers = options.rules.trusted_managers(target);
    if !managers.is_empty() {
        managed_fields::remove_trusted(&mut wanted, &mut left, &managers);
    }
    options.rules.remove_ignored(&mut wanted);
    options.rules.remove_ignored(&mut left);
    if left == *live {
        // Nothing of it is ignored; what the target alone says of it goes.
        return Ok(wanted);
    }
    let failed = |problem: strategic::PatchError| DiffError::Patch {
        object: target.key().to_string(),
        problem: problem.to_string(),
    };
    let gvk = target.gvk();
    let members = match schema::kind(&gvk.group, &gvk.version, &gvk.kind) {
        Some(kind) => {
            let root = Type::Struct(kind.root);
            let patch = strategic::two_way(&left.0, &live.0, &root).map_err(failed)?;
            strategic::apply(&wanted.0, patch, &root).map_err(failed)?
        }
        None => {
            let patch = merge::difference(&left.0, &live.0);
            merge::apply(wanted.0, patch)
        }
    };
    Ok(Object(members))
}
