//! The diff: whether a live object is as its target says, and what applying the target would make of it.
//!
//! Controller, API, CLI and previews all ask here, so they cannot disagree. Two objects go in, a [`Diff`] comes
//! out; nothing is read, nothing is kept. What is ignored, and how tracking marks are levelled, is in
//! [`DiffOptions`], compiled once per application.

mod bounded;
mod declared;
mod defaults;
mod jq;
mod managed_fields;
mod merge;
mod normalize;
mod pointer;
mod respect;
mod rules;
mod schema;
mod server_side;
mod strategic;
mod structured;
mod three_way;
mod typed;

pub use jq::InvalidPath;
pub use respect::respecting_ignored;
pub use rules::{IgnoreDifference, InvalidRule, KnownTypeField, ResourceOverride, Rules};
pub use server_side::diff_predicted;
pub use structured::FIELD_MANAGER;

use object::{GroupVersionKind, Object, Shape, TrackingMethod, object_to_go_json};
use rules::OwnRules;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How two objects are compared.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// What is left out, compiled.
    pub rules: Arc<Rules>,
    /// Rules of aggregated cluster roles do not count (`resource.compareoptions`).
    pub ignore_aggregated_roles: bool,
    /// The tracking method, where marks of another method on the live object are to be levelled.
    pub tracking_method: Option<TrackingMethod>,
    /// The tracking label.
    pub tracking_label: String,
    /// Predict by server-side apply's rules instead of the three-way patch.
    pub structured_merge: bool,
    /// How kinds that are not built in merge then, by the cluster's own schema; where nothing is known, a list is one value.
    pub shapes: Arc<BTreeMap<GroupVersionKind, Arc<Shape>>>,
}

impl DiffOptions {
    /// The kind of a target whose shape the comparison needs: one that is not built in, and applied on the server.
    pub fn wants_shape(&self, target: &Object) -> Option<GroupVersionKind> {
        let gvk = target.gvk();
        let on_server = self.structured_merge || normalize::applies_on_server(target);
        (on_server && schema::kind(&gvk.group, &gvk.version, &gvk.kind).is_none()).then_some(gvk)
    }
}

/// Target against live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Whether applying the target would change the live object. A target without a live object is
    /// modified; a live object without a target is not, since deleting it is another decision.
    pub modified: bool,
    /// The live object in the form it was compared in; nothing when there is none.
    pub normalized_live: Option<Object>,
    /// What the live object would be after an apply, in the same form; nothing when there is no target.
    pub predicted_live: Option<Object>,
}

impl Diff {
    /// `normalizedLiveState` of the managed-resources API and cache; `null` when there is none.
    pub fn normalized_live_state(&self) -> String {
        state(self.normalized_live.as_ref())
    }

    /// `predictedLiveState` of the managed-resources API and cache; `null` when there is none.
    pub fn predicted_live_state(&self) -> String {
        state(self.predicted_live.as_ref())
    }
}

/// An object as the API's states hold it.
pub fn state(object: Option<&Object>) -> String {
    object.map_or_else(|| "null".to_owned(), |object| object_to_go_json(&object.0))
}

/// Why two objects could not be compared. They must then count as unknown, never as synced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// What is to be ignored could not be found out.
    #[error("compare {object}: jq path expression {expression:?} takes too many steps or too much memory")]
    Stopped {
        /// The object.
        object: String,
        /// The expression.
        expression: String,
    },
    /// The patch between the two cannot be made.
    #[error("compare {object}: {problem}")]
    Patch {
        /// The object.
        object: String,
        /// What stood in the way.
        problem: String,
    },
}

/// Compares a target with its live object.
pub fn diff(
    target: Option<&Object>,
    live: Option<&Object>,
    options: &DiffOptions,
) -> Result<Diff, DiffError> {
    let declared = target;
    let own = OwnRules::of(target);
    let mut target = target.cloned();
    let mut live = live.cloned();
    if let (Some(target), Some(live)) = (&mut target, &mut live) {
        normalize::level_tracking(target, live, options);
        let managers = options.rules.trusted_managers(target);
        if !managers.is_empty() {
            managed_fields::remove_trusted(target, live, &managers);
        }
    }
    let normalized = |object: Object| {
        let mut object = normalize::remarshal(object);
        normalize::normalize(&mut object, options, &own).map(|()| object)
    };
    let (target, live) = match (target.map(normalized).transpose()?, live.map(normalized).transpose()?) {
        (Some(target), Some(live)) => (target, live),
        (target, live) => {
            return Ok(Diff { modified: target.is_some(), normalized_live: live, predicted_live: target });
        }
    };
    let failed = |problem: String| DiffError::Patch { object: target.key().to_string(), problem };
    let on_server = options.structured_merge || normalize::applies_on_server(&target);
    let mut last_applied = normalize::last_applied(&live);
    if let Some(applied) = &mut last_applied {
        normalize::normalize(applied, options, &own)?;
    }
    let compare = |target: &Object| {
        if on_server {
            let shape = options.shapes.get(&target.gvk()).map(Arc::as_ref);
            let (live, predicted) = structured::apply(target, &live, shape).map_err(failed)?;
            return Ok(both(live, predicted));
        }
        let past = last_applied.as_ref().unwrap_or(target);
        // An unreadable past does not make the present unknown.
        let compared = three_way::three_way(past, target, &live)
            .or_else(|_| three_way::three_way(target, target, &live));
        compared.map(|(live, predicted)| both(live, predicted)).map_err(|problem| failed(problem.to_string()))
    };
    let found = compare(&target)?;
    if found.modified {
        return Ok(found);
    }
    // Nothing differs but, perhaps, what the types could not carry.
    let mut declared = declared.cloned();
    if let Some(declared) = &mut declared {
        normalize::normalize(declared, options, &own)?;
    }
    match declared.and_then(|declared| declared::restated(&declared, &target, &live)) {
        Some(restated) => compare(&restated),
        None => Ok(found),
    }
}

fn both(normalized_live: Object, predicted_live: Object) -> Diff {
    Diff {
        modified: object_to_go_json(&normalized_live.0) != object_to_go_json(&predicted_live.0),
        normalized_live: Some(normalized_live),
        predicted_live: Some(predicted_live),
    }
}

/// The objects as users see them side by side, with what is ignored removed: for diffs that are shown before
/// anything is compared. A rule whose evaluation is stopped removes nothing.
pub fn normalized(
    target: Option<&Object>,
    live: Option<&Object>,
    options: &DiffOptions,
) -> (Option<Object>, Option<Object>) {
    let own = OwnRules::of(target);
    let mut target = target.cloned();
    let mut live = live.cloned();
    if let (Some(target), Some(live)) = (&mut target, &mut live) {
        normalize::level_tracking(target, live, options);
        let managers = options.rules.trusted_managers(target);
        if !managers.is_empty() {
            managed_fields::remove_trusted(target, live, &managers);
        }
    }
    for object in target.iter_mut().chain(&mut live) {
        // What is shown too much hides nothing.
        let _stopped = options.rules.normalize(object, &own);
    }
    (target, live)
}
