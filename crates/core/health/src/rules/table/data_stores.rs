//! Databases, search, caches, storage, backups.

use super::{IS_READY, NOT_READY};
use crate::custom::stores;
use crate::rules::{Rule, Step, When, degraded, healthy, kinds, native, on, progressing, suspended, unknown};
use api::codes::HealthStatusCode::{Degraded, Healthy, Progressing};

const NODES: &str = "{.status.ready}/{.status.size} node(s) are ready";
const STATE: &str = "status.state";
const PHASE: &str = "status.phase";
const CLICKHOUSE: &str = "status.status";
const TENANT: &str = "status.currentState";

const MARIADB: &[Step] = &[
    Step::If(When::Absent("status.conditions"), progressing("No status info available")),
    Step::First(&[on(&[], &["False"], Degraded).reason(&["Failed"]), on(&[], &["False"], Progressing)]),
    Step::Last(&[on(&[], &[], Healthy).other_status(&[])]),
];

pub(super) const RULES: &[Rule] = &[
    kinds(
        "acid.zalan.do",
        &["postgresql"],
        &[
            Step::If(
                When::Absent("status.PostgresClusterStatus"),
                progressing("Waiting for postgres cluster status..."),
            ),
            Step::If(
                When::Text("status.PostgresClusterStatus", &["Running"]),
                healthy("{.status.PostgresClusterStatus}"),
            ),
            Step::If(
                When::Text("status.PostgresClusterStatus", &["Creating", "Updating"]),
                progressing("{.status.PostgresClusterStatus}"),
            ),
        ],
        degraded("{.status.PostgresClusterStatus}"),
    ),
    native("postgresql.cnpg.io", &["Cluster"], stores::cloud_native_postgres),
    kinds(
        "postgresql.cnpg.io",
        &["Backup"],
        &[
            Step::If(
                When::Any(&[When::Absent(PHASE), When::Text(PHASE, &[""])]),
                progressing("Waiting for backup to be processed"),
            ),
            Step::If(When::Text(PHASE, &["completed"]), healthy("Backup completed")),
            Step::If(
                When::Text(PHASE, &["failed", "walArchivingFailing", "invalid backup definition"]),
                degraded("{.status.error|.status.phase}"),
            ),
        ],
        progressing("{.status.phase}"),
    ),
    kinds(
        "postgresql.cnpg.io",
        &["Database"],
        &[
            Step::If(
                When::All(&[When::Flag("status.applied", true), OBSERVED]),
                healthy("{.status.message}"),
            ),
            // Only what was applied before has got worse: a first attempt may wait for its owner.
            Step::If(
                When::All(&[When::Flag("status.applied", false), OBSERVED]),
                degraded("{.status.message|CloudNativePG failed to apply the Database}"),
            ),
            Step::If(
                When::All(&[
                    When::Present("status.message"),
                    When::Not(&When::Text("status.message", &[""])),
                ]),
                progressing("{.status.message}"),
            ),
        ],
        progressing("Waiting for CloudNativePG to reconcile Database"),
    ),
    kinds(
        "k8s.mariadb.com",
        &["Backup"],
        &[
            Step::If(When::Absent("status.conditions"), progressing("No status info available")),
            Step::First(&[
                on(&[], &["False"], Degraded)
                    .reason(&["CronJobScheduled"])
                    .message(&["Failed"])
                    .says("{reason} {message}"),
                on(&[], &["False"], Progressing).says("{reason} {message}"),
            ]),
            Step::Last(&[on(&[], &[], Healthy).other_status(&[]).says("{reason} {message}")]),
        ],
        healthy(""),
    ),
    kinds("k8s.mariadb.com", &["MariaDB"], MARIADB, healthy("")),
    kinds("mariadb.mmontes.io", &["MariaDB"], MARIADB, healthy("")),
    kinds(
        "k8s.mariadb.com",
        &["Database", "Grant", "User"],
        &[
            Step::First(&[IS_READY, on(&["Ready"], &[], Degraded).other_status(&["True"])]),
            Step::Last(&[on(&[], &[], Progressing).other_status(&[])]),
        ],
        progressing("No status info available"),
    ),
    kinds(
        "k8s.mariadb.com",
        &["SqlJob"],
        &[
            Step::First(&[
                on(&[], &["True"], Healthy).reason(&["JobComplete"]).says("{reason} {message}"),
                on(&[], &["True"], Degraded).reason(&["JobFailed"]).says("{reason} {message}"),
            ]),
            Step::Last(&[on(&[], &[], Progressing).other_status(&[]).says("{reason} {message}")]),
        ],
        progressing("No status info available"),
    ),
    kinds(
        "medusa.k8ssandra.io",
        &["MedusaTask"],
        &[
            MEDUSA_STATUS,
            MEDUSA_OBSERVED,
            MEDUSA_CURRENT,
            Step::If(When::Present("status.failed"), degraded("Failed nodes exist")),
            Step::If(When::Not(&When::Empty("status.finished")), healthy("")),
        ],
        progressing(""),
    ),
    kinds(
        "medusa.k8ssandra.io",
        &["MedusaBackupJob"],
        &[
            MEDUSA_STATUS,
            MEDUSA_OBSERVED,
            MEDUSA_CURRENT,
            Step::If(When::Not(&When::Empty("status.finished")), healthy("")),
            Step::If(When::Present("status.finished"), progressing("")),
            Step::If(When::Present("status.failed"), degraded("Failed nodes exist")),
        ],
        progressing("Status not known yet"),
    ),
    kinds(
        "psmdb.percona.com",
        &["PerconaServerMongoDB"],
        &[
            Step::If(When::Absent("status"), unknown("Cluster status is unknown")),
            Step::If(When::Text(STATE, &["initializing", "stopping"]), progressing(NODES)),
            Step::If(When::Text(STATE, &["ready"]), healthy(NODES)),
            Step::If(When::Text(STATE, &["error"]), degraded(NODES)),
            Step::If(When::Text(STATE, &["paused"]), suspended(NODES)),
        ],
        unknown(NODES),
    ),
    native("pxc.percona.com", &["PerconaXtraDBCluster"], stores::percona_xtradb),
    kinds(
        "clickhouse.altinity.com",
        &["ClickHouseInstallation"],
        &[
            Step::If(When::Absent(CLICKHOUSE), progressing("ClickHouse status not yet available")),
            Step::If(
                When::Text(CLICKHOUSE, &["Completed"]),
                healthy("ClickHouse installation completed successfully"),
            ),
            Step::If(
                When::Text(CLICKHOUSE, &["InProgress"]),
                progressing("ClickHouse installation in progress"),
            ),
        ],
        degraded("ClickHouse status: {.status.status}"),
    ),
    kinds(
        "clickhouse-keeper.altinity.com",
        &["ClickHouseKeeperInstallation"],
        &[
            Step::If(When::Absent(CLICKHOUSE), progressing("ClickHouseKeeper status not yet available")),
            Step::If(
                When::Text(CLICKHOUSE, &["Completed"]),
                healthy("ClickHouseKeeper installation completed successfully"),
            ),
            Step::If(
                When::Text(CLICKHOUSE, &["InProgress"]),
                progressing("ClickHouseKeeper installation in progress"),
            ),
        ],
        degraded("ClickHouseKeeper status: {.status.status}"),
    ),
    kinds(
        "db.atlasgo.io",
        &["AtlasMigration"],
        &[Step::First(&[
            IS_READY.says("{reason}"),
            on(&["Ready"], &[], Progressing)
                .other_status(&["True"])
                .reason(&["Reconciling"])
                .says("{reason}"),
            on(&["Ready"], &[], Degraded).other_status(&["True"]).says("{reason}"),
        ])],
        progressing("Waiting for Atlas Operator"),
    ),
    kinds(
        "db.atlasgo.io",
        &["AtlasSchema"],
        &[Step::First(&[
            IS_READY.says("{reason}"),
            on(&["Ready"], &[], Progressing)
                .other_status(&["True"])
                .message(&["Reconciling", "GettingDevDB"])
                .says("{reason}"),
            on(&["Ready"], &[], Degraded).other_status(&["True"]).says("{reason}"),
        ])],
        progressing("Waiting for Atlas Operator"),
    ),
    native("cassandra.rook.io", &["Cluster"], stores::cassandra),
    native("ceph.rook.io", &["CephCluster"], stores::ceph_cluster),
    native("ceph.rook.io", &["CephObjectStore"], stores::ceph_object_store),
    kinds(
        "objectbucket.io",
        &["ObjectBucketClaim"],
        &[
            Step::If(When::Absent("status"), progressing("Waiting for status to be reported")),
            Step::If(When::Absent(PHASE), progressing("Waiting for phase to be reported")),
            Step::If(When::Text(PHASE, &["Bound"]), healthy("Object bucket claim phase is {.status.phase}")),
            Step::If(
                When::Text(PHASE, &["Failed"]),
                degraded("Object bucket claim phase is {.status.phase}"),
            ),
        ],
        progressing("Object bucket claim phase is {.status.phase}"),
    ),
    kinds(
        "minio.min.io",
        &["Tenant"],
        &[
            Step::If(When::Absent(TENANT), progressing("No status info available")),
            Step::If(When::Text(TENANT, &["Initialized"]), healthy("{.status.currentState}")),
            Step::If(
                When::Text(
                    TENANT,
                    &[
                        "Statefulset not controlled by operator",
                        "Another MinIO Tenant already exists in the namespace",
                        "Tenant credentials are not set properly",
                        "Different versions across MinIO Pools",
                        "Pool Decommissioning Not Allowed",
                    ],
                ),
                degraded("{.status.currentState}"),
            ),
        ],
        progressing("{.status.currentState}"),
    ),
    native("elasticsearch.k8s.elastic.co", &["Elasticsearch"], stores::elasticsearch),
    kinds(
        "logstash.k8s.elastic.co",
        &["Logstash"],
        &[
            Step::If(When::Text("status.health", &["green"]), healthy("Logstash status is Green")),
            Step::If(When::Text("status.health", &["yellow"]), progressing("Logstash status is Yellow")),
            Step::If(When::Text("status.health", &["red"]), degraded("Logstash status is Red")),
        ],
        progressing("Waiting for Logstash"),
    ),
    kinds(
        "beat.k8s.elastic.co",
        &["Beat"],
        &[
            Step::If(When::Text("status.health", &["red"]), degraded("Elastic Beat status is Red")),
            Step::If(When::Text("status.health", &["green"]), healthy("Elastic Beat status is Green")),
            Step::If(
                When::All(&[
                    When::Text("status.health", &["yellow"]),
                    When::Present("status.availableNodes"),
                    When::Present("status.expectedNodes"),
                ]),
                progressing(
                    "Elastic Beat status is deploying, there is {.status.availableNodes} instance(s) on {.status.expectedNodes} expected",
                ),
            ),
            Step::If(
                When::Any(&[
                    When::Text("status.health", &["yellow"]),
                    When::All(&[When::Absent("status.health"), When::Present("status.expectedNodes")]),
                ]),
                progressing("Elastic Beat phase is progressing"),
            ),
        ],
        unknown(
            "Elastic Beat status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues",
        ),
    ),
    native("solr.apache.org", &["SolrCloud"], stores::solr),
    kinds(
        "zookeeper.pravega.io",
        &["ZookeeperCluster"],
        &[Step::If(
            When::All(&[
                When::Present("status"),
                When::Not(&When::Number("status.readyReplicas", 0)),
                When::Same("status.readyReplicas", "status.replicas"),
            ]),
            healthy("All ZK Nodes have joined the ensemble"),
        )],
        progressing("Waiting for ZK Nodes to join the ensemble"),
    ),
    kinds(
        "snapshot.storage.k8s.io",
        &["VolumeSnapshot", "VolumeSnapshotContent"],
        &[
            Step::If(When::Truthy("status.readyToUse"), healthy("Ready to use")),
            Step::If(When::Present("status.error"), degraded("{.status.error.message}")),
        ],
        progressing("Waiting for status"),
    ),
    kinds(
        "ocs.openshift.io",
        &["StorageCluster"],
        &[
            Step::First(&[on(&["Degraded"], &["True"], Degraded)]),
            Step::First(&[on(&["Progressing"], &["True"], Progressing)]),
            Step::First(&[on(&["Available"], &["True"], Healthy)]),
        ],
        unknown("StorageCluster is in an unknown state."),
    ),
    kinds(
        "trident.netapp.io",
        &["TridentBackendConfig"],
        &[
            Step::If(
                When::All(&[
                    When::Text(PHASE, &["Bound"]),
                    When::Text("status.lastOperationStatus", &["Success"]),
                ]),
                healthy("{.status.message}"),
            ),
            Step::If(When::Text("status.lastOperationStatus", &["Failed"]), degraded("{.status.message}")),
        ],
        progressing("Waiting for backend creation"),
    ),
    kinds(
        "trident.netapp.io",
        &["TridentOrchestrator"],
        &[
            Step::If(When::Text("status.status", &["Installed"]), healthy("{.status.message}")),
            Step::If(When::Text("status.status", &["Failed", "Error"]), degraded("{.status.message}")),
        ],
        progressing("Waiting for trident installation"),
    ),
    kinds(
        "astra.netapp.io",
        &["AppVault"],
        &[
            Step::If(When::Text(STATE, &["available", "Available"]), healthy("{kind} Available")),
            Step::If(When::Text(STATE, &["failed", "Failed"]), degraded("{kind} Failed")),
        ],
        progressing("No status available"),
    ),
    kinds(
        "astra.netapp.io",
        &["Application"],
        &[Step::First(&[
            IS_READY.says("Astra Application Ready, protectionState: {.status.protectionState}"),
            NOT_READY.says("Astra Application Degraded, message: {message}"),
        ])],
        progressing("No status available"),
    ),
    kinds(
        "astra.netapp.io",
        &["Backup", "ExecHooksRun", "ResourceBackup", "ResticVolumeBackup", "Snapshot"],
        &[
            Step::If(When::Absent(STATE), progressing("No status available")),
            Step::If(When::Text(STATE, &["Completed"]), healthy("{kind} Completed")),
            Step::If(When::Text(STATE, &["Running"]), progressing("{kind} Running")),
        ],
        degraded("{.status.state}"),
    ),
    kinds(
        "astra.netapp.io",
        &["ExecHook"],
        &[
            Step::If(When::Flag("spec.enabled", true), healthy("{kind} enabled")),
            Step::If(When::Flag("spec.enabled", false), suspended("{kind} disabled")),
        ],
        progressing("No status available"),
    ),
    kinds(
        "astra.netapp.io",
        &["Schedule"],
        &[Step::If(
            When::Present("status.lastScheduleTime"),
            healthy("Protection policy lastScheduleTime: {.status.lastScheduleTime}"),
        )],
        healthy("Protection policy not yet executed"),
    ),
];

const MEDUSA_STATUS: Step = Step::If(When::Absent("status"), unknown("No status object"));
const MEDUSA_OBSERVED: Step =
    Step::If(When::Absent("status.observedGeneration"), unknown("No observedGeneration"));
const MEDUSA_CURRENT: Step = Step::If(
    When::Not(&When::Same("status.observedGeneration", "metadata.generation")),
    progressing("observedGeneration is not equal to generation"),
);

/// The generation was applied at least once.
const OBSERVED: When = When::Any(&[
    When::Absent("metadata.generation"),
    When::Same("status.observedGeneration", "metadata.generation"),
]);
