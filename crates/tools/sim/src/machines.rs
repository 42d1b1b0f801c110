//! What runs in a cluster by itself: the controllers of Deployments, Jobs and CRDs, and the garbage collector.

use crate::api_server::{ApiServer, FOREGROUND};
use crate::thing::Thing;
use jiff::{SignedDuration, Timestamp};
use object::{Object, ResourceKey};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use sync::Propagation;

const ROLL_OUT: SignedDuration = SignedDuration::from_secs(4);
const JOB: SignedDuration = SignedDuration::from_secs(3);

/// Version, whether all was to become well, and the objects with the times they are due.
type Seen = (u64, bool, Vec<(ResourceKey, Timestamp)>);

/// The machines' own memory.
#[derive(Clone, Debug, Default)]
pub struct Machines {
    /// Since when an object's generation is worked on.
    since: BTreeMap<(String, i64), Timestamp>,
    /// Whether everything becomes well, whatever it says.
    pub all_well: bool,
    /// What was to be done at a version of the cluster, and whether everything was to become well.
    seen: RefCell<Seen>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Todo {
    ReplicaSet,
    Observe,
    RollOut,
    Begin,
    Finish,
    Establish,
    CollectOwned,
    CollectSpace,
    Collect,
}

impl Machines {
    /// The objects to work on now, and when there will be others.
    pub fn due(&self, api: &ApiServer, now: Timestamp) -> (Vec<ResourceKey>, Option<Timestamp>) {
        let mut seen = self.seen.borrow_mut();
        if (seen.0, seen.1) != (api.version, self.all_well) {
            let todo =
                api.objects.iter().filter_map(|(key, object)| Some((key.clone(), self.todo(api, object)?.1)));
            *seen = (api.version, self.all_well, todo.collect());
        }
        let ready = seen.2.iter().filter(|(_, at)| *at <= now).map(|(key, _)| key.clone()).collect();
        (ready, seen.2.iter().map(|(_, at)| *at).filter(|at| *at > now).min())
    }

    /// Works on one object.
    pub fn act(&mut self, api: &mut ApiServer, key: &ResourceKey, now: Timestamp) {
        let Some(object) = api.objects.get(key).cloned() else { return };
        let Some((todo, _)) = self.todo(api, &object) else { return };
        let was_down = std::mem::take(&mut api.down);
        match todo {
            Todo::ReplicaSet => replica_set(api, &object, now),
            Todo::Observe => {
                self.since.insert((object.uid().to_owned(), object.generation()), now);
                status(
                    api,
                    object.clone(),
                    json!({"observedGeneration": object.generation(), "conditions": [
                    {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]}),
                );
            }
            Todo::RollOut => {
                let generation = object.generation();
                let settled = if self.is_ill(&object) {
                    json!({"observedGeneration": generation, "conditions": [{"type": "Progressing", "status": "False",
                        "reason": "ProgressDeadlineExceeded"}]})
                } else {
                    let count = object.int_at(&["spec", "replicas"]).unwrap_or(1);
                    json!({"observedGeneration": generation, "replicas": count, "updatedReplicas": count,
                        "availableReplicas": count, "readyReplicas": count,
                        "conditions": [{"type": "Available", "status": "True"}]})
                };
                status(api, object, settled);
            }
            Todo::Begin => {
                self.since.insert((object.uid().to_owned(), 0), now);
                status(api, object, json!({"active": 1}));
            }
            Todo::Finish => {
                let kind = if self.is_ill(&object) { "Failed" } else { "Complete" };
                status(api, object, json!({"conditions": [{"type": kind, "status": "True"}]}));
            }
            Todo::Establish => status(
                api,
                object,
                json!({"conditions": [
                {"type": "Established", "status": "True"}, {"type": "NamesAccepted", "status": "True"}]}),
            ),
            Todo::CollectOwned => collect(api, key, FOREGROUND, &owned(api, object.uid()), now),
            Todo::CollectSpace => collect(api, key, "kubernetes", &inside(api, object.name()), now),
            Todo::Collect => {
                api.delete(key, object.uid(), Propagation::Background, now).ok();
            }
        }
        api.down = was_down;
    }

    fn todo(&self, api: &ApiServer, object: &Object) -> Option<(Todo, Timestamp)> {
        let at_once = |todo| Some((todo, Timestamp::MIN));
        if !object.deletion_timestamp().is_empty() {
            return match object.finalizers() {
                held if held.contains(&FOREGROUND) => at_once(Todo::CollectOwned),
                held if held.contains(&"kubernetes") => at_once(Todo::CollectSpace),
                _ => None,
            };
        }
        let owners = object.owner_references();
        let alive = |uid: &str| api.objects.values().any(|owner| owner.uid() == uid);
        if !owners.is_empty() && !owners.iter().any(|owner| alive(&owner.uid))
            || api.serves(&object.gvk()).is_none()
        {
            return at_once(Todo::Collect);
        }
        let later = |generation: i64, wait: SignedDuration| {
            let since =
                self.since.get(&(object.uid().to_owned(), generation)).copied().unwrap_or(Timestamp::MIN);
            since.checked_add(wait).unwrap_or(Timestamp::MIN)
        };
        match object.kind() {
            "CustomResourceDefinition" if object.at(&["status"]).is_none() => at_once(Todo::Establish),
            "Job" if object.at(&["status"]).is_none() => at_once(Todo::Begin),
            "Job" if object.at(&["status", "conditions"]).is_none() => Some((Todo::Finish, later(0, JOB))),
            "Deployment" => {
                let generation = object.generation();
                if owned(api, object.uid()).is_empty() {
                    return at_once(Todo::ReplicaSet);
                }
                if object.int_at(&["status", "observedGeneration"]) != Some(generation) {
                    return at_once(Todo::Observe);
                }
                let failed =
                    object.at(&["status", "conditions"])?.get(0)?.get("reason").and_then(Value::as_str)
                        == Some("ProgressDeadlineExceeded");
                let settled = object.int_at(&["status", "availableReplicas"]).is_some()
                    || (failed && self.is_ill(object));
                (!settled).then(|| (Todo::RollOut, later(generation, ROLL_OUT)))
            }
            _ => None,
        }
    }

    fn is_ill(&self, object: &Object) -> bool {
        let containers = object.at(&["spec", "template", "spec", "containers"]);
        let image = containers.and_then(|list| list.get(0)?.get("image")?.as_str()).unwrap_or_default();
        let value = image.strip_prefix("image:").and_then(|value| value.parse().ok()).unwrap_or(0);
        !self.all_well && Thing::is_ill(value)
    }
}

/// A Deployment's annotations are copied to its ReplicaSet, the mark of the application among them.
fn replica_set(api: &mut ApiServer, deployment: &Object, now: Timestamp) {
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-set", deployment.name()), "namespace": deployment.namespace(),
            "annotations": deployment.annotations(), "labels": {"app": deployment.name()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "controller": true,
                "name": deployment.name(), "uid": deployment.uid()}],
        },
        "spec": {"replicas": 1},
    });
    let Ok(set) = Object::from_value(set) else { return };
    match api.objects.get(&set.key()).cloned() {
        // One that was left behind is adopted.
        Some(mut left) => {
            let owners = set.at(&["metadata", "ownerReferences"]).cloned().unwrap_or_default();
            left.metadata_mut().insert("ownerReferences".into(), owners);
            api.store(left);
        }
        None => drop(api.create(&set, false, now)),
    }
}

fn status(api: &mut ApiServer, mut object: Object, status: Value) {
    object.0.insert("status".into(), status);
    api.store(object);
}

fn owned(api: &ApiServer, uid: &str) -> Vec<ResourceKey> {
    let owned =
        api.objects.iter().filter(|(_, object)| object.owner_references().iter().any(|it| it.uid == uid));
    owned.map(|(key, _)| key.clone()).collect()
}

fn inside(api: &ApiServer, namespace: &str) -> Vec<ResourceKey> {
    api.objects.keys().filter(|key| key.namespace == namespace).cloned().collect()
}

/// Deletes what goes first; once nothing of it is left, lets go.
fn collect(api: &mut ApiServer, key: &ResourceKey, finalizer: &str, first: &[ResourceKey], now: Timestamp) {
    if first.is_empty() {
        api.unfinalize(key, finalizer).ok();
        return;
    }
    for key in first {
        let uid = api.objects.get(key).map(|object| object.uid().to_owned()).unwrap_or_default();
        api.delete(key, &uid, Propagation::Background, now).ok();
    }
}
