//! What runs programs: kinds beside Kubernetes' own.

use super::READY;
use crate::custom::{kruise, serving, workloads};
use crate::rules::{Rule, Step, When, degraded, healthy, kinds, native, on, progressing, suspended, verdict};
use api::codes::HealthStatusCode::{Degraded, Healthy, Missing, Progressing};

const SPARK: &str = "status.applicationState.state";
const FLINK: &str = "status.jobStatus.state";
const BROADCAST: &str = "status.phase";

const UNTOLD: &str = "Waiting for status update.";
const BROKER_READY: &[Step] = &[Step::First(&[
    on(&["Ready"], &["True"], Healthy).says("{message|Broker is ready}"),
    on(&["Ready"], &["False"], Degraded).says("{message|reason|Broker is not ready}"),
    on(&["Ready"], &[], Progressing).other_status(&[]).says("{message|reason|Waiting for status update.}"),
])];
const TRIGGER_READY: &[Step] = &[Step::First(&[
    on(&["Ready"], &["True"], Healthy).says("{message|Trigger is ready}"),
    on(&["Ready"], &["False"], Degraded).says("{message|reason|Trigger is not ready}"),
    on(&["Ready"], &[], Progressing).other_status(&[]).says("{message|reason|Waiting for status update.}"),
])];

pub(super) const RULES: &[Rule] = &[
    native("apps.kruise.io", &["CloneSet"], kruise::clone_set),
    native("apps.kruise.io", &["DaemonSet"], kruise::daemon_set),
    native("apps.kruise.io", &["StatefulSet"], kruise::stateful_set),
    kinds(
        "apps.kruise.io",
        &["AdvancedCronJob"],
        &[
            Step::If(
                When::All(&[When::Absent("status.lastScheduleTime"), When::Flag("spec.paused", true)]),
                suspended("AdvancedCronJob is Paused"),
            ),
            Step::If(
                When::Not(&When::Empty("status.active")),
                progressing("AdvancedCronJobs has active jobs"),
            ),
            Step::If(
                When::Absent("status.lastScheduleTime"),
                degraded("AdvancedCronJobs has not run successfully"),
            ),
        ],
        healthy("AdvancedCronJobs has run successfully"),
    ),
    kinds(
        "apps.kruise.io",
        &["BroadcastJob"],
        &[
            Step::If(
                When::All(&[
                    When::Text(BROADCAST, &["completed"]),
                    When::Same("status.desired", "status.succeeded"),
                ]),
                healthy("BroadcastJob is completed successfully"),
            ),
            Step::If(
                When::All(&[
                    When::Text(BROADCAST, &["failed"]),
                    When::Not(&When::Number("status.failed", 0)),
                ]),
                degraded("BroadcastJob failed"),
            ),
            Step::If(
                When::All(&[When::Text(BROADCAST, &["paused"]), When::Flag("spec.paused", true)]),
                suspended("BroadcastJob is Paused"),
            ),
        ],
        progressing("BroadcastJob is still running"),
    ),
    native("rollouts.kruise.io", &["Rollout"], kruise::rollout),
    native("apps.openshift.io", &["DeploymentConfig"], workloads::deployment_config),
    native("keda.sh", &["ScaledJob"], workloads::scaled_job),
    native("keda.sh", &["ScaledObject"], workloads::scaled_object),
    kinds(
        "autoscaling.k8s.io",
        &["VerticalPodAutoscaler"],
        &[
            Step::First(&[on(&["NoPodsMatched"], &["True"], Degraded)
                .says("{message|reason|No pods match the VPA selector}")]),
            Step::First(&[
                on(&["RecommendationProvided"], &["True"], Healthy).says("VPA recommendation provided")
            ]),
        ],
        progressing("Waiting for VPA recommendation"),
    ),
    native("serving.knative.dev", &["Service"], serving::knative_service),
    native("serving.kserve.io", &["InferenceService"], serving::inference_service),
    native("serving.kserve.io", &["LLMInferenceService"], serving::llm_inference_service),
    kinds("eventing.knative.dev", &["Broker"], BROKER_READY, progressing(UNTOLD)),
    kinds("eventing.knative.dev", &["Trigger"], TRIGGER_READY, progressing(UNTOLD)),
    kinds(
        "tekton.dev",
        &["PipelineRun", "TaskRun"],
        &[Step::First(&[
            on(&["Succeeded"], &["True"], Healthy).says("{message|reason}"),
            on(&["Succeeded"], &["False"], Degraded).says("{message|reason}"),
            on(&["Succeeded"], &[], Progressing).other_status(&[]).says("{message|reason}"),
        ])],
        progressing("Waiting for run to start"),
    ),
    native("operator.knative.dev", &["KnativeServing"], serving::knative_serving),
    native("operator.knative.dev", &["KnativeEventing"], serving::knative_eventing),
    native("openfaas.com", &["Function"], serving::function),
    native("core.spinkube.dev", &["SpinApp"], serving::spin_app),
    native("flagger.app", &["Canary"], workloads::canary),
    kinds("camel.apache.org", &["Integration"], READY, progressing("Waiting for Integration")),
    kinds(
        "flink.apache.org",
        &["FlinkDeployment"],
        &[
            Step::If(
                When::Any(&[
                    When::Truthy("status.reconciliationStatus.success"),
                    When::Text("status.reconciliationStatus.state", &["DEPLOYED"]),
                ]),
                healthy(""),
            ),
            Step::If(
                When::All(&[
                    When::Present("status.reconciliationStatus"),
                    When::Text("status.jobManagerDeploymentStatus", &["DEPLOYED_NOT_READY", "DEPLOYING"]),
                ]),
                progressing("Waiting for deploying"),
            ),
            Step::If(
                When::All(&[
                    When::Present("status.reconciliationStatus"),
                    When::Text("status.jobManagerDeploymentStatus", &["ERROR"]),
                ]),
                degraded("{.status.reconciliationStatus.error}"),
            ),
            // What is suspended from its first day is never deployed.
            Step::If(
                When::All(&[
                    When::Text("spec.job.state", &["suspended"]),
                    When::Absent("status.reconciliationStatus.lastReconciledSpec"),
                ]),
                healthy("Job is suspended"),
            ),
        ],
        progressing("Waiting for Flink operator"),
    ),
    kinds(
        "flink.apache.org",
        &["FlinkSessionJob"],
        &[
            Step::If(When::Text(FLINK, &["RUNNING", "FINISHED"]), healthy("{.status.jobStatus.state}")),
            Step::If(
                When::Text(FLINK, &["RECONCILING", "CREATED"]),
                progressing("{.status.jobStatus.state}"),
            ),
            Step::If(When::Text(FLINK, &["SUSPENDED", "CANCELED"]), suspended("{.status.jobStatus.state}")),
            Step::If(When::Text(FLINK, &["FAILED"]), degraded("{.status.error|FlinkSessionJob failed}")),
            Step::If(When::Present("status.error"), degraded("{.status.error}")),
        ],
        progressing("Waiting for FlinkSessionJob to be reconciled"),
    ),
    kinds(
        "sparkoperator.k8s.io",
        &["SparkApplication"],
        &[
            Step::If(
                When::Text(SPARK, &[""]),
                progressing("SparkApplication was added, enqueuing it for submission"),
            ),
            Step::Native(workloads::running_spark),
            Step::If(
                When::Text(SPARK, &["SUBMITTED"]),
                progressing("SparkApplication was submitted successfully"),
            ),
            Step::If(When::Text(SPARK, &["COMPLETED"]), healthy("SparkApplication was Completed")),
            Step::If(
                When::Text(SPARK, &["FAILED", "SUBMISSION_FAILED", "FAILING"]),
                degraded("{.status.applicationState.errorMessage}"),
            ),
            Step::If(When::Text(SPARK, &["PENDING_RERUN"]), progressing("SparkApplication is Pending Rerun")),
            Step::If(
                When::Text(SPARK, &["INVALIDATING"]),
                verdict(Missing, "SparkApplication is in InvalidatingState"),
            ),
            Step::If(
                When::Text(SPARK, &["SUCCEEDING"]),
                progressing(
                    "The driver pod has been completed successfully. The executor pods terminate and are cleaned up.\n                                Under this circumstances, we assume the executor pod are completed.",
                ),
            ),
            Step::If(
                When::Text(SPARK, &["UNKNOWN"]),
                progressing(
                    "SparkApplication is in UnknownState because either driver pod or one or all executor pods in unknown state  ",
                ),
            ),
        ],
        progressing("Waiting for Executor pods"),
    ),
];
