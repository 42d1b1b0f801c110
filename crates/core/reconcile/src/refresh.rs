//! Whether an application is compared anew, how thoroughly, and why.

use crate::action::{Action, CompareWith, RefreshCause};
use crate::observed::Observed;
use crate::permission::is_automated;
use api::codes::RefreshType;
use api::k8s::meta_v1::Time;
use api::names::REFRESH;
use api::v1alpha1::{Application, ApplicationSpec};
use jiff::{SignedDuration, Timestamp};

/// The refresh that is due, if one is. What a user asked for comes first, then what changed, then what is old,
/// then what the controller asked for.
pub(crate) fn refresh(observed: &Observed<'_>, now: Timestamp) -> Option<Action> {
    let application = observed.application;
    let action = |level, compare_with, cause| Some(Action::Refresh { level, compare_with, cause });
    if let Some(value) = application.metadata.annotations.get(REFRESH) {
        let level = if value == "hard" { RefreshType::Hard } else { RefreshType::Normal };
        return action(level, CompareWith::LatestForceResolve, RefreshCause::Annotation(level));
    }
    let is_new_spec = observed.refreshed_spec != Some(&application.spec);
    let compared = &application.status.sync.compared_to;
    if is_new_spec && source_differs(application) {
        let cause =
            if last_refresh(observed).is_some() { RefreshCause::SourceChanged } else { RefreshCause::New };
        return action(RefreshType::Normal, CompareWith::LatestForceResolve, cause);
    }
    if let Some((level, cause)) = expired(observed, now) {
        return action(level, CompareWith::Latest, cause);
    }
    if is_new_spec {
        if application.spec.destination != compared.destination {
            return action(RefreshType::Normal, CompareWith::Latest, RefreshCause::DestinationChanged);
        }
        if application.spec.ignore_differences != compared.ignore_differences {
            return action(RefreshType::Normal, CompareWith::Latest, RefreshCause::IgnoreDifferencesChanged);
        }
        if observed.refreshed_spec.is_some_and(|before| syncs_more_by_itself(before, &application.spec)) {
            let cause = RefreshCause::Requested("automated sync was switched on".into());
            return action(RefreshType::Normal, CompareWith::Latest, cause);
        }
    }
    let request = observed.requested.as_ref()?;
    action(request.level, request.compare_with, request.cause.clone())
}

/// Whether automated sync or self-heal was off and is on: what is out of sync is synced now, not at the next refresh.
fn syncs_more_by_itself(before: &ApplicationSpec, now: &ApplicationSpec) -> bool {
    let heals = |spec: &ApplicationSpec| {
        let automated = spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
        is_automated(spec) && automated.is_some_and(|automated| automated.self_heal == Some(true))
    };
    (is_automated(now) && !is_automated(before)) || (heals(now) && !heals(before))
}

fn expired(observed: &Observed<'_>, now: Timestamp) -> Option<(RefreshType, RefreshCause)> {
    let Some(last) = last_refresh(observed) else { return Some((RefreshType::Normal, RefreshCause::New)) };
    let is_over =
        |period: SignedDuration| period.is_positive() && last.checked_add(period).is_ok_and(|due| due <= now);
    if is_over(observed.settings.hard_resync) {
        return Some((RefreshType::Hard, RefreshCause::HardExpired));
    }
    let period = soft_period(observed);
    is_over(period).then_some((RefreshType::Normal, RefreshCause::Expired))
}

fn soft_period(observed: &Observed<'_>) -> SignedDuration {
    let resync = observed.settings.resync;
    if resync.is_positive() { resync.saturating_add(observed.jitter) } else { SignedDuration::ZERO }
}

/// When the next refresh is due by age.
pub(crate) fn next_refresh(observed: &Observed<'_>) -> Option<Timestamp> {
    let last = last_refresh(observed)?;
    [soft_period(observed), observed.settings.hard_resync]
        .into_iter()
        .filter(SignedDuration::is_positive)
        .filter_map(|period| last.checked_add(period).ok())
        .min()
}

fn last_refresh(observed: &Observed<'_>) -> Option<Timestamp> {
    let written = observed.application.status.reconciled_at.as_ref().and_then(Time::timestamp);
    written.max(observed.refreshed_at)
}

fn source_differs(application: &Application) -> bool {
    let (spec, compared) = (&application.spec, &application.status.sync.compared_to);
    if spec.has_several_sources() {
        return spec.sources != compared.sources;
    }
    spec.only_source().unwrap_or_default() != compared.source
}
