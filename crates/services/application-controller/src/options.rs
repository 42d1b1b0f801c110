//! What an application-controller is set up with.

use crate::metrics::Shown;
use crate::sharding::Share;
use boot::flags::Flags;
use jiff::SignedDuration;
use kubernetes::Limits;
use reconcile::SelfHealBackoff;
use std::collections::BTreeMap;
use std::time::Duration;

const GRACE: &str = "repo-error-grace-period-seconds";

/// Limits and times.
#[derive(Clone, Debug)]
pub struct Options {
    /// Applications looked at at once.
    pub status_processors: usize,
    /// Operations worked on at once.
    pub operation_processors: usize,
    /// Writes to destinations at once.
    pub parallel_effects: usize,
    /// How old a comparison may be, when the flag or its variable says so; else `argocd-cm` does.
    pub resync: Option<SignedDuration>,
    /// How old a rendering may be.
    pub hard_resync: SignedDuration,
    /// How long an operation may run; zero for no limit.
    pub sync_timeout: SignedDuration,
    /// The wait between self-heals where there is no backoff.
    pub self_heal_timeout: SignedDuration,
    /// How the wait between self-heals of one revision grows.
    pub self_heal_backoff: Option<SelfHealBackoff>,
    /// How long a failure to render is held back, unless somebody asked.
    pub source_grace: SignedDuration,
    /// Whether the health of resources is written into the status.
    pub inline_health: bool,
    /// Whether applications are compared by dry runs where they do not say.
    pub server_side_diff: bool,
    /// How long trees and differences stay in the cache.
    pub keep_state: Duration,
    /// Speed and patience with destinations.
    pub limits: Limits,
    /// Reasons of Kubernetes Events that are written; `all` for all of them, `none` for none.
    pub events: Vec<String>,
    /// What is shown beside the usual figures.
    pub shown: Shown,
    /// Which clusters are this process' own.
    pub share: Share,
    /// Whether the repo-server verifies signatures (`ARGOCD_GPG_ENABLED`).
    pub verify_signatures: bool,
    /// The largest message to and from the repo-server, in bytes.
    pub message_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            status_processors: 20,
            operation_processors: 10,
            parallel_effects: 20,
            resync: None,
            hard_resync: SignedDuration::ZERO,
            sync_timeout: SignedDuration::ZERO,
            self_heal_timeout: SignedDuration::ZERO,
            self_heal_backoff: Some(SelfHealBackoff::default()),
            source_grace: SignedDuration::ZERO,
            inline_health: false,
            server_side_diff: false,
            keep_state: Duration::from_secs(3600),
            limits: limits(&BTreeMap::new()),
            events: vec!["all".into()],
            shown: Shown::default(),
            share: Share::default(),
            verify_signatures: true,
            message_limit: wire::MESSAGE_LIMIT,
        }
    }
}

impl Options {
    /// From flags and environment.
    pub fn from_flags(flags: &Flags, environment: &BTreeMap<String, String>) -> Self {
        let seconds = |name| SignedDuration::from_secs(flags.int(name).max(0));
        let count = |name| usize::try_from(flags.int(name)).unwrap_or(1).max(1);
        let backoff = SelfHealBackoff {
            duration: seconds("self-heal-backoff-timeout-seconds"),
            factor: i32::try_from(flags.int("self-heal-backoff-factor")).unwrap_or(3),
            cap: seconds("self-heal-backoff-cap-seconds"),
        };
        Self {
            status_processors: count("status-processors"),
            operation_processors: count("operation-processors"),
            parallel_effects: count("kubectl-parallelism-limit"),
            resync: flags.given("app-resync").then(|| seconds("app-resync")),
            hard_resync: seconds("app-hard-resync"),
            sync_timeout: seconds("sync-timeout"),
            self_heal_timeout: seconds("self-heal-timeout-seconds"),
            self_heal_backoff: Some(backoff),
            // Unless somebody wants it otherwise, what is broken is told at once.
            source_grace: match flags.given(GRACE) {
                true => seconds(GRACE),
                false => SignedDuration::ZERO,
            },
            inline_health: flags.bool("persist-resource-health"),
            server_side_diff: flags.bool("server-side-diff-enabled"),
            keep_state: flags.duration("app-state-cache-expiration"),
            verify_signatures: !environment
                .get("ARGOCD_GPG_ENABLED")
                .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "false" | "no")),
            message_limit: boot::limit::message_limit(environment, wire::MESSAGE_LIMIT),
            limits: limits(environment),
            events: flags.list("enable-k8s-event"),
            shown: Shown {
                application_labels: flags.list("metrics-application-labels"),
                conditions: flags.list("metrics-application-conditions"),
                cluster_labels: flags.list("metrics-cluster-labels"),
            },
            share: {
                let (share, problem) = Share::read(&flags.text("sharding-method"), environment);
                if let Some(problem) = problem {
                    tracing::warn!("{problem}");
                }
                share
            },
        }
    }
}

/// The API server guards itself by priority and fairness; we hold back only where somebody asked for it.
fn limits(environment: &BTreeMap<String, String>) -> Limits {
    let number = |name: &str| environment.get(name).and_then(|text| text.parse::<f64>().ok());
    let qps = number("ARGOCD_K8S_CLIENT_QPS").unwrap_or(0.0);
    let burst = number("ARGOCD_K8S_CLIENT_BURST").map_or(qps * 2.0, |burst| burst);
    // A burst anybody writes fits, and one that does not is as good as none.
    Limits { qps, burst: burst.clamp(0.0, 100_000.0) as u32, ..Limits::default() }
}
