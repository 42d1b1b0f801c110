//! What was found of one application.

use crate::lines::difference;
use crate::text::line;
use api::v1alpha1::ResourceDiff;
use notify::Redactor;
use serde_json::Value;

/// Longest message of a status: what the shortest of the providers takes.
const DESCRIPTION: usize = 140;

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// It is made.
    Created,
    /// It becomes another.
    Modified,
    /// It is no longer wanted, and goes with a sync that prunes.
    Pruned,
}

impl Changed {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "changed",
            Self::Pruned => "pruned",
        }
    }
}

/// One resource that a sync would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `group/Kind namespace/name`.
    pub name: String,
    /// What becomes of it.
    pub changed: Changed,
    /// What differs, or why that is not shown.
    pub shown: Result<String, String>,
}

impl Change {
    /// A resource with its states as the API shows them, Secrets masked.
    pub fn of(states: &ResourceDiff, changed: Changed) -> Self {
        let (before, after) = match changed {
            Changed::Created => ("", states.predicted_live_state.as_str()),
            Changed::Modified => {
                (states.normalized_live_state.as_str(), states.predicted_live_state.as_str())
            }
            Changed::Pruned => (states.normalized_live_state.as_str(), ""),
        };
        let shown = match (yaml(before), yaml(after)) {
            (Some(before), Some(after)) => match difference(&before, &after) {
                // Both sides are masked alike: that they differ is all there is to say.
                Some(same) if same.is_empty() => Err("what differs is not shown".to_owned()),
                Some(shown) => Ok(shown),
                None => Err("it is too large to be shown".to_owned()),
            },
            _ => Err("it cannot be shown".to_owned()),
        };
        Self { name: Self::name(states), changed, shown }
    }

    /// A resource that exists and is not the application's: nothing of it is shown.
    pub fn taken(name: String) -> Self {
        let reason =
            "it exists and is not the application's: a sync would take it over, and nothing of it is shown";
        Self { name, changed: Changed::Modified, shown: Err(reason.to_owned()) }
    }

    /// What a resource is called.
    pub fn name(of: &ResourceDiff) -> String {
        let slash = |part: &str| if part.is_empty() { String::new() } else { format!("{part}/") };
        format!("{}{} {}{}", slash(&of.group), of.kind, slash(&of.namespace), of.name)
    }
}

/// A state as YAML, without what only the cluster says of it. Nothing when it is no JSON.
fn yaml(state: &str) -> Option<String> {
    if matches!(state, "" | "null") {
        return Some(String::new());
    }
    let mut value: Value = serde_json::from_str(state).ok()?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        for stamp in ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"] {
            metadata.remove(stamp);
        }
    }
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    Some(object::yaml::encode(&value))
}

/// How the status of a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being looked at.
    Pending,
    /// It can be synced.
    Success,
    /// It cannot.
    Failure,
    /// Nobody knows.
    Error,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// What a sync would change.
    Compared(Vec<Change>),
    /// The request is at fault.
    Rejected(String),
    /// Something else is.
    Failed(String),
}

impl Judgement {
    /// The status, and its words.
    pub fn status(&self) -> (State, String) {
        match self {
            Self::Compared(changes) => (State::Success, counted(changes)),
            Self::Rejected(reason) => (State::Failure, line(reason, DESCRIPTION)),
            Self::Failed(reason) => (State::Error, line(reason, DESCRIPTION)),
        }
    }

    /// Without any secret that is known.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let text = |text: String| redactor.redact(&text);
        match self {
            Self::Compared(changes) => {
                let redacted = |change: Change| Change {
                    name: text(change.name),
                    shown: change.shown.map(text).map_err(text),
                    changed: change.changed,
                };
                Self::Compared(changes.into_iter().map(redacted).collect())
            }
            Self::Rejected(reason) => Self::Rejected(text(reason)),
            Self::Failed(reason) => Self::Failed(text(reason)),
        }
    }
}

/// `1 created, 3 changed`.
fn counted(changes: &[Change]) -> String {
    let count = |wanted: Changed| changes.iter().filter(|change| change.changed == wanted).count();
    let counts = [Changed::Created, Changed::Modified, Changed::Pruned].map(|kind| (count(kind), kind));
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {}", kind.as_str()))
        .collect();
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}
