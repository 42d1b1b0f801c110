//! An application as `app get`, `app sync` and `app wait` show it.

use std::fmt::Write;

use api::k8s::meta_v1::ObjectMeta;
use api::v1alpha1::{Application, ApplicationSource, ApplicationSourceHelm, ApplicationSpec, OperationState};
use jiff::Timestamp;
use wire::application::ApplicationSyncWindowsResponse;

use crate::duration;
use crate::output::moment;
use crate::output::table::Table;

/// One line of a block: a title and what it is.
pub(crate) fn line(title: &str, value: &str) -> String {
    format!("{title:<20}{value}\n")
}

/// `namespace/name`.
pub(crate) fn qualified_name(application: &Application) -> String {
    qualified(&application.metadata)
}

/// `namespace/name` of an object.
pub(crate) fn qualified(metadata: &ObjectMeta) -> String {
    if metadata.namespace.is_empty() {
        metadata.name.clone()
    } else {
        format!("{}/{}", metadata.namespace, metadata.name)
    }
}

/// The project; `default` when none is named.
pub(crate) fn project(spec: &ApplicationSpec) -> &str {
    if spec.project.is_empty() { "default" } else { &spec.project }
}

/// Address or name of the destination.
pub(crate) fn destination(spec: &ApplicationSpec) -> &str {
    if spec.destination.server.is_empty() { &spec.destination.name } else { &spec.destination.server }
}

/// The first source; an empty one when there is none.
pub(crate) fn source(spec: &ApplicationSpec) -> ApplicationSource {
    spec.first_source().unwrap_or_default().into_owned()
}

/// The block of `Name:` to `Health Status:`.
pub(crate) fn summary(
    application: &Application,
    url: &str,
    windows: Option<&ApplicationSyncWindowsResponse>,
) -> String {
    let spec = &application.spec;
    let mut text = line("Name:", &qualified_name(application));
    text += &line("Project:", project(spec));
    text += &line("Server:", destination(spec));
    text += &line("Namespace:", &spec.destination.namespace);
    text += &line("URL:", url);
    text += if spec.has_several_sources() { "Sources:\n" } else { "Source:\n" };
    for source in spec.effective_sources() {
        text += &source_lines(&source);
    }
    text += &window_lines(windows);
    text += &line("Sync Policy:", &sync_policy(spec));
    text += &line("Sync Status:", &sync_status(application));
    let health = &application.status.health;
    text + &line("Health Status:", &health.status)
}

/// The lines of one source.
pub(crate) fn source_lines(source: &ApplicationSource) -> String {
    let mut text = line("- Repo:", &source.repo_url);
    text += &line("  Target:", &source.target_revision);
    let helm = source.helm.as_ref().map(|helm| helm.value_files.join(",")).unwrap_or_default();
    let prefix = source.kustomize.as_ref().map(|kustomize| kustomize.name_prefix.clone()).unwrap_or_default();
    for (title, value) in [
        ("  Path:", &source.path),
        ("  Ref:", &source.r#ref),
        ("  Helm Values:", &helm),
        ("  Name Prefix:", &prefix),
    ] {
        if !value.is_empty() {
            text += &line(title, value);
        }
    }
    text
}

/// Whether a sync is possible now, and the windows that decide it.
fn window_lines(windows: Option<&ApplicationSyncWindowsResponse>) -> String {
    let Some(windows) = windows.filter(|windows| !windows.assigned_windows.is_empty()) else {
        return line("SyncWindow:", "Sync Allowed");
    };
    let denied = windows.active_windows.iter().any(|window| window.kind == "deny");
    let allowed = windows.active_windows.iter().any(|window| window.kind != "deny");
    let assigned = windows.assigned_windows.iter();
    let waiting =
        assigned.clone().any(|window| window.kind == "allow" && !windows.active_windows.contains(window));
    let status = match (denied || (!allowed && waiting), windows.can_sync) {
        (false, _) => "Sync Allowed",
        (true, true) => "Manual Allowed",
        (true, false) => "Sync Denied",
    };
    let texts: Vec<_> =
        assigned.map(|window| format!("{}:{}:{}", window.kind, window.schedule, window.duration)).collect();
    line("SyncWindow:", status) + &line("Assigned Windows:", &texts.join(","))
}

fn sync_policy(spec: &ApplicationSpec) -> String {
    let automated = spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    match automated {
        Some(automated) if automated.enabled != Some(false) => {
            let prune = if automated.prune == Some(true) { " (Prune)" } else { "" };
            format!("Automated{prune}")
        }
        _ => "Manual".to_owned(),
    }
}

fn sync_status(application: &Application) -> String {
    let sync = &application.status.sync;
    let target = source(&application.spec).target_revision;
    let mut text = match sync.status.as_str() {
        "Synced" => format!("Synced to {target}"),
        "OutOfSync" => format!("OutOfSync from {target}"),
        other => other.to_owned(),
    };
    let is_commit = (7..=40).contains(&target.len()) && target.chars().all(|c| c.is_ascii_hexdigit());
    if !is_commit && sync.revision.len() > 7 {
        let _ = write!(text, " ({})", sync.revision.get(..7).unwrap_or_default());
    }
    text
}

/// The table of conditions.
pub(crate) fn conditions(application: &Application) -> String {
    let mut table = Table::new();
    table.row(&["CONDITION", "MESSAGE", "LAST TRANSITION"]);
    for condition in &application.status.conditions {
        let time = moment::optional(condition.last_transition_time.as_ref());
        table.row(&[&condition.r#type, &condition.message, &time]);
    }
    table.finish()
}

/// The block of `Operation:` to `Message:`.
pub(crate) fn operation(state: &OperationState, now: Timestamp) -> String {
    let mut text = String::new();
    if let Some(result) = &state.sync_result {
        text += &line("Operation:", "Sync");
        let many = !result.sources.is_empty() && !result.revisions.is_empty();
        let revision = if many { result.revisions.join(", ") } else { result.revision.clone() };
        text += &line("Sync Revision:", &revision);
    }
    text += &line("Phase:", &state.phase);
    text += &line("Start:", &moment::text(&state.started_at));
    text += &line("Finished:", &moment::optional(state.finished_at.as_ref()));
    let end = state.finished_at.as_ref().and_then(api::k8s::meta_v1::Time::timestamp).unwrap_or(now);
    text += &line("Duration:", &duration::seconds(end.as_second() - state.started_at.seconds));
    if !state.message.is_empty() {
        text += &line("Message:", &state.message);
    }
    text
}

/// The table of Helm parameters.
pub(crate) fn parameters(helm: &ApplicationSourceHelm) -> String {
    let mut table = Table::new();
    table.row(&["NAME", "VALUE"]);
    for parameter in &helm.parameters {
        table.row(&[&parameter.name, &shortened(&parameter.value, 80)]);
    }
    format!("\n\n{}", table.finish())
}

fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 3).chain("...".chars()).collect()
}
