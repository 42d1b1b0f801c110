//! The flags that describe an application, and their effect on its specification.

use api::v1alpha1::{
    ApplicationSpec, Backoff, DrySource, HydrateTo, RetryStrategy, SourceHydrator, SyncPolicy,
    SyncPolicyAutomated,
};

use crate::command::{Flag, array, duration, int, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

#[path = "source_flags.rs"]
mod source_flags;

pub(crate) use source_flags::{apply_parameters, apply_source, labels, literal_values, same_image};

/// Flags of `app create`, `app set` and `app add-source`.
pub(crate) const FLAGS: &[Flag] = &[
    switch("allow-empty", "Let an automated sync leave the application without resources"),
    switch("auto-prune", "Let an automated sync prune"),
    text("config-management-plugin", "Name of the config management plugin"),
    text("dest-name", "Name of the destination cluster"),
    text("dest-namespace", "Namespace of the destination"),
    text("dest-server", "Address of the destination cluster"),
    switch(
        "directory-disable-extension-filter",
        "Read files with other endings than .yaml, .yml and .json too",
    ),
    text("directory-exclude", "Glob of files to leave out"),
    text("directory-include", "Glob of files to read"),
    switch("directory-recurse", "Read folders below too"),
    text("dry-source-path", "Path of the dry source to hydrate"),
    text("dry-source-repo", "Repository of the dry source to hydrate"),
    text("dry-source-revision", "Revision of the dry source to hydrate"),
    text("env", "Environment of the application"),
    array("helm-api-versions", "API versions to render for, as [group/]version/kind"),
    text("helm-chart", "Name of the Helm chart"),
    text("helm-kube-version", "Kubernetes version to render for"),
    text("helm-namespace", "Namespace to render for"),
    switch("helm-pass-credentials", "Send credentials to all domains of the chart"),
    array("helm-set", "A Helm value, as key=value"),
    array("helm-set-file", "A Helm value from a file, as key=path"),
    array("helm-set-string", "A Helm value that is text, as key=value"),
    switch("helm-skip-crds", "Leave out the chart's CRDs"),
    switch("helm-skip-schema-validation", "Do not check values by the chart's schema"),
    switch("helm-skip-tests", "Leave out the chart's tests"),
    text("helm-version", "Helm version"),
    text("hydrate-to-branch", "Branch for hydrated manifests"),
    switch("ignore-missing-components", "Skip Kustomize components that do not exist"),
    switch("ignore-missing-value-files", "Skip Helm value files that do not exist"),
    array("jsonnet-ext-var-code", "A Jsonnet external variable that is code"),
    array("jsonnet-ext-var-str", "A Jsonnet external variable that is text"),
    array("jsonnet-libs", "A Jsonnet library folder, from the root of the repository"),
    array("jsonnet-tla-code", "A Jsonnet top-level argument that is code"),
    array("jsonnet-tla-str", "A Jsonnet top-level argument that is text"),
    array("kustomize-api-versions", "API versions for Helm charts inside Kustomize"),
    array("kustomize-common-annotation", "An annotation for all resources"),
    array("kustomize-common-label", "A label for all resources"),
    switch("kustomize-force-common-annotation", "Replace annotations that exist"),
    switch("kustomize-force-common-label", "Replace labels that exist"),
    array("kustomize-image", "An image, as name=new:tag"),
    text("kustomize-kube-version", "Kubernetes version for Helm charts inside Kustomize"),
    switch("kustomize-label-include-templates", "Put common labels on templates too"),
    switch("kustomize-label-without-selector", "Leave common labels out of selectors"),
    text("kustomize-namespace", "Namespace for all resources"),
    array("kustomize-replica", "Replicas of a workload, as name=count"),
    text("kustomize-version", "Kustomize version"),
    text("nameprefix", "Prefix of all names"),
    text("namesuffix", "Suffix of all names"),
    array("parameter", "A parameter of the source, as name=value").short('p'),
    text("path", "Path in the repository"),
    array("plugin-env", "An environment variable of the plugin, as name=value"),
    text("project", "The project"),
    text("ref", "Name by which other sources refer to this one"),
    text("release-name", "Helm release name"),
    text("repo", "Address of the repository"),
    text("revision", "Branch, tag, commit or chart version"),
    int("revision-history-limit", "How many deployments are remembered").or("10"),
    switch("self-heal", "Sync again when the cluster changes"),
    text("source-name", "Name of the source"),
    array("sync-option", "A sync option, as name=value; with ! before it, it is removed"),
    text("sync-policy", "One of: manual (none), automated (auto, automatic)"),
    duration("sync-retry-backoff-duration", "Wait before the first retry").or("5s"),
    int("sync-retry-backoff-factor", "How much longer each wait is than the one before").or("2"),
    duration("sync-retry-backoff-max-duration", "The longest wait before a retry").or("3m0s"),
    int("sync-retry-limit", "How often a failed sync is tried again"),
    switch("sync-retry-refresh", "Retry with the newest revision"),
    text("sync-source-branch", "Branch that is synced"),
    text("sync-source-path", "Path that is synced"),
    text("tag-prefix", "Prefix of the tags a version range is resolved among"),
    switch("validate", "Check repository and cluster").or("true"),
    array("values", "A Helm values file"),
    text("values-literal-file", "A file or an address whose content becomes the Helm values"),
];

/// Applies the flags given; returns how many there are. `index` is the source among several, `values` are the
/// [`literal_values`].
pub(crate) fn apply(
    session: &Session<'_>,
    spec: &mut ApplicationSpec,
    index: Option<usize>,
    values: Option<&[u8]>,
) -> Outcome<usize> {
    if let Some(hydrator) = hydrator(session, spec) {
        spec.source_hydrator = Some(hydrator);
    } else if spec.source_hydrator.is_none() {
        let source = match index.and_then(|index| spec.sources.get_mut(index)) {
            Some(source) => source,
            None => spec.source.get_or_insert_default(),
        };
        apply_source(session, source, values)?;
    }
    let matches = &session.matches;
    let changed: Vec<_> = matches.changed_flags().collect();
    for flag in &changed {
        match *flag {
            "revision-history-limit" => spec.revision_history_limit = Some(matches.number(flag)),
            "dest-name" => spec.destination.name = session.text(flag),
            "dest-server" => spec.destination.server = session.text(flag),
            "dest-namespace" => spec.destination.namespace = session.text(flag),
            "project" => spec.project = session.text(flag),
            "sync-policy" => apply_policy(spec, matches.text(flag))?,
            "sync-option" => apply_options(spec, matches.list(flag)),
            "sync-retry-limit" => apply_retry(session, spec)?,
            "sync-retry-refresh" => {
                let policy = spec.sync_policy.get_or_insert_default();
                policy.retry.get_or_insert_default().refresh = session.is(flag);
            }
            _ => {}
        }
    }
    apply_automation(session, spec);
    Ok(changed.len())
}

fn hydrator(session: &Session<'_>, spec: &ApplicationSpec) -> Option<SourceHydrator> {
    let flags = [
        "dry-source-repo",
        "dry-source-path",
        "dry-source-revision",
        "sync-source-branch",
        "sync-source-path",
        "hydrate-to-branch",
    ];
    let changed = |flag: &str| session.matches.changed(flag);
    if !flags.iter().any(|flag| changed(flag)) {
        return None;
    }
    let mut hydrator = spec.source_hydrator.clone().unwrap_or_default();
    let DrySource { repo_url, path, target_revision, .. } = &mut hydrator.dry_source;
    for (flag, field) in [
        ("dry-source-repo", repo_url),
        ("dry-source-path", path),
        ("dry-source-revision", target_revision),
        ("sync-source-branch", &mut hydrator.sync_source.target_branch),
        ("sync-source-path", &mut hydrator.sync_source.path),
    ] {
        if changed(flag) {
            *field = session.text(flag);
        }
    }
    if changed("hydrate-to-branch") {
        let branch = session.text("hydrate-to-branch");
        hydrator.hydrate_to =
            Some(HydrateTo { target_branch: branch }).filter(|to| !to.target_branch.is_empty());
    }
    Some(hydrator)
}

fn apply_policy(spec: &mut ApplicationSpec, policy: &str) -> Outcome {
    match policy {
        "none" | "manual" => {
            if let Some(policy) = &mut spec.sync_policy {
                policy.automated = None;
            }
            forget_empty(spec);
        }
        "automated" | "automatic" | "auto" => {
            spec.sync_policy.get_or_insert_default().automated = Some(SyncPolicyAutomated::default());
        }
        other => return Err(Failure::fatal(format!("Invalid sync-policy: {other}"))),
    }
    Ok(())
}

fn apply_options(spec: &mut ApplicationSpec, options: &[String]) {
    let policy = spec.sync_policy.get_or_insert_default();
    for option in options {
        match option.strip_prefix('!') {
            Some(removed) => {
                if let Some(index) = policy.sync_options.iter().position(|known| known == removed) {
                    policy.sync_options.remove(index);
                }
            }
            None if policy.sync_options.contains(option) => {}
            None => policy.sync_options.push(option.clone()),
        }
    }
    forget_empty(spec);
}

fn apply_retry(session: &Session<'_>, spec: &mut ApplicationSpec) -> Outcome {
    let limit = session.matches.number("sync-retry-limit");
    if limit < 0 {
        return Err(Failure::fatal(format!("Invalid sync-retry-limit [{limit}]")));
    }
    let policy = spec.sync_policy.get_or_insert_default();
    policy.retry = (limit > 0).then(|| retry(session, "sync-", limit));
    forget_empty(spec);
    Ok(())
}

/// The retry strategy of the flags `<prefix>retry-…`.
pub(crate) fn retry(session: &Session<'_>, prefix: &str, limit: i64) -> RetryStrategy {
    let span = |flag: &str| {
        let nanoseconds = crate::duration::parse(session.matches.text(flag)).unwrap_or(0);
        crate::duration::text(nanoseconds)
    };
    RetryStrategy {
        limit,
        backoff: Some(Backoff {
            duration: span(&format!("{prefix}retry-backoff-duration")),
            factor: Some(session.matches.number(&format!("{prefix}retry-backoff-factor"))),
            max_duration: span(&format!("{prefix}retry-backoff-max-duration")),
        }),
        refresh: session.is(&format!("{prefix}retry-refresh")),
    }
}

fn forget_empty(spec: &mut ApplicationSpec) {
    if spec.sync_policy.as_ref().is_some_and(|policy| *policy == SyncPolicy::default()) {
        spec.sync_policy = None;
    }
}

/// Flags that say how far automated sync goes. They do not switch it on: where there is none, it stays off.
fn apply_automation(session: &Session<'_>, spec: &mut ApplicationSpec) {
    for flag in ["auto-prune", "self-heal", "allow-empty"] {
        if !session.matches.changed(flag) {
            continue;
        }
        let off = || SyncPolicyAutomated { enabled: Some(false), ..SyncPolicyAutomated::default() };
        let policy = spec.sync_policy.get_or_insert_default();
        let automated = policy.automated.get_or_insert_with(off);
        let value = Some(session.is(flag));
        match flag {
            "auto-prune" => automated.prune = value,
            "self-heal" => automated.self_heal = value,
            _ => automated.allow_empty = value,
        }
    }
}
