//! What the project permits: people change it, the controller judges by it, and a check that knows kinds by their names looks
//! whether something was written all the same.

use crate::thing::{api_version, is_namespaced};
use crate::world::World;
use api::k8s::meta_v1::GroupKind;
use api::v1alpha1::{
    Application, ApplicationCondition, ApplicationDestination, ClusterResourceRestrictionItem,
};
use object::{Object, split_api_version};
use project::{Destination, permits_destination, permits_kind, permits_live, validate_application};
use reconcile::{CompareWith, RefreshCause};
use sync::{Effect, Failure, FailureKind, Plan, Task};

/// What the project took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Kinds it does not permit.
    pub without: Vec<String>,
    /// It does not permit the destination.
    pub elsewhere: bool,
}

impl Taken {
    /// Whether it does not permit something.
    pub fn is_anything(&self) -> bool {
        self.elsewhere || !self.without.is_empty()
    }
}

impl World {
    /// People take something away, or give it back.
    pub(crate) fn set_project(&mut self, taken: &Taken) {
        let group = |kind: &str| split_api_version(api_version(kind)).0.to_owned();
        let in_namespaces = taken.without.iter().filter(|kind| is_namespaced(kind));
        let in_none = taken.without.iter().filter(|kind| !is_namespaced(kind));
        let spec = &mut self.given.project.spec;
        spec.namespace_resource_blacklist =
            in_namespaces.map(|kind| GroupKind { group: group(kind), kind: kind.clone() }).collect();
        spec.cluster_resource_blacklist = in_none
            .map(|kind| ClusterResourceRestrictionItem {
                group: group(kind),
                kind: kind.clone(),
                ..ClusterResourceRestrictionItem::default()
            })
            .collect();
        let namespace = if taken.elsewhere { "elsewhere" } else { "*" };
        spec.destinations = vec![ApplicationDestination {
            server: "*".into(),
            namespace: namespace.into(),
            ..ApplicationDestination::default()
        }];
        self.notes.taken = taken.clone();
        self.controller.request(CompareWith::Recent, RefreshCause::Requested("projects changed".into()));
    }

    /// What the project does not permit stays where the application goes meanwhile.
    pub(crate) fn note_spared(&mut self) {
        let application = self.hub.application.as_ref();
        let goes = application.is_some_and(|it| it.metadata.deletion_timestamp.is_some());
        self.notes.spares |= goes && self.notes.taken.is_anything();
    }

    /// Why nothing can be said or done of the application at all.
    pub(crate) fn problems(&self, application: &Application) -> Vec<ApplicationCondition> {
        let (project, cluster) = (&self.given.project, self.given.cluster());
        validate_application(application, project, Ok(cluster), &[], self.now)
    }

    /// The same in one line.
    pub(crate) fn refusal(&self, application: &Application) -> Option<String> {
        let problems = self.problems(application);
        let texts: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(";"))
    }

    /// Whether the project permits an object to be written; the text says why not.
    pub(crate) fn permit(&self, object: &Object, namespaced: bool) -> Result<(), String> {
        let project = &self.given.project;
        let (group, kind, namespace) = (object.group(), object.kind(), object.namespace());
        if !permits_kind(project, group, kind, object.name(), namespaced) {
            return Err(format!("resource {group}:{kind} is not permitted in the project"));
        }
        let destination = Destination { cluster: self.given.cluster(), namespace };
        if namespaced && !permits_destination(project, destination, &[]) {
            return Err(format!("namespace {namespace} is not permitted in the project"));
        }
        Ok(())
    }

    /// Whether the project lets a live object be touched.
    pub(crate) fn permits_live(&self, live: &Object) -> bool {
        permits_live(&self.given.project, live, self.given.cluster(), &[])
    }

    /// Whether a write that was planned may still be made, by the project as it is now.
    pub(crate) fn still_writes(
        &self,
        application: &Application,
        plan: &Plan,
        effect: &Effect,
    ) -> Result<(), Failure> {
        let refused = |message: String| Failure { message, kind: FailureKind::Other };
        let Some(task) = judged(plan, effect) else { return Ok(()) };
        if let Some(reason) = self.refusal(application) {
            return Err(refused(reason));
        }
        match task.target.as_ref().or(task.live.as_ref()) {
            Some(object) => self.permit(object, !task.key.namespace.is_empty()).map_err(refused),
            None => Ok(()),
        }
    }

    /// Nothing is applied or pruned while the project does not permit it.
    pub(crate) fn check_permitted(&self, plan: &Plan, effect: &Effect) {
        if let Some(task) = judged(plan, effect) {
            self.check_kind(&task.key.kind, || task.key.to_string());
        }
    }

    /// The same of a hook of a deletion.
    pub(crate) fn check_hook(&self, hook: &Object) {
        self.check_kind(hook.kind(), || hook.key().to_string());
    }

    fn check_kind(&self, kind: &str, name: impl FnOnce() -> String) {
        let taken = &self.notes.taken;
        if taken.elsewhere || taken.without.iter().any(|without| without == kind) {
            self.violated(format!("{} is written, and the project does not permit it", name()));
        }
    }
}

/// The task of a write that the project is asked about. What clears hooks away is none.
fn judged<'p>(plan: &'p Plan, effect: &Effect) -> Option<&'p Task> {
    match effect {
        Effect::Apply { task } => plan.tasks.get(task.0),
        Effect::Delete { task, .. } => plan.tasks.get(task.0).filter(|task| task.is_prune()),
        _ => None,
    }
}
