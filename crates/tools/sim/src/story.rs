//! A history: an application, and what people, clusters and machines do to it. Written down it is a case.

use crate::thing::Thing;
use serde::{Deserialize, Serialize};

/// A history. Everything that is left to chance within it follows from the seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Story {
    /// Of what is left to chance: what comes first of things that may come at any time.
    pub seed: u64,
    /// How the application is set up.
    pub setup: Setup,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// An application's set-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Setup {
    /// What Git holds at first.
    pub things: Vec<Thing>,
    /// Its policies.
    pub policy: Policy,
    /// Whether its objects go with it.
    pub cascade: bool,
    /// `controller.sync.timeout.seconds`.
    pub sync_timeout: i64,
    /// The destination's namespace is not there at first.
    pub without_namespace: bool,
    /// Tracking by label instead of by annotation.
    pub track_by_label: bool,
    /// What ConfigMaps say as their value is ignored.
    pub ignores_values: bool,
    /// `timeout.reconciliation` is zero: nothing is looked at for the time alone.
    pub without_resync: bool,
    /// A second application that syncs to the same place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<Second>,
}

/// A second application, with a repository of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Second {
    /// What its Git holds at first. What the first one's holds as well is wanted by both.
    pub things: Vec<Thing>,
    /// Its policies.
    pub policy: Policy,
}

/// An application's policies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Policy {
    /// Syncs by itself.
    pub automated: bool,
    /// Prunes by itself.
    pub prune: bool,
    /// Heals itself.
    pub self_heal: bool,
    /// May become empty by itself.
    pub allow_empty: bool,
    /// Tries after the first; none for the default.
    pub retry: Option<i64>,
    /// Tries take the newest revision.
    pub retry_refresh: bool,
    /// Sync options.
    pub options: Vec<String>,
}

/// What happens next. A thing is named by its label, as in `ConfigMap/a`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Step {
    /// The world goes on for so many turns.
    Turns(usize),
    /// Nothing happens for so many seconds but what is due.
    Pass(i64),
    /// Git holds this from now on.
    Push(Vec<Thing>),
    /// The second application's Git holds this from now on.
    PushSecond(Vec<Thing>),
    /// Git answers, or does not.
    Git(bool),
    /// Somebody edits a live object.
    Edit {
        /// Which.
        thing: String,
        /// What it says afterwards.
        value: i64,
    },
    /// Somebody adds something to a live object that Git does not know.
    Annotate {
        /// Which.
        thing: String,
        /// Annotation.
        name: String,
        /// Its value.
        text: String,
    },
    /// Somebody deletes a live object.
    Remove(String),
    /// Somebody makes an object, with or without a mark of an application.
    Make {
        /// What.
        thing: Thing,
        /// Whose mark it carries; nobody's when empty.
        owner: String,
    },
    /// The API server refuses writes of an object, or no longer.
    Refuse {
        /// Which.
        thing: String,
        /// From now on, or no longer.
        on: bool,
    },
    /// Server-side applies of an object are answered with 422, or no longer.
    Invalid {
        /// Which.
        thing: String,
        /// From now on, or no longer.
        on: bool,
    },
    /// Another application that names the object, too, applies it.
    Claim {
        /// Which.
        thing: String,
        /// What it says afterwards.
        value: i64,
    },
    /// A kind is no longer told of: events of it are lost until it is listed anew.
    LoseWatch(String),
    /// A kind can no longer be listed, and is known to be.
    Taint(String),
    /// All kinds are listed anew.
    Relist,
    /// The destination answers, or does not.
    Cluster(bool),
    /// The hub's API server takes writes, or does not.
    Hub(bool),
    /// The controller is killed and started again.
    Restart,
    /// A user asks for a sync.
    Sync(Ask),
    /// A user asks for the state of an earlier entry of the history.
    Rollback(usize),
    /// A user stops the operation.
    Terminate,
    /// A user asks for a refresh.
    Refresh(bool),
    /// A user confirms prunes and deletions.
    Confirm,
    /// A user sets policies.
    SetPolicy(Policy),
    /// A project's window denies syncs, or permits them half of the time, or there is none.
    Window {
        /// It denies them.
        denied: bool,
        /// Whether people may all the same.
        manual: bool,
        /// It permits them in the first five of ten minutes.
        #[serde(default)]
        allowed: bool,
        /// What began when it was open may go on.
        #[serde(default)]
        overrun: bool,
    },
    /// The project no longer permits some kinds, or the destination; or everything again.
    Project {
        /// Kinds it does not permit.
        #[serde(default)]
        without: Vec<String>,
        /// It permits another destination only.
        #[serde(default)]
        elsewhere: bool,
    },
    /// A user deletes the application.
    Delete,
}

/// A sync that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Ask {
    /// What is too much goes.
    pub prune: bool,
    /// Nothing is changed.
    pub dry_run: bool,
    /// Only these.
    pub only: Vec<String>,
    /// Without hooks.
    pub apply_only: bool,
    /// By force.
    pub force: bool,
}
