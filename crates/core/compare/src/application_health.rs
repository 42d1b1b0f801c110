//! Health of the whole: that of its worst part, with exceptions.

use crate::comparison::ComparedResource;
use crate::facts::Facts;
use api::codes::HealthStatusCode;
use api::names::IGNORE_HEALTHCHECK;
use health::HealthStatus;
use object::{Object, ResourceKey};

/// How many of the worst resources are named.
const NAMED: usize = 3;

/// Health of the whole.
pub(crate) struct Whole {
    pub(crate) status: HealthStatusCode,
    /// The resources it is due to.
    pub(crate) message: String,
    /// Why scripts could not tell the health of resources.
    pub(crate) faults: Option<String>,
}

/// Notes each resource's health and gives the whole's.
pub(crate) fn judge(resources: &mut [ComparedResource], facts: &Facts<'_>) -> Whole {
    let mut worst = HealthStatusCode::Healthy;
    let (mut causes, mut faults) = (Vec::new(), Vec::new());
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
        let found = facts.checks.find(live, facts.now);
        resource.health = found.health;
        faults.extend(found.fault.map(|fault| fault_of(&resource.key, &fault.to_string())));
        let Some(found) = &resource.health else { continue };
        let child = resource.key.group == api::GROUP && resource.key.kind == "Application";
        if child && matches!(found.status, HealthStatusCode::Missing | HealthStatusCode::Unknown) {
            continue;
        }
        if found.status > worst {
            worst = found.status;
            causes.clear();
        }
        if found.status == worst && worst != HealthStatusCode::Healthy {
            causes.push(name(&resource.key));
        }
    }
    let faults = all_faults(&faults);
    if any && !any_live {
        return Whole { status: worst.max(HealthStatusCode::Missing), message: String::new(), faults };
    }
    Whole { status: worst, message: caused_by(&causes), faults }
}

fn fault_of(key: &ResourceKey, reason: &str) -> String {
    let ResourceKey { kind, namespace, name, .. } = key;
    format!(
        "failed to get resource health for {kind:?} with name {name:?} in namespace {namespace:?}: {reason}"
    )
}

/// The first, in the order of the resources, and how many more there are.
fn all_faults(faults: &[String]) -> Option<String> {
    let (first, more) = faults.split_first()?;
    let more = if more.is_empty() { String::new() } else { format!(" (and {} more)", more.len()) };
    Some(format!("error setting app health: {first}{more}"))
}

fn caused_by(causes: &[String]) -> String {
    if causes.is_empty() {
        return String::new();
    }
    let named: Vec<&str> = causes.iter().take(NAMED).map(String::as_str).collect();
    let more = causes.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("Caused by {}{more}", named.join(", "))
}

/// What a resource is called in the message: `apps/Deployment:namespace/name`.
fn name(key: &ResourceKey) -> String {
    let part = |part: &str| if part.is_empty() { String::new() } else { format!("{part}/") };
    format!("{}{}:{}{}", part(&key.group), key.kind, part(&key.namespace), key.name)
}

/// An application that manages itself would wait for itself.
fn is_itself(live: &Object, facts: &Facts<'_>) -> bool {
    let metadata = &facts.application.metadata;
    live.group() == api::GROUP
        && live.kind() == "Application"
        && live.name() == metadata.name
        && live.namespace() == metadata.namespace
}
