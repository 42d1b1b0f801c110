//! Velero's backups.

use crate::rules::{Rule, Step, When, degraded, healthy, kinds, progressing};

const PHASE: &str = "status.phase";
const FAILED: Step = Step::If(
    When::Text(
        PHASE,
        &[
            "FailedValidation",
            "Failed",
            "PartiallyFailed",
            "WaitingForPluginOperationsPartiallyFailed",
            "FinalizingPartiallyFailed",
        ],
    ),
    degraded("{.status.failureReason|.status.phase}"),
);
const UNDER_WAY: Step = Step::If(When::Present(PHASE), progressing("{.status.phase}"));

pub(super) const RULES: &[Rule] = &[
    kinds(
        "velero.io",
        &["Backup"],
        &[Step::If(When::Text(PHASE, &["Completed"]), healthy("Backup completed")), FAILED, UNDER_WAY],
        progressing("Waiting for backup to be processed"),
    ),
    kinds(
        "velero.io",
        &["Restore"],
        &[Step::If(When::Text(PHASE, &["Completed"]), healthy("Restore completed")), FAILED, UNDER_WAY],
        progressing("Waiting for restore to be processed"),
    ),
    kinds(
        "velero.io",
        &["Schedule"],
        &[
            Step::If(When::Text(PHASE, &["Enabled"]), healthy("Schedule is enabled")),
            Step::If(When::Text(PHASE, &["FailedValidation"]), degraded("Schedule failed validation")),
            UNDER_WAY,
        ],
        progressing("Waiting for schedule to be processed"),
    ),
];
