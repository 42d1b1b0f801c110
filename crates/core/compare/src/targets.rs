//! What the source says, made ready to be compared.

use crate::facts::Facts;
use crate::namespace::is_managed_namespace;
use api::codes::{ConditionType, HookType};
use api::v1alpha1::ApplicationCondition;
use label_selector::Selector;
use object::tracking::set_tracking;
use object::{Object, ResourceKey};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The targets of an application, settled and sorted out.
#[derive(Clone, Default, PartialEq)]
pub struct Targets {
    /// What is to be there, hooks left out.
    pub resources: Vec<Object>,
    /// Hooks of a sync.
    pub hooks: Vec<Object>,
    /// Hooks that run before the application's resources are deleted.
    pub pre_delete_hooks: Vec<Object>,
    /// Hooks that run after that.
    pub post_delete_hooks: Vec<Object>,
    /// What was wrong with them.
    pub conditions: Vec<ApplicationCondition>,
    /// Whether the targets are not known: then nothing can be said of any object.
    pub failed: bool,
    pub(crate) has_managed_namespace: bool,
}

/// Names only: Secrets are among the objects.
impl fmt::Debug for Targets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Targets")
            .field("resources", &self.keys())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl Targets {
    /// The live objects to look up, whether or not they carry the application's mark.
    pub fn keys(&self) -> BTreeSet<ResourceKey> {
        self.resources.iter().map(Object::key).chain(self.hook_keys()).collect()
    }

    /// Hooks, those of a deletion among them.
    pub fn all_hooks(&self) -> impl Iterator<Item = &Object> {
        self.hooks.iter().chain(&self.pre_delete_hooks).chain(&self.post_delete_hooks)
    }

    /// The live objects that hooks name. Names that are yet to be generated name nothing.
    pub(crate) fn hook_keys(&self) -> BTreeSet<ResourceKey> {
        self.all_hooks().map(Object::key).filter(|key| !key.name.is_empty()).collect()
    }
}

/// Settles what the source said: namespaces, marks, repetitions, exclusions, hooks. `loaded` is what the
/// repo-server answered, or why it could not; the text is what users are told.
pub fn targets(loaded: Result<Vec<Object>, String>, facts: &Facts<'_>) -> Targets {
    let mut targets = Targets::default();
    let objects = loaded.unwrap_or_else(|message| {
        targets.fail(facts, format!("Failed to load target state: {message}"));
        Vec::new()
    });
    for (key, mut repeated) in settled(objects, facts, &mut targets) {
        if repeated.len() > 1 {
            let message =
                format!("Resource {key} appeared {} times among application resources.", repeated.len());
            targets.conditions.push(facts.condition(ConditionType::RepeatedResourceWarning, message));
        }
        // The last one counts.
        let Some(object) = repeated.pop() else { continue };
        if facts.filter.excludes(object.group(), object.kind(), &facts.cluster.server) {
            let message = format!(
                "Resource {}/{} {} is excluded in the settings",
                object.group(),
                object.kind(),
                object.name()
            );
            targets.conditions.push(facts.condition(ConditionType::ExcludedResourceWarning, message));
            continue;
        }
        if let Some(message) = unwatched(&object, facts) {
            targets.conditions.push(facts.condition(ConditionType::ExcludedResourceWarning, message));
        }
        for unknown in sync::unknown_values(&object) {
            let message = format!(
                "{} {}: annotation {} has the unknown value {:?}, which is not heeded; known are {}",
                object.kind(),
                object.name(),
                unknown.annotation,
                unknown.value,
                unknown.known
            );
            targets.conditions.push(facts.condition(ConditionType::InvalidAnnotationWarning, message));
        }
        targets.place(object, facts);
    }
    targets
}

/// That an object will not be watched, since it has not the labels that the settings ask for.
fn unwatched(object: &Object, facts: &Facts<'_>) -> Option<String> {
    let (group, kind, name) = (object.group(), object.kind(), object.name());
    let selector = facts.filter.selector(group, kind, &facts.cluster.server);
    let matches = Selector::parse(&selector).is_ok_and(|selector| selector.matches(&object.labels()));
    (!matches).then(|| {
        format!(
            "Resource {group}/{kind} {name} does not match the resource selector {selector:?} in the settings and will not be watched; it will appear as OutOfSync"
        )
    })
}

/// The objects by the name they will have; those without a name yet, each for itself. Whether a kind that is not served yet
/// has namespaces, its definition says that comes with it.
fn settled(
    objects: Vec<Object>,
    facts: &Facts<'_>,
    targets: &mut Targets,
) -> BTreeMap<ResourceKey, Vec<Object>> {
    let mut by_key: BTreeMap<ResourceKey, Vec<Object>> = BTreeMap::new();
    let defined = sync::defined_kinds(&objects);
    for (index, mut object) in objects.into_iter().enumerate() {
        let comes = || defined.get(&format!("{}/{}", object.group(), object.kind())).copied();
        let namespaced = facts.is_namespaced(&object).or_else(comes);
        match namespaced {
            Some(false) => object.set_namespace(""),
            Some(true) | None if object.namespace().is_empty() => object.set_namespace(facts.namespace()),
            Some(true) | None => {}
        }
        if let Err(error) =
            set_tracking(&mut object, facts.instance, facts.namespace(), facts.tracking.mark())
        {
            targets.fail(
                facts,
                format!(
                    "Failed to normalize target state: failed to set app instance label on resource {}/{}: {error}",
                    object.kind(),
                    object.name()
                ),
            );
        }
        by_key.entry(object.key_among(index)).or_default().push(object);
    }
    by_key
}

impl Targets {
    fn fail(&mut self, facts: &Facts<'_>, message: String) {
        self.conditions.push(facts.condition(ConditionType::ComparisonError, message));
        self.failed = true;
    }

    fn place(&mut self, object: Object, facts: &Facts<'_>) {
        self.has_managed_namespace |= is_managed_namespace(&object, facts);
        if sync::is_ignored(&object) {
            return;
        }
        if !sync::is_hook(&object) {
            self.resources.push(object);
            return;
        }
        let types = sync::hook_types(&object);
        if sync::is_delete_hook(&object, HookType::PreDelete) {
            self.pre_delete_hooks.push(object.clone());
        }
        if sync::is_delete_hook(&object, HookType::PostDelete) {
            self.post_delete_hooks.push(object.clone());
        }
        if types.iter().any(|hook| hook.phase().is_some()) {
            self.hooks.push(object);
        }
    }
}
