//! The kinds. A message is the one users of Argo CD know.

use super::{Message, Rule, Step, When};
use api::codes::HealthStatusCode::{self, Degraded, Healthy, Progressing, Suspended, Unknown};

const PHASE: &[&str] = &["status", "phase"];
const MESSAGE: &[&str] = &["status", "message"];
const READY_TO_USE: &[&str] = &["status", "readyToUse"];
const ERROR: &[&str] = &["status", "error"];
const ERROR_MESSAGE: &[&str] = &["status", "error", "message"];

/// A condition of this type and status, told with its message.
const fn condition(kind: &'static str, status: &'static str, means: HealthStatusCode) -> Step {
    Step { when: When::Condition(kind, status), status: means, message: Message::OfCondition }
}

/// A phase, told with the status' message, or with these words where there is none.
const fn phase(name: &'static [&'static str], means: HealthStatusCode, words: &'static str) -> Step {
    Step { when: When::Text(PHASE, name), status: means, message: Message::AtOr(MESSAGE, words) }
}

/// A phase that is always told in the same words.
const fn silent_phase(name: &'static [&'static str], means: HealthStatusCode, words: &'static str) -> Step {
    Step { when: When::Text(PHASE, name), status: means, message: Message::Fixed(words) }
}

const READY: &[Step] = &[condition("Ready", "False", Degraded), condition("Ready", "True", Healthy)];

pub(super) const RULES: &[Rule] = &[
    Rule {
        group: "cert-manager.io",
        kinds: &["Certificate"],
        steps: &[
            // Asked first: a certificate that is being issued again is Ready or not, whatever came first.
            condition("Issuing", "True", Progressing),
            condition("Ready", "False", Degraded),
            condition("Ready", "True", Healthy),
        ],
        otherwise: (Progressing, "Waiting for certificate"),
    },
    Rule {
        group: "cert-manager.io",
        kinds: &["Issuer"],
        steps: READY,
        otherwise: (Progressing, "Initializing issuer"),
    },
    Rule {
        group: "cert-manager.io",
        kinds: &["ClusterIssuer"],
        steps: READY,
        otherwise: (Progressing, "Initializing ClusterIssuer"),
    },
    Rule {
        group: "external-secrets.io",
        kinds: &["SecretStore"],
        steps: READY,
        otherwise: (Progressing, "Waiting for SecretStore"),
    },
    Rule {
        group: "external-secrets.io",
        kinds: &["PushSecret"],
        steps: READY,
        otherwise: (Progressing, "Waiting for PushSecret"),
    },
    Rule {
        group: "snapshot.storage.k8s.io",
        kinds: &["VolumeSnapshot", "VolumeSnapshotContent"],
        steps: &[
            Step {
                when: When::Flag(READY_TO_USE, true),
                status: Healthy,
                message: Message::Fixed("Ready to use"),
            },
            Step { when: When::Present(ERROR), status: Degraded, message: Message::AtOr(ERROR_MESSAGE, "") },
        ],
        otherwise: (Progressing, "Waiting for status"),
    },
    Rule {
        group: "keda.sh",
        kinds: &["ScaledObject"],
        steps: &[
            condition("Fallback", "True", Degraded),
            condition("Ready", "False", Degraded),
            Step {
                when: When::Conditions(&[("Ready", "True"), ("Paused", "True")]),
                status: Suspended,
                message: Message::OfCondition,
            },
            condition("Ready", "True", Healthy),
        ],
        otherwise: (Progressing, "Creating HorizontalPodAutoscaler Object"),
    },
    Rule {
        group: "argoproj.io",
        kinds: &["ApplicationSet"],
        steps: &[
            condition("ErrorOccurred", "True", Degraded),
            condition("ResourcesUpToDate", "False", Degraded),
            condition("RolloutProgressing", "True", Progressing),
            condition("ResourcesUpToDate", "True", Healthy),
        ],
        otherwise: (Progressing, "Waiting for the status to be reported"),
    },
    Rule {
        group: "argoproj.io",
        kinds: &["AnalysisRun"],
        steps: &[
            silent_phase(&["Pending", "Running"], Progressing, "Analysis run is running"),
            phase(&["Successful"], Healthy, "Analysis run completed successfully"),
            phase(&["Failed"], Degraded, "Analysis run failed"),
            phase(&["Error"], Degraded, "Analysis run had an error"),
            phase(&["Inconclusive"], Unknown, "Analysis run was inconclusive"),
        ],
        otherwise: (Progressing, "Waiting for analysis run to finish: status has not been reconciled."),
    },
];
