//! What the API server needs to know of itself.

use crate::reader::{Data, Problem, Reader};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Addresses, limits and switches of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address users know; empty when unset.
    pub url: String,
    /// Other addresses it is reached by.
    pub additional_urls: Vec<String>,
    /// Whether badges tell the truth.
    pub badge_enabled: bool,
    /// Root address of badges.
    pub badge_url: String,
    /// Whether the cluster the server runs in is a destination.
    pub in_cluster_enabled: bool,
    /// Above this many pods, logs are refused.
    pub max_pod_logs: u64,
    /// Whether the web terminal is on.
    pub exec_enabled: bool,
    /// Shells the terminal tries, in order.
    pub exec_shells: Vec<String>,
    /// Whether a permission on an application does not reach its resources.
    pub no_resource_inheritance: bool,
    /// Whether a rollback needs an action of its own.
    pub rollback_needs_action: bool,
    /// Whether syncing another revision needs the `override` action.
    pub revision_needs_override: bool,
    /// Largest webhook body, in megabytes.
    pub webhook_max_megabytes: u64,
    /// Longest random wait before a webhook's refresh.
    pub webhook_jitter: Duration,
    /// Applications a webhook must touch for the wait to apply.
    pub webhook_jitter_threshold: u64,
}

/// Templates of links shown beside applications, projects and resources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeepLinks {
    /// Beside applications.
    pub application: Vec<Value>,
    /// Beside projects.
    pub project: Vec<Value>,
    /// Beside resources.
    pub resource: Vec<Value>,
}

impl Server {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let mut shells = reader.list("exec.shells");
        if shells.is_empty() {
            shells = ["bash", "sh", "powershell", "cmd"].map(str::to_owned).to_vec();
        }
        let additional_urls =
            reader.yaml_list("additionalUrls").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let server = Self {
            url: external_url(&mut reader, "url"),
            additional_urls,
            badge_enabled: reader.flag("statusbadge.enabled", false),
            badge_url: reader.text("statusbadge.url").to_owned(),
            in_cluster_enabled: reader.flag("cluster.inClusterEnabled", true),
            max_pod_logs: reader.number("server.maxPodLogsToRender", 10),
            exec_enabled: reader.flag("exec.enabled", false),
            exec_shells: shells,
            no_resource_inheritance: reader
                .flag("server.rbac.disableApplicationFineGrainedRBACInheritance", true),
            rollback_needs_action: reader.flag("server.rbac.rollback.enforce.enable", false),
            revision_needs_override: reader
                .flag("application.sync.requireOverridePrivilegeForRevisionSync", false),
            webhook_max_megabytes: reader.number("webhook.maxPayloadSizeMB", 50),
            webhook_jitter: reader.duration("webhook.refresh.jitter", Duration::ZERO),
            webhook_jitter_threshold: reader.number("webhook.refresh.jitter.threshold", 10),
        };
        (server, reader.problems)
    }
}

impl DeepLinks {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let links = Self {
            application: reader.yaml_list("application.links"),
            project: reader.yaml_list("project.links"),
            resource: reader.yaml_list("resource.links"),
        };
        (links, reader.problems)
    }
}

/// An address of http or https; anything else would run in a user's browser.
pub(crate) fn external_url(reader: &mut Reader<'_>, key: &str) -> String {
    let text = reader.text(key);
    if text.is_empty() {
        return String::new();
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => text.to_owned(),
        _ => {
            reader.problem(key, format!("{text:?} is not an http or https address"));
            String::new()
        }
    }
}
