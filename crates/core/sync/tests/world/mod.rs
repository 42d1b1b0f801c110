//! A small cluster that does effects, for cases and properties.

mod input;

use api::codes::{HealthStatusCode, OperationPhase};
use api::v1alpha1::{ManagedNamespaceMetadata, ResourceResult, SyncOperation};
use input::input;
use jiff::{SignedDuration, Timestamp};
use object::{GroupVersionKind, Object, ResourceKey};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use sync::{
    Effect, Event, Failure, FailureKind, Health, Input, KindFact, LiveState, NamespaceFact, Outcome, Plan,
    PlanError, Progress, Resource, Success, Write, is_hook, plan, step,
};

pub fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    list(value, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub const STARTED: &str = "2026-01-02T03:04:05Z";

const CLUSTER_KINDS: [&str; 4] = ["Namespace", "ClusterRole", "CustomResourceDefinition", "PriorityClass"];

pub fn label(key: &ResourceKey) -> String {
    format!("{}/{}", key.kind, key.name)
}

/// Plans what a case describes.
pub fn plan_of(case: &Value) -> Result<Plan, PlanError> {
    let namespace = case.get("namespace").and_then(Value::as_str).unwrap_or("gb");
    let served = texts(case, "notServed");
    let other_versions = texts(case, "otherVersions");
    let groups = texts(case, "groupVersions");
    let kinds = |gvk: &GroupVersionKind| {
        if served.contains(&gvk.to_string()) {
            let instead = other_versions.first().map(|served| {
                let (group, version) = served.split_once('/').unwrap_or((&gvk.group, served));
                GroupVersionKind { group: group.into(), version: version.into(), kind: gvk.kind.clone() }
            });
            let group = groups.contains(&gvk.api_version());
            return KindFact::NotServed { group, instead };
        }
        KindFact::Served { namespaced: !CLUSTER_KINDS.contains(&gvk.kind.as_str()) }
    };
    let forbidden = texts(case, "forbidden");
    let permit = |object: &Object, _: bool| {
        if forbidden.contains(&object.kind().to_owned()) {
            return Err(format!(
                "resource {}:{} is not permitted in project p",
                object.group(),
                object.kind()
            ));
        }
        Ok(())
    };
    let place = |object: &Object| {
        let mut placed = object.clone();
        if !CLUSTER_KINDS.contains(&object.kind()) && object.namespace().is_empty() {
            placed.set_namespace(namespace);
        }
        placed
    };
    let object = |value: &Value| Object::from_value(value.clone()).expect("an object");
    let mut live: BTreeMap<ResourceKey, Object> = BTreeMap::new();
    for (index, value) in list(case, "live").iter().enumerate() {
        let mut placed = place(&object(value));
        if placed.uid().is_empty() {
            placed.metadata_mut().insert("uid".into(), format!("live-{index}").into());
        }
        live.insert(placed.key(), placed);
    }
    let (synced, not_ours) = (texts(case, "synced"), texts(case, "notOurs"));
    let (mut resources, mut hooks) = (Vec::new(), Vec::new());
    for value in list(case, "targets") {
        let target = object(value);
        if is_hook(&target) {
            hooks.push(target);
            continue;
        }
        let live = live.remove(&place(&target).key());
        let modified = !synced.contains(&format!("{}/{}", target.kind(), target.name()));
        resources.push(Resource { target: Some(target), live, modified, ours: true, other_owner: None });
    }
    for (key, live) in live {
        let ours = !not_ours.contains(&label(&key));
        let other_owner = case.get("others").and_then(|others| others.get(label(&key))?.as_str());
        let other_owner = other_owner.map(str::to_owned);
        resources.push(Resource { target: None, live: Some(live), modified: true, ours, other_owner });
    }
    let operation: SyncOperation = case
        .get("operation")
        .map(|value| serde_json::from_value(value.clone()).expect("an operation"))
        .unwrap_or_default();
    let metadata: Option<ManagedNamespaceMetadata> = case
        .get("managedNamespaceMetadata")
        .map(|value| serde_json::from_value(value.clone()).expect("namespace metadata"));
    let namespace_fact = match text(case, "namespaceFact").as_str() {
        "missing" => NamespaceFact::Missing,
        "live" => NamespaceFact::Live(Box::new(object(&serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "uid": "ns"}
        })))),
        "" => NamespaceFact::NotAsked,
        other => NamespaceFact::Unreadable(other.to_owned()),
    };
    plan(Input {
        resources,
        hooks,
        revision: "0123456789abcdef",
        started_at: STARTED.parse().expect("a time"),
        namespace,
        namespace_fact,
        managed_namespace_metadata: metadata.as_ref(),
        migration_manager: case.get("migrationManager").and_then(Value::as_str),
        prune_confirmed: case.get("confirmed").and_then(Value::as_bool).unwrap_or(false),
        shared: texts(case, "shared"),
        timeout: case.get("timeout").and_then(Value::as_i64).map(SignedDuration::from_secs),
        settle: SignedDuration::from_secs(2),
        kinds: &kinds,
        permit: &permit,
        ..input(&operation)
    })
}

#[derive(Clone, Debug)]
struct Stored {
    uid: String,
    generation: i64,
    finalizer: bool,
    deleting: bool,
    health: usize,
}

/// A cluster: objects by name, what it refuses, how health goes on.
#[derive(Clone, Debug)]
pub struct World {
    objects: BTreeMap<ResourceKey, Stored>,
    refuse: BTreeMap<String, String>,
    refuse_dry_run: BTreeMap<String, String>,
    health: BTreeMap<String, Vec<(HealthStatusCode, String)>>,
    kept: Vec<String>,
    uids: usize,
    pub now: Timestamp,
    pub queue: VecDeque<Event>,
    pub trace: Vec<String>,
    pub deleted: Vec<String>,
    pub applied: Vec<usize>,
    /// The last wake-up that was asked for.
    pub wake: Option<Timestamp>,
    pub done: Option<(OperationPhase, String)>,
    last_message: String,
}

impl World {
    pub fn new(case: &Value, plan: &Plan) -> Self {
        let map = |name: &str| {
            case.get(name)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect()
        };
        let mut health = BTreeMap::new();
        for (key, steps) in case.get("health").and_then(Value::as_object).into_iter().flatten() {
            let steps = steps.as_array().into_iter().flatten().map(|step| {
                let part = |index: usize| step.get(index).and_then(Value::as_str).unwrap_or_default();
                (part(0).parse().expect("a health"), part(1).to_owned())
            });
            health.insert(key.clone(), steps.collect());
        }
        let mut objects = BTreeMap::new();
        for live in plan.tasks.iter().filter_map(|task| task.live.as_ref()) {
            let finalizer = !live.finalizers().is_empty();
            let stored =
                Stored { uid: live.uid().to_owned(), generation: 1, finalizer, deleting: false, health: 0 };
            objects.insert(live.key(), stored);
        }
        Self {
            objects,
            refuse: map("refuse"),
            refuse_dry_run: map("refuseDryRun"),
            health,
            kept: texts(case, "kept"),
            uids: 0,
            now: STARTED.parse().expect("a time"),
            queue: VecDeque::from([Event::Tick]),
            trace: Vec::new(),
            deleted: Vec::new(),
            applied: Vec::new(),
            wake: None,
            done: None,
            last_message: String::new(),
        }
    }

    fn state(&self, key: &ResourceKey) -> Option<LiveState> {
        let stored = self.objects.get(key)?;
        let health = self.health.get(&label(key)).and_then(|steps| {
            let (status, message) = steps.get(stored.health).or(steps.last())?;
            Some(Health { status: *status, message: message.clone() })
        });
        Some(LiveState {
            uid: stored.uid.clone(),
            generation: stored.generation,
            observed_generation: None,
            deleting: stored.deleting,
            established: true,
            health,
        })
    }

    /// Lets time pass: health goes on, deletions end.
    pub fn pass(&mut self) {
        let wake = self.wake.take().expect("a wait without a wake-up");
        self.now = self.now.max(wake);
        let keys: Vec<_> = self.objects.keys().cloned().collect();
        for key in keys {
            let steps = self.health.get(&label(&key)).map_or(0, Vec::len);
            let stored = self.objects.get_mut(&key).expect("stored");
            if stored.deleting && !stored.finalizer && !self.kept.contains(&label(&key)) {
                let uid = stored.uid.clone();
                self.objects.remove(&key);
                self.queue.push_back(Event::Gone { key, uid });
                continue;
            }
            if stored.health + 1 < steps {
                stored.health += 1;
                let state = self.state(&key).expect("stored");
                self.queue.push_back(Event::Live { key, state });
            }
        }
        self.queue.push_back(Event::Tick);
    }

    pub fn perform(&mut self, plan: &Plan, effects: Vec<Effect>) {
        self.wake = None;
        for effect in effects {
            match effect {
                Effect::WakeAt(at) => self.wake = Some(at),
                Effect::Done { phase, message } => {
                    assert!(self.done.is_none(), "ended twice");
                    self.trace.push(format!("done {phase}: {message}"));
                    self.done = Some((phase, message));
                }
                Effect::DryRun { task } => {
                    let task_plan = &plan.tasks[task.0];
                    self.trace.push(format!("dry-run {}", label(&task_plan.key)));
                    let result = match self.refuse_dry_run.get(&label(&task_plan.key)) {
                        Some(message) => Err(failure(message, FailureKind::Other)),
                        None => Ok(Success { outcome: self.written(&task_plan.key), state: None }),
                    };
                    self.queue.push_back(Event::Result { task, result });
                }
                Effect::Apply { task } => self.apply(plan, task),
                Effect::Delete { task, key, uid, .. } => {
                    self.trace.push(format!("delete {}", label(&key)));
                    let result = match self.objects.get_mut(&key) {
                        None => Err(failure("not found", FailureKind::NotFound)),
                        Some(stored) if !uid.is_empty() && uid != stored.uid => {
                            Err(failure("uid differs", FailureKind::Conflict))
                        }
                        Some(stored) => {
                            stored.deleting = true;
                            self.deleted.push(label(&key));
                            Ok(Success { outcome: Outcome::Deleted, state: self.state(&key) })
                        }
                    };
                    self.queue.push_back(Event::Result { task, result });
                }
                Effect::RemoveHookFinalizer { task, key, .. } => {
                    self.trace.push(format!("release {}", label(&key)));
                    if let Some(stored) = self.objects.get_mut(&key) {
                        stored.finalizer = false;
                    }
                    let state = self.state(&key);
                    self.queue.push_back(Event::Result {
                        task,
                        result: Ok(Success { outcome: Outcome::Unfinalized, state }),
                    });
                }
                Effect::Read { task, key, .. } => {
                    self.trace.push(format!("read {}", label(&key)));
                    let state = self.state(&key);
                    self.queue.push_back(Event::Result {
                        task,
                        result: Ok(Success { outcome: Outcome::Read, state }),
                    });
                }
            }
        }
    }

    fn written(&self, key: &ResourceKey) -> Outcome {
        if self.objects.contains_key(key) { Outcome::Configured } else { Outcome::Created }
    }

    fn apply(&mut self, plan: &Plan, task: sync::TaskId) {
        let task_plan = &plan.tasks[task.0];
        let key = task_plan.key.clone();
        self.trace.push(format!("apply {}", label(&key)));
        self.applied.push(task.0);
        if let Some(message) = self.refuse.get(&label(&key)) {
            let result = Err(failure(message, FailureKind::Other));
            self.queue.push_back(Event::Result { task, result });
            return;
        }
        let mut outcome = self.written(&key);
        match task_plan.write {
            Write::ServerSideApply { .. } => outcome = Outcome::ServerSideApplied,
            Write::Replace { .. } => outcome = Outcome::Replaced,
            Write::Update => outcome = Outcome::Updated,
            _ => {}
        }
        if let Some(stored) = self.objects.get_mut(&key) {
            stored.generation += 1;
        } else {
            self.uids += 1;
            let stored = Stored {
                uid: format!("made-{}", self.uids),
                generation: 1,
                finalizer: task_plan.is_hook(),
                deleting: false,
                health: 0,
            };
            self.objects.insert(key.clone(), stored);
        }
        let state = self.state(&key);
        self.queue.push_back(Event::Result { task, result: Ok(Success { outcome, state }) });
    }

    pub fn note(&mut self, progress: &Progress) {
        if progress.message() != self.last_message && self.done.is_none() {
            progress.message().clone_into(&mut self.last_message);
            self.trace.push(format!("… {}", progress.message()));
        }
    }
}

fn failure(message: &str, kind: FailureKind) -> Failure {
    Failure { message: message.to_owned(), kind }
}

/// Runs an operation to its end, an event at a time, each chosen by `choose` among those that wait.
pub fn run(
    case: &Value,
    plan: &Plan,
    mut choose: impl FnMut(usize) -> usize,
    mut interrupt: impl FnMut(&mut World, Progress, usize) -> Progress,
) -> (World, Progress, Vec<ResourceResult>) {
    let mut world = World::new(case, plan);
    let mut progress = Progress::new(plan, world.now);
    for turn in 0..2000 {
        if world.done.is_some() && world.queue.is_empty() {
            let results = progress.results(plan);
            return (world, progress, results);
        }
        progress = interrupt(&mut world, progress, turn);
        if world.queue.is_empty() {
            world.pass();
        }
        let index = choose(world.queue.len());
        let event = world.queue.remove(index).expect("a waiting event");
        let (next, effects) = step(plan, progress, event, world.now);
        progress = next;
        world.note(&progress);
        world.perform(plan, effects);
    }
    panic!("the operation does not end: {:#?}\n{progress:#?}", world.trace);
}
