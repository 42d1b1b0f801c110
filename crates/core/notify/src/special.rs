//! What single services do beyond their table: values that only the delivery sees, and defaults that depend on others.

use crate::notification::Notification;
use crate::schema::{REPOSITORY, REVISION};
use crate::templates::Text;
use gotemplate::Functions;
use serde_json::{Map, Value};

/// Where an application's repository is, where nothing else is written. Of several sources, the first in Git.
const DEFAULT_REPOSITORY: &str = "{{with .app.spec.sources}}\
    {{range .}}{{if not (or .chart (hasPrefix \"oci://\" (toString .repoURL)))}}{{.repoURL}}{{break}}{{end}}{{end}}\
    {{else}}{{.app.spec.source.repoURL}}{{end}}";
/// What was synced last, of the same source; nothing where it was not resolved.
const DEFAULT_REVISION: &str = "{{with .app.status.operationState.syncResult}}{{$revisions := .revisions}}\
    {{if and .sources .revisions}}\
    {{range $place, $source := .sources}}\
    {{if not (or $source.chart (hasPrefix \"oci://\" (toString $source.repoURL)))}}\
    {{if lt $place (len $revisions)}}{{index $revisions $place}}{{end}}{{break}}{{end}}{{end}}\
    {{else}}{{.revision}}{{end}}{{else}}{{.app.status.operationState.syncResult.revision}}{{end}}";

/// Members of a section that are rendered for the delivery and never shown.
pub(crate) fn hidden(
    service: &str,
    template: &str,
    section: &Value,
    functions: &Functions,
) -> Result<Vec<(&'static str, Text)>, String> {
    if !matches!(service, "github" | "gitlab") {
        return Ok(Vec::new());
    }
    // What the original has for a default may have been written down as well.
    let text = |name: &str, shown: &str, default: &'static str| {
        let written = section.get(name).and_then(Value::as_str);
        let written = written.filter(|text| !text.is_empty() && *text != shown);
        let compiled = Text::compile(template, written.unwrap_or(default), functions);
        compiled.map_err(|error| error.to_string())
    };
    Ok(vec![
        ("repoURL", text("repoURLPath", REPOSITORY, DEFAULT_REPOSITORY)?),
        ("revision", text("revisionPath", REVISION, DEFAULT_REVISION)?),
    ])
}

/// After a template's texts are in place.
pub(crate) fn finish<'s>(
    notification: &mut Notification,
    template: &str,
    rendered: impl Iterator<Item = &'s str>,
    now: jiff::Timestamp,
) -> Result<(), String> {
    for service in rendered {
        let Some(Value::Object(section)) = notification.sections.get_mut(service) else { continue };
        match service {
            "github" => comment_tag(section),
            "opsgenie" => {
                if let Some(Value::String(priority)) = section.get_mut("priority") {
                    *priority = priority.to_uppercase();
                }
            }
            "slack" => delivery_policy(section),
            "alertmanager" => alert(section, template, now)?,
            _ => {}
        }
    }
    Ok(())
}

/// A policy nobody knows is the default one.
fn delivery_policy(section: &mut Map<String, Value>) {
    let policy = section.get("deliveryPolicy").and_then(Value::as_str).unwrap_or_default();
    if !matches!(policy, "Post" | "PostAndUpdate" | "Update") {
        section.insert("deliveryPolicy".to_owned(), "Post".into());
    }
}

/// A comment that is to be found again carries its tag.
fn comment_tag(section: &mut Map<String, Value>) {
    let Some(Value::Object(comment)) = section.get_mut("pullRequestComment") else { return };
    let text = |name: &str| comment.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (content, tag) = (text("content"), text("commentTag"));
    if !tag.is_empty() {
        let content = format!("{content}\n<!-- argocd-notifications {tag} -->");
        comment.insert("content".to_owned(), content.into());
    }
}

fn alert(section: &mut Map<String, Value>, template: &str, now: jiff::Timestamp) -> Result<(), String> {
    section.insert("startsAt".to_owned(), now.to_string().into());
    let url = section.get("generatorURL").and_then(Value::as_str).unwrap_or_default();
    if let Some(rest) = url.strip_prefix("git@") {
        let url = format!("https://{}", rest.replacen(':', "/", 1));
        section.insert("generatorURL".to_owned(), url.into());
    }
    match section.get_mut("labels") {
        Some(Value::Object(labels)) if !labels.is_empty() => {
            labels.entry("alertname").or_insert_with(|| template.into());
            Ok(())
        }
        _ => Err("at least one label pair required".to_owned()),
    }
}
