//! From a comparison to ordered tasks. A plan is a value: it can be shown, tested and refused.

use crate::hook::{
    HookDeletePolicies, delete_policies, generated_name, is_hook, is_ignored, sync_phases, wave,
};
use crate::namespace::{NamespaceTask, namespace_task};
use crate::options::{DEFAULT_MIGRATION_MANAGER, ResourceOption, SyncOptions, has_option, option_value};
use crate::order::{crd_kind, sort};
use crate::results::{is_result_of, result};
use crate::task::{Propagation, Prune, Task, TaskId, Write, images};
use api::codes::{HookType, OperationPhase, ResultCode, SyncPhase};
use api::names::{CLIENT_SIDE_APPLY_MIGRATION_MANAGER, HOOK_FINALIZER};
use api::v1alpha1::{ManagedNamespaceMetadata, ResourceResult, SyncOperation, SyncOperationResource};
use jiff::{SignedDuration, Timestamp};
use object::{GroupVersionKind, Object, ResourceKey};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One line of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// What the source says; nothing when no source has the object.
    pub target: Option<Object>,
    /// What the cluster has.
    pub live: Option<Object>,
    /// Whether they differ.
    pub modified: bool,
    /// Whether the live object's tracking names this application. What is not ours is never pruned.
    pub ours: bool,
    /// The other application that the live object's tracking names.
    pub other_owner: Option<String>,
}

/// What the destination knows about a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindFact {
    /// It is served at this version.
    Served {
        /// Whether its objects live in namespaces.
        namespaced: bool,
    },
    /// It is not served at this version.
    NotServed {
        /// Whether its group is served at this version, with other kinds.
        group: bool,
        /// What is served in its place: another version of it, or a kind of this name in another group.
        instead: Option<GroupVersionKind>,
    },
    /// It could not be asked.
    Unknown {
        /// Why.
        message: String,
    },
}

/// What the destination knows about its namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NamespaceFact {
    /// Nobody looked, because nobody needs it.
    #[default]
    NotAsked,
    /// It is not there.
    Missing,
    /// It is there.
    Live(Box<Object>),
    /// It could not be read.
    Unreadable(String),
}

/// All that a plan is made from.
pub struct Input<'a> {
    /// Targets and live objects, hooks left out of the targets.
    pub resources: Vec<Resource>,
    /// Hooks of the source.
    pub hooks: Vec<Object>,
    /// What was asked for.
    pub operation: &'a SyncOperation,
    /// The revision that is synced; names generated hooks.
    pub revision: &'a str,
    /// When the operation started; names generated hooks.
    pub started_at: Timestamp,
    /// Namespace of the destination.
    pub namespace: &'a str,
    /// The state of that namespace, when [`SyncOptions::create_namespace`] is asked for.
    pub namespace_fact: NamespaceFact,
    /// Labels and annotations the application keeps on that namespace.
    pub managed_namespace_metadata: Option<&'a ManagedNamespaceMetadata>,
    /// Who the application says wrote its objects before they were applied by the server, unless an object says itself.
    pub migration_manager: Option<&'a str>,
    /// Whether a user confirmed what asks for it.
    pub prune_confirmed: bool,
    /// Messages about objects that other applications manage too.
    pub shared: Vec<String>,
    /// How long the operation may run; without an end when nothing is set, as the original's default is.
    pub timeout: Option<SignedDuration>,
    /// How long a custom resource whose controller reports no `observedGeneration` must have been applied
    /// before its health is believed between waves.
    pub settle: SignedDuration,
    /// Results of the attempt so far, where it goes on after a restart. What they tell of is as it should be by then, and is
    /// waited for all the same.
    pub recorded: &'a [ResourceResult],
    /// What the destination knows about a kind.
    pub kinds: &'a dyn Fn(&GroupVersionKind) -> KindFact,
    /// Whether the project permits an object of a kind that is namespaced, or not; the text says why not.
    pub permit: &'a dyn Fn(&Object, bool) -> Result<(), String>,
}

/// Ordered tasks, and what applies to all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// Nothing is to be changed.
    pub dry_run: bool,
    /// Whether a user confirmed what asks for it.
    pub prune_confirmed: bool,
    /// What the operation says of prunes where an object is silent.
    pub prune: ResourceOption,
    /// What becomes of the objects that pruned objects own.
    pub propagation: Propagation,
    /// Whether resources, not only hooks, are waited for between waves.
    pub multi_step: bool,
    /// When the operation started.
    pub started_at: Timestamp,
    /// How long it may run.
    pub timeout: Option<SignedDuration>,
    /// See [`Input::settle`].
    pub settle: SignedDuration,
}

/// Why nothing can be done. The operation ends with [`PlanError::phase`] and the error's text.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Other applications manage some of the objects, and the options forbid that.
    #[error("Shared resource found: {}", .0.join(", "))]
    Shared(Vec<String>),
    /// Some tasks cannot be done.
    #[error("one or more synchronization tasks are not valid: {message}")]
    Invalid {
        /// What is wrong, each thing once.
        message: String,
        /// One result for each such task.
        results: Vec<ResourceResult>,
    },
}

impl PlanError {
    /// How the operation ends.
    pub fn phase(&self) -> OperationPhase {
        OperationPhase::Failed
    }

    /// What the operation's result lists.
    pub fn results(&self) -> Vec<ResourceResult> {
        match self {
            Self::Shared(_) => Vec::new(),
            Self::Invalid { results, .. } => results.clone(),
        }
    }
}

/// Plans an operation.
pub fn plan(input: Input<'_>) -> Result<Plan, PlanError> {
    let options = SyncOptions::parse(&input.operation.sync_options);
    if options.fail_on_shared_resource && !input.shared.is_empty() {
        return Err(PlanError::Shared(input.shared));
    }
    let strategy = input.operation.sync_strategy.as_ref();
    let apply = strategy.and_then(|strategy| strategy.apply.as_ref());
    let hook = strategy.and_then(|strategy| strategy.hook.as_ref());
    let force = options.force
        || apply.is_some_and(|apply| apply.force)
        || hook.is_some_and(|hook| hook.sync_strategy_apply.force);
    let selective = !input.operation.resources.is_empty();
    let targets = input.resources.iter().filter_map(|resource| resource.target.as_ref());
    let mut planner = Planner {
        force,
        options,
        defined: defined_kinds(targets.chain(&input.hooks)),
        invalid: Vec::new(),
        tasks: Vec::new(),
        input: &input,
    };
    planner.add_resources();
    if !(selective || apply.is_some()) {
        planner.add_hooks();
    }
    let counted = planner.tasks.len();
    if planner.options.create_namespace && !input.namespace.is_empty() {
        planner.add_namespace();
    }
    planner.check();
    let namespace_only_created =
        planner.tasks.len() > counted && planner.tasks.last().is_some_and(|task| task.live.is_none());
    let Planner { options, invalid, mut tasks, .. } = planner;
    if !invalid.is_empty() {
        return Err(invalid_tasks(invalid));
    }
    reverse_prune_waves(&mut tasks);
    prune_last(&mut tasks, &options);
    sort(&mut tasks);
    let multi_step = is_multi_step(&tasks, namespace_only_created);
    if options.apply_out_of_sync_only {
        drop_synced(&mut tasks, &input.resources, input.recorded);
    }
    Ok(Plan {
        tasks,
        dry_run: input.operation.dry_run,
        prune_confirmed: input.prune_confirmed,
        prune: options.prune,
        propagation: options.propagation,
        multi_step,
        started_at: input.started_at,
        timeout: input.timeout.filter(SignedDuration::is_positive),
        settle: input.settle,
    })
}

impl Plan {
    /// Whether what is live may be gone when a task's turn comes, so that a change which is refused because of it may be possible
    /// then: it is made anew, or it is a hook, or comes after hooks, which are there to make room.
    pub fn may_have_room(&self, id: TaskId) -> bool {
        let Some(task) = self.tasks.get(id.0) else { return false };
        let after_hooks = || self.tasks.iter().take(id.0.saturating_add(1)).any(Task::is_hook);
        task.is_made_anew() || (task.live.is_some() && after_hooks())
    }

    /// Why a prune is left undone, now that its object looks like this; nothing when it goes on. The plan may be hours old.
    /// `confirmed` says whether a user confirmed since.
    pub fn keeps(&self, live: &Object, task: &Task, confirmed: bool) -> Option<&'static str> {
        let confirmed = confirmed || self.prune_confirmed || task.prune == Some(Prune::Confirm);
        let hook = is_hook(live) || sync_phases(live).is_empty();
        match ResourceOption::prune_of(live, self.prune) {
            ResourceOption::Deny => Some("ignored (no prune)"),
            ResourceOption::Confirm if !confirmed => Some("ignored (requires confirmation)"),
            _ => hook.then_some("ignored (is a hook now)"),
        }
    }
}

struct Planner<'a> {
    input: &'a Input<'a>,
    options: SyncOptions,
    force: bool,
    /// Kinds that CRDs of this plan define, and whether they are namespaced.
    defined: BTreeMap<String, bool>,
    invalid: Vec<(Task, String, String)>,
    tasks: Vec<Task>,
}

impl Planner<'_> {
    fn add_resources(&mut self) {
        let wanted: BTreeSet<ResourceKey> = self.wanted_keys();
        let wanted_uids: BTreeSet<&str> = self
            .input
            .resources
            .iter()
            .filter(|resource| resource.target.is_some())
            .filter_map(|resource| Some(resource.live.as_ref()?.uid()).filter(|uid| !uid.is_empty()))
            .collect();
        for resource in &self.input.resources {
            if !self.is_selected(resource) {
                continue;
            }
            match (&resource.target, &resource.live) {
                (Some(target), live) => {
                    if is_hook(target) {
                        continue;
                    }
                    for phase in sync_phases(target) {
                        let task = self.task(&self.placed(target), live.clone(), phase, None);
                        self.tasks.push(task);
                    }
                }
                (None, Some(live)) => {
                    // The same object under another API group, or one the source has after all, is not extraneous.
                    let doubtful = wanted.contains(&live.key()) || wanted_uids.contains(live.uid());
                    if resource.ours && !doubtful && !is_hook(live) && !sync_phases(live).is_empty() {
                        self.add_prune(live);
                    }
                }
                (None, None) => {}
            }
        }
    }

    fn wanted_keys(&self) -> BTreeSet<ResourceKey> {
        let targets = self.input.resources.iter().filter_map(|resource| resource.target.as_ref());
        targets.chain(&self.input.hooks).map(|target| self.placed(target).key()).collect()
    }

    fn is_selected(&self, resource: &Resource) -> bool {
        let selection = &self.input.operation.resources;
        let Some(object) = resource.live.as_ref().or(resource.target.as_ref()) else { return false };
        selection.is_empty() || selection.iter().any(|wanted| selects(wanted, object, self.input.namespace))
    }

    fn add_hooks(&mut self) {
        for object in &self.input.hooks {
            if is_ignored(object) {
                continue;
            }
            for phase in sync_phases(object) {
                let mut target = object.clone();
                if target.name().is_empty() {
                    let (revision, at) = (self.input.revision, self.input.started_at);
                    let name = generated_name(object.generate_name(), revision, hook_type(phase), at);
                    target.set_name(&name);
                }
                add_hook_finalizer(&mut target);
                let key = self.placed(&target).key();
                let found = self.input.resources.iter().find(|resource| {
                    let live = resource.live.as_ref();
                    live.is_some_and(|live| live.key() == key)
                });
                self.add_hook(&target, found, phase);
            }
        }
    }

    /// Adds one run of a hook. `found` is what has the hook's name: an earlier run, most times.
    fn add_hook(&mut self, target: &Object, found: Option<&Resource>, phase: SyncPhase) {
        let live = found.and_then(|found| found.live.as_ref());
        let placed = self.placed(target);
        let mut task = self.task(&placed, live.cloned(), phase, Some(hook_type(phase)));
        task.own_live = found.is_some_and(|found| found.ours);
        let plain = live.is_some_and(|live| !is_hook(live));
        // Making room for the hook would delete what another application wants to be there.
        if let Some(owner) = found.filter(|_| plain).and_then(|found| found.other_owner.as_ref()) {
            let name = &task.key.name;
            let message = format!(
                "{}/{name} is not run as a hook: an object of this name is part of application {owner}, and no hook there",
                task.gvk.kind
            );
            self.invalid.push((task.clone(), message.clone(), message));
        }
        self.tasks.push(task);
    }

    fn add_namespace(&mut self) {
        let name = self.input.namespace;
        let provided =
            self.input.resources.iter().filter_map(|resource| resource.target.as_ref()).any(|target| {
                target.group().is_empty() && target.kind() == "Namespace" && target.name() == name
            });
        if provided {
            return;
        }
        match namespace_task(name, &self.input.namespace_fact, self.input.managed_namespace_metadata) {
            NamespaceTask::None => {}
            NamespaceTask::Apply { target, live } => {
                let mut task = self.task(&target, live, SyncPhase::PreSync, None);
                task.result_namespace = String::new();
                task.creates_namespace = task.live.is_none();
                self.tasks.push(task);
            }
            NamespaceTask::Failed { target, message } => {
                let mut task = self.task(&target, None, SyncPhase::PreSync, None);
                task.result_namespace = String::new();
                self.invalid.push((task, message.clone(), message));
            }
        }
    }

    fn task(&self, target: &Object, live: Option<Object>, phase: SyncPhase, hook: Option<HookType>) -> Task {
        let key = target.key();
        let result_namespace =
            if key.namespace.is_empty() { self.input.namespace.to_owned() } else { key.namespace.clone() };
        Task {
            phase,
            wave: wave(target),
            hook,
            key,
            result_namespace,
            gvk: target.gvk(),
            write: self.write(target, live.as_ref()),
            validate: self.options.validate && !has_option(target, "Validate=false"),
            skip_dry_run: false,
            prune: None,
            delete_policies: if hook.is_some() {
                delete_policies(target)
            } else {
                HookDeletePolicies::default()
            },
            creates_namespace: false,
            images: images(target),
            target: Some(target.clone()),
            own_live: live.is_some(),
            live,
        }
    }

    fn add_prune(&mut self, live: &Object) {
        let option = ResourceOption::prune_of(live, self.options.prune);
        let prune = match option {
            _ if !self.input.operation.prune => Prune::Skip("ignored (requires pruning)"),
            ResourceOption::Deny => Prune::Skip("ignored (no prune)"),
            ResourceOption::Confirm => Prune::Confirm,
            ResourceOption::Allow => Prune::Delete,
        };
        self.tasks.push(Task {
            phase: SyncPhase::Sync,
            wave: wave(live),
            hook: None,
            target: None,
            key: live.key(),
            result_namespace: live.namespace().to_owned(),
            gvk: live.gvk(),
            write: Write::None,
            validate: false,
            skip_dry_run: false,
            prune: Some(prune),
            delete_policies: HookDeletePolicies::default(),
            creates_namespace: false,
            images: images(live),
            live: Some(live.clone()),
            own_live: true,
        });
    }

    fn write(&self, target: &Object, live: Option<&Object>) -> Write {
        let either =
            |option: &str| has_option(target, option) || live.is_some_and(|live| has_option(live, option));
        let force = self.force || either("Force=true");
        let replace =
            !has_option(target, "Replace=false") && (self.options.replace || either("Replace=true"));
        if replace {
            let keeps_children = target.kind() == "Namespace" || crd_kind(target).is_some();
            return match live {
                None => Write::Create,
                Some(_) if keeps_children => Write::Update,
                Some(_) => Write::Replace { force },
            };
        }
        let server_side = !has_option(target, "ServerSideApply=false")
            && (self.options.server_side_apply || has_option(target, "ServerSideApply=true"));
        if !server_side {
            return Write::Apply { force };
        }
        let migrate = match option_value(target, "ClientSideApplyMigration") {
            Some(value) => value != "false",
            None => self.options.client_side_apply_migration,
        };
        let own = target.annotation(CLIENT_SIDE_APPLY_MIGRATION_MANAGER);
        let manager = [own, self.input.migration_manager].into_iter().flatten().find(|name| !name.is_empty());
        Write::ServerSideApply {
            migrate_from: (migrate && live.is_some())
                .then(|| manager.unwrap_or(DEFAULT_MIGRATION_MANAGER).to_owned()),
        }
    }

    /// The target with the namespace it belongs into: none for cluster-scoped kinds, else its own or the
    /// destination's.
    fn placed(&self, target: &Object) -> Object {
        let mut placed = target.clone();
        let namespaced = match (self.input.kinds)(&target.gvk()) {
            KindFact::Served { namespaced } => namespaced,
            _ => {
                let kind = format!("{}/{}", target.group(), target.kind());
                self.defined.get(&kind).copied().unwrap_or(true)
            }
        };
        if !namespaced {
            placed.set_namespace("");
        } else if placed.namespace().is_empty() {
            placed.set_namespace(self.input.namespace);
        }
        placed
    }

    /// Asks the destination and the project about every task.
    fn check(&mut self) {
        let mut tasks = std::mem::take(&mut self.tasks);
        for task in &mut tasks {
            let Some(object) = task.target.as_ref().or(task.live.as_ref()) else { continue };
            let kind = format!("{}/{}", task.gvk.group, task.gvk.kind);
            match (self.input.kinds)(&task.gvk) {
                KindFact::Served { namespaced } => {
                    if let Err(reason) = (self.input.permit)(object, namespaced) {
                        self.invalid.push((task.clone(), reason.clone(), reason));
                    }
                }
                KindFact::NotServed { group, instead } => {
                    let comes = self.defined.contains_key(&kind);
                    let lenient = self.options.skip_dry_run_on_missing_resource
                        || has_option(object, "SkipDryRunOnMissingResource=true");
                    if task.target.is_some() && (comes || lenient) {
                        let namespaced = self.defined.get(&kind).copied().unwrap_or(true);
                        if let Err(reason) = (self.input.permit)(object, namespaced) {
                            self.invalid.push((task.clone(), reason.clone(), reason));
                        }
                        task.skip_dry_run = true;
                        continue;
                    }
                    let (operation, resource) = not_served(task, group, instead.as_ref());
                    self.invalid.push((task.clone(), operation, resource));
                }
                KindFact::Unknown { message } => {
                    self.invalid.push((task.clone(), message.clone(), message));
                }
            }
        }
        self.tasks = tasks;
    }
}

/// The words for a kind nobody serves: for the operation, and for the resource.
fn not_served(task: &Task, in_group: bool, instead: Option<&GroupVersionKind>) -> (String, String) {
    let GroupVersionKind { group, version, kind } = &task.gvk;
    if in_group {
        let dot = if group.is_empty() { "" } else { "." };
        let missing = format!("{kind}{dot}{group} \"\" not found");
        return (missing.clone(), missing);
    }
    let (namespace, name) = (&task.result_namespace, &task.key.name);
    let operation = format!(
        "failed to discover server resources for group version {}: the server could not find the requested resource",
        task.gvk.api_version()
    );
    let resource = match instead {
        None => format!(
            "The Kubernetes API could not find {group}/{kind} for requested resource {namespace}/{name}. \
             Make sure the {kind:?} CRD is installed on the destination cluster."
        ),
        Some(GroupVersionKind { group: other, version: served, .. }) => format!(
            "The Kubernetes API could not find version {version:?} of {group}/{kind} for requested resource \
             {namespace}/{name}. Version {served:?} of {other}/{kind} is installed on the destination cluster."
        ),
    };
    (operation, resource)
}

fn invalid_tasks(mut invalid: Vec<(Task, String, String)>) -> PlanError {
    invalid.sort_by(|left, right| {
        let rank =
            |task: &Task| (task.phase, task.wave, crate::order::kind_rank(&task.gvk.kind), task.key.clone());
        rank(&left.0).cmp(&rank(&right.0))
    });
    let mut messages: Vec<String> = Vec::new();
    let mut results = Vec::new();
    for (task, operation, resource) in invalid {
        if !messages.contains(&operation) {
            messages.push(operation);
        }
        results.push(result(&task, Some(ResultCode::SyncFailed), None, &resource));
    }
    PlanError::Invalid { message: messages.join(", "), results }
}

/// The kinds that CustomResourceDefinitions among the targets define, as `group/kind`, and whether they are namespaced.
pub fn defined_kinds<'a>(targets: impl IntoIterator<Item = &'a Object>) -> BTreeMap<String, bool> {
    let scoped = |target: &Object| Some((crd_kind(target)?, target.text_at(&["spec", "scope"]) != "Cluster"));
    targets.into_iter().filter_map(scoped).collect()
}

fn selects(wanted: &SyncOperationResource, object: &Object, namespace: &str) -> bool {
    let same_namespace = wanted.namespace.is_empty()
        || object.namespace() == wanted.namespace
        || (object.namespace().is_empty() && wanted.namespace == namespace);
    wanted.kind == object.kind()
        && wanted.group == object.group()
        && wanted.name == object.name()
        && same_namespace
}

fn hook_type(phase: SyncPhase) -> HookType {
    match phase {
        SyncPhase::PreSync => HookType::PreSync,
        SyncPhase::Sync => HookType::Sync,
        SyncPhase::PostSync => HookType::PostSync,
        SyncPhase::SyncFail => HookType::SyncFail,
    }
}

fn add_hook_finalizer(target: &mut Object) {
    if target.finalizers().contains(&HOOK_FINALIZER) {
        return;
    }
    let mut finalizers: Vec<Value> = target.finalizers().into_iter().map(Value::from).collect();
    finalizers.push(HOOK_FINALIZER.into());
    target.metadata_mut().insert("finalizers".into(), Value::Array(finalizers));
}

/// What was made last goes first: the lowest wave of the prunes trades places with the highest, and so on.
fn reverse_prune_waves(tasks: &mut [Task]) {
    let waves: BTreeSet<i64> = tasks.iter().filter(|task| task.is_prune()).map(|task| task.wave).collect();
    let reversed: BTreeMap<i64, i64> = waves.iter().copied().zip(waves.iter().rev().copied()).collect();
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        task.wave = reversed.get(&task.wave).copied().unwrap_or(task.wave);
    }
}

/// `PruneLast=true`: one wave after everything else.
fn prune_last(tasks: &mut [Task], options: &SyncOptions) {
    let sync = tasks.iter().filter(|task| task.phase == SyncPhase::Sync);
    let last = sync.map(|task| task.wave).max().unwrap_or(0).max(0).saturating_add(1);
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        let asks = task.live.as_ref().is_some_and(|live| has_option(live, "PruneLast=true"));
        if options.prune_last || asks {
            task.wave = last;
        }
    }
}

fn is_multi_step(tasks: &[Task], namespace_only_created: bool) -> bool {
    let mut counted = tasks.iter().filter(|task| !(namespace_only_created && task.creates_namespace));
    let Some(first) = counted.next() else { return false };
    counted.any(|task| (task.phase, task.wave) != (first.phase, first.wave))
}

/// `ApplyOutOfSyncOnly=true`: what is as it should be gets no task, unless it was made so by this attempt.
fn drop_synced(tasks: &mut Vec<Task>, resources: &[Resource], recorded: &[ResourceResult]) {
    let synced: BTreeSet<ResourceKey> = resources
        .iter()
        .filter(|resource| resource.target.is_some() && !resource.modified)
        .filter_map(|resource| Some(resource.live.as_ref()?.key()))
        .collect();
    tasks.retain(|task| {
        let stays = task.is_hook() || task.is_prune() || task.live.is_none() || !synced.contains(&task.key);
        stays || recorded.iter().any(|entry| is_result_of(entry, task))
    });
}
