//! What people do: to Git, to the cluster, to the application.

use crate::check::Window;
use crate::facts::{APPLICATION, OTHER, SERVER};
use crate::permitting::Taken;
use crate::story::{Ask, Policy, Setup, Step};
use crate::thing::{NAMESPACE, Thing, is_namespaced};
use crate::world::World;
use api::names::{DELETION_APPROVED, REFRESH};
use api::v1alpha1::{
    Application, ApplicationSource, Operation, OperationInitiator, ResourceIgnoreDifferences, RetryStrategy,
    SyncOperation, SyncOperationResource, SyncPolicy, SyncPolicyAutomated, SyncStrategy, SyncStrategyApply,
    SyncStrategyHook, SyncWindow,
};
use jiff::SignedDuration;
use object::tracking::{Tracking, set_tracking};
use object::{AppInstance, Object, split_api_version};
use reconcile::{CompareWith, RefreshCause};
use serde_json::{Value, json};
use sync::Propagation;

/// The most turns a step may take.
pub const MOST_TURNS: usize = 20_000;

/// The application of a set-up.
pub fn application(setup: &Setup) -> Application {
    let mut application = Application::default();
    application.metadata.name = APPLICATION.into();
    application.metadata.namespace = "argocd".into();
    application.metadata.uid = "application".into();
    if setup.cascade {
        application.metadata.finalizers = vec![api::names::RESOURCES_FINALIZER.into()];
    }
    application.spec.project = "default".into();
    application.spec.source = Some(ApplicationSource {
        repo_url: "https://git".into(),
        path: "p".into(),
        target_revision: "HEAD".into(),
        ..ApplicationSource::default()
    });
    application.spec.destination.server = SERVER.into();
    application.spec.destination.namespace = NAMESPACE.into();
    application.spec.sync_policy = Some(sync_policy(&setup.policy));
    if setup.ignores_values {
        application.spec.ignore_differences = vec![ResourceIgnoreDifferences {
            kind: "ConfigMap".into(),
            json_pointers: vec!["/data/value".into()],
            ..ResourceIgnoreDifferences::default()
        }];
    }
    application
}

fn sync_policy(policy: &Policy) -> SyncPolicy {
    let flag = |on: bool| on.then_some(true);
    SyncPolicy {
        automated: policy.automated.then(|| SyncPolicyAutomated {
            prune: flag(policy.prune),
            self_heal: flag(policy.self_heal),
            allow_empty: flag(policy.allow_empty),
            ..SyncPolicyAutomated::default()
        }),
        sync_options: policy.options.clone(),
        retry: policy.retry.map(|limit| RetryStrategy {
            limit,
            refresh: policy.retry_refresh,
            ..RetryStrategy::default()
        }),
        ..SyncPolicy::default()
    }
}

impl World {
    /// Takes a step of a history.
    pub fn take(&mut self, step: &Step) {
        self.tell(|_| format!("STEP {step:?}"));
        let now = self.now;
        match step {
            Step::Turns(count) => {
                let until = now.saturating_add(SignedDuration::from_secs(3600)).unwrap_or(now);
                (0..*count).all(|_| !self.is_broken() && self.turn(until));
            }
            Step::Pass(seconds) => self.pass(SignedDuration::from_secs(*seconds), MOST_TURNS),
            Step::Push(things) => {
                self.git.commits.push(things.clone());
                if self.random.once_in(2) {
                    self.controller.request(CompareWith::LatestForceResolve, RefreshCause::Webhook);
                }
            }
            Step::PushSecond(things) => {
                self.as_second(|world| {
                    world.git.commits.push(things.clone());
                    world.controller.request(CompareWith::LatestForceResolve, RefreshCause::Webhook);
                });
            }
            Step::Git(answers) => self.git.down = !answers,
            Step::Cluster(answers) => self.api.down = !answers,
            Step::Hub(answers) => self.hub.down = !answers,
            Step::Refuse { thing, on: true } => drop(self.api.refused.insert(thing.clone())),
            Step::Refuse { thing, on: false } => drop(self.api.refused.remove(thing)),
            Step::Invalid { thing, on: true } => drop(self.api.invalid.insert(thing.clone())),
            Step::Invalid { thing, on: false } => drop(self.api.invalid.remove(thing)),
            Step::Claim { thing, value } => self.claim(thing, *value),
            Step::LoseWatch(kind) => drop(self.controller.cache.lost.insert(kind.clone())),
            Step::Taint(kind) => drop(self.controller.cache.tainted.insert(kind.clone())),
            Step::Relist => self.list(),
            Step::Restart => self.restart(),
            Step::Edit { thing, value } => self.edit_object(thing, *value),
            Step::Annotate { thing, name, text } => self.annotate(thing, name, text),
            Step::Remove(thing) => {
                if let Some(object) = self.api.find(thing).cloned() {
                    self.api.delete(&object.key(), object.uid(), Propagation::Background, now).ok();
                }
            }
            Step::Make { thing, owner } => self.make(thing, owner),
            Step::Sync(ask) => self.ask(ask),
            Step::Rollback(back) => self.roll_back(*back),
            Step::Terminate => self.terminate(),
            Step::Refresh(hard) => {
                let level = if *hard { "hard" } else { "normal" };
                self.hub.edit(|it| drop(it.metadata.annotations.insert(REFRESH.into(), level.into())));
            }
            Step::Confirm => {
                self.notes.confirmed = Some(now);
                self.hub.edit(|it| {
                    drop(it.metadata.annotations.insert(DELETION_APPROVED.into(), now.to_string()));
                });
            }
            Step::SetPolicy(policy) => self.hub.edit(|it| it.spec.sync_policy = Some(sync_policy(policy))),
            Step::Window { denied, manual, allowed, overrun } => {
                let window = Window {
                    since: now,
                    denied: *denied,
                    allowed: *allowed,
                    manual: *manual,
                    overrun: *overrun,
                };
                self.set_window(window);
                self.as_second(|world| world.set_window(window));
            }
            Step::Project { without, elsewhere } => {
                let taken = Taken { without: without.clone(), elsewhere: *elsewhere };
                self.set_project(&taken);
                self.as_second(|world| world.set_project(&taken));
            }
            Step::Delete => self.hub.delete(now),
        }
        self.note_spared();
        self.send_changes();
    }

    fn set_window(&mut self, window: Window) {
        let (kind, schedule, duration) =
            if window.denied { ("deny", "* * * * *", "24h") } else { ("allow", "*/10 * * * *", "5m") };
        let written = SyncWindow {
            kind: kind.into(),
            schedule: schedule.into(),
            duration: duration.into(),
            applications: vec!["*".into()],
            manual_sync: window.manual,
            sync_overrun: window.overrun,
            ..SyncWindow::default()
        };
        let windows = if window.denied || window.allowed { vec![written] } else { Vec::new() };
        self.given.project.spec.sync_windows = windows;
        self.notes.windows.push(window);
        self.controller.request(CompareWith::Recent, RefreshCause::Requested("projects changed".into()));
    }

    fn edit_object(&mut self, wanted: &str, value: i64) {
        let Some(mut object) = self.api.find(wanted).cloned() else { return };
        let thing =
            Thing { kind: object.kind().into(), name: object.name().into(), value, ..Thing::default() };
        let manifest = thing.manifest();
        for (name, value) in crate::fields::declared(&manifest) {
            merge(object.0.entry(name).or_insert(Value::Null), &value);
        }
        self.api.replace(&object, false).ok();
    }

    fn annotate(&mut self, wanted: &str, name: &str, text: &str) {
        let Some(mut object) = self.api.find(wanted).cloned() else { return };
        if text.is_empty() {
            object.remove_annotation(name);
        } else {
            object.set_annotation(name, text);
        }
        self.api.replace(&object, false).ok();
    }

    /// Makes an object as people do, with the mark of an application if they copied one.
    pub fn make(&mut self, thing: &Thing, owner: &str) {
        let mut object = thing.manifest();
        if is_namespaced(&thing.kind) {
            object.set_namespace(NAMESPACE);
        }
        if !owner.is_empty() {
            self.mark(&mut object, owner);
        }
        self.api.create(&object, false, self.now).ok();
    }

    fn mark(&self, object: &mut Object, owner: &str) {
        let tracking = Tracking {
            method: self.given.tracking.method,
            label_key: object::tracking::DEFAULT_LABEL_KEY,
            installation_id: "",
        };
        set_tracking(object, &AppInstance::new("argocd", owner, "argocd"), NAMESPACE, tracking).ok();
    }

    /// Another application that names an object as well applies it: it is marked as that one's. What a hook has run stays as
    /// it is, under the other's mark.
    fn claim(&mut self, wanted: &str, value: i64) {
        if !self.api.find(wanted).is_some_and(sync::is_hook) {
            self.edit_object(wanted, value);
        }
        let Some(mut object) = self.api.find(wanted).cloned() else { return };
        self.mark(&mut object, OTHER);
        self.api.replace(&object, false).ok();
    }

    /// Other applications no longer name what Git names.
    pub fn let_go(&mut self) {
        let named: Vec<String> = self.git.commits.last().into_iter().flatten().map(Thing::label).collect();
        for name in named {
            let Some(mut object) = self.api.find(&name).cloned().filter(|object| self.is_others(object))
            else {
                continue;
            };
            object.remove_annotation(object::tracking::TRACKING_ANNOTATION);
            if let Some(Value::Object(labels)) = object.metadata_mut().get_mut("labels") {
                labels.remove(object::tracking::DEFAULT_LABEL_KEY);
            }
            self.api.replace(&object, false).ok();
        }
    }

    /// What is there that is none of the application's business: it must be there at the end.
    pub fn make_others(&mut self) {
        let thing = |kind: &str, name: &str| Thing {
            kind: kind.into(),
            name: name.into(),
            value: 1,
            ..Thing::default()
        };
        self.make(&thing("ConfigMap", "others"), OTHER);
        self.make(&thing("ConfigMap", "nobodys"), "");
        // A copy that kept the annotation of what it was copied from.
        let mut copy = thing("ConfigMap", "copy").manifest();
        copy.set_namespace(NAMESPACE);
        let id = format!("{APPLICATION}:/ConfigMap:{NAMESPACE}/original");
        copy.set_annotation(object::tracking::TRACKING_ANNOTATION, &id);
        self.api.create(&copy, false, self.now).ok();
    }

    fn ask(&mut self, ask: &Ask) {
        let Some(application) = self.hub.application.clone() else { return };
        let only = ask.only.iter().filter_map(|wanted| {
            let (kind, name) = wanted.split_once('/')?;
            let (group, _) = split_api_version(crate::thing::api_version(kind));
            Some(SyncOperationResource {
                group: group.into(),
                kind: kind.into(),
                name: name.into(),
                namespace: String::new(),
            })
        });
        let strategy = if ask.apply_only {
            SyncStrategy { apply: Some(SyncStrategyApply { force: ask.force }), hook: None }
        } else {
            SyncStrategy {
                apply: None,
                hook: Some(SyncStrategyHook { sync_strategy_apply: SyncStrategyApply { force: ask.force } }),
            }
        };
        let policy = application.spec.sync_policy.clone().unwrap_or_default();
        let sync = SyncOperation {
            revision: self.git.head(),
            prune: ask.prune,
            dry_run: ask.dry_run,
            resources: only.collect(),
            sync_options: policy.sync_options,
            sync_strategy: Some(strategy),
            ..SyncOperation::default()
        };
        let retry = policy.retry.unwrap_or_default();
        self.begin_as_user(sync, retry);
    }

    fn begin_as_user(&mut self, sync: SyncOperation, retry: RetryStrategy) {
        let initiated_by = OperationInitiator { username: "admin".into(), automated: false };
        let operation = Operation { sync: Some(sync), initiated_by, info: Vec::new(), retry };
        // Users' requests come through the API server, which the controller's outage does not concern.
        let down = std::mem::take(&mut self.hub.down);
        if let Some(read) = self.hub.application.clone() {
            self.hub.start_operation(&read, &operation, None).ok();
        }
        self.hub.down = down;
    }

    fn roll_back(&mut self, back: usize) {
        let Some(application) = self.hub.application.clone() else { return };
        if reconcile::is_automated(&application.spec) {
            return;
        }
        let Some(entry) = application.status.history.iter().rev().nth(back) else { return };
        let sync = SyncOperation {
            revision: entry.revision.clone(),
            source: Some(entry.source.clone()),
            sync_options: application.spec.sync_policy.unwrap_or_default().sync_options,
            ..SyncOperation::default()
        };
        self.begin_as_user(sync, RetryStrategy::default());
    }

    fn terminate(&mut self) {
        self.hub.edit(|it| {
            if let Some(state) = it.status.operation_state.as_mut().filter(|_| it.operation.is_some()) {
                state.phase = "Terminating".into();
            }
        });
    }
}

fn merge(live: &mut Value, new: &Value) {
    match (live, new) {
        (Value::Object(live), Value::Object(new)) => {
            for (name, new) in new {
                merge(live.entry(name.clone()).or_insert(json!(null)), new);
            }
        }
        (Value::Array(live), Value::Array(new)) if live.len() == new.len() => {
            live.iter_mut().zip(new).for_each(|(live, new)| merge(live, new));
        }
        (live, new) => *live = new.clone(),
    }
}
