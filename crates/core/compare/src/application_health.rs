//! Health of the whole: that of its worst part, with exceptions.

use crate::comparison::ComparedResource;
use crate::facts::Facts;
use api::codes::HealthStatusCode;
use api::names::IGNORE_HEALTHCHECK;
use health::HealthStatus;
use object::Object;

/// Notes each resource's health and gives the whole's.
pub(crate) fn judge(resources: &mut [ComparedResource], facts: &Facts<'_>) -> HealthStatusCode {
    let mut worst = HealthStatusCode::Healthy;
    let (mut any, mut any_live) = (false, false);
    for resource in resources {
        if resource.target.as_ref().is_some_and(sync::is_skipped)
            || resource.live.as_ref().is_some_and(sync::is_hook)
        {
            continue;
        }
        any = true;
        let Some(live) = &resource.live else {
            // OutOfSync already says that it is missing.
            resource.health = Some(HealthStatus::new(HealthStatusCode::Missing, ""));
            continue;
        };
        any_live = true;
        if live.annotation(IGNORE_HEALTHCHECK) == Some("true") || is_itself(live, facts) {
            continue;
        }
        resource.health = facts.checks.health(live, facts.now);
        let Some(found) = &resource.health else { continue };
        let child = resource.key.group == api::GROUP && resource.key.kind == "Application";
        if child && matches!(found.status, HealthStatusCode::Missing | HealthStatusCode::Unknown) {
            continue;
        }
        worst = worst.max(found.status);
    }
    if any && !any_live { worst.max(HealthStatusCode::Missing) } else { worst }
}

/// An application that manages itself would wait for itself.
fn is_itself(live: &Object, facts: &Facts<'_>) -> bool {
    let metadata = &facts.application.metadata;
    live.group() == api::GROUP
        && live.kind() == "Application"
        && live.name() == metadata.name
        && live.namespace() == metadata.namespace
}
