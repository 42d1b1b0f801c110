//! The GitOps promoter. All its kinds tell by `Ready` whether their controller is content; some tell more.

use crate::object_status::HealthStatus;
use crate::reading::{list, list_in, look, same, text, text_in, told, told_at, truthy, within};
use object::Object;
use serde_json::Value;

/// How a kind is called in its messages.
struct Words {
    /// "Initializing …".
    start: &'static str,
    /// "Waiting for … spec update to be observed".
    observed: &'static str,
    /// "… failed", "… not ready" begin so.
    subject: &'static str,
    /// After the subject, when reconciling failed.
    failed: &'static str,
    /// When there is no `Ready`.
    missing: &'static str,
    /// After the subject, when `Ready` is false for another reason.
    refused: &'static str,
    /// After the subject, when `Ready` is unknown.
    unknown: &'static str,
    /// Other types that are as good as `Ready`.
    also: &'static str,
}

const PLAIN: Words = Words {
    start: "",
    observed: "",
    subject: "",
    failed: "reconciliation failed",
    missing: "",
    refused: "reconciliation failed",
    unknown: "",
    also: "",
};

/// What `Ready` says; none when it is content.
fn readiness(live: &Object, words: &Words) -> Option<HealthStatus> {
    let initializing = || HealthStatus::progressing(words.start);
    if look(live, "status").is_none() {
        return Some(initializing());
    }
    let mut found = false;
    for condition in list(live, "status.conditions") {
        let kind = text_in(condition, "type");
        if kind != "Ready" && (words.also.is_empty() || kind != words.also) {
            continue;
        }
        found = true;
        let observed = within(condition, "observedGeneration");
        let wanted = look(live, "metadata.generation");
        if observed.is_some() && wanted.is_some() && !same(observed, wanted) {
            let message = format!("Waiting for {} spec update to be observed", words.observed);
            return Some(HealthStatus::progressing(message));
        }
        if let Some(verdict) = discontent(condition, words) {
            return Some(verdict);
        }
    }
    (!found).then(|| HealthStatus::progressing(words.missing))
}

fn discontent(condition: &Value, words: &Words) -> Option<HealthStatus> {
    let or = |name: &str, default: &str| within(condition, name).map_or_else(|| default.to_owned(), told);
    let reason = or("reason", "Unknown");
    let subject = words.subject;
    match text_in(condition, "status") {
        "False" if reason == "ReconciliationError" => {
            let message = or("message", "Unknown error");
            Some(HealthStatus::degraded(format!("{subject} {}: {message}", words.failed)))
        }
        "False" => {
            let message = or("message", "Unknown error");
            Some(HealthStatus::degraded(format!("{subject} {} ({reason}): {message}", words.refused)))
        }
        "Unknown" if !words.unknown.is_empty() => {
            let message = or("message", "Unknown");
            let text = format!("{subject} {} ({reason}): {message}", words.unknown);
            Some(HealthStatus::progressing(text))
        }
        _ => None,
    }
}

pub(crate) fn argo_cd_commit_status(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing Argo CD commit status",
        observed: "Argo CD commit status",
        subject: "Argo CD commit status",
        missing: "Argo CD commit status is not ready yet",
        ..PLAIN
    };
    readiness(live, &words).unwrap_or_else(|| match list(live, "status.applicationsSelected").len() {
        0 => HealthStatus::degraded("Argo CD commit status has no applications configured"),
        count => HealthStatus::healthy(format!(
            "Argo CD commit status is healthy and is tracking {count} applications"
        )),
    })
}

pub(crate) fn commit_status(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing commit status",
        observed: "commit status",
        subject: "Commit status",
        missing: "Commit status is not ready yet",
        ..PLAIN
    };
    readiness(live, &words).unwrap_or_else(|| {
        let told = look(live, "status.sha").is_some() && look(live, "status.phase").is_some();
        HealthStatus::healthy(if told {
            let (sha, phase) = (text(live, "status.sha"), text(live, "status.phase"));
            format!("Commit status for commit {sha} reports {phase}")
        } else {
            "Commit status is healthy".to_owned()
        })
    })
}

pub(crate) fn pull_request(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing pull request",
        observed: "pull request",
        subject: "Pull request",
        missing: "Pull request is not ready yet",
        also: "Reconciled",
        ..PLAIN
    };
    readiness(live, &words).unwrap_or_else(|| {
        let told = truthy(look(live, "status.id")) && truthy(look(live, "status.state"));
        HealthStatus::healthy(if told {
            let (state, id) = (told_at(live, "status.state"), told_at(live, "status.id"));
            format!("Pull request is {state} as PR {id}")
        } else {
            "Pull request is healthy".to_owned()
        })
    })
}

pub(crate) fn scm_provider(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing SCM provider",
        observed: "ScmProvider",
        subject: "SCM provider",
        failed: "validation failed",
        missing: "ScmProvider Ready condition is missing",
        refused: "not ready",
        unknown: "readiness unknown",
        also: "",
    };
    readiness(live, &words).unwrap_or_else(|| HealthStatus::healthy("SCM provider is ready"))
}

pub(crate) fn cluster_scm_provider(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing cluster SCM provider",
        observed: "ClusterScmProvider",
        subject: "Cluster SCM provider",
        failed: "validation failed",
        missing: "ClusterScmProvider Ready condition is missing",
        refused: "not ready",
        unknown: "readiness unknown",
        also: "",
    };
    readiness(live, &words).unwrap_or_else(|| HealthStatus::healthy("Cluster SCM provider is ready"))
}

pub(crate) fn git_repository(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing Git repository",
        observed: "GitRepository",
        subject: "Git repository",
        failed: "validation failed",
        missing: "GitRepository Ready condition is missing",
        refused: "not ready",
        unknown: "readiness unknown",
        also: "",
    };
    readiness(live, &words).unwrap_or_else(|| HealthStatus::healthy("Git repository is ready"))
}

pub(crate) fn git_commit_status(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing git commit validation",
        observed: "GitCommitStatus",
        subject: "Git commit validation",
        failed: "failed",
        missing: "GitCommitStatus Ready condition is missing",
        refused: "not ready",
        unknown: "status unknown",
        also: "",
    };
    gates(live, &words, "Git commit validation", "Git commit validation", "passed")
}

pub(crate) fn timed_commit_status(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing timed commit gate",
        observed: "TimedCommitStatus",
        subject: "Timed commit gate",
        failed: "failed",
        missing: "TimedCommitStatus Ready condition is missing",
        refused: "not ready",
        unknown: "status unknown",
        also: "",
    };
    gates(live, &words, "Timed commit gate", "Timed commit gate", "satisfied")
}

pub(crate) fn web_request_commit_status(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing web request commit validation",
        observed: "WebRequestCommitStatus",
        subject: "Web request commit validation",
        failed: "failed",
        missing: "WebRequestCommitStatus Ready condition is missing",
        refused: "not ready",
        unknown: "unknown",
        also: "",
    };
    gates(live, &words, "Web request commit validation", "Web request validation", "passed")
}

/// Gates tell a phase per branch.
fn gates(live: &Object, words: &Words, reconciled: &str, gate: &str, done: &str) -> HealthStatus {
    if let Some(verdict) = readiness(live, words) {
        return verdict;
    }
    let environments = list(live, "status.environments");
    if environments.is_empty() {
        return HealthStatus::healthy(format!("{reconciled} reconciled"));
    }
    let (mut pending, mut failed, mut passed) = (Vec::new(), Vec::new(), 0_usize);
    for environment in environments {
        let branch = within(environment, "branch").map_or_else(|| "?".to_owned(), told);
        match text_in(environment, "phase") {
            "failure" => failed.push(branch),
            "success" => passed += 1,
            _ => pending.push(branch),
        }
    }
    if !failed.is_empty() {
        return HealthStatus::degraded(format!("{gate} failed for branch(es): {}", failed.join(", ")));
    }
    if !pending.is_empty() {
        return HealthStatus::progressing(format!("{gate} pending for branch(es): {}", pending.join(", ")));
    }
    HealthStatus::healthy(format!("{gate} {done} for {passed} environment(s)"))
}

pub(crate) fn change_transfer_policy(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing change transfer policy",
        observed: "change transfer policy",
        subject: "Change transfer policy",
        missing: "Change transfer policy is not ready yet",
        ..PLAIN
    };
    if let Some(verdict) = readiness(live, &words) {
        return verdict;
    }
    let (active, proposed) = (text(live, "status.active.dry.sha"), text(live, "status.proposed.dry.sha"));
    for (sha, which) in [(active, "active"), (proposed, "proposed")] {
        if sha.is_empty() {
            return HealthStatus::progressing(format!("The {which} commit DRY SHA is missing or empty."));
        }
    }
    if active != proposed {
        let checks = Checks::of(list(live, "status.proposed.commitStatuses"));
        return HealthStatus::healthy(format!(
            "Promotion in progress from '{}' to '{}': {}",
            short(active),
            short(proposed),
            checks.told()
        ));
    }
    let checks = Checks::of(list(live, "status.active.commitStatuses"));
    HealthStatus::healthy(if checks.pending.is_empty() && checks.failed.is_empty() {
        format!("Environment is up-to-date on commit {}.", short(active))
    } else {
        format!(
            "Environment is up-to-date, but there are non-successful active commit statuses: {}",
            checks.told()
        )
    })
}

pub(crate) fn promotion_strategy(live: &Object) -> HealthStatus {
    let words = Words {
        start: "Initializing promotion strategy",
        observed: "promotion strategy",
        subject: "Promotion strategy",
        missing: "Promotion strategy is not ready yet",
        ..PLAIN
    };
    if let Some(verdict) = readiness(live, &words) {
        return verdict;
    }
    let environments = list(live, "status.environments");
    let Some(first) = environments.first() else {
        return HealthStatus::degraded("Promotion strategy has no environments configured");
    };
    let hydrated = hydrated(first);
    if let Some(verdict) = unhydrated(environments, hydrated) {
        return verdict;
    }
    let (active, proposed) = ("active.dry.sha", "proposed.dry.sha");
    // A commit that changes nothing here leaves the proposed one as it is: only the hydrator's note moves on.
    let behind = environments.iter().find(|it| text_in(it, active) != text_in(it, proposed));
    if let Some(environment) = behind {
        let checks = Checks::of(list_in(environment, "proposed.commitStatuses"));
        return HealthStatus::healthy(format!(
            "Promotion in progress for environment '{}' from '{}' to '{}': {}Hydrator has processed dry commit '{}'. ",
            text_in(environment, "branch"),
            short(text_in(environment, active)),
            short(text_in(environment, proposed)),
            checks.told(),
            short(hydrated)
        ));
    }
    let mut unsuccessful: Vec<String> = environments.iter().filter_map(unsuccessful).collect();
    unsuccessful.dedup();
    HealthStatus::healthy(if unsuccessful.is_empty() {
        format!(
            "All environments are up-to-date on commit '{}'. Hydrator has processed dry commit '{}'.",
            short(text_in(first, active)),
            short(hydrated)
        )
    } else {
        format!(
            "Environments are up-to-date, but some environments have non-successful commit statuses: {}.",
            unsuccessful.join(", ")
        )
    })
}

/// The commit that the hydrator last worked on: by its note, or else the proposed one.
fn hydrated(environment: &Value) -> &str {
    let noted = text_in(environment, "proposed.note.drySha");
    if noted.is_empty() { text_in(environment, "proposed.dry.sha") } else { noted }
}

/// What is said while the hydrator has not told of all environments.
fn unhydrated(environments: &[Value], wanted: &str) -> Option<HealthStatus> {
    for environment in environments {
        let (active, proposed) = (text_in(environment, "active.dry.sha"), hydrated(environment));
        for (sha, which) in [(active, "active"), (proposed, "proposed")] {
            if sha.is_empty() {
                let branch = text_in(environment, "branch");
                return Some(HealthStatus::progressing(format!(
                    "The {which} commit DRY SHA is missing or empty in environment '{branch}'."
                )));
            }
        }
    }
    environments.iter().any(|environment| hydrated(environment) != wanted).then(|| {
        HealthStatus::progressing(
            "Not all environments have the same proposed commit SHA. This likely means the hydrator has not run for all environments yet.",
        )
    })
}

fn unsuccessful(environment: &Value) -> Option<String> {
    let checks = Checks::of(list_in(environment, "active.commitStatuses"));
    let (failed, pending) = (checks.failed.len(), checks.pending.len());
    (failed + pending > 0)
        .then(|| format!("{} ({failed} failed, {pending} pending)", text_in(environment, "branch")))
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

/// Commit statuses, counted.
struct Checks<'a> {
    pending: Vec<&'a str>,
    failed: Vec<&'a str>,
    successful: usize,
}

impl<'a> Checks<'a> {
    fn of(statuses: &'a [Value]) -> Self {
        let keys = |phase: &str| {
            let has_it = |status: &&Value| text_in(status, "phase") == phase;
            statuses.iter().filter(has_it).map(|status| text_in(status, "key")).collect::<Vec<_>>()
        };
        Self { pending: keys("pending"), failed: keys("failure"), successful: keys("success").len() }
    }

    fn told(&self) -> String {
        let (pending, failed) = (self.pending.len(), self.failed.len());
        let mut told = format!("{pending} pending, {} successful, {failed} failed. ", self.successful);
        for (keys, what) in [(&self.pending, "Pending"), (&self.failed, "Failed")] {
            if !keys.is_empty() {
                told.push_str(&format!("{what} commit statuses: {}. ", keys.join(", ")));
            }
        }
        told
    }
}
