//! The words for what was done and for what is waited for, as the original's users know them.

use crate::event::Outcome;
use crate::task::Task;

/// What an effect did to a task's object: `deployment.apps/guestbook-ui created`.
pub(crate) fn outcome(task: &Task, outcome: &Outcome, dry_run: bool) -> String {
    let verb = match outcome {
        Outcome::Text(text) => return text.clone(),
        Outcome::Kept(reason) => return (*reason).to_owned(),
        Outcome::Updated => return format!("{}/{} updated", task.gvk.kind, task.key.name),
        Outcome::Created => "created",
        Outcome::Configured => "configured",
        Outcome::Unchanged | Outcome::Read | Outcome::Unfinalized => "unchanged",
        Outcome::ServerSideApplied => "serverside-applied",
        Outcome::Replaced => "replaced",
        Outcome::Deleted => "deleted",
    };
    let kind = task.gvk.kind.to_lowercase();
    let dot = if task.gvk.group.is_empty() { "" } else { "." };
    let suffix = if dry_run { " (dry run)" } else { "" };
    format!("{kind}{dot}{}/{} {verb}{suffix}", task.gvk.group, task.key.name)
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Health, or a hook's end.
    Completion,
    /// That something is gone.
    Deletion,
}

/// `waiting for completion of hook batch/Job/x and 1 more hooks`.
pub(crate) fn waiting(tasks: &[&Task], wait: Wait) -> String {
    let hook = tasks.iter().find(|task| task.is_hook());
    let Some(first) = hook.or(tasks.first()) else { return String::new() };
    let reason = match (wait, hook.is_some()) {
        (Wait::Completion, true) => "completion of hook",
        (Wait::Completion, false) => "healthy state of",
        (Wait::Deletion, true) => "deletion of hook",
        (Wait::Deletion, false) => "deletion of",
    };
    let what = if tasks.iter().all(|task| task.is_hook()) { "hooks" } else { "resources" };
    let message = format!("waiting for {reason} {}", first.label());
    match tasks.len() - 1 {
        0 => message,
        more => format!("{message} and {more} more {what}"),
    }
}

/// `Waiting for pruning confirmation of v1/ConfigMap/x and 1 more resources`.
pub(crate) fn confirmation(tasks: &[&Task]) -> String {
    let Some(first) = tasks.first() else { return String::new() };
    let message = format!(
        "Waiting for pruning confirmation of {}/{}/{}",
        first.gvk.api_version(),
        first.gvk.kind,
        first.key.name
    );
    match tasks.len() - 1 {
        0 => message,
        more => format!("{message} and {more} more resources"),
    }
}

/// A message with the reasons of failed tasks, each once.
pub(crate) fn failed<'a>(message: &str, reasons: impl Iterator<Item = &'a str>) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for reason in reasons {
        if !unique.contains(&reason) {
            unique.push(reason);
        }
    }
    if unique.is_empty() { message.to_owned() } else { format!("{message}, reason: {}", unique.join(",")) }
}
