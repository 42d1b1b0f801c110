//! Whether a write that was planned may still be made. An operation may last for hours: its project, its service account, and what
//! it is to prune are judged once more when it comes to them.

use crate::Controller;
use crate::clusters::Destination;
use crate::effects::{Means, perform};
use crate::operating::{join, permit};
use crate::situation::{Situation, project_name};
use api::v1alpha1::Application;
use kubernetes::Cluster;
use object::Object;
use std::borrow::Cow;
use sync::{Effect, Event, Failure, FailureKind, Outcome, Plan, Success, Task, TaskId};

/// How often a prune is judged again because its object changed in between.
const TRIES: u32 = 8;

/// An operation that writes.
#[derive(Clone, Copy)]
pub(crate) struct Writing<'a> {
    pub(crate) application: &'a Application,
    pub(crate) destination: &'a Destination,
    pub(crate) plan: &'a Plan,
    /// The destination, in the name the operation began in.
    pub(crate) cluster: &'a Cluster,
    /// Whether a user confirmed what asks for it.
    pub(crate) confirmed: bool,
}

/// How a write is made.
struct Permitted {
    /// As it is registered now.
    destination: Destination,
    cluster: Cluster,
    /// Of a prune: the version of the object that it was judged by.
    version: Option<String>,
}

/// What becomes of a prune.
enum Judged {
    /// It is made, of this version of the object where one is known.
    Goes(Option<String>),
    /// It is not, and why.
    Stays(&'static str),
}

impl Controller {
    /// Does an effect, if it may still be done, and says how it went. A prune is of the very version that was judged: where that
    /// is another by then, it is judged again.
    pub(crate) async fn perform(&self, writing: Writing<'_>, effect: Effect) -> Option<Event> {
        let mut tries = 0;
        loop {
            let permitted = match self.still_permitted(writing, &effect, tries > 0).await {
                Ok(permitted) => permitted,
                Err(instead) => return Some(instead),
            };
            let (metrics, rules) = (self.metrics(), self.rules());
            let (cluster, version) = (&permitted.cluster, permitted.version.as_deref());
            let means = Means { metrics, checks: &rules.checks, cluster, version };
            let event = perform(&permitted.destination.cache, writing.plan, means, effect.clone()).await;
            if version.is_none() || !is_conflict(event.as_ref()) || tries == TRIES {
                return event;
            }
            tries += 1;
        }
    }

    /// How an effect is done now, or what is answered instead of doing it. What only looks and what clears away hooks is always
    /// done, as it was begun.
    async fn still_permitted(
        &self,
        writing: Writing<'_>,
        effect: &Effect,
        again: bool,
    ) -> Result<Permitted, Event> {
        let Some((id, task)) = judged(writing.plan, effect) else {
            let (destination, cluster) = (writing.destination.clone(), writing.cluster.clone());
            return Ok(Permitted { destination, cluster, version: None });
        };
        let refused = |message: String| Event::Result {
            task: id,
            result: Err(Failure { message, kind: FailureKind::Other }),
        };
        let destination = self.clusters().connected(&writing.destination.server).await.map_err(refused)?;
        let writing = Writing { destination: &destination, ..writing };
        let (situation, cluster) = self.still_writes(writing, task).map_err(refused)?;
        let judged = match task.is_prune() {
            true => self.still_prunes(writing, task, &situation, again).await.map_err(refused)?,
            false => Judged::Goes(None),
        };
        match judged {
            Judged::Goes(version) => Ok(Permitted { destination, cluster, version }),
            Judged::Stays(reason) => {
                let success = Success { outcome: Outcome::Kept(reason), state: None };
                Err(Event::Result { task: id, result: Ok(success) })
            }
        }
    }

    /// The project and the service account as they are now, if they permit the write.
    fn still_writes(&self, writing: Writing<'_>, task: &Task) -> Result<(Situation, Cluster), String> {
        let began = writing.application;
        let stored = self.store().application(&began.metadata.namespace, &began.metadata.name).ok();
        let stored = stored.filter(|stored| stored.metadata.uid == began.metadata.uid);
        let stored = stored.ok_or("the application was deleted since the operation began")?;
        let mut application = Cow::Borrowed(began);
        if project_name(&stored) != project_name(began) {
            application.to_mut().spec.project.clone_from(&stored.spec.project);
        }
        let situation = self.situation(&application, self.now()).map_err(|conditions| join(&conditions))?;
        if situation.cluster.server != writing.destination.server {
            return Err("the destination is another cluster since the operation began".into());
        }
        if let Some(object) = task.target.as_ref().or(task.live.as_ref()) {
            permit(&situation, object, !task.key.namespace.is_empty())?;
        }
        let cluster = self.acting(&application, &situation, writing.destination)?;
        Ok((situation, cluster))
    }

    /// Whether an object is still to be pruned, now that it is as it is. `again` asks the API server.
    async fn still_prunes(
        &self,
        writing: Writing<'_>,
        task: &Task,
        situation: &Situation,
        again: bool,
    ) -> Result<Judged, String> {
        let (key, cache) = (&task.key, &writing.destination.cache);
        let known = cache.known_live(&task.gvk, &key.namespace, &key.name);
        let live = match known.filter(|_| !again) {
            Some(known) => known,
            // What carries no mark any more is not kept whole.
            None => {
                let found = cache.cluster().find_kind(&task.gvk, &key.namespace, &key.name).await;
                found.map_err(|error| {
                    format!("failed to look at it before it is pruned: {}", error.message())
                })?
            }
        };
        // What is gone, or is another object by now, is for the deletion to tell.
        let planned = task.live.as_ref().map(Object::uid);
        let Some(live) = live.filter(|live| planned.is_none_or(|uid| uid == live.uid())) else {
            return Ok(Judged::Goes(None));
        };
        let marks = (&situation.instance, &situation.rules.tracking);
        Ok(match compare::kept_from_pruning(&live, (writing.plan, task), marks, writing.confirmed) {
            Some(reason) => Judged::Stays(reason),
            None => Judged::Goes(Some(live.resource_version().to_owned())),
        })
    }
}

fn is_conflict(event: Option<&Event>) -> bool {
    matches!(event, Some(Event::Result { result: Err(failure), .. }) if failure.kind == FailureKind::Conflict)
}

/// The task of a write that is judged.
fn judged<'a>(plan: &'a Plan, effect: &Effect) -> Option<(TaskId, &'a Task)> {
    let (Effect::Apply { task: id } | Effect::Delete { task: id, .. }) = effect else { return None };
    let task = plan.tasks.get(id.0)?;
    let judged = matches!(effect, Effect::Apply { .. }) || task.is_prune();
    judged.then_some((*id, task))
}
