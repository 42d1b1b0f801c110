//! Databases, brokers and storage.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, look, number, same, text, text_in, told_at, truthy, within};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

pub(crate) fn cloud_native_postgres(live: &Object) -> HealthStatus {
    let annotation = |name: &str| {
        look(live, "metadata.annotations")
            .and_then(|annotations| annotations.get(name))
            .and_then(Value::as_str)
    };
    // Somebody said so: nothing else matters.
    if annotation("cnpg.io/reconciliation") == Some("disabled")
        || annotation("cnpg.io/reconciliationLoop") == Some("disabled")
    {
        return HealthStatus::suspended("Cluster reconciliation is suspended");
    }
    let why = text(live, "status.phaseReason");
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing(why);
    }
    if let Some(hibernation) = conditions(live).find(|it| it.kind == "cnpg.io/hibernation") {
        return match hibernation.status {
            "True" => HealthStatus::suspended(hibernation.message),
            _ => HealthStatus::degraded(hibernation.message),
        };
    }
    HealthStatus::new(postgres_phase(text(live, "status.phase")), why)
}

fn postgres_phase(phase: &str) -> HealthStatusCode {
    match phase {
        "Cluster in healthy state" => HealthStatusCode::Healthy,
        "Setting up primary"
        | "Creating a new replica"
        | "Upgrading cluster"
        | "Waiting for the instances to become active"
        | "Promoting to primary cluster" => HealthStatusCode::Progressing,
        "Switchover in progress"
        | "Failing over"
        | "Upgrading Postgres major version"
        | "Cluster upgrade delayed"
        | "Waiting for user action"
        | "Primary instance is being restarted in-place"
        | "Primary instance is being restarted without a switchover"
        | "Cluster cannot execute instance online upgrade due to missing architecture binary"
        | "Online upgrade in progress"
        | "Applying configuration" => HealthStatusCode::Degraded,
        "Unable to create required cluster objects"
        | "Cluster cannot proceed to reconciliation due to an unknown plugin being required"
        | "Cluster has incomplete or invalid image catalog"
        | "Cluster is unrecoverable and needs manual intervention" => HealthStatusCode::Suspended,
        _ => HealthStatusCode::Unknown,
    }
}

pub(crate) fn percona_xtradb(live: &Object) -> HealthStatus {
    let nodes =
        format!("{}/{} node(s) are ready", told_at(live, "status.ready"), told_at(live, "status.size"));
    match text(live, "status.state") {
        "initializing" => HealthStatus::progressing(nodes),
        "ready" => HealthStatus::healthy(nodes),
        "paused" => HealthStatus::new(HealthStatusCode::Unknown, "Cluster is paused"),
        "stopping" => HealthStatus::degraded(format!("Cluster is stopping ({nodes})")),
        "error" => {
            let messages: Vec<&str> = list(live, "status.message").iter().filter_map(Value::as_str).collect();
            HealthStatus::degraded(format!("Cluster is on error: {}", messages.join(", ")))
        }
        _ => HealthStatus::new(
            HealthStatusCode::Unknown,
            "Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues",
        ),
    }
}

pub(crate) fn cassandra(live: &Object) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Waiting for Cassandra Cluster");
    let Some(racks) = look(live, "status.racks") else { return waiting() };
    let is_short = |rack: &Value| {
        let (members, ready) = (within(rack, "members"), within(rack, "readyMembers"));
        members.is_some() && ready.is_some() && !same(members, ready)
    };
    let short = match racks {
        Value::Object(racks) => racks.values().any(is_short),
        Value::Array(racks) => racks.iter().any(is_short),
        _ => false,
    };
    if short { waiting() } else { HealthStatus::healthy("") }
}

pub(crate) fn ceph_cluster(live: &Object) -> HealthStatus {
    if look(live, "status").is_none() {
        return HealthStatus::progressing("Waiting for status to be reported");
    }
    let mut status = HealthStatusCode::Progressing;
    let mut told = Vec::new();
    if let Some(health) = look(live, "status.ceph.health").and_then(Value::as_str) {
        status = match health {
            "HEALTH_ERR" | "HEALTH_WARN" => HealthStatusCode::Degraded,
            "HEALTH_OK" => HealthStatusCode::Healthy,
            _ => status,
        };
        told.push(format!("Ceph health is {health}{}", ceph_details(live)));
    }
    if let Some(state) = look(live, "status.state").and_then(Value::as_str)
        && status == HealthStatusCode::Healthy
    {
        told.push(format!("Ceph cluster state is {state}"));
        status = match state {
            "Created" | "Connected" => HealthStatusCode::Healthy,
            "Error" => HealthStatusCode::Degraded,
            _ => HealthStatusCode::Progressing,
        };
    }
    let message = text(live, "status.message");
    if !message.is_empty() {
        told.push(message.to_owned());
    }
    HealthStatus::new(status, told.join(" - "))
}

fn ceph_details(live: &Object) -> String {
    let Some(details) = look(live, "status.ceph.details").and_then(Value::as_object) else {
        return String::new();
    };
    let mut details: Vec<_> = details.iter().collect();
    details.sort_by_key(|(name, _)| *name);
    let messages: Vec<&str> = details
        .into_iter()
        .filter_map(|(_, detail)| within(detail, "message").and_then(Value::as_str))
        .collect();
    if messages.is_empty() { String::new() } else { format!(" ({})", messages.join("; ")) }
}

pub(crate) fn ceph_object_store(live: &Object) -> HealthStatus {
    let mut status = HealthStatusCode::Progressing;
    let mut message = "Waiting for status to be reported".to_owned();
    if let Some(phase) = look(live, "status.phase").and_then(Value::as_str) {
        message = format!("Ceph object store phase is {phase}");
        status = match phase {
            "Ready" => HealthStatusCode::Healthy,
            "Failure" => HealthStatusCode::Degraded,
            _ => status,
        };
    }
    let endpoint = text(live, "status.info.endpoint");
    if !endpoint.is_empty() {
        message = format!("{message} - endpoint: {endpoint}");
    }
    HealthStatus::new(status, message)
}

pub(crate) fn elasticsearch(live: &Object) -> HealthStatus {
    let unknown = || {
        HealthStatus::new(
            HealthStatusCode::Unknown,
            "Elasticsearch Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues",
        )
    };
    let Some(available) = number(live, "status.availableNodes") else { return unknown() };
    let counts = list(live, "spec.nodeSets").iter();
    let wanted: f64 = counts.filter_map(|set| within(set, "count").and_then(Value::as_f64)).sum();
    if available < wanted {
        return HealthStatus::progressing(format!(
            "The desired amount of availableNodes is {wanted} but the current amount is {available}"
        ));
    }
    if available > wanted || look(live, "status.health").is_none() {
        return unknown();
    }
    let colour = |word: &str| {
        format!("Elasticsearch Cluster status is {word}. Check the status of indices, replicas and shards")
    };
    match (text(live, "status.phase"), text(live, "status.health")) {
        ("Ready", "green") => HealthStatus::healthy("Elasticsearch Cluster status is Green"),
        ("Ready", "yellow") => HealthStatus::progressing(colour("Yellow")),
        ("Ready", "red") => HealthStatus::degraded(colour("Red")),
        (phase @ ("ApplyingChanges" | "MigratingData"), _) => {
            HealthStatus::progressing(format!("Elasticsearch phase is {phase}"))
        }
        ("Invalid", _) => HealthStatus::degraded("Elasticsearch phase is Invalid"),
        _ => unknown(),
    }
}

pub(crate) fn solr(live: &Object) -> HealthStatus {
    if look(live, "status.solrNodes").is_none() {
        return HealthStatus::progressing("Waiting for solr to exist");
    }
    if list(live, "status.solrNodes").iter().all(|node| truthy(within(node, "ready"))) {
        HealthStatus::healthy("Solr is ready")
    } else {
        HealthStatus::progressing("Not all replicas are ready")
    }
}

pub(crate) fn banzai_kafka(live: &Object) -> HealthStatus {
    let state = text(live, "status.state");
    if state == "ClusterRollingUpgrading" {
        return HealthStatus::progressing("Kafka Cluster is Rolling Upgrading.");
    }
    let waiting = || HealthStatus::progressing("Waiting for KafkaCluster");
    let Some(brokers) = look(live, "status.brokersState").and_then(Value::as_object) else {
        return waiting();
    };
    let is_well = |broker: &Value| {
        let action = text_in(broker, "gracefulActionState.cruiseControlState");
        text_in(broker, "configurationState") == "ConfigInSync"
            && matches!(action, "GracefulUpscaleSucceeded" | "GracefulDownscaleSucceeded")
    };
    if !brokers.values().all(is_well) {
        return HealthStatus::degraded("Broker Config is out of Sync or CruiseControlState is not Ready");
    }
    let topic = look(live, "status.cruiseControlTopicStatus").map(|topic| topic.as_str().unwrap_or_default());
    match (topic, state) {
        (Some("CruiseControlTopicReady"), "ClusterRunning") => {
            HealthStatus::healthy("Kafka Brokers, CruiseControl and cluster are in Healthy State.")
        }
        (Some("CruiseControlTopicNotReady") | None, "ClusterReconciling") => {
            HealthStatus::progressing("Kafka Cluster is Reconciling.")
        }
        _ => waiting(),
    }
}
