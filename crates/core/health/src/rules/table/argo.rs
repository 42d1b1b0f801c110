//! Argo's own: Rollouts, Workflows, Events, the promoter, Numaflow.

use super::{IS_READY, NOT_READY};
use crate::custom::{numa, promoter, rollout};
use crate::rules::{Judge, Rule, Step, When, degraded, healthy, kinds, native, on, progressing, unknown};
use api::codes::HealthStatusCode::{Degraded, Healthy, Progressing};

const PHASE: &str = "status.phase";

pub(super) const RULES: &[Rule] = &[
    native("argoproj.io", &["Rollout"], rollout::rollout),
    Rule { group: "spot.io", kinds: &["SpotDeployment"], judge: Judge::Maybe(rollout::spot_deployment) },
    kinds(
        "argoproj.io",
        &["ApplicationSet"],
        &[
            Step::First(&[on(&["ErrorOccurred"], &["True"], Degraded)]),
            Step::First(&[on(&["ResourcesUpToDate"], &["False"], Degraded)]),
            Step::First(&[on(&["RolloutProgressing"], &["True"], Progressing)]),
            Step::First(&[on(&["ResourcesUpToDate"], &["True"], Healthy)]),
        ],
        progressing("Waiting for the status to be reported"),
    ),
    // Of a phase that is not known, nothing is said.
    Rule {
        group: "argoproj.io",
        kinds: &["AnalysisRun"],
        judge: Judge::Silent(&[
            Step::If(
                When::Absent("status"),
                progressing("Waiting for analysis run to finish: status has not been reconciled."),
            ),
            Step::If(When::Text(PHASE, &["Pending", "Running"]), progressing("Analysis run is running")),
            Step::If(
                When::Text(PHASE, &["Successful"]),
                healthy("{.status.message|Analysis run completed successfully}"),
            ),
            Step::If(When::Text(PHASE, &["Failed"]), degraded("{.status.message|Analysis run failed}")),
            Step::If(When::Text(PHASE, &["Error"]), degraded("{.status.message|Analysis run had an error}")),
            Step::If(
                When::Text(PHASE, &["Inconclusive"]),
                unknown("{.status.message|Analysis run was inconclusive}"),
            ),
        ]),
    },
    // Of a phase that is not known, nothing is said.
    Rule {
        group: "argoproj.io",
        kinds: &["Experiment"],
        judge: Judge::Silent(&[
            Step::If(
                When::Absent("status"),
                progressing("Waiting for experiment to finish: status has not been reconciled."),
            ),
            Step::If(When::Text(PHASE, &["Pending"]), progressing("Experiment is pending")),
            Step::If(When::Text(PHASE, &["Running"]), progressing("Experiment is running")),
            Step::If(When::Text(PHASE, &["Successful"]), healthy("Experiment is successful")),
            Step::If(When::Text(PHASE, &["Failed"]), degraded("Experiment has failed")),
            Step::If(When::Text(PHASE, &["Error"]), degraded("Experiment had an error")),
        ]),
    },
    kinds(
        "argoproj.io",
        &["CronWorkflow"],
        &[Step::First(&[
            on(&["SpecError", "SubmissionError"], &["True"], Degraded),
            on(&["Completed"], &["True"], Healthy),
        ])],
        healthy("CronWorkflow is healthy."),
    ),
    kinds(
        "argoproj.io",
        &["EventBus"],
        &[Step::First(&[
            on(&["Deployed"], &["False"], Degraded).says("{message|reason}"),
            on(&["Deployed"], &["True"], Healthy).says("{message|reason}"),
        ])],
        progressing("Waiting for initialization"),
    ),
    kinds(
        "argocd-image-updater.argoproj.io",
        &["ImageUpdater"],
        &[
            Step::If(
                When::Absent("status.conditions"),
                progressing("Waiting for ImageUpdater to be reconciled"),
            ),
            Step::If(When::Stale, progressing("Waiting for ImageUpdater spec update to be observed")),
            Step::First(&[on(&["Error"], &["True"], Degraded)]),
            Step::First(&[on(&["Reconciling"], &["True"], Progressing)]),
            Step::First(&[IS_READY, NOT_READY]),
        ],
        progressing("Waiting for ImageUpdater to report a Ready condition"),
    ),
    native("numaflow.numaproj.io", &["InterStepBufferService"], numa::buffer_service),
    native("numaflow.numaproj.io", &["MonoVertex"], numa::mono_vertex),
    native("numaflow.numaproj.io", &["Pipeline"], numa::pipeline),
    native("numaflow.numaproj.io", &["Vertex"], numa::vertex),
    native("numaplane.numaproj.io", &["ISBServiceRollout"], numa::buffer_service_rollout),
    native("numaplane.numaproj.io", &["MonoVertexRollout"], numa::mono_vertex_rollout),
    native("numaplane.numaproj.io", &["PipelineRollout"], numa::pipeline_rollout),
    native("numaplane.numaproj.io", &["NumaflowControllerRollout"], numa::controller_rollout),
    native("promoter.argoproj.io", &["ArgoCDCommitStatus"], promoter::argo_cd_commit_status),
    native("promoter.argoproj.io", &["ChangeTransferPolicy"], promoter::change_transfer_policy),
    native("promoter.argoproj.io", &["ClusterScmProvider"], promoter::cluster_scm_provider),
    native("promoter.argoproj.io", &["CommitStatus"], promoter::commit_status),
    native("promoter.argoproj.io", &["GitCommitStatus"], promoter::git_commit_status),
    native("promoter.argoproj.io", &["GitRepository"], promoter::git_repository),
    native("promoter.argoproj.io", &["PromotionStrategy"], promoter::promotion_strategy),
    native("promoter.argoproj.io", &["PullRequest"], promoter::pull_request),
    native("promoter.argoproj.io", &["ScmProvider"], promoter::scm_provider),
    native("promoter.argoproj.io", &["TimedCommitStatus"], promoter::timed_commit_status),
    native("promoter.argoproj.io", &["WebRequestCommitStatus"], promoter::web_request_commit_status),
];
