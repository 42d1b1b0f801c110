//! Which live object belongs to which target.

use crate::facts::Facts;
use crate::namespace::{is_managed_namespace, namespace_target};
use api::codes::ConditionType;
use api::v1alpha1::ApplicationCondition;
use object::tracking::{owner_application, tracking_id};
use object::{AppInstance, Object, ResourceKey, TrackingMethod};
use settings::Tracking;
use std::collections::{BTreeMap, BTreeSet};

/// One line of a comparison.
pub(crate) struct Pair {
    pub target: Option<Object>,
    pub live: Option<Object>,
}

/// Pairs targets with live objects; live objects without a target come after them, those that hooks name among them,
/// whoever made them: a hook finds what stands in its place by them.
pub(crate) fn pair(
    mut targets: Vec<Object>,
    hooks: &BTreeSet<ResourceKey>,
    lives: BTreeMap<ResourceKey, Object>,
    has_managed_namespace: bool,
    facts: &Facts<'_>,
    conditions: &mut Vec<ApplicationCondition>,
) -> Vec<Pair> {
    let wanted: BTreeSet<ResourceKey> =
        targets.iter().map(Object::key).chain(hooks.iter().cloned()).collect();
    // What the project does not permit, or the settings leave out, is as good as not there: neither shown nor touched.
    let mut lives: BTreeMap<_, _> = lives
        .into_iter()
        .filter(|(key, live)| {
            !facts.filter.excludes(&key.group, &key.kind, &facts.cluster.server)
                && (wanted.contains(key) || carries_mark(live, facts))
                && project::permits_live(facts.project, live, facts.cluster, facts.own_clusters)
        })
        .collect();
    for live in lives.values() {
        conditions.extend(shared(live, facts));
        if is_managed_namespace(live, facts) && !has_managed_namespace && !wanted.contains(&live.key()) {
            targets.push(namespace_target(live.name(), facts));
        }
    }
    drop_aliases(&mut lives, &wanted);
    let mut pairs: Vec<Pair> = targets
        .into_iter()
        .map(|target| Pair { live: lives.remove(&target.key()), target: Some(target) })
        .collect();
    pairs.extend(lives.into_values().map(|live| Pair { target: None, live: Some(live) }));
    pairs
}

/// Whether a live object carries the application's mark, whether or not it was made for that object.
fn carries_mark(live: &Object, facts: &Facts<'_>) -> bool {
    let tracking = facts.tracking;
    if tracking.method == TrackingMethod::Label {
        return has_label(live, facts.instance, tracking);
    }
    tracking_id(live, &tracking.installation_id).is_some_and(|id| id.application == *facts.instance)
}

fn has_label(live: &Object, instance: &AppInstance, tracking: &Tracking) -> bool {
    live.label(&tracking.label_key) == Some(instance.as_str())
}

/// Whether a live object carries an application's mark that was made for it. With labels nobody can tell for what.
fn is_marked(live: &Object, instance: &AppInstance, tracking: &Tracking) -> bool {
    if tracking.method == TrackingMethod::Label {
        return has_label(live, instance, tracking);
    }
    let id = tracking_id(live, &tracking.installation_id).filter(|id| id.application == *instance);
    id.is_some_and(|id| id.names(live) || (sync::is_hook(live) && id.names_generated(live)))
}

/// Why a prune that was planned is left undone, now that its object looks like this; nothing when it goes on. `confirmed` says whether
/// a user confirmed since.
pub fn kept_from_pruning(
    live: &Object,
    (plan, task): (&sync::Plan, &sync::Task),
    (instance, tracking): (&AppInstance, &Tracking),
    confirmed: bool,
) -> Option<&'static str> {
    if !is_marked(live, instance, tracking) {
        return Some("ignored (no longer part of the application)");
    }
    plan.keeps(live, task, confirmed)
}

/// Whether a live object is the application's: some source has it, or it is marked.
pub(crate) fn is_ours(target: Option<&Object>, live: Option<&Object>, facts: &Facts<'_>) -> bool {
    target.is_some() || live.is_none_or(|live| is_marked(live, facts.instance, facts.tracking))
}

/// What the original asks before it says of a live hook that it would be pruned, though no sync prunes hooks: whether its
/// mark, whoever's that is, was made for it.
pub(crate) fn names_itself(live: &Object, facts: &Facts<'_>) -> bool {
    let by_label = facts.tracking.method == TrackingMethod::Label;
    by_label || tracking_id(live, &facts.tracking.installation_id).is_none_or(|id| id.names(live))
}

/// The other application whose mark an object carries that we have, or want to have.
pub(crate) fn other_owner(live: &Object, facts: &Facts<'_>) -> Option<String> {
    let tracking = facts.tracking;
    let owner = owner_application(live, tracking.method, &tracking.label_key, &tracking.installation_id)?;
    (owner != *facts.instance).then(|| owner.as_str().replace('_', "/"))
}

fn shared(live: &Object, facts: &Facts<'_>) -> Option<ApplicationCondition> {
    let owner = other_owner(live, facts)?;
    let (kind, name, own) = (live.kind(), live.name(), facts.qualified_name());
    let message = format!("{kind}/{name} is part of applications {own} and {owner}");
    Some(facts.condition(ConditionType::SharedResourceWarning, message))
}

/// One object may be served under several groups (`extensions` and `networking.k8s.io`). The name the source
/// uses stays; pruning the other would delete the object itself.
fn drop_aliases(lives: &mut BTreeMap<ResourceKey, Object>, wanted: &BTreeSet<ResourceKey>) {
    let mut by_uid: BTreeMap<String, Vec<ResourceKey>> = BTreeMap::new();
    for (key, live) in lives.iter().filter(|(_, live)| !live.uid().is_empty()) {
        by_uid.entry(live.uid().to_owned()).or_default().push(key.clone());
    }
    for keys in by_uid.into_values().filter(|keys| keys.len() > 1) {
        let used = keys.iter().any(|key| wanted.contains(key));
        let unused = keys.into_iter().filter(|key| !wanted.contains(key));
        for key in unused.skip(usize::from(!used)) {
            lives.remove(&key);
        }
    }
}
