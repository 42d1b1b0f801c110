//! Metrics, logs, traces, alerts.

use crate::custom::telemetry;
use crate::rules::{
    Rule, Step, When, degraded, healthy, kinds, native, on, progressing, suspended, unknown, verdict,
};
use api::codes::HealthStatusCode::{Degraded, Healthy, Missing, Progressing};

const STATE: &str = "status.state";
const UPDATE: &str = "status.updateStatus";

pub(super) const RULES: &[Rule] = &[
    native("monitoring.coreos.com", &["Alertmanager", "Prometheus", "ThanosRuler"], telemetry::prometheus),
    kinds(
        "grafana.integreatly.org",
        &["Grafana"],
        &[
            Step::If(When::Absent("status.stageStatus"), progressing("Waiting for Grafana status info")),
            Step::If(
                When::Text("status.stageStatus", &["failed"]),
                degraded("Failed at stage {.status.stage}"),
            ),
            Step::If(
                When::All(&[
                    When::Text("status.stage", &["complete"]),
                    When::Text("status.stageStatus", &["success"]),
                ]),
                healthy(""),
            ),
        ],
        progressing("{.status.stage}"),
    ),
    native("grafana.integreatly.org", &["GrafanaDashboard", "GrafanaFolder"], telemetry::grafana_conditions),
    kinds(
        "grafana.integreatly.org",
        &["GrafanaDatasource"],
        &[
            Step::If(When::Any(&[When::Absent("status"), When::Text("status.uid", &[""])]), progressing("")),
            Step::If(
                When::Truthy("status.NoMatchingInstances"),
                degraded("can't find matching grafana instance"),
            ),
        ],
        healthy(""),
    ),
    kinds(
        "grafana-org-operator.kubitus-project.gitlab.io",
        &[],
        &[Step::First(&[
            on(&["Ready"], &["False"], Degraded),
            on(&["Ready"], &["True"], Healthy),
            on(&["Ready"], &[], Progressing).other_status(&[]),
        ])],
        progressing("Waiting ..."),
    ),
    native("opentelemetry.io", &["OpenTelemetryCollector"], telemetry::collector),
    kinds(
        "jaegertracing.io",
        &["Jaeger"],
        &[
            Step::If(When::Text("status.phase", &["Running"]), healthy("Jaeger is Running")),
            Step::If(When::Text("status.phase", &["Failed"]), degraded("Jaeger Failed For Some Reason")),
        ],
        progressing("Waiting for Jaeger"),
    ),
    kinds(
        "kiali.io",
        &["Kiali"],
        &[Step::First(&[
            on(&["Successful"], &["True"], Healthy),
            on(&["Failure"], &["True"], Degraded),
            on(&["Running"], &[], Progressing).other_status(&[]).reason(&["Running"]),
        ])],
        progressing("Waiting for Kiali"),
    ),
    kinds(
        "operator.victoriametrics.com",
        &[],
        &[
            Step::If(
                When::Any(&[When::Absent("status"), When::Stale]),
                progressing("Waiting for the operator to reconcile"),
            ),
            Step::If(When::Text(UPDATE, &["operational"]), healthy("All components are operational")),
            Step::If(
                When::Text(UPDATE, &["ignored"]),
                healthy("Resource was not picked by any parent object"),
            ),
            Step::If(
                When::Text(UPDATE, &["expanding"]),
                progressing("{.status.reason?|Reconciliation in progress}"),
            ),
            Step::If(
                When::Text(UPDATE, &["paused"]),
                suspended("{.status.reason?|Reconciliation is paused}"),
            ),
            Step::If(When::Text(UPDATE, &["failed"]), degraded("{.status.reason?|Reconciliation failed}")),
        ],
        progressing("Waiting for the operator to report status"),
    ),
    kinds(
        "datadoghq.com",
        &["DatadogMetric"],
        &[
            Step::First(&[
                on(&["Error"], &["True"], Degraded)
                    .reason(&[""])
                    .says("{message|DatadogMetric reported an error}"),
                on(&["Error"], &["True"], Degraded)
                    .says("{reason}: {message|DatadogMetric reported an error}"),
            ]),
            Step::First(&[on(&["Valid"], &["False"], Degraded).says("{message|DatadogMetric is not valid}")]),
        ],
        healthy("DatadogMetric is healthy"),
    ),
    kinds(
        "coralogix.com",
        &["Alert", "RecordingRuleGroupSet"],
        &[Step::First(&[
            on(&["RemoteSynced"], &["True"], Healthy).says("Resource is ready"),
            on(&["RemoteSynced"], &["False"], Degraded),
        ])],
        progressing("Waiting for status to be updated"),
    ),
    kinds(
        "core.humio.com",
        &["HumioAction", "HumioAlert", "HumioIngestToken", "HumioParser", "HumioRepository", "HumioView"],
        &[
            Step::If(When::Text(STATE, &["Exists"]), healthy("Component state: Exists.")),
            Step::If(When::Text(STATE, &["NotFound"]), verdict(Missing, "Component state: NotFound.")),
            Step::If(When::Text(STATE, &["ConfigError"]), degraded("Component state: ConfigError.")),
            Step::If(When::Text(STATE, &["Unknown"]), unknown("Component state: Unknown.")),
        ],
        progressing("Update in progress"),
    ),
    kinds(
        "core.humio.com",
        &["HumioCluster"],
        &[
            Step::If(
                When::Text(STATE, &["Running"]),
                healthy("{.status.message|Cluster is in a healthy running state}"),
            ),
            Step::If(
                When::Text(STATE, &["Restarting"]),
                progressing("{.status.message|Cluster pods are being restarted}"),
            ),
            Step::If(
                When::Text(STATE, &["Upgrading"]),
                progressing("{.status.message|Cluster pods are being upgraded}"),
            ),
            Step::If(
                When::Text(STATE, &["ConfigError"]),
                degraded(
                    "{.status.message|User-provided cluster specification resulted in a configuration error}",
                ),
            ),
            Step::If(
                When::Text(STATE, &["Pending"]),
                progressing("{.status.message|Cluster is waiting on resources to be provisioned}"),
            ),
            Step::If(When::Text(STATE, &["Unknown"]), unknown("{.status.message|Component state: Unknown.}")),
        ],
        progressing("Update in progress"),
    ),
    kinds(
        "lifecycle.keptn.sh",
        &["KeptnAppVersion", "KeptnTask", "KeptnWorkloadInstance", "KeptnWorkloadVersion"],
        &[
            Step::If(When::Text("status.status", &["Succeeded"]), healthy("{kind} is healthy")),
            Step::If(When::Text("status.status", &["Failed"]), degraded("{kind} is degraded")),
        ],
        progressing("{kind} is progressing"),
    ),
    kinds(
        "lifecycle.keptn.sh",
        &["KeptnEvaluation"],
        &[
            Step::If(When::Text("status.overallStatus", &["Succeeded"]), healthy("{kind} is healthy")),
            Step::If(When::Text("status.overallStatus", &["Failed"]), degraded("{kind} is degraded")),
        ],
        progressing("{kind} is progressing"),
    ),
    kinds(
        "metrics.keptn.sh",
        &["Analysis"],
        &[
            Step::If(When::Flag("status.pass", true), healthy("Analysis is healthy")),
            Step::If(When::Flag("status.warning", true), healthy("Analysis is healthy with warnings")),
            Step::If(When::Flag("status.pass", false), degraded("Analysis is degraded")),
        ],
        progressing("Analysis is progressing"),
    ),
    kinds(
        "metrics.keptn.sh",
        &["KeptnMetric"],
        &[
            Step::If(
                When::All(&[
                    When::Any(&[When::Absent("status.errMsg"), When::Text("status.errMsg", &[""])]),
                    When::Present("status.value"),
                ]),
                healthy("KeptnMetric is healthy"),
            ),
            Step::If(
                When::All(&[When::Present("status.errMsg"), When::Not(&When::Text("status.errMsg", &[""]))]),
                degraded("KeptnMetric is degraded"),
            ),
        ],
        progressing("KeptnMetric is progressing"),
    ),
];
