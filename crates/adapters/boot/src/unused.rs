//! What the original reads and nothing here does: why, and what there is instead. Names only: a value may be a secret.

use std::collections::BTreeMap;

/// Names the file that switches profiles on.
const PROFILER: &str = "ARGOCD_ENABLE_PROFILER_FILE_PATH";
/// Where the original's manifests mount it.
const PROFILER_FILE: &str = "/home/argocd/params/profiler.enabled";
const NO_PROFILES: &str = "no profiles are served: run perf beside the process";
const NO_TRACES: &str = "no traces are sent: use the log and /metrics";
const NO_SENTINEL: &str = "give the address of Redis or of its proxy as --redis";
const NO_HEARTBEAT: &str = "use ARGOCD_CONTROLLER_REPLICAS and --sharding-method";

/// Flags: a name, or with `*` the beginning of several.
const FLAGS: &[(&str, &str)] = &[
    ("otlp-*", NO_TRACES),
    ("gloglevel", "use --loglevel"),
    ("glob-cache-size", "policies are compiled, and no glob is kept"),
    ("appset-*", "no ApplicationSet is generated yet"),
    ("login-attempts-expiration", "use ARGOCD_SESSION_FAILURE_WINDOW_SECONDS"),
    ("repo-server-redis*", "there is one cache, that of --redis"),
    ("repo-server-sentinel*", NO_SENTINEL),
    ("certificate-authority", "use --kubeconfig"),
    ("client-*", "use --kubeconfig"),
    ("wq-*", "use --status-processors and --operation-processors"),
    ("dynamic-cluster-distribution-enabled", NO_HEARTBEAT),
    (
        "ignore-normalizer-jq-execution-timeout-seconds",
        "expressions are held to steps and memory, not to time",
    ),
    ("allow-oob-symlinks", "a link that leads out of the repository is refused when something reads it"),
];

/// Variables that no flag stands for; the reason may be empty.
const VARIABLES: &[(&str, &str)] = &[
    (PROFILER, NO_PROFILES),
    ("ARGOCD_APPLICATION_TREE_SHARD_SIZE", ""),
    ("ARGOCD_AZURE_SERVICE_PRINCIPAL_CREDS_EXPIRATION_DURATION", ""),
    ("ARGOCD_CLUSTER_CACHE_ATTEMPT_LIMIT", ""),
    ("ARGOCD_CLUSTER_CACHE_LIST_PAGE_BUFFER_SIZE", ""),
    ("ARGOCD_CLUSTER_CACHE_LIST_PAGE_SIZE", ""),
    ("ARGOCD_CLUSTER_CACHE_LIST_SEMAPHORE", ""),
    ("ARGOCD_CLUSTER_CACHE_RESYNC_DURATION", ""),
    ("ARGOCD_CLUSTER_CACHE_RETRY_USE_BACKOFF", ""),
    ("ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION", ""),
    ("ARGOCD_CLUSTER_SYNC_RETRY_TIMEOUT_DURATION", ""),
    ("ARGOCD_CONTROLLER_HEARTBEAT_TIME", NO_HEARTBEAT),
    ("ARGOCD_ENABLE_GRPC_TIME_HISTOGRAM", ""),
    ("ARGOCD_GITHUB_APP_CREDS_EXPIRATION_DURATION", ""),
    ("ARGOCD_GIT_LSREMOTE_PARALLELISM_LIMIT", ""),
    ("ARGOCD_GRPC_KEEP_ALIVE_MIN", ""),
    ("ARGOCD_HELM_INDEX_CACHE_DURATION", "use --revision-cache-expiration"),
    ("ARGOCD_HELM_USER_AGENT", ""),
    ("ARGOCD_K8S_CLIENT_MAX_IDLE_CONNECTIONS", ""),
    ("ARGOCD_K8S_RETRY_COUNT", ""),
    ("ARGOCD_K8S_RETRY_DURATION_MILLISECONDS", ""),
    ("ARGOCD_K8S_SERVER_SIDE_TIMEOUT", ""),
    ("ARGOCD_K8S_TCP_IDLE_TIMEOUT", ""),
    ("ARGOCD_K8S_TCP_KEEPALIVE", ""),
    ("ARGOCD_K8S_TCP_TIMEOUT", ""),
    ("ARGOCD_K8S_TLS_HANDSHAKE_TIMEOUT", ""),
    ("ARGOCD_LOG_FORMAT_TIMESTAMP", "times are in RFC 3339"),
    ("ARGOCD_PAUSE_GEN_AFTER_FAILED_ATTEMPTS", ""),
    ("ARGOCD_PAUSE_GEN_MINUTES", ""),
    ("ARGOCD_PAUSE_GEN_REQUESTS", ""),
    ("ARGOCD_RBAC_DEBUG", "use argocd admin settings rbac explain"),
    ("ARGOCD_SSO_DEBUG", "use --loglevel debug"),
    ("ARGOCD_TRACING_ENABLED", NO_TRACES),
    ("ARGOCD_WATCH_API_BUFFER_SIZE", ""),
    ("REDIS_SENTINEL_PASSWORD", NO_SENTINEL),
    ("REDIS_SENTINEL_USERNAME", NO_SENTINEL),
];

/// That something is read by nobody, with what there is instead.
fn told(name: &str, instead: &str) -> String {
    let colon = if instead.is_empty() { "" } else { ": " };
    format!("{name} is accepted and has no effect in this version{colon}{instead}")
}

/// The sentence for a flag that nothing reads; `origin` is what said it.
pub(crate) fn flag(name: &str, origin: &str) -> String {
    let is_meant = |known: &str| match known.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == known,
    };
    let found = FLAGS.iter().find(|(known, _)| is_meant(known));
    told(origin, found.map_or("", |(_, instead)| *instead))
}

/// A sentence for each variable that is set and that nothing reads.
pub(crate) fn variables(environment: &BTreeMap<String, String>) -> Vec<String> {
    let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    let set = VARIABLES.iter().filter(|(name, _)| is_set(name));
    let mut all: Vec<String> = set.map(|(name, instead)| told(name, instead)).collect();
    let file =
        environment.get(PROFILER).filter(|file| !file.is_empty()).map_or(PROFILER_FILE, String::as_str);
    if std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "true") {
        all.push(told(file, NO_PROFILES));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{flag, variables};
    use std::collections::BTreeMap;

    #[test]
    fn a_flag_without_effect_is_named_with_what_there_is_instead() {
        let text = "--otlp-headers is accepted and has no effect in this version: no traces are sent: use the log and /metrics";
        assert_eq!(flag("otlp-headers", "--otlp-headers"), text);
        let text = "ARGOCD_X is accepted and has no effect in this version";
        assert_eq!(flag("as-group", "ARGOCD_X"), text);
        assert!(
            flag("repo-server-redisdb", "--repo-server-redisdb")
                .ends_with(": there is one cache, that of --redis")
        );
    }

    #[test]
    fn a_variable_without_effect_is_named_and_its_value_is_not() {
        let file = std::env::temp_dir().join(format!("argocd-rs-profiler-{}", std::process::id()));
        std::fs::write(&file, "true\n").unwrap();
        let file_name = file.display().to_string();
        let environment = BTreeMap::from(
            [
                ("ARGOCD_ENABLE_PROFILER_FILE_PATH", file_name.as_str()),
                ("REDIS_SENTINEL_PASSWORD", "hush"),
                ("ARGOCD_SSO_DEBUG", ""),
                ("PATH", "/bin"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let told = variables(&environment);
        std::fs::remove_file(&file).unwrap();
        let names: Vec<&str> = told.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(
            names,
            ["ARGOCD_ENABLE_PROFILER_FILE_PATH", "REDIS_SENTINEL_PASSWORD", file_name.as_str()]
        );
        assert!(!told.iter().any(|line| line.contains("hush")), "{told:?}");
        assert_eq!(
            variables(&BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())])),
            Vec::<String>::new()
        );
    }
}
