//! Deployments, ReplicaSets, StatefulSets and DaemonSets: how far a roll-out is. The order of questions is
//! that of `kubectl rollout status`.

use crate::object_status::{HealthStatus, conditions, count};
use object::Object;

pub(crate) fn deployment(live: &Object) -> HealthStatus {
    if live.api_version() != "apps/v1" {
        return HealthStatus::unsupported(live, "Deployment");
    }
    if live.at(&["spec", "paused"]) == Some(&true.into()) {
        return HealthStatus::suspended("Deployment is paused");
    }
    if live.generation() > observed_generation(live) {
        return HealthStatus::progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        );
    }
    let replicas = count(live, &["status", "replicas"]);
    let updated = count(live, &["status", "updatedReplicas"]);
    let available = count(live, &["status", "availableReplicas"]);
    let progress = conditions(live).find(|condition| condition.kind == "Progressing");
    if progress.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return HealthStatus::degraded(format!(
            "Deployment {:?} exceeded its progress deadline",
            live.name()
        ));
    }
    match live.int_at(&["spec", "replicas"]) {
        Some(wanted) if updated < wanted => {
            return HealthStatus::progressing(format!(
                "Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
            ));
        }
        _ => {}
    }
    if replicas > updated {
        let old = replicas.saturating_sub(updated);
        return HealthStatus::progressing(format!(
            "Waiting for rollout to finish: {old} old replicas are pending termination..."
        ));
    }
    if available < updated {
        return HealthStatus::progressing(format!(
            "Waiting for rollout to finish: {available} of {updated} updated replicas are available..."
        ));
    }
    HealthStatus::healthy("")
}

pub(crate) fn replica_set(live: &Object) -> HealthStatus {
    if live.api_version() != "apps/v1" {
        return HealthStatus::unsupported(live, "ReplicaSet");
    }
    if live.generation() > observed_generation(live) {
        return HealthStatus::progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        );
    }
    let failure = conditions(live).find(|condition| condition.kind == "ReplicaFailure");
    if let Some(failure) = failure.filter(|condition| condition.status == "True") {
        return HealthStatus::degraded(failure.message);
    }
    let available = count(live, &["status", "availableReplicas"]);
    match live.int_at(&["spec", "replicas"]) {
        Some(wanted) if available < wanted => HealthStatus::progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        )),
        _ => HealthStatus::healthy(""),
    }
}

pub(crate) fn stateful_set(live: &Object) -> HealthStatus {
    if live.api_version() != "apps/v1" {
        return HealthStatus::unsupported(live, "StatefulSet");
    }
    let observed = observed_generation(live);
    if observed == 0 || live.generation() > observed {
        return HealthStatus::progressing("Waiting for statefulset spec update to be observed...");
    }
    let replicas = live.int_at(&["spec", "replicas"]);
    let ready = count(live, &["status", "readyReplicas"]);
    let updated = count(live, &["status", "updatedReplicas"]);
    if let Some(missing) = replicas.map(|wanted| wanted.saturating_sub(ready)).filter(|missing| *missing > 0)
    {
        return HealthStatus::progressing(format!("Waiting for {missing} pods to be ready..."));
    }
    let strategy = live.text_at(&["spec", "updateStrategy", "type"]);
    let rolling = live.at(&["spec", "updateStrategy", "rollingUpdate"]).filter(|value| value.is_object());
    if strategy == "RollingUpdate" && rolling.is_some() {
        let partition = live.int_at(&["spec", "updateStrategy", "rollingUpdate", "partition"]);
        if let (Some(replicas), Some(partition)) = (replicas, partition) {
            let wanted = replicas.saturating_sub(partition);
            if updated < wanted {
                return HealthStatus::progressing(format!(
                    "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
                ));
            }
        }
        return HealthStatus::healthy(format!(
            "partitioned roll out complete: {updated} new pods have been updated..."
        ));
    }
    if strategy == "OnDelete" {
        return HealthStatus::healthy(format!("statefulset has {ready} ready pods"));
    }
    let update_revision = live.text_at(&["status", "updateRevision"]);
    let current_revision = live.text_at(&["status", "currentRevision"]);
    if update_revision != current_revision {
        return HealthStatus::progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update_revision}..."
        ));
    }
    let current = count(live, &["status", "currentReplicas"]);
    HealthStatus::healthy(format!(
        "statefulset rolling update complete {current} pods at revision {current_revision}..."
    ))
}

pub(crate) fn daemon_set(live: &Object) -> HealthStatus {
    if live.api_version() != "apps/v1" {
        return HealthStatus::unsupported(live, "DaemonSet");
    }
    if live.generation() > observed_generation(live) {
        return HealthStatus::progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        );
    }
    let updated = count(live, &["status", "updatedNumberScheduled"]);
    let wanted = count(live, &["status", "desiredNumberScheduled"]);
    let available = count(live, &["status", "numberAvailable"]);
    if live.text_at(&["spec", "updateStrategy", "type"]) == "OnDelete" {
        return HealthStatus::healthy(format!(
            "daemon set {updated} out of {wanted} new pods have been updated"
        ));
    }
    let rollout = format!("Waiting for daemon set {:?} rollout to finish", live.name());
    if updated < wanted {
        return HealthStatus::progressing(format!(
            "{rollout}: {updated} out of {wanted} new pods have been updated..."
        ));
    }
    if available < wanted {
        return HealthStatus::progressing(format!(
            "{rollout}: {available} of {wanted} updated pods are available..."
        ));
    }
    HealthStatus::healthy("")
}

fn observed_generation(live: &Object) -> i64 {
    count(live, &["status", "observedGeneration"])
}
