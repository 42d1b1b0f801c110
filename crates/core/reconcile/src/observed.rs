//! All that a decision is made from.

use crate::action::{CompareWith, DeleteObject, RefreshCause};
use api::codes::{RefreshType, SyncStatusCode};
use api::v1alpha1::{Application, ApplicationSpec, ResourceStatus};
use jiff::{SignedDuration, Timestamp};
use object::Object;

/// The controller's settings that decisions depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `timeout.reconciliation`: how old a comparison may be; zero for any age.
    pub resync: SignedDuration,
    /// `timeout.hard.reconciliation`: how old a rendering may be; zero for any age.
    pub hard_resync: SignedDuration,
    /// `controller.sync.timeout.seconds`; zero for none.
    pub sync_timeout: SignedDuration,
    /// `controller.self.heal.timeout.seconds`: the wait between self-heals where there is no backoff.
    pub self_heal_timeout: SignedDuration,
    /// `controller.self.heal.backoff.*`.
    pub self_heal_backoff: Option<SelfHealBackoff>,
}

/// How the wait between self-heals of one revision grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHealBackoff {
    /// Before the second self-heal; none before the first.
    pub duration: SignedDuration,
    /// Grows by this each time.
    pub factor: i32,
    /// But not beyond this.
    pub cap: SignedDuration,
}

impl Default for SelfHealBackoff {
    fn default() -> Self {
        Self { duration: SignedDuration::from_secs(2), factor: 3, cap: SignedDuration::from_secs(300) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            resync: SignedDuration::from_secs(120),
            hard_resync: SignedDuration::ZERO,
            sync_timeout: SignedDuration::ZERO,
            self_heal_timeout: SignedDuration::ZERO,
            self_heal_backoff: Some(SelfHealBackoff::default()),
        }
    }
}

/// One application and what is known about it now.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// The application as stored.
    pub application: &'a Application,
    /// The controller's settings.
    pub settings: &'a Settings,
    /// Whether the destination's cluster is marked to be left alone.
    pub cluster_is_skipped: bool,
    /// This application's part of `timeout.reconciliation.jitter`.
    pub jitter: SignedDuration,
    /// A refresh that something asked for since the last one.
    pub requested: Option<RefreshRequest>,
    /// When this process last refreshed the application, whether or not that was written.
    pub refreshed_at: Option<Timestamp>,
    /// The spec it was refreshed with: a spec that cannot be compared is not refreshed over and over.
    pub refreshed_spec: Option<&'a ApplicationSpec>,
    /// The outcome of a refresh, right after it.
    pub comparison: Option<&'a Comparison>,
    /// The operation this process works on.
    pub running: Option<RunningOperation>,
    /// Whether sync windows let an automated sync through.
    pub window_open: bool,
    /// Whether sync windows let the operation through that is asked for or recorded. One that is under way goes on.
    pub operation_window_open: bool,
    /// When a sync window that concerns it opens or closes next.
    pub window_changes_at: Option<Timestamp>,
    /// What there is to delete, when the application is being deleted.
    pub deletion: Option<&'a Deletion<'a>>,
}

/// A refresh that something asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshRequest {
    /// How thorough.
    pub level: RefreshType,
    /// Against what.
    pub compare_with: CompareWith,
    /// Who asked.
    pub cause: RefreshCause,
}

/// What a comparison found, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Synced or not.
    pub status: SyncStatusCode,
    /// The revision compared to.
    pub revision: String,
    /// The same for several sources.
    pub revisions: Vec<String>,
    /// Every resource's status.
    pub resources: Vec<ResourceStatus>,
    /// Whether the manifests may differ from the ones last synced. A commit elsewhere in the repository changes
    /// the revision and nothing else.
    pub revision_has_changes: bool,
    /// Whether the revisions were looked up for it. Else it is about the cluster only, and they are those of the comparison before,
    /// which may be older than what an operation looked up itself.
    pub latest: bool,
}

/// The operation this process works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningOperation {
    /// [`sync::Progress::waits_only_for_health`].
    pub waits_only_for_health: bool,
    /// Whether it was already told to stop.
    pub stopping: bool,
    /// Whether it was already told that a user confirmed its prunes.
    pub confirmed: bool,
}

/// What is known when an application is being deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Deletion<'a> {
    /// Whether the destination is one that is registered.
    pub destination_is_known: bool,
    /// Live objects that are tracked as this application's and that its project permits, or why they are not known.
    pub objects: Result<Vec<Managed<'a>>, String>,
    /// `PreDelete` hooks.
    pub pre_delete: HookRun,
    /// Their clean-up.
    pub pre_delete_cleanup: HookRun,
    /// `PostDelete` hooks.
    pub post_delete: HookRun,
    /// Their clean-up.
    pub post_delete_cleanup: HookRun,
}

/// A live object of an application that is being deleted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Managed<'a> {
    /// The object.
    pub object: &'a Object,
    /// Whether it is the application itself.
    pub is_application: bool,
}

/// How far hooks are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HookRun {
    /// Not begun, or under way: beginning again is harmless.
    #[default]
    Pending,
    /// Done, or there are none.
    Done,
    /// They are not known, or one could not be made.
    Failed(String),
    /// These ran and failed.
    Broken(Vec<BrokenHook>),
}

/// A hook of a deletion that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenHook {
    /// The live hook.
    pub object: DeleteObject,
    /// When it was made.
    pub since: Timestamp,
    /// Why it failed.
    pub message: String,
}

impl BrokenHook {
    /// A live hook that failed, and why.
    pub fn of(live: &Object, message: String) -> Self {
        let object = DeleteObject { key: live.key(), gvk: live.gvk(), uid: live.uid().to_owned() };
        let since = live.creation_timestamp().parse().unwrap_or(Timestamp::UNIX_EPOCH);
        Self { object, since, message }
    }
}
