//! Numaflow and Numaplane.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{look, same, text};
use api::codes::HealthStatusCode;
use object::Object;

const PROGRESSIVE: &str = "numaplane.numaproj.io/progressive-result-state";

fn observed(live: &Object) -> bool {
    same(look(live, "metadata.generation"), look(live, "status.observedGeneration"))
}

/// How the kinds of Numaflow differ.
struct Flow {
    /// Whether a failing part is told in its own words.
    own_words: bool,
    /// Whether a failed progressive upgrade shows on the object.
    progressive: bool,
    paused: &'static [&'static str],
}

pub(crate) fn buffer_service(live: &Object) -> HealthStatus {
    flow(live, &Flow { own_words: true, progressive: true, paused: &[] })
}

pub(crate) fn mono_vertex(live: &Object) -> HealthStatus {
    flow(live, &Flow { own_words: false, progressive: true, paused: &["Paused"] })
}

pub(crate) fn pipeline(live: &Object) -> HealthStatus {
    flow(live, &Flow { own_words: false, progressive: true, paused: &["Paused", "Pausing"] })
}

pub(crate) fn vertex(live: &Object) -> HealthStatus {
    flow(live, &Flow { own_words: true, progressive: false, paused: &["Paused"] })
}

fn flow(live: &Object, flow: &Flow) -> HealthStatus {
    let kind = live.kind();
    let waiting = || HealthStatus::progressing(format!("Waiting for {kind} status"));
    if look(live, "status").is_none() || !observed(live) {
        return waiting();
    }
    let phase = text(live, "status.phase");
    let label = look(live, "metadata.labels").and_then(|labels| labels.get(PROGRESSIVE));
    let upgrade_failed = flow.progressive && label.is_some_and(|state| state == "failed");
    let bad = conditions(live).filter(|condition| condition.status == "False").last();
    if phase == "Failed" {
        return HealthStatus::degraded(text(live, "status.message"));
    }
    if upgrade_failed {
        return HealthStatus::degraded("Failed progressive upgrade");
    }
    if let Some(bad) = bad {
        let message = if flow.own_words { bad.message } else { "Subresources are unhealthy" };
        return HealthStatus::degraded(message);
    }
    if flow.paused.contains(&phase) {
        return HealthStatus::healthy(format!("{kind} is paused"));
    }
    if phase == "Running" { HealthStatus::healthy(format!("{kind} is healthy")) } else { waiting() }
}

pub(crate) fn mono_vertex_rollout(live: &Object) -> HealthStatus {
    rollout(live, "MonoVertexPausingOrPaused", "MonoVertexFailed", "Unknown MonoVertex status")
}

pub(crate) fn pipeline_rollout(live: &Object) -> HealthStatus {
    rollout(live, "PipelinePausingOrPaused", "PipelineFailed", "Unknown Pipeline status")
}

pub(crate) fn buffer_service_rollout(live: &Object) -> HealthStatus {
    rollout(live, "", "ISBSvcFailed", "Unknown status")
}

fn rollout(live: &Object, paused: &str, failed: &str, unknown: &str) -> HealthStatus {
    if look(live, "status").is_none() || !observed(live) {
        return HealthStatus::progressing("Not yet reconciled");
    }
    let find = |kind: &str, status: &str| {
        conditions(live)
            .find(|condition| condition.kind == kind && condition.status == status && !kind.is_empty())
    };
    let upgrade_failed = find("ProgressiveUpgradeSucceeded", "False").is_some();
    let upgrading = !text(live, "status.upgradeInProgress").is_empty();
    let phase = text(live, "status.phase");
    if (upgrading || phase == "Pending") && !upgrade_failed {
        return HealthStatus::progressing("Update in progress");
    }
    let unhealthy = |reason: &str| {
        conditions(live)
            .find(|it| it.kind == "ChildResourcesHealthy" && it.status == "False" && it.reason == reason)
    };
    if unhealthy("Progressing").is_some() {
        return HealthStatus::progressing("Child Progressing");
    }
    if phase == "Failed" {
        return HealthStatus::degraded(text(live, "status.message"));
    }
    let bad = match failed {
        // Whatever the reason.
        "" => find("ChildResourcesHealthy", "False"),
        failed => unhealthy(failed),
    };
    if let Some(condition) = bad {
        return HealthStatus::degraded(condition.message);
    }
    if upgrade_failed {
        return HealthStatus::degraded("Progressive upgrade failed");
    }
    if let Some(condition) = find(paused, "True") {
        return HealthStatus::healthy(condition.message);
    }
    if find("ChildResourcesHealthy", "True").is_some() {
        return HealthStatus::healthy("Healthy");
    }
    HealthStatus::new(HealthStatusCode::Unknown, unknown)
}

pub(crate) fn controller_rollout(live: &Object) -> HealthStatus {
    rollout(live, "", "", "Unknown status")
}
