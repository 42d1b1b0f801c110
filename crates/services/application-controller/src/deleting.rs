//! Deleting an application: what there is to delete is looked up, and what was decided is done.

use crate::Controller;
use crate::clusters::{Cache, Destination};
use crate::comparing::{Question, not_synchronized, require_what_was};
use crate::effects::{live_state, release_hook};
use crate::operating::permit;
use crate::queue::Key;
use crate::situation::Situation;
use api::codes::{ConditionType, HealthStatusCode, HookType, RefreshType};
use api::names::{POST_DELETE_FINALIZER, PRE_DELETE_FINALIZER, REFRESH, RESOURCES_FINALIZER};
use api::v1alpha1::{Application, ApplicationCondition};
use kubernetes::{ApiResource, ApplyOptions, Cluster, DeleteOptions, Method};
use object::Object;
use reconcile::{
    Action, BrokenHook, CompareWith, DeleteObject, Deletion, HookRun, Managed, Observed, decide,
    hooks_to_clean, refresh_revisions,
};
use std::sync::Arc;
use store::StoreError;
use sync::Propagation;

/// What was found of an application that is being deleted.
struct Found {
    destination: Option<(Situation, Destination)>,
    known: bool,
    objects: Result<Vec<Object>, String>,
}

impl Controller {
    /// Looks at an application that is being deleted and takes the next step.
    pub(crate) async fn look_at_deletion(
        self: &Arc<Self>,
        key: &Key,
        application: &Application,
    ) -> Result<(), StoreError> {
        let found = self.find_what_is_left(application).await;
        let hooks = self.hook_runs(application, &found).await;
        let deletion = Deletion {
            destination_is_known: found.known,
            objects: match &found.objects {
                Ok(objects) => Ok(objects
                    .iter()
                    .map(|object| Managed {
                        object,
                        is_application: object.uid() == application.metadata.uid,
                    })
                    .collect()),
                Err(reason) => Err(reason.clone()),
            },
            pre_delete: hooks.pre_delete,
            pre_delete_cleanup: hooks.pre_delete_cleanup,
            post_delete: hooks.post_delete,
            post_delete_cleanup: hooks.post_delete_cleanup,
        };
        let settings = self.decision_settings();
        let actions = {
            let running = self.memories().with(key, |memory| memory.operation.clone());
            let observed = Observed {
                application,
                settings: &settings,
                cluster_is_skipped: self.is_cluster_skipped(application),
                jitter: jiff::SignedDuration::ZERO,
                requested: None,
                refreshed_at: None,
                refreshed_spec: None,
                comparison: None,
                running: running.as_ref().map(crate::memory::OperationHandle::running),
                window_open: true,
                operation_window_open: true,
                window_changes_at: None,
                deletion: Some(&deletion),
            };
            decide(&observed, self.now())
        };
        let runs_hooks = actions.iter().any(|action| matches!(action, Action::RunHooks { .. }));
        let mut current = application.clone();
        for action in actions {
            current = self.act_once(key, current, action).await?;
        }
        if application.metadata.annotations.contains_key(REFRESH) {
            match self.store().acknowledge_refresh(application).await {
                // It went with the last finalizer.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        match &found.destination {
            Some((situation, _)) if runs_hooks => self.show_deletion(key, &current, situation).await,
            _ => Ok(()),
        }
    }

    /// Live objects with the application's mark, those its project does not permit left out. Git is not asked.
    async fn find_what_is_left(&self, application: &Application) -> Found {
        let nothing = |known, objects| Found { destination: None, known, objects };
        let situation = match self.deletion_situation(application) {
            Ok(Some(situation)) => situation,
            Ok(None) => return nothing(false, Ok(Vec::new())),
            Err(reason) => return nothing(true, Err(reason)),
        };
        let destination = match self.destination(&situation).await {
            Ok(destination) => destination,
            Err(reason) => {
                return nothing(true, Err(not_synchronized(&situation.cluster.server, &reason)));
            }
        };
        let instance = situation.instance.as_str();
        // What was not seen would stay for ever, and nobody would be told: no kind may be outstanding.
        if let Err(error) = destination.cache.all_listed().await {
            return nothing(true, Err(error.to_string()));
        }
        let objects = match destination.cache.managed(instance) {
            Ok(objects) => objects,
            Err(error) => return nothing(true, Err(error.to_string())),
        };
        // What is left of a kind that nobody has seen yet would stay for ever.
        if let Err(error) = require_what_was(application, &destination.cache) {
            return nothing(true, Err(error.to_string()));
        }
        for kind in objects.keys().map(object::ResourceKey::group_kind) {
            if let Err(error) = destination.cache.require(&kind) {
                return nothing(true, Err(error.to_string()));
            }
        }
        let own = objects.into_values().filter(|object| {
            self.is_own(&situation, object)
                && project::permits_live(
                    &situation.project,
                    object,
                    &situation.cluster,
                    &situation.own_clusters,
                )
        });
        let objects = own.collect();
        Found { destination: Some((situation, destination)), known: true, objects: Ok(objects) }
    }

    /// Does one thing of a deletion.
    pub(crate) async fn act_on_deletion(
        self: &Arc<Self>,
        key: &Key,
        application: Application,
        action: Action,
    ) -> Result<Application, StoreError> {
        if let Action::RemoveFinalizer { finalizer } = action {
            tracing::info!(application = %key, finalizer, "finalizer removed");
            self.store().remove_finalizer(&application, finalizer).await?;
            return Ok(application);
        }
        match self.try_deletion(key, &application, action).await {
            Ok(()) => Ok(application),
            Err(reason) => {
                tracing::warn!(application = %key, reason, "delete");
                let condition = project::condition(ConditionType::DeletionError, reason, self.now());
                self.set_conditions(application, &[condition], &[ConditionType::DeletionError]).await
            }
        }
    }

    /// Does one thing of a deletion, to all objects it is about; what went wrong with the first of them comes back.
    async fn try_deletion(&self, key: &Key, application: &Application, action: Action) -> Result<(), String> {
        let Some(situation) = self.deletion_situation(application)? else { return Ok(()) };
        let destination = self.destination(&situation).await?;
        let cache = &destination.cache;
        let acting = self.acting(application, &situation, &destination);
        let cluster = &acting.map_err(|reason| format!("cannot apply impersonation: {reason}"))?;
        let mut failed = None;
        let mut note = |object: &DeleteObject, done: Result<(), kubernetes::Error>| {
            if let Err(error) = done {
                tracing::warn!(application = %key, object = %object.key, %error, "delete");
                failed.get_or_insert(format!("failed to delete {}: {}", object.key, error.message()));
            }
        };
        match action {
            Action::DeleteObjects { objects, propagation } => {
                for object in objects {
                    tracing::info!(application = %key, object = %object.key, "deleted with its application");
                    note(&object, delete(cache, cluster, &object, propagation).await);
                }
            }
            Action::DropHooks { objects } => {
                for object in objects {
                    tracing::info!(application = %key, hook = %object.key, "failed hook deleted, to be made again");
                    note(&object, delete(cache, cluster, &object, Propagation::Background).await);
                }
            }
            Action::ReleaseHooks { objects } => {
                for object in objects {
                    note(&object, release_hook(cluster, &object.key, &object.gvk, &object.uid).await);
                }
            }
            Action::RunHooks { hook } => {
                return self.run_hooks(application, &situation, (cache, cluster), hook).await;
            }
            Action::CleanHooks { hook } => {
                let live = self.find_what_is_left(application).await.objects?;
                for object in hooks_to_clean(&self.live_hooks(&live, hook)) {
                    tracing::info!(application = %key, hook = %object.key, "hook deleted by its policy");
                    note(&object, delete(cache, cluster, &object, Propagation::Background).await);
                }
            }
            _ => {}
        }
        failed.map_or(Ok(()), Err)
    }

    /// Makes the hooks that are not there. One that the project does not permit is not made, nor is any other then.
    async fn run_hooks(
        &self,
        application: &Application,
        situation: &Situation,
        (cache, cluster): (&Cache, &Cluster),
        hook: HookType,
    ) -> Result<(), String> {
        let mut missing = Vec::new();
        for target in self.hooks(application, situation, hook).await? {
            let key = target.key();
            let known = cache.get_live(&target.gvk(), &key.namespace, &key.name).await;
            if known.map_err(|error| error.to_string())?.is_none() {
                let resource = permitted(cluster, situation, hook, &target).await?;
                missing.push((resource, target));
            }
        }
        for (resource, target) in missing {
            let options = ApplyOptions { method: Method::Create, ..ApplyOptions::default() };
            match cluster.apply(&resource, &target, &options).await {
                Ok(applied) => cache.observe(&applied.object),
                Err(error) if error.is_already_exists() => {}
                Err(error) => {
                    return Err(format!(
                        "failed to create {hook} hook {}: {}",
                        target.key(),
                        error.message()
                    ));
                }
            }
        }
        Ok(())
    }

    /// How far the hooks of a type are.
    async fn hook_state(
        &self,
        destination: &Destination,
        situation: &Situation,
        hook: HookType,
        hooks: &[Object],
    ) -> HookRun {
        let (cache, mut ran) = (&destination.cache, HookRun::Done);
        let (mut broken, mut stuck) = (Vec::new(), Vec::new());
        for target in hooks {
            let key = target.key();
            match cache.get_live(&target.gvk(), &key.namespace, &key.name).await {
                Ok(None) => match permitted(cache.cluster(), situation, hook, target).await {
                    Ok(_) => ran = HookRun::Pending,
                    Err(reason) => return HookRun::Failed(reason),
                },
                Ok(Some(live)) if !self.is_own(situation, &live) => {
                    return HookRun::Failed(format!(
                        "hook {key} cannot be made: an object of this name is there that is not the application's"
                    ));
                }
                Ok(Some(live)) => match live_state(&live, &self.rules().checks).health {
                    // One that is going already is made again when it is gone.
                    Some(health) if health.status == HealthStatusCode::Degraded => {
                        broken.push(BrokenHook::of(&live, health.message));
                    }
                    // Nothing but people brings these on: they are told.
                    Some(health)
                        if matches!(
                            health.status,
                            HealthStatusCode::Suspended | HealthStatusCode::Unknown
                        ) =>
                    {
                        stuck.push(format!("{key} is {}", health.status));
                    }
                    Some(health) if health.status != HealthStatusCode::Healthy => ran = HookRun::Pending,
                    _ => {}
                },
                Err(error) => return HookRun::Failed(error.to_string()),
            }
        }
        match ran {
            _ if !broken.is_empty() => HookRun::Broken(broken),
            HookRun::Done if !stuck.is_empty() => {
                HookRun::Failed(format!("waiting for {hook} hook(s): {}", stuck.join(", ")))
            }
            _ => ran,
        }
    }

    /// Those of an application's live objects that are hooks of this type, with their health. The source is not asked:
    /// it may be gone, and what it no longer holds is to go as well.
    fn live_hooks(&self, objects: &[Object], hook: HookType) -> Vec<(Object, Option<HealthStatusCode>)> {
        let rules = self.rules();
        let hooks = objects.iter().filter(|object| sync::is_delete_hook(object, hook));
        let health = |live: &Object| live_state(live, &rules.checks).health.map(|health| health.status);
        hooks.map(|live| (live.clone(), health(live))).collect()
    }

    /// Whether an object carries the mark of the application, made for this very object.
    fn is_own(&self, situation: &Situation, object: &Object) -> bool {
        let rules = self.rules();
        let tracking = &rules.tracking;
        let owner = object::owner_application(
            object,
            tracking.method,
            &tracking.label_key,
            &tracking.installation_id,
        );
        owner.is_some_and(|owner| owner.as_str() == situation.instance.as_str())
    }

    /// The hooks of a type, from the sources: the only thing of a deletion that is. What the project does not permit is
    /// not rendered.
    async fn hooks(
        &self,
        application: &Application,
        situation: &Situation,
        hook: HookType,
    ) -> Result<Vec<Object>, String> {
        if let Err(problems) = self.situation(application, self.now()) {
            let texts: Vec<&str> = problems.iter().map(|condition| condition.message.as_str()).collect();
            return Err(texts.join("; "));
        }
        // What failed as it was synced may have been mended since.
        let failed =
            |condition: &ApplicationCondition| condition.r#type.parse() == Ok(ConditionType::DeletionError);
        let compare_with = match application.status.conditions.iter().any(failed) {
            // Who asks to look again means what is there now, and not what was listed a while ago.
            true if application.metadata.annotations.contains_key(REFRESH) => CompareWith::LatestForceResolve,
            true => CompareWith::Latest,
            false => CompareWith::Recent,
        };
        let revisions = refresh_revisions(application, compare_with);
        let question = Question {
            sources: application.spec.effective_sources(),
            revisions,
            level: RefreshType::Normal,
            compare_with,
            manifests: None,
        };
        let compared = self.compare(application, situation, question, self.now()).await;
        if compared.comparison.failed {
            let texts: Vec<&str> =
                compared.conditions.iter().map(|condition| condition.message.as_str()).collect();
            return Err(texts.join("; "));
        }
        let hooks = match hook {
            HookType::PreDelete => compared.comparison.pre_delete_hooks,
            _ => compared.comparison.post_delete_hooks,
        };
        let mark = (&situation.instance, situation.rules.tracking.mark());
        reconcile::named_delete_hooks(application, mark, hooks, hook)
    }

    async fn hook_runs(&self, application: &Application, found: &Found) -> HookRuns {
        let has = |finalizer: &str| application.metadata.finalizers.iter().any(|name| name == finalizer);
        // What comes later is not looked for yet: that would render.
        let objects_remain =
            application.metadata.finalizers.iter().any(|name| name.starts_with(RESOURCES_FINALIZER));
        let is_early = |hook| hook == HookType::PostDelete && (has(PRE_DELETE_FINALIZER) || objects_remain);
        let is_due = |hook, finalizer| has(finalizer) && !is_early(hook);
        let run = async |hook, finalizer| match (is_due(hook, finalizer), &found.destination, &found.objects)
        {
            (false, ..) => HookRun::Pending,
            (true, Some((situation, destination)), Ok(_)) => {
                match self.hooks(application, situation, hook).await {
                    Ok(hooks) => self.hook_state(destination, situation, hook, &hooks).await,
                    Err(reason) => HookRun::Failed(reason),
                }
            }
            (true, _, Err(reason)) => HookRun::Failed(reason.clone()),
            (true, None, Ok(_)) => HookRun::Done,
        };
        let cleanup = |hook| match &found.objects {
            Ok(objects) if hooks_to_clean(&self.live_hooks(objects, hook)).is_empty() => HookRun::Done,
            Ok(_) => HookRun::Pending,
            Err(reason) => HookRun::Failed(reason.clone()),
        };
        HookRuns {
            pre_delete: run(HookType::PreDelete, PRE_DELETE_FINALIZER).await,
            pre_delete_cleanup: cleanup(HookType::PreDelete),
            post_delete: run(HookType::PostDelete, POST_DELETE_FINALIZER).await,
            post_delete_cleanup: cleanup(HookType::PostDelete),
        }
    }
}

struct HookRuns {
    pre_delete: HookRun,
    pre_delete_cleanup: HookRun,
    post_delete: HookRun,
    post_delete_cleanup: HookRun,
}

/// The kind of a hook, where the project permits the hook. What the destination serves says whether it has a namespace,
/// not what the hook says of itself.
async fn permitted(
    cluster: &Cluster,
    situation: &Situation,
    hook: HookType,
    target: &Object,
) -> Result<ApiResource, String> {
    let key = target.key();
    let resource = cluster
        .resource(&target.gvk())
        .await
        .map_err(|error| format!("failed to determine scope of {hook} hook {key}: {}", error.message()))?;
    permit(situation, target, resource.namespaced)
        .map_err(|reason| format!("{hook} hook {key} is not permitted: {reason}"))?;
    Ok(resource)
}

async fn delete(
    cache: &Cache,
    cluster: &Cluster,
    object: &DeleteObject,
    propagation: Propagation,
) -> Result<(), kubernetes::Error> {
    let resource = cluster.resource(&object.gvk).await?;
    let propagation = match propagation {
        Propagation::Foreground => kubernetes::Propagation::Foreground,
        Propagation::Background => kubernetes::Propagation::Background,
        Propagation::Orphan => kubernetes::Propagation::Orphan,
    };
    let options = DeleteOptions {
        propagation: Some(propagation),
        uid: Some(object.uid.clone()).filter(|uid| !uid.is_empty()),
        ..DeleteOptions::default()
    };
    let key = &object.key;
    match cluster.delete(&resource, &key.namespace, &key.name, &options).await {
        Ok(Some(left)) => cache.observe(&left),
        Ok(None) => {}
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
