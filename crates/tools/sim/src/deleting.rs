//! Deleting the application, in the steps the service takes.

use crate::hub::Refused;
use crate::world::World;
use api::codes::{HealthStatusCode, HookType};
use api::names::{
    HOOK_FINALIZER, POST_DELETE_CLEANUP_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER,
    PRE_DELETE_FINALIZER,
};
use api::v1alpha1::Application;
use jiff::SignedDuration;
use object::Object;
use reconcile::{Action, BrokenHook, Deletion, HookRun, Managed, Observed, decide, hooks_to_clean};
use sync::Propagation;

impl World {
    /// What is to be done about an application that is being deleted.
    pub(crate) fn decide_deletion(&self, application: &Application) -> Vec<Action> {
        let left = self.left();
        let (pre_delete, pre_delete_cleanup) = self.hook_runs(
            application,
            HookType::PreDelete,
            [PRE_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER],
        );
        let (post_delete, post_delete_cleanup) = self.hook_runs(
            application,
            HookType::PostDelete,
            [POST_DELETE_FINALIZER, POST_DELETE_CLEANUP_FINALIZER],
        );
        let deletion = Deletion {
            destination_is_known: true,
            objects: match &left {
                Ok(left) => Ok(left.iter().map(|object| Managed { object, is_application: false }).collect()),
                Err(reason) => Err(reason.clone()),
            },
            pre_delete,
            pre_delete_cleanup,
            post_delete,
            post_delete_cleanup,
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
        Ok(managed.into_values().filter(|object| self.is_own(object)).collect())
    }

    fn hooks(&self, application: &Application, hook: HookType) -> Result<Vec<Object>, String> {
        let compared =
            self.compare(application, self.load(std::slice::from_ref(&application.status.sync.revision)));
        if compared.comparison.failed {
            return Err("the hooks are not known".into());
        }
        let hooks = match hook {
            HookType::PreDelete => compared.comparison.pre_delete_hooks,
            _ => compared.comparison.post_delete_hooks,
        };
        Ok(reconcile::named_delete_hooks(application, hooks, hook))
    }

    fn hook_runs(&self, application: &Application, hook: HookType, names: [&str; 2]) -> (HookRun, HookRun) {
        let has = |name: &str| application.metadata.finalizers.iter().any(|known| known == name);
        if !names.iter().any(|name| has(name)) {
            return (HookRun::Pending, HookRun::Pending);
        }
        let hooks = match self.hooks(application, hook) {
            Ok(hooks) => hooks,
            Err(reason) => return (HookRun::Failed(reason.clone()), HookRun::Failed(reason)),
        };
        let mut ran = HookRun::Done;
        let mut broken = Vec::new();
        for hook in &hooks {
            match self.api.read(&hook.key()) {
                Err(failure) => {
                    return (HookRun::Failed(failure.message.clone()), HookRun::Failed(failure.message));
                }
                Ok(None) => ran = HookRun::Pending,
                Ok(Some(live)) => match self.live_state(&live).health {
                    Some(health) if health.status == HealthStatusCode::Degraded => {
                        broken.push(BrokenHook::of(&live, health.message));
                    }
                    Some(health) if health.status != HealthStatusCode::Healthy => ran = HookRun::Pending,
                    _ => {}
                },
            }
        }
        if !broken.is_empty() {
            ran = HookRun::Broken(broken);
        }
        let cleaned = match hooks_to_clean(&self.live_hooks(&hooks)).is_empty() {
            true => HookRun::Done,
            false => HookRun::Pending,
        };
        (ran, cleaned)
    }

    /// Hooks as they are live, the application's own, with their health.
    fn live_hooks(&self, hooks: &[Object]) -> Vec<(Object, Option<HealthStatusCode>)> {
        let live = hooks.iter().filter_map(|hook| self.api.read(&hook.key()).ok().flatten());
        let own = live.filter(|live| self.is_own(live));
        own.map(|live| {
            let health = self.live_state(&live).health.map(|health| health.status);
            (live, health)
        })
        .collect()
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
                for target in self.hooks(application, hook).unwrap_or_default() {
                    if matches!(self.api.read(&target.key()), Ok(None)) {
                        self.api.create(&target, false, now).ok();
                    }
                }
            }
            Action::CleanHooks { hook } => {
                let hooks = self.hooks(application, hook).unwrap_or_default();
                for object in hooks_to_clean(&self.live_hooks(&hooks)) {
                    self.api.delete(&object.key, &object.uid, Propagation::Background, now).ok();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
