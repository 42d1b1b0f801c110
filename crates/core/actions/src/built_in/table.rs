//! The kinds and their actions. Names, icons and words are those users of Argo CD know.

use super::{Action, Change, Does, Kinds, Question, RFC_3339, create, logic};

const RESTARTED_AT: &[&str] =
    &["spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"];
const SUSPEND: &[&str] = &["spec", "suspend"];

/// An action that is always there and can always be run.
const fn action(name: &'static str, does: Does) -> Action {
    Action {
        name,
        icon_class: "",
        display_name: "",
        parameters: &[],
        shown: logic::always,
        disabled: logic::never,
        does,
        says: None,
    }
}

const fn change(name: &'static str, changes: &'static [Change]) -> Action {
    action(name, Does::Changes(changes))
}

impl Action {
    const fn icon(mut self, icon_class: &'static str) -> Self {
        self.icon_class = icon_class;
        self
    }

    const fn called(mut self, display_name: &'static str) -> Self {
        self.display_name = display_name;
        self
    }

    const fn takes(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn shown_if(mut self, shown: Question) -> Self {
        self.shown = shown;
        self
    }

    const fn disabled_if(mut self, disabled: Question) -> Self {
        self.disabled = disabled;
        self
    }
}

const RESTART: Action = change("restart", &[Change::Now(RESTARTED_AT, RFC_3339)]).icon("fa fa-fw fa-redo");

const SCALE: Action =
    action("scale", Does::Edit(logic::scale)).icon("fa fa-fw fa-plus-circle").takes(&["replicas"]);

// Flux.

const RECONCILE: Action = change(
    "reconcile",
    &[Change::Now(
        &["metadata", "annotations", "reconcile.fluxcd.io/requestedAt"],
        "By Argo CD at: %Y-%m-%dT%H:%M:%S",
    )],
)
.disabled_if(logic::suspended);
const FLUX_SUSPEND: Action = change("suspend", &[Change::Flag(SUSPEND, true)]).disabled_if(logic::suspended);
const FLUX_RESUME: Action = change("resume", &[Change::Lower(SUSPEND)]).disabled_if(logic::not_suspended);
const FLUX: &[Action] = &[RECONCILE, FLUX_SUSPEND, FLUX_RESUME];

// Capsule.

const CORDONED: &[&str] = &["spec", "cordoned"];
const CORDON: Action =
    change("cordon", &[Change::Flag(CORDONED, true)]).icon("fa fa-fw fa-pause").disabled_if(logic::cordoned);
const UNCORDON: Action =
    change("uncordon", &[Change::Lower(CORDONED)]).icon("fa fa-fw fa-play").disabled_if(logic::not_cordoned);

// KEDA.

const KEDA_PAUSED: &[&str] = &["metadata", "annotations", "autoscaling.keda.sh/paused"];
const KEDA_REPLICAS: &[&str] = &["metadata", "annotations", "autoscaling.keda.sh/paused-replicas"];
const KEDA_PAUSE: Action =
    change("pause", &[Change::Text(KEDA_PAUSED, "true")]).icon("fa fa-fw fa-pause-circle");

// Numaflow and Numaplane.

const PHASE: &[&str] = &["spec", "lifecycle", "desiredPhase"];
const RESUME_STRATEGY: &[&str] = &["metadata", "annotations", "numaflow.numaproj.io/resume-strategy"];
const FAST_RESUME: &[&str] = &["spec", "strategy", "pauseResume", "fastResume"];
const DATA_LOSS: &[&str] = &["metadata", "annotations", "numaplane.numaproj.io/allow-data-loss"];
const PIPELINE_PHASE: &[&str] = &["spec", "pipeline", "spec", "lifecycle", "desiredPhase"];
const VERTEX_PHASE: &[&str] = &["spec", "monoVertex", "spec", "lifecycle", "desiredPhase"];

const FORCE_PROMOTE: Action = change(
    "force-promote",
    &[Change::Text(&["metadata", "labels", "numaplane.numaproj.io/force-promote"], "true")],
)
.icon("fa-solid fa-fw fa-forward")
.called("Force Promote")
.disabled_if(logic::cannot_force);
const FLOW_PAUSE: Action = change("pause", &[Change::Text(PHASE, "Paused")])
    .icon("fa-solid fa-fw fa-pause")
    .disabled_if(logic::cannot_pause_flow);

const fn pause_part(changes: &'static [Change]) -> Action {
    change("pause", changes).icon("fa-solid fa-fw fa-pause").disabled_if(logic::rollout_part_paused)
}

const fn slowly(changes: &'static [Change], disabled: Question) -> Action {
    change("unpause-gradual", changes)
        .icon("fa-solid fa-fw fa-play")
        .called("Unpause (gradual)")
        .disabled_if(disabled)
}

const fn fast(changes: &'static [Change], disabled: Question) -> Action {
    change("unpause-fast", changes)
        .icon("fa-solid fa-fw fa-play")
        .called("Unpause (fast)")
        .disabled_if(disabled)
}

pub(super) const KINDS: &[Kinds] = &[
    Kinds {
        group: "apps",
        kinds: &["Deployment"],
        actions: &[
            RESTART,
            SCALE,
            change("pause", &[Change::Flag(&["spec", "paused"], true)])
                .icon("fa fa-fw fa-pause-circle")
                .disabled_if(logic::paused),
            change("resume", &[Change::Remove(&["spec", "paused"])])
                .icon("fa fa-fw fa-play-circle")
                .disabled_if(logic::not_paused),
        ],
    },
    Kinds { group: "apps", kinds: &["StatefulSet"], actions: &[RESTART, SCALE] },
    Kinds { group: "apps", kinds: &["DaemonSet"], actions: &[RESTART] },
    Kinds {
        group: "batch",
        kinds: &["CronJob"],
        actions: &[
            action("create-job", Does::Create(create::job)).icon("fa fa-fw fa-plus").called("Create Job"),
            change("suspend", &[Change::Flag(SUSPEND, true)])
                .icon("fa fa-fw fa-pause")
                .shown_if(logic::not_suspended),
            change("resume", &[Change::Lower(SUSPEND)]).icon("fa fa-fw fa-play").shown_if(logic::suspended),
        ],
    },
    Kinds {
        group: "batch",
        kinds: &["Job"],
        actions: &[
            change("suspend", &[Change::Flag(SUSPEND, true)])
                .icon("fa fa-fw fa-pause")
                .shown_if(logic::job_can_suspend),
            change("resume", &[Change::Lower(SUSPEND)])
                .icon("fa fa-fw fa-play")
                .shown_if(logic::job_can_resume),
            action("terminate", Does::Edit(logic::end_job))
                .icon("fa fa-fw fa-stop")
                .shown_if(logic::job_can_end),
        ],
    },
    Kinds {
        group: "argoproj.io",
        kinds: &["Rollout"],
        actions: &[
            change("restart", &[Change::Now(&["spec", "restartAt"], RFC_3339)]).called("Restart Pods"),
            action("resume", Does::Edit(logic::resume_rollout)).disabled_if(logic::rollout_not_paused),
            change("abort", &[Change::Flag(&["status", "abort"], true)]).disabled_if(logic::cannot_abort),
            change("retry", &[Change::Remove(&["status", "abort"])]).disabled_if(logic::cannot_retry),
            action("promote-full", Does::Edit(logic::promote_rollout)).disabled_if(logic::cannot_promote),
            change("pause", &[Change::Flag(&["spec", "paused"], true)])
                .disabled_if(logic::cannot_pause_rollout),
            action("skip-current-step", Does::Edit(logic::skip_step)).disabled_if(logic::cannot_skip),
        ],
    },
    Kinds {
        group: "argoproj.io",
        kinds: &["AnalysisRun"],
        actions: &[change("terminate", &[Change::Flag(&["spec", "terminate"], true)])
            .disabled_if(logic::analysis_over)],
    },
    Kinds {
        group: "argoproj.io",
        kinds: &["Application"],
        actions: &[Action {
            says: Some(logic::toggle_says),
            ..action("toggle-auto-sync", Does::Edit(logic::toggle_auto_sync))
        }],
    },
    Kinds {
        group: "argoproj.io",
        kinds: &["CronWorkflow"],
        actions: &[action("create-workflow", Does::Create(create::workflow_of_schedule))
            .icon("fa fa-fw fa-plus")
            .called("Create Workflow")],
    },
    Kinds {
        group: "argoproj.io",
        kinds: &["WorkflowTemplate"],
        actions: &[action("create-workflow", Does::Create(create::workflow_of_template))
            .icon("fa fa-fw fa-plus")
            .called("Create Workflow")],
    },
    Kinds {
        group: "promoter.argoproj.io",
        kinds: &["PullRequest"],
        actions: &[change("merge", &[Change::Text(&["spec", "state"], "merged")])
            .icon("fa fa-fw fa-code-merge")
            .called("Merge PR")
            .disabled_if(logic::not_open)],
    },
    Kinds {
        group: "external-secrets.io",
        kinds: &["ExternalSecret"],
        actions: &[change("refresh", &[Change::Now(&["metadata", "annotations", "force-sync"], RFC_3339)])
            .disabled_if(logic::never_refreshed)],
    },
    Kinds {
        group: "external-secrets.io",
        kinds: &["PushSecret"],
        actions: &[change("push", &[Change::Now(&["metadata", "annotations", "force-sync"], RFC_3339)])],
    },
    Kinds { group: "helm.toolkit.fluxcd.io", kinds: &["HelmRelease"], actions: FLUX },
    Kinds { group: "kustomize.toolkit.fluxcd.io", kinds: &["Kustomization"], actions: FLUX },
    Kinds {
        group: "image.toolkit.fluxcd.io",
        kinds: &["ImageRepository", "ImageUpdateAutomation"],
        actions: FLUX,
    },
    Kinds {
        group: "source.toolkit.fluxcd.io",
        kinds: &["Bucket", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository"],
        actions: FLUX,
    },
    Kinds { group: "notification.toolkit.fluxcd.io", kinds: &["Receiver"], actions: FLUX },
    Kinds {
        group: "notification.toolkit.fluxcd.io",
        kinds: &["Alert", "Provider"],
        actions: &[FLUX_SUSPEND, FLUX_RESUME],
    },
    Kinds {
        group: "keda.sh",
        kinds: &["ScaledObject"],
        actions: &[
            KEDA_PAUSE.disabled_if(logic::keda_held),
            action("paused-replicas", Does::Edit(logic::hold_replicas))
                .icon("fa fa-fw fa-pause-circle")
                .takes(&["replicas"])
                .disabled_if(logic::keda_paused),
            change("resume", &[Change::Remove(KEDA_PAUSED), Change::Remove(KEDA_REPLICAS)])
                .icon("fa fa-fw fa-play-circle")
                .disabled_if(logic::keda_not_held),
        ],
    },
    Kinds {
        group: "keda.sh",
        kinds: &["ScaledJob"],
        actions: &[
            KEDA_PAUSE.disabled_if(logic::keda_paused),
            change("resume", &[Change::Remove(KEDA_PAUSED)])
                .icon("fa fa-fw fa-play-circle")
                .disabled_if(logic::keda_not_paused),
        ],
    },
    Kinds {
        group: "core.strimzi.io",
        kinds: &["StrimziPodSet"],
        actions: &[change(
            "rolling-update",
            &[Change::Text(&["metadata", "annotations", "strimzi.io/manual-rolling-update"], "true")],
        )
        .disabled_if(logic::rolling)],
    },
    Kinds {
        group: "k8s.mariadb.com",
        kinds: &["MariaDB"],
        actions: &[
            change("suspend", &[Change::Flag(SUSPEND, true)])
                .icon("fa fa-fw fa-pause")
                .called("Suspend")
                .shown_if(logic::not_suspended),
            change("resume", &[Change::Lower(SUSPEND)])
                .icon("fa fa-fw fa-play")
                .called("Resume")
                .shown_if(logic::suspended),
        ],
    },
    Kinds {
        group: "psmdb.percona.com",
        kinds: &["PerconaServerMongoDB"],
        actions: &[
            change("pause", &[Change::Flag(&["spec", "pause"], true)])
                .icon("fa fa-fw fa-pause-circle")
                .disabled_if(logic::mongo_paused),
            change("unpause", &[Change::Flag(&["spec", "pause"], false)])
                .icon("fa fa-fw fa-play-circle")
                .disabled_if(logic::mongo_not_paused),
        ],
    },
    Kinds {
        group: "postgresql.cnpg.io",
        kinds: &["Cluster"],
        actions: &[
            change(
                "restart",
                &[Change::Now(&["metadata", "annotations", "kubectl.kubernetes.io/restartedAt"], RFC_3339)],
            )
            .icon("fa fa-fw fa-recycle")
            .called("Rollout restart Cluster"),
            change("reload", &[Change::Now(&["metadata", "annotations", "cnpg.io/reloadedAt"], RFC_3339)])
                .icon("fa fa-fw fa-rotate-right")
                .called("Reload all Configuration"),
            action("promote", Does::Edit(logic::promote_instance))
                .icon("fa fa-fw fa-angles-up")
                .called("Promote Replica to Primary")
                .takes(&["instance"])
                .disabled_if(logic::cannot_switch_over),
            change(
                "suspend",
                &[Change::Text(&["metadata", "annotations", "cnpg.io/reconciliationLoop"], "disabled")],
            )
            .icon("fa fa-fw fa-pause")
            .called("Suspend Reconciliation")
            .shown_if(logic::postgres_not_suspended),
            change("resume", &[Change::Remove(&["metadata", "annotations", "cnpg.io/reconciliationLoop"])])
                .icon("fa fa-fw fa-play")
                .called("Resume Reconciliation")
                .shown_if(logic::postgres_suspended),
            change("hibernate", &[Change::Text(&["metadata", "annotations", "cnpg.io/hibernation"], "on")])
                .icon("fa fa-fw fa-pause")
                .called("Hibernate Cluster")
                .shown_if(logic::not_hibernated),
            change("rehydrate", &[Change::Text(&["metadata", "annotations", "cnpg.io/hibernation"], "off")])
                .icon("fa fa-fw fa-play")
                .called("Rehydrate Cluster")
                .shown_if(logic::hibernated),
        ],
    },
    Kinds { group: "capsule.clastix.io", kinds: &["Tenant"], actions: &[CORDON, UNCORDON] },
    Kinds {
        group: "capsule.clastix.io",
        kinds: &["GlobalTenantResource", "TenantResource"],
        actions: &[
            CORDON,
            UNCORDON,
            change(
                "reconcile",
                &[Change::Now(
                    &["metadata", "annotations", "reconcile.projectcapsule.dev/requestedAt"],
                    RFC_3339,
                )],
            )
            .icon("fa fa-fw fa-rotate-right")
            .disabled_if(logic::cordoned),
        ],
    },
    Kinds {
        group: "numaflow.numaproj.io",
        kinds: &["InterStepBufferService"],
        actions: &[FORCE_PROMOTE.called("")],
    },
    Kinds {
        group: "numaflow.numaproj.io",
        kinds: &["MonoVertex"],
        actions: &[
            FORCE_PROMOTE,
            FLOW_PAUSE,
            // The autoscaler starts again from nothing.
            slowly(
                &[Change::Text(PHASE, "Running"), Change::Remove(&["spec", "replicas"])],
                logic::cannot_resume_slowly,
            ),
            fast(&[Change::Text(PHASE, "Running")], logic::cannot_resume_fast),
        ],
    },
    Kinds {
        group: "numaflow.numaproj.io",
        kinds: &["Pipeline"],
        actions: &[
            FORCE_PROMOTE,
            FLOW_PAUSE,
            slowly(
                &[Change::Text(PHASE, "Running"), Change::Text(RESUME_STRATEGY, "slow")],
                logic::cannot_resume_slowly,
            ),
            fast(
                &[Change::Text(PHASE, "Running"), Change::Text(RESUME_STRATEGY, "fast")],
                logic::cannot_resume_fast,
            ),
            change(
                "delete",
                &[Change::Text(
                    &["metadata", "annotations", "numaplane.numaproj.io/marked-for-deletion"],
                    "true",
                )],
            )
            .icon("fa-solid fa-fw fa-trash")
            .called("Delete")
            .disabled_if(logic::cannot_delete_flow),
        ],
    },
    Kinds {
        group: "numaplane.numaproj.io",
        kinds: &["MonoVertexRollout"],
        actions: &[
            pause_part(&[Change::Text(VERTEX_PHASE, "Paused")]),
            slowly(
                &[Change::Text(VERTEX_PHASE, "Running"), Change::Flag(FAST_RESUME, false)],
                logic::cannot_resume_part_slowly,
            ),
            fast(
                &[Change::Text(VERTEX_PHASE, "Running"), Change::Flag(FAST_RESUME, true)],
                logic::cannot_resume_part_fast,
            ),
        ],
    },
    Kinds {
        group: "numaplane.numaproj.io",
        kinds: &["PipelineRollout"],
        actions: &[
            pause_part(&[Change::Text(PIPELINE_PHASE, "Paused")]),
            slowly(
                &[Change::Text(PIPELINE_PHASE, "Running"), Change::Flag(FAST_RESUME, false)],
                logic::cannot_resume_part_slowly,
            ),
            fast(
                &[Change::Text(PIPELINE_PHASE, "Running"), Change::Flag(FAST_RESUME, true)],
                logic::cannot_resume_part_fast,
            ),
            change("allow-data-loss", &[Change::Text(DATA_LOSS, "true")])
                .icon("fa-solid fa-fw fa-unlock")
                .called("Allow (Possible) Data Loss")
                .disabled_if(logic::cannot_lose_data),
            change("disallow-data-loss", &[Change::Text(DATA_LOSS, "false")])
                .icon("fa-solid fa-fw fa-lock")
                .called("Disallow Data Loss")
                .disabled_if(logic::may_not_lose_data),
        ],
    },
];
