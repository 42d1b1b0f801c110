//! What a refresh asks for, and what it makes of a status.

use crate::action::{CompareWith, RefreshCause};
use crate::condition::set_conditions;
use crate::observed::{Comparison, RefreshRequest};
use api::codes::{ConditionType, HealthStatusCode, RefreshType, SyncStatusCode};
use api::k8s::meta_v1::Time;
use api::v1alpha1::{
    AppHealthStatus, Application, ApplicationCondition, ApplicationStatus, ApplicationSummary, ComparedTo,
    ResourceStatus, SyncStatus,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// The types of conditions a comparison evaluates.
const EVALUATED: [ConditionType; 8] = [
    ConditionType::InvalidSpecError,
    ConditionType::UnknownError,
    ConditionType::ComparisonError,
    ConditionType::SharedResourceWarning,
    ConditionType::RepeatedResourceWarning,
    ConditionType::ExcludedResourceWarning,
    ConditionType::InvalidAnnotationWarning,
    ConditionType::OrphanedResourceWarning,
];

/// What a comparison found, as far as a status tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'a> {
    /// Synced or not.
    pub sync: SyncStatusCode,
    /// Health of the whole.
    pub health: HealthStatusCode,
    /// Which resources that is due to.
    pub health_message: &'a str,
    /// Every resource's status.
    pub resources: Vec<ResourceStatus>,
    /// Whether live objects were known.
    pub live_known: bool,
    /// What was wrong.
    pub conditions: &'a [ApplicationCondition],
    /// The revision of each source.
    pub revisions: &'a [String],
    /// The type of each source.
    pub source_types: &'a [String],
    /// Images and links, where the tree could be made.
    pub summary: Option<ApplicationSummary>,
}

/// The part of a spec that a comparison is made of.
pub fn compared_to(application: &Application) -> ComparedTo {
    let spec = &application.spec;
    ComparedTo {
        source: spec.only_source().unwrap_or_default(),
        destination: spec.destination.clone(),
        sources: spec.several_sources().to_vec(),
        ignore_differences: spec.ignore_differences.clone(),
    }
}

/// The revisions a refresh asks for; none for the newest ones. A change of the cluster is compared with the
/// revision of the last comparison, if there was one of this spec.
pub fn refresh_revisions(application: &Application, compare_with: CompareWith) -> Vec<String> {
    let compared = &application.status.sync;
    let same_spec = compared.compared_to == compared_to(application);
    let recent = compare_with == CompareWith::Recent && same_spec;
    match (recent, compared.revisions.is_empty()) {
        (false, _) => Vec::new(),
        (true, false) => compared.revisions.clone(),
        (true, true) => vec![compared.revision.clone()],
    }
}

/// The revisions that a status tells: what the sources were resolved to. Of a single source that could not be, it is what was
/// asked for, as in the original.
pub fn told_revisions(
    application: &Application,
    compare_with: CompareWith,
    resolved: Vec<String>,
) -> Vec<String> {
    match application.spec.only_source() {
        Some(source) if resolved.is_empty() => {
            let asked = refresh_revisions(application, compare_with).pop();
            vec![asked.filter(|revision| !revision.is_empty()).unwrap_or(source.target_revision)]
        }
        _ => resolved,
    }
}

/// While live objects are not known, what was the application's stays listed, as unknown: a new process knows by that what there
/// may be.
fn keep_what_was(resources: &mut Vec<ResourceStatus>, before: &[ResourceStatus]) {
    type Name<'n> = (&'n str, &'n str, &'n str, &'n str);
    fn name(it: &ResourceStatus) -> Name<'_> {
        (&it.group, &it.kind, &it.namespace, &it.name)
    }
    let listed: BTreeSet<Name<'_>> = resources.iter().map(name).collect();
    let missing = before.iter().filter(|it| !listed.contains(&name(it)));
    let kept: Vec<ResourceStatus> = missing
        .map(|it| ResourceStatus {
            status: SyncStatusCode::Unknown.as_str().into(),
            requires_pruning: false,
            ..it.clone()
        })
        .collect();
    resources.extend(kept);
    resources.sort_by(|left, right| name(left).cmp(&name(right)));
}

/// The status after a comparison.
pub fn compared_status(application: &Application, found: Found<'_>, now: Timestamp) -> ApplicationStatus {
    let mut status = application.status.clone();
    let several = !application.spec.sources.is_empty();
    let first =
        |list: &[String]| if several { String::new() } else { list.first().cloned().unwrap_or_default() };
    let all = |list: &[String]| if several { list.to_vec() } else { Vec::new() };
    status.conditions = set_conditions(&status.conditions, found.conditions, &EVALUATED, now);
    status.resources = found.resources;
    if !found.live_known {
        keep_what_was(&mut status.resources, &application.status.resources);
    }
    status.sync = SyncStatus {
        status: found.sync.as_str().into(),
        compared_to: compared_to(application),
        revision: first(found.revisions),
        revisions: all(found.revisions),
    };
    status.source_type = first(found.source_types);
    status.source_types = all(found.source_types);
    set_health(&mut status, found.health, now);
    found.health_message.clone_into(&mut status.health.message);
    if let Some(summary) = found.summary {
        status.summary = summary;
    }
    status
}

/// The status of a spec that is not valid or not permitted: nothing can be said of the application, and it was not compared.
pub fn invalid_status(
    application: &Application,
    conditions: &[ApplicationCondition],
    now: Timestamp,
) -> ApplicationStatus {
    let mut status = application.status.clone();
    status.conditions = set_conditions(&status.conditions, conditions, &EVALUATED, now);
    status.sync.status = SyncStatusCode::Unknown.as_str().into();
    set_health(&mut status, HealthStatusCode::Unknown, now);
    if is_behind(&status) {
        status.reconciled_at = Some(Time::from(now));
    }
    status
}

/// The status with the time of the comparison, where that is worth a write: something changed, somebody asked, or
/// the last comparison is older than the end of an operation, which clients take for running until then.
pub fn stamped(
    application: &Application,
    mut status: ApplicationStatus,
    cause: &RefreshCause,
    now: Timestamp,
) -> ApplicationStatus {
    let asked =
        matches!(cause, RefreshCause::Annotation(_) | RefreshCause::New | RefreshCause::SourceChanged);
    if status != application.status || asked || is_behind(&status) {
        status.reconciled_at = Some(Time::from(now));
    }
    status
}

/// Whether a failure to render is not told yet: it may pass, and nobody asked. `since` remembers when it was first seen.
pub fn holds_back(
    since: &mut Option<Timestamp>,
    failed: bool,
    compare_with: CompareWith,
    grace: SignedDuration,
    now: Timestamp,
) -> bool {
    if !failed {
        *since = None;
        return false;
    }
    let first = *since.get_or_insert(now);
    compare_with != CompareWith::LatestForceResolve
        && grace.is_positive()
        && now.duration_since(first) <= grace
}

/// Whether an operation ended since the last comparison: clients take it for running until the next.
fn is_behind(status: &ApplicationStatus) -> bool {
    let ended = status.operation_state.as_ref().and_then(|state| state.finished_at);
    ended.is_some_and(|ended| status.reconciled_at.is_none_or(|compared| compared <= ended))
}

/// What decisions depend on, right after a comparison was written. `latest` says whether the revisions were looked up for it.
pub fn outcome(
    stored: &Application,
    revisions: Vec<String>,
    revision_has_changes: bool,
    latest: bool,
) -> Comparison {
    Comparison {
        status: stored.status.sync.status.parse().unwrap_or(SyncStatusCode::Unknown),
        revision: revisions.first().cloned().unwrap_or_default(),
        revisions: if stored.spec.sources.is_empty() { Vec::new() } else { revisions },
        resources: stored.status.resources.clone(),
        revision_has_changes,
        latest,
    }
}

impl RefreshRequest {
    fn rank(&self) -> (bool, CompareWith) {
        (self.level == RefreshType::Hard, self.compare_with)
    }

    /// Notes a request beside one that waits: the more thorough one stays.
    pub fn note(waiting: &mut Option<Self>, request: Self) {
        if waiting.as_ref().is_none_or(|known| known.rank() < request.rank()) {
            *waiting = Some(request);
        }
    }

    /// A refresh begins: it is the answer to what was asked for, unless that was to be more thorough.
    pub fn answer(waiting: &mut Option<Self>, level: RefreshType, compare_with: CompareWith) {
        waiting.take_if(|asked| asked.rank() <= (level == RefreshType::Hard, compare_with));
    }
}

fn set_health(status: &mut ApplicationStatus, health: HealthStatusCode, now: Timestamp) {
    if status.health.status != health.as_str() {
        status.health = AppHealthStatus {
            status: health.as_str().into(),
            last_transition_time: Some(Time::from(now)),
            ..AppHealthStatus::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_there_stays_listed_while_nobody_knows_what_is_live() {
        let resources = |names: &[(&str, &str)]| -> Vec<ResourceStatus> {
            let one = |(name, status): &(&str, &str)| {
                let pruned = *status == "OutOfSync";
                json!({"kind": "ConfigMap", "name": name, "status": status, "requiresPruning": pruned})
            };
            serde_json::from_value(names.iter().map(one).collect()).unwrap()
        };
        let mut application = Application::default();
        application.status.resources = resources(&[("a", "Synced"), ("b", "OutOfSync")]);
        let listed = |live_known| {
            let found = Found {
                sync: SyncStatusCode::Unknown,
                health: HealthStatusCode::Unknown,
                health_message: "",
                resources: resources(&[("a", "Unknown")]),
                live_known,
                conditions: &[],
                revisions: &[],
                source_types: &[],
                summary: None,
            };
            compared_status(&application, found, at("2026-01-01T00:00:00Z")).resources
        };
        assert_eq!(listed(true), resources(&[("a", "Unknown")]));
        assert_eq!(listed(false), resources(&[("a", "Unknown"), ("b", "Unknown")]));
    }

    #[test]
    fn a_revision_that_is_not_resolved_is_told_as_it_was_asked_for() {
        let mut application = Application::default();
        let source = json!({"repoURL": "https://git.example/r.git", "targetRevision": "nope"});
        application.spec.source = Some(serde_json::from_value(source).unwrap());
        let told = |application: &Application, compare_with, resolved: &[&str]| {
            told_revisions(application, compare_with, resolved.iter().map(|it| (*it).to_owned()).collect())
        };
        assert_eq!(told(&application, CompareWith::Latest, &["c1"]), ["c1"]);
        assert_eq!(told(&application, CompareWith::Latest, &[]), ["nope"]);
        application.status.sync.compared_to = compared_to(&application);
        assert_eq!(told(&application, CompareWith::Recent, &[]), ["nope"], "nothing was compared yet");
        application.status.sync.revision = "c1".into();
        assert_eq!(told(&application, CompareWith::Recent, &[]), ["c1"]);
        assert_eq!(told(&application, CompareWith::Latest, &[]), ["nope"]);
        application.spec.sources = application.spec.source.iter().cloned().collect();
        assert_eq!(told(&application, CompareWith::Latest, &[]), Vec::<String>::new());
    }

    #[test]
    fn failures_are_held_back_for_a_while_unless_somebody_asked() {
        let (mut since, grace) = (None, SignedDuration::from_secs(60));
        let mut held =
            |failed, compare_with, now| holds_back(&mut since, failed, compare_with, grace, at(now));
        assert!(held(true, CompareWith::Latest, "2026-01-01T00:00:00Z"));
        assert!(held(true, CompareWith::Recent, "2026-01-01T00:01:00Z"));
        assert!(!held(true, CompareWith::LatestForceResolve, "2026-01-01T00:00:30Z"));
        assert!(!held(true, CompareWith::Latest, "2026-01-01T00:01:01Z"));
        assert!(!held(false, CompareWith::Latest, "2026-01-01T00:01:02Z"));
        assert!(held(true, CompareWith::Latest, "2026-01-01T00:02:00Z"), "it was well in between");
        assert!(!holds_back(
            &mut None,
            true,
            CompareWith::Latest,
            SignedDuration::ZERO,
            at("2026-01-01T00:00:00Z")
        ));
    }

    #[test]
    fn a_spec_that_is_invalid_was_not_compared() {
        let now = at("2026-01-01T00:01:00Z");
        let status = |state: serde_json::Value| {
            let application = json!({"status": {"operationState": state}});
            let application: Application = serde_json::from_value(application).unwrap();
            invalid_status(&application, &[], now)
        };
        let found = status(json!(null));
        assert_eq!((found.sync.status.as_str(), found.health.status.as_str()), ("Unknown", "Unknown"));
        assert_eq!(found.reconciled_at, None);
        let ended = json!({"operation": {}, "phase": "Failed", "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:30Z"});
        assert_eq!(
            status(ended).reconciled_at,
            Some(Time::from(now)),
            "clients wait for that after an operation"
        );
    }
}
