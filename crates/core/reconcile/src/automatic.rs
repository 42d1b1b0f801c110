//! Automated sync: whether an application that is out of sync is synced without anybody asking.

use crate::action::{Action, CompareWith, RefreshCause};
use crate::observed::{Comparison, Observed, Settings};
use crate::operation::is_in_progress;
use crate::permission::is_automated;
use api::codes::{ConditionType, OperationPhase, SyncStatusCode};
use api::k8s::meta_v1::Time;
use api::v1alpha1::{
    Application, ApplicationCondition, ApplicationSource, Operation, OperationInitiator, OperationState,
    RetryStrategy, SyncOperation, SyncOperationResource, SyncPolicyAutomated,
};
use jiff::{SignedDuration, Timestamp};

/// Tries of an automated sync whose application says nothing about retries.
const DEFAULT_RETRIES: i64 = 5;

/// What automated sync does after a comparison. The `SyncError` condition is part of it: it goes when there is
/// nothing to say any more.
pub(crate) fn automatic(observed: &Observed<'_>, comparison: &Comparison, now: Timestamp) -> Vec<Action> {
    if !observed.window_open && is_automated(&observed.application.spec) {
        return vec![Action::Skip { reason: "sync prevented by sync window".into() }];
    }
    let (condition, actions) = match verdict(observed, comparison, now) {
        Verdict::Skip(reason) => (None, vec![Action::Skip { reason }]),
        Verdict::Off => (None, Vec::new()),
        Verdict::Wait { until, reason } => {
            let cause = RefreshCause::Requested("self-heal".into());
            let later = Action::RefreshAt { at: until, compare_with: CompareWith::Latest, cause };
            (None, vec![Action::Skip { reason }, later])
        }
        Verdict::Refuse(message) => (Some(message), Vec::new()),
        Verdict::Sync { operation, reason } => (None, vec![Action::RequestOperation { operation, reason }]),
    };
    let conditions = condition
        .map(|message| ApplicationCondition {
            r#type: ConditionType::SyncError.to_string(),
            message,
            last_transition_time: None,
        })
        .into_iter()
        .collect();
    let set = Action::SetConditions { conditions, evaluated: vec![ConditionType::SyncError] };
    std::iter::once(set).chain(actions).collect()
}

enum Verdict {
    Off,
    Skip(String),
    Refuse(String),
    Wait { until: Timestamp, reason: String },
    Sync { operation: Box<Operation>, reason: String },
}

fn verdict(observed: &Observed<'_>, comparison: &Comparison, now: Timestamp) -> Verdict {
    let application = observed.application;
    let policy = application.spec.sync_policy.as_ref();
    let Some(automated) =
        policy.and_then(|policy| policy.automated.as_ref()).filter(|_| is_automated(&application.spec))
    else {
        return Verdict::Off;
    };
    if application.operation.is_some() || observed.running.is_some() || is_in_progress(application) {
        return Verdict::Skip("Skipping auto-sync: another operation is in progress".into());
    }
    if application.metadata.deletion_timestamp.as_ref().is_some_and(|time| !time.is_zero()) {
        return Verdict::Skip("Skipping auto-sync: deletion in progress".into());
    }
    if comparison.status != SyncStatusCode::OutOfSync {
        return Verdict::Skip(format!("Skipping auto-sync: application status is {}", comparison.status));
    }
    let prune = automated.prune == Some(true);
    // What is not judged, such as a copy that carries the mark, is no reason to sync.
    let drifted = |status: &str| !status.is_empty() && status != SyncStatusCode::Synced.as_str();
    if !prune
        && comparison.resources.iter().all(|resource| !drifted(&resource.status) || resource.requires_pruning)
    {
        let reason = "Skipping auto-sync: need to prune extra resources only but automated prune is disabled";
        return Verdict::Skip(reason.into());
    }
    let mut operation = automated_operation(application, automated, comparison);
    let desired = listed(comparison);
    let mut reason = format!("Initiated automated sync to '{}'", desired.trim_matches(['[', ']']));
    if let Some(attempt) = last_attempt(application, comparison) {
        if attempt.phase != OperationPhase::Succeeded.as_str() {
            let last = last_revisions(attempt);
            return Verdict::Refuse(format!("Failed last sync attempt to {last}: {}", attempt.message));
        }
        if automated.self_heal != Some(true) {
            return Verdict::Skip(format!("Skipping auto-sync: most recent sync already to {desired}"));
        }
        let count = attempt.operation.sync.as_ref().map_or(0, |sync| sync.auto_heal_attempts_count);
        if let Some(until) = self_heal_wait(observed.settings, attempt, now) {
            return Verdict::Wait {
                until,
                reason: format!(
                    "Skipping auto-sync: already attempted sync to {desired}, healing at {until}"
                ),
            };
        }
        reason = format!("{reason} (self-heal {})", count + 1);
        if let Some(sync) = &mut operation.sync {
            sync.auto_heal_attempts_count = count + 1;
            let drifted = comparison.resources.iter().filter(|resource| drifted(&resource.status));
            sync.resources = drifted
                .map(|resource| SyncOperationResource {
                    group: resource.group.clone(),
                    kind: resource.kind.clone(),
                    name: resource.name.clone(),
                    namespace: String::new(),
                })
                .collect();
        }
    }
    if prune && automated.allow_empty != Some(true) && would_leave_nothing(comparison) {
        return Verdict::Refuse(format!(
            "Skipping sync attempt to {desired}: auto-sync will wipe out all resources"
        ));
    }
    Verdict::Sync { operation: Box::new(operation), reason }
}

/// Whether a prune would take everything that is the application's. Copies that carry its mark, and what hooks left
/// behind, are not what it consists of: they keep nothing alive.
fn would_leave_nothing(comparison: &Comparison) -> bool {
    let mut judged = comparison.resources.iter().filter(|found| !found.status.is_empty()).peekable();
    let any = judged.peek().is_some() || comparison.resources.is_empty();
    any && judged.all(|found| found.requires_pruning)
}

fn automated_operation(
    application: &Application,
    automated: &SyncPolicyAutomated,
    comparison: &Comparison,
) -> Operation {
    let policy = application.spec.sync_policy.as_ref();
    let several = application.spec.has_several_sources();
    Operation {
        sync: Some(SyncOperation {
            revision: if several { String::new() } else { comparison.revision.clone() },
            revisions: if several { comparison.revisions.clone() } else { Vec::new() },
            source: application.spec.only_source(),
            sources: application.spec.several_sources().to_vec(),
            prune: automated.prune == Some(true),
            sync_options: policy.map(|policy| policy.sync_options.clone()).unwrap_or_default(),
            ..SyncOperation::default()
        }),
        initiated_by: OperationInitiator { automated: true, ..OperationInitiator::default() },
        info: Vec::new(),
        retry: policy
            .and_then(|policy| policy.retry.clone())
            .unwrap_or_else(|| RetryStrategy { limit: DEFAULT_RETRIES, ..RetryStrategy::default() }),
    }
}

/// The last operation, when it was about the same revision and the same sources.
fn last_attempt<'a>(application: &'a Application, comparison: &Comparison) -> Option<&'a OperationState> {
    let state = application.status.operation_state.as_ref()?;
    let sync = state.operation.sync.as_ref()?;
    let result = state.sync_result.as_ref();
    let several = application.spec.has_several_sources();
    if comparison.revision_has_changes {
        let same = if several {
            let tried = result.map(|result| &result.revisions).filter(|revisions| !revisions.is_empty());
            *tried.unwrap_or(&sync.revisions) == comparison.revisions
        } else {
            let tried = result.map(|result| &result.revision).filter(|revision| !revision.is_empty());
            *tried.unwrap_or(&sync.revision) == comparison.revision
        };
        if !same {
            return None;
        }
    }
    // An operation that ended before it had a result was about the sources as they are, as far as is known.
    let Some(result) = result else { return Some(state) };
    let same = if several {
        let (tried, wanted) = (&result.sources, &application.spec.sources);
        tried.len() == wanted.len()
            && tried.iter().zip(wanted).all(|(tried, wanted)| unpinned(tried) == unpinned(wanted))
    } else {
        let wanted = application.spec.only_source().unwrap_or_default();
        unpinned(&result.source) == unpinned(&wanted)
    };
    same.then_some(state)
}

/// A source without its target revision: `HEAD` and `main` may be the same commit.
fn unpinned(source: &ApplicationSource) -> ApplicationSource {
    ApplicationSource { target_revision: String::new(), ..source.clone() }
}

fn listed(comparison: &Comparison) -> String {
    if comparison.revisions.is_empty() {
        format!("[{}]", comparison.revision)
    } else {
        format!("[{}]", comparison.revisions.join(" "))
    }
}

fn last_revisions(state: &OperationState) -> String {
    let sync = state.operation.sync.clone().unwrap_or_default();
    let (revision, revisions) = match &state.sync_result {
        Some(result) => (result.revision.clone(), result.revisions.clone()),
        None => (sync.revision.clone(), sync.revisions.clone()),
    };
    match (revisions.is_empty(), revision.is_empty()) {
        (false, _) => format!("[{}]", revisions.join(" ")),
        (true, false) => format!("[{revision}]"),
        (true, true) => format!("[{}]", sync.revision),
    }
}

/// Until when the next self-heal of the same revision waits; nothing when it need not. The first is at once; then
/// the wait grows, and a new revision starts over.
pub fn self_heal_wait(settings: &Settings, last: &OperationState, now: Timestamp) -> Option<Timestamp> {
    let count = last.operation.sync.as_ref().map_or(0, |sync| sync.auto_heal_attempts_count);
    let wait = match settings.self_heal_backoff {
        None => settings.self_heal_timeout,
        Some(_) if count <= 0 => SignedDuration::ZERO,
        Some(backoff) => {
            let mut wait = backoff.duration;
            for _ in 1..count.min(64) {
                wait = wait.checked_mul(backoff.factor).unwrap_or(SignedDuration::MAX);
                if wait > backoff.cap && backoff.cap.is_positive() {
                    break;
                }
            }
            if backoff.cap.is_positive() { wait.min(backoff.cap) } else { wait }
        }
    };
    let finished = last.finished_at.as_ref().and_then(Time::timestamp).unwrap_or(now);
    finished.checked_add(wait).ok().filter(|until| *until > now)
}
