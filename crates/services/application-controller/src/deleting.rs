//! Deleting an application: what there is to delete is looked up, and what was decided is done.

use crate::Controller;
use crate::clusters::{Cache, Destination};
use crate::comparing::Question;
use crate::effects::{live_state, release_hook};
use crate::queue::Key;
use crate::situation::Situation;
use api::codes::{ConditionType, HealthStatusCode, HookType, RefreshType};
use api::names::{
    POST_DELETE_CLEANUP_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER, PRE_DELETE_FINALIZER,
};
use api::v1alpha1::{Application, ApplicationCondition};
use kubernetes::{ApplyOptions, Cluster, DeleteOptions, Method};
use object::Object;
use reconcile::{
    Action, BrokenHook, CompareWith, DeleteObject, Deletion, HookRun, Managed, Observed, decide,
    hooks_to_clean, refresh_revisions, spec_sources,
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
            Err(reason) => return nothing(true, Err(reason)),
        };
        let instance = situation.instance.as_str();
        let objects = match destination.cache.managed(instance) {
            Ok(objects) => objects,
            Err(error) => return nothing(true, Err(error.to_string())),
        };
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
        let Ok(Some(situation)) = self.deletion_situation(&application) else { return Ok(application) };
        let Ok(destination) = self.destination(&situation).await else { return Ok(application) };
        let cache = &destination.cache;
        let cluster = match self.acting(&application, &situation, &destination) {
            Ok(cluster) => cluster,
            Err(reason) => {
                tracing::warn!(application = %key, reason, "delete");
                return Ok(application);
            }
        };
        let cluster = &cluster;
        match action {
            Action::DeleteObjects { objects, propagation } => {
                for object in objects {
                    tracing::info!(application = %key, object = %object.key, "deleted with its application");
                    if let Err(error) = delete(cache, cluster, &object, propagation).await {
                        tracing::warn!(application = %key, object = %object.key, %error, "delete");
                    }
                }
            }
            Action::DropHooks { objects } => {
                for object in objects {
                    tracing::info!(application = %key, hook = %object.key, "failed hook deleted, to be made again");
                    if let Err(error) = delete(cache, cluster, &object, Propagation::Background).await {
                        tracing::warn!(application = %key, hook = %object.key, %error, "delete hook");
                    }
                }
            }
            Action::ReleaseHooks { objects } => {
                for object in objects {
                    if let Err(error) = release_hook(cluster, &object.key, &object.gvk, &object.uid).await {
                        tracing::warn!(application = %key, object = %object.key, %error, "release hook");
                    }
                }
            }
            Action::RunHooks { hook } => {
                self.run_hooks(&application, &situation, (cache, cluster), hook).await;
            }
            Action::CleanHooks { hook } => {
                self.clean_hooks(&application, &situation, (cache, cluster), hook).await;
            }
            _ => {}
        }
        Ok(application)
    }

    async fn run_hooks(
        &self,
        application: &Application,
        situation: &Situation,
        (cache, cluster): (&Cache, &Cluster),
        hook: HookType,
    ) {
        for target in self.hooks(application, situation, hook).await.unwrap_or_default() {
            let key = target.key();
            let known = cache.get_live(&target.gvk(), &key.namespace, &key.name).await;
            if !matches!(known, Ok(None)) {
                continue;
            }
            let made = async {
                let resource = cluster.resource(&target.gvk()).await?;
                let options = ApplyOptions { method: Method::Create, ..ApplyOptions::default() };
                cluster.apply(&resource, &target, &options).await
            };
            match made.await {
                Ok(applied) => cache.observe(&applied.object),
                Err(error) => tracing::warn!(object = %key, %error, "run hook"),
            }
        }
    }

    async fn clean_hooks(
        &self,
        application: &Application,
        situation: &Situation,
        (cache, cluster): (&Cache, &Cluster),
        hook: HookType,
    ) {
        let hooks = self.hooks(application, situation, hook).await.unwrap_or_default();
        let Ok(live) = self.live_hooks(cache, situation, &hooks).await else { return };
        for object in hooks_to_clean(&live) {
            if let Err(error) = delete(cache, cluster, &object, Propagation::Background).await {
                tracing::warn!(object = %object.key, %error, "delete hook");
            }
        }
    }

    /// Whether hooks have run, and whether those are gone that are to go.
    async fn hook_state(&self, cache: &Cache, situation: &Situation, hooks: &[Object]) -> (HookRun, HookRun) {
        let both = |reason: String| (HookRun::Failed(reason.clone()), HookRun::Failed(reason));
        let mut ran = HookRun::Done;
        let mut broken = Vec::new();
        for hook in hooks {
            let key = hook.key();
            match cache.get_live(&hook.gvk(), &key.namespace, &key.name).await {
                Ok(None) => ran = HookRun::Pending,
                Ok(Some(live)) if !self.is_own(situation, &live) => {
                    return both(format!(
                        "hook {key} cannot be made: an object of this name is there that is not the application's"
                    ));
                }
                Ok(Some(live)) => match live_state(&live, &self.rules().checks).health {
                    // One that is going already is made again when it is gone.
                    Some(health) if health.status == HealthStatusCode::Degraded => {
                        broken.push(BrokenHook::of(&live, health.message));
                    }
                    Some(health) if health.status != HealthStatusCode::Healthy => ran = HookRun::Pending,
                    _ => {}
                },
                Err(error) => return both(error.to_string()),
            }
        }
        if !broken.is_empty() {
            ran = HookRun::Broken(broken);
        }
        let cleaned = match self.live_hooks(cache, situation, hooks).await {
            Ok(live) if hooks_to_clean(&live).is_empty() => HookRun::Done,
            Ok(_) => HookRun::Pending,
            Err(reason) => HookRun::Failed(reason),
        };
        (ran, cleaned)
    }

    /// Hooks as they are live, with their health. What only bears a hook's name is not the application's, and not among
    /// them.
    async fn live_hooks(
        &self,
        cache: &Cache,
        situation: &Situation,
        hooks: &[Object],
    ) -> Result<Vec<(Object, Option<HealthStatusCode>)>, String> {
        let checks = &self.rules().checks;
        let mut found = Vec::new();
        for hook in hooks {
            let key = hook.key();
            let live = cache.get_live(&hook.gvk(), &key.namespace, &key.name).await;
            let live = live.map_err(|error| error.to_string())?;
            if let Some(live) = live.filter(|live| self.is_own(situation, live)) {
                let health = live_state(&live, checks).health.map(|health| health.status);
                found.push((live, health));
            }
        }
        Ok(found)
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

    /// The hooks of a type, from the sources: the only thing of a deletion that is.
    async fn hooks(
        &self,
        application: &Application,
        situation: &Situation,
        hook: HookType,
    ) -> Result<Vec<Object>, String> {
        // What failed as it was synced may have been mended since.
        let failed =
            |condition: &ApplicationCondition| condition.r#type.parse() == Ok(ConditionType::DeletionError);
        let revisions = if application.status.conditions.iter().any(failed) {
            refresh_revisions(application, CompareWith::Latest)
        } else {
            vec![application.status.sync.revision.clone()]
        };
        let question = Question {
            sources: spec_sources(application),
            revisions,
            level: RefreshType::Normal,
            compare_with: CompareWith::Recent,
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
        Ok(reconcile::named_delete_hooks(application, hooks, hook))
    }

    async fn hook_runs(&self, application: &Application, found: &Found) -> HookRuns {
        let has = |finalizer: &str| application.metadata.finalizers.iter().any(|name| name == finalizer);
        let mut runs = HookRuns::default();
        let Some((situation, destination)) = &found.destination else { return runs };
        for (hook, run, cleanup) in [
            (HookType::PreDelete, PRE_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER),
            (HookType::PostDelete, POST_DELETE_FINALIZER, POST_DELETE_CLEANUP_FINALIZER),
        ] {
            if !has(run) && !has(cleanup) {
                continue;
            }
            let (ran, cleaned) = match self.hooks(application, situation, hook).await {
                Ok(hooks) => self.hook_state(&destination.cache, situation, &hooks).await,
                Err(reason) => (HookRun::Failed(reason.clone()), HookRun::Failed(reason)),
            };
            if hook == HookType::PreDelete {
                (runs.pre_delete, runs.pre_delete_cleanup) = (ran, cleaned);
            } else {
                (runs.post_delete, runs.post_delete_cleanup) = (ran, cleaned);
            }
        }
        runs
    }
}

#[derive(Default)]
struct HookRuns {
    pre_delete: HookRun,
    pre_delete_cleanup: HookRun,
    post_delete: HookRun,
    post_delete_cleanup: HookRun,
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
