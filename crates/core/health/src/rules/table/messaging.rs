//! Queues and streams.

use super::NOT_READY;
use crate::custom::stores;
use crate::rules::{
    Case, Rule, Step, When, degraded, healthy, kinds, native, on, progressing, suspended, unknown,
};
use api::codes::HealthStatusCode::{Degraded, Healthy, Suspended};

const READY_SILENTLY: Case = on(&["Ready"], &["True"], Healthy).says("");
const STRIMZI: &[Step] = &[Step::First(&[on(&["NotReady"], &["True"], Degraded), READY_SILENTLY])];
const CLUSTER_AVAILABLE: &str = "ClusterAvailable";
const REPLICAS_READY: &str = "AllReplicasReady";

/// Kinds of RabbitMQ's topology operator differ in a word.
const fn topology(kind: &'static [&'static str], cases: &'static [Step], otherwise: &'static str) -> Rule {
    kinds("rabbitmq.com", kind, cases, unknown(otherwise))
}

const fn made(says: &'static str) -> Case {
    on(&["Ready"], &["True"], Healthy).reason(&["SuccessfulCreateOrUpdate"]).says(says)
}

const fn not_made(says: &'static str) -> Case {
    NOT_READY.reason(&["FailedCreateOrUpdate"]).says(says)
}

/// Kinds of Confluent's platform.
const fn confluent(kind: &'static [&'static str], waiting: &'static str) -> Rule {
    kinds("platform.confluent.io", kind, CONFLUENT, progressing(waiting))
}

const CONFLUENT: &[Step] = &[
    Step::If(When::Text("status.phase", &["RUNNING"]), healthy("{kind} running")),
    Step::If(When::Text("status.phase", &["PROVISIONING"]), progressing("{kind} provisioning")),
];

pub(super) const RULES: &[Rule] = &[
    kinds(
        "kafka.strimzi.io",
        &["Kafka"],
        &[Step::First(&[on(&["NotReady"], &["True"], Degraded).other_reason(&["Creating"]), READY_SILENTLY])],
        progressing("Waiting for Kafka Cluster"),
    ),
    kinds("kafka.strimzi.io", &["KafkaBridge"], STRIMZI, progressing("Waiting for KafkaBridge")),
    kinds("kafka.strimzi.io", &["KafkaConnect"], STRIMZI, progressing("Waiting for Kafka Connect")),
    kinds("kafka.strimzi.io", &["KafkaConnector"], STRIMZI, progressing("Waiting for KafkaConnector")),
    kinds("kafka.strimzi.io", &["KafkaTopic"], STRIMZI, progressing("Waiting for Kafka Topic")),
    kinds("kafka.strimzi.io", &["KafkaUser"], STRIMZI, progressing("Waiting for Kafka User")),
    native("kafka.banzaicloud.io", &["KafkaCluster"], stores::banzai_kafka),
    kinds(
        "platform.confluent.io",
        &["Connector"],
        &[
            Step::If(
                When::All(&[
                    When::Text("status.state", &["CREATED"]),
                    When::Text("status.connectorState", &["RUNNING"]),
                    When::Absent("status.failedTasksCount"),
                ]),
                healthy("Connector running"),
            ),
            Step::If(
                When::All(&[When::Text("status.state", &["ERROR"]), When::Empty("status.conditions")]),
                degraded("No conditions available"),
            ),
            Step::IfFirst(When::Text("status.state", &["ERROR"]), degraded("{message}")),
            Step::If(
                When::All(&[When::Present("status.state"), When::MoreThan("status.failedTasksCount", 0)]),
                degraded("Connector has failed tasks"),
            ),
        ],
        progressing("Waiting for Kafka Connector"),
    ),
    confluent(&["Connect"], "Waiting for Connect"),
    confluent(&["ControlCenter"], "Waiting for ControlCenter"),
    confluent(&["Kafka"], "Waiting for Kafka"),
    confluent(&["KsqlDB"], "Waiting for KsqlDB"),
    confluent(&["SchemaRegistry"], "Waiting for SchemaRegistry"),
    confluent(&["Zookeeper"], "Waiting for Zookeeper"),
    kinds(
        "rabbitmq.com",
        &["RabbitmqCluster"],
        &[
            Step::First(&[on(&["ReconcileSuccess"], &["False"], Degraded)]),
            Step::If(
                When::Any(&[
                    When::Condition(CLUSTER_AVAILABLE, "Unknown"),
                    When::Condition(REPLICAS_READY, "Unknown"),
                ]),
                progressing("Waiting for RabbitMQ cluster readiness (conditions unknown)"),
            ),
            Step::If(
                When::All(&[
                    When::Number("spec.replicas", 0),
                    When::Fits(on(&[REPLICAS_READY], &["False"], Suspended).reason(&["ScaledToZero"])),
                ]),
                suspended("RabbitmqCluster is scaled to 0 replicas"),
            ),
            Step::If(
                When::Condition(CLUSTER_AVAILABLE, "False"),
                progressing("Waiting for RabbitMQ cluster formation"),
            ),
            Step::If(
                When::Condition(REPLICAS_READY, "False"),
                progressing("Waiting for RabbitMQ instances ready"),
            ),
            Step::If(
                When::All(&[
                    When::Condition(CLUSTER_AVAILABLE, "True"),
                    When::Condition(REPLICAS_READY, "True"),
                ]),
                healthy("RabbitMQ cluster ready"),
            ),
        ],
        progressing("Waiting for RabbitMQ Operator"),
    ),
    topology(
        &["Binding"],
        &[Step::First(&[
            made("RabbitMQ binding ready"),
            not_made("RabbitMQ binding failed to be created or updated"),
        ])],
        "RabbitMQ binding status is unknown",
    ),
    topology(
        &["Exchange"],
        &[Step::First(&[
            made("RabbitMQ exchange ready"),
            not_made("RabbitMQ exchange failed to be created or updated"),
        ])],
        "RabbitMQ exchange status is unknown",
    ),
    topology(
        &["Permission"],
        &[Step::First(&[
            made("RabbitMQ permission ready"),
            not_made("RabbitMQ permission failed to be created or updated"),
        ])],
        "RabbitMQ permission status is unknown",
    ),
    topology(
        &["Policy"],
        &[Step::First(&[
            made("RabbitMQ policy ready"),
            not_made("RabbitMQ policy failed to be created or updated"),
        ])],
        "RabbitMQ policy status is unknown",
    ),
    topology(
        &["Queue"],
        &[Step::First(&[
            made("RabbitMQ queue ready"),
            not_made("RabbitMQ queue failed to be created or updated"),
        ])],
        "RabbitMQ queue status is unknown",
    ),
    topology(
        &["Shovel"],
        &[Step::First(&[
            made("RabbitMQ shovel ready"),
            not_made("RabbitMQ shovel failed to be created or updated"),
        ])],
        "RabbitMQ shovel status is unknown",
    ),
    topology(
        &["User"],
        &[Step::First(&[
            made("RabbitMQ user ready"),
            not_made("RabbitMQ user failed to be created or updated"),
        ])],
        "RabbitMQ user status is unknown",
    ),
    topology(
        &["Vhost"],
        &[Step::First(&[
            made("RabbitMQ vhost ready"),
            not_made("RabbitMQ vhost failed to be created or updated"),
        ])],
        "RabbitMQ vhost status is unknown",
    ),
];
