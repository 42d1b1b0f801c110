//! Deleting the application, in the steps the service takes.

use crate::hub::Refused;
use crate::thing::is_namespaced;
use crate::world::World;
use api::codes::{HealthStatusCode, HookType};
use api::names::{HOOK_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_FINALIZER};
use api::v1alpha1::Application;
use jiff::SignedDuration;
use object::Object;
use reconcile::{Action, BrokenHook, Deletion, HookRun, Managed, Observed, decide, hooks_to_clean};
use sync::Propagation;

impl World {
    /// What is to be done about an application that is being deleted.
    pub(crate) fn decide_deletion(&self, application: &Application) -> Vec<Action> {
        let left = self.left();
        let deletion = Deletion {
            destination_is_known: true,
            objects: match &left {
                Ok(left) => Ok(left.iter().map(|object| Managed { object, is_application: false }).collect()),
                Err(reason) => Err(reason.clone()),
            },
            pre_delete: self.hook_run(application, HookType::PreDelete, PRE_DELETE_FINALIZER),
            pre_delete_cleanup: self.cleaned(&left, HookType::PreDelete),
            post_delete: self.hook_run(application, HookType::PostDelete, POST_DELETE_FINALIZER),
            post_delete_cleanup: self.cleaned(&left, HookType::PostDelete),
        };
        let settings = self.settings();
        decide(
            &Observed {
                application,
                settings: &settings,
                cluster_is_skipped: false,
                jitter: SignedDuration::ZERO,
                requested: None,
                refreshed_at: None,
                refreshed_spec: None,
                comparison: None,
                running: self.controller.operation.as_ref().map(|running| running.told),
                window_open: true,
                operation_window_open: true,
                window_changes_at: None,
                deletion: Some(&deletion),
            },
            self.now,
        )
    }

    /// The live objects that are the application's own.
    fn left(&self) -> Result<Vec<Object>, String> {
        let (cache, method) = (&self.controller.cache, self.given.tracking.method);
        if self.api.down {
            return Err("the destination cannot be reached".into());
        }
        let managed = cache.managed(&self.given.instance, method)?;
        managed.keys().try_for_each(|key| cache.require(&key.kind))?;
        let own = managed.into_values().filter(|object| self.is_own(object) && self.permits_live(object));
        Ok(own.collect())
    }

    fn hooks(&self, application: &Application, hook: HookType) -> Result<Vec<Object>, String> {
        if let Some(reason) = self.refusal(application) {
            return Err(reason);
        }
        let compared =
            self.compare(application, self.load(std::slice::from_ref(&application.status.sync.revision)));
        if compared.comparison.failed {
            return Err("the hooks are not known".into());
        }
        let hooks = match hook {
            HookType::PreDelete => compared.comparison.pre_delete_hooks,
            _ => compared.comparison.post_delete_hooks,
        };
        let mark = (&self.given.instance, self.given.tracking.mark());
        reconcile::named_delete_hooks(application, mark, hooks, hook)
    }

    fn hook_run(&self, application: &Application, hook: HookType, finalizer: &str) -> HookRun {
        if !application.metadata.finalizers.iter().any(|known| known == finalizer) {
            return HookRun::Pending;
        }
        let hooks = match self.hooks(application, hook) {
            Ok(hooks) => hooks,
            Err(reason) => return HookRun::Failed(reason),
        };
        let mut ran = HookRun::Done;
        let mut broken = Vec::new();
        for hook in &hooks {
            match self.api.read(&hook.key()) {
                Err(failure) => return HookRun::Failed(failure.message),
                Ok(None) => match self.permit(hook, is_namespaced(hook.kind())) {
                    Ok(()) => ran = HookRun::Pending,
                    Err(reason) => return HookRun::Failed(reason),
                },
                Ok(Some(live)) if !self.is_own(&live) => {
                    return HookRun::Failed("an object of this name is not the application's".into());
                }
                Ok(Some(live)) => match self.live_state(&live).health {
                    Some(health) if health.status == HealthStatusCode::Degraded => {
                        broken.push(BrokenHook::of(&live, health.message));
                    }
                    Some(health) if health.status != HealthStatusCode::Healthy => ran = HookRun::Pending,
                    _ => {}
                },
            }
        }
        if broken.is_empty() { ran } else { HookRun::Broken(broken) }
    }

    fn cleaned(&self, left: &Result<Vec<Object>, String>, hook: HookType) -> HookRun {
        match left {
            Ok(left) if hooks_to_clean(&self.live_hooks(left, hook)).is_empty() => HookRun::Done,
            Ok(_) => HookRun::Pending,
            Err(reason) => HookRun::Failed(reason.clone()),
        }
    }

    /// Those of the application's live objects that are hooks of this type, with their health.
    fn live_hooks(&self, left: &[Object], hook: HookType) -> Vec<(Object, Option<HealthStatusCode>)> {
        let hooks = left.iter().filter(|object| sync::is_delete_hook(object, hook));
        let health = |live: &Object| self.live_state(live).health.map(|health| health.status);
        hooks.map(|live| (live.clone(), health(live))).collect()
    }

    /// Does one thing of a deletion.
    pub(crate) fn act_on_deletion(
        &mut self,
        application: &mut Application,
        action: Action,
    ) -> Result<(), Refused> {
        let now = self.now;
        match action {
            Action::RemoveFinalizer { finalizer } => {
                return self.hub.remove_finalizer(application, finalizer);
            }
            Action::DeleteObjects { objects, propagation } => {
                for object in objects {
                    self.check_cascade(application, &object);
                    self.controller_writes += 1;
                    if let Ok(Some(left)) = self.api.delete(&object.key, &object.uid, propagation, now) {
                        self.controller.cache.observe(&left);
                    }
                }
            }
            Action::DropHooks { objects } => {
                for object in objects {
                    self.api.delete(&object.key, &object.uid, Propagation::Background, now).ok();
                }
            }
            Action::ReleaseHooks { objects } => {
                for object in objects {
                    if self.api.objects.get(&object.key).is_some_and(|live| live.uid() == object.uid) {
                        self.api.unfinalize(&object.key, HOOK_FINALIZER).ok();
                    }
                }
            }
            Action::RunHooks { hook } => {
                let mut missing = self.hooks(application, hook).unwrap_or_default();
                missing.retain(|target| matches!(self.api.read(&target.key()), Ok(None)));
                // Where the project does not permit one, none is made.
                let permitted = |target: &Object| self.permit(target, is_namespaced(target.kind())).is_ok();
                if !missing.iter().all(permitted) {
                    missing.clear();
                }
                for target in missing {
                    self.check_hook(&target);
                    if let Ok(made) = self.api.create(&target, false, now) {
                        self.controller.cache.observe(&made);
                    }
                }
            }
            Action::CleanHooks { hook } => {
                for object in hooks_to_clean(&self.live_hooks(&self.left().unwrap_or_default(), hook)) {
                    self.api.delete(&object.key, &object.uid, Propagation::Background, now).ok();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
