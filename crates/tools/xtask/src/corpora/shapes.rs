//! Objects as they are compared: what is stored in any order is sorted, and what the recorder hid is hidden on our side,
//! too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use transcripts::Replacements;

/// The settings that replays are made with; of theirs, what came with the installation was recorded as `AS_SHIPPED`.
const SETTINGS: &str = include_str!("../../corpora/argocd-cm.yaml");
const AS_SHIPPED: &str = "<as shipped>";
const INSTALLED: [&str; 2] = ["resource.customizations.", "resource.exclusions"];
/// What the recorder hid of Secrets.
const MASKED: &str = "<masked>";
const HEALTH: &str = "Updated health status: ";
const DELETED: &str = " deleted application";
const PROGRESSING: &str = "Progressing";
const SECRET_FIELDS: [&str; 4] = ["bearerToken", "certData", "keyData", "caData"];

static SHIPPED: LazyLock<Value> =
    LazyLock::new(|| object::yaml::decode(SETTINGS.as_bytes()).expect("the settings are YAML"));

/// What a list was recorded of: what events are about, names of ConfigMaps, servers of clusters. A list has more.
pub(super) struct Subjects {
    known: BTreeSet<String>,
    /// Whether clusters' configurations were hidden whole.
    hidden: bool,
    /// Whether an application was seen while a Deployment of it progressed.
    progresses: bool,
}

impl Subjects {
    pub(super) fn of(recorded: &Value, replacements: &Replacements) -> Self {
        let items = items(recorded);
        let hidden = |item: &Value| decoded(item, "config").is_some_and(|text| text.starts_with("<masked "));
        Self {
            known: items.iter().filter_map(|item| subject(item, replacements)).collect(),
            hidden: items.iter().any(hidden),
            progresses: is_progressing(recorded),
        }
    }

    fn has(&self, item: &Value, replacements: &Replacements) -> bool {
        subject(item, replacements).is_none_or(|subject| self.known.contains(&subject))
    }
}

fn is_progressing(application: &Value) -> bool {
    let cause = application.pointer("/status/health/message").and_then(Value::as_str);
    application.pointer("/status/health/status").is_some_and(|status| status == PROGRESSING)
        && cause.is_some_and(|cause| cause.starts_with("Caused by apps/Deployment:"))
}

fn items(value: &Value) -> &[Value] {
    value.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn subject(item: &Value, replacements: &Replacements) -> Option<String> {
    if let Some(about) = item.get("involvedObject").filter(|_| item.get("reason").is_some()) {
        return Some(format!("{} {}", about["kind"], about["name"]));
    }
    if let Some(server) = decoded(item, "server") {
        return Some(replacements.normal(&server));
    }
    let settings = ["type", "spec"].iter().all(|field| item.get(field).is_none());
    settings.then(|| item["metadata"]["name"].to_string())
}

/// A value of a Secret, as the recorder wrote it down or as it is stored.
fn decoded(secret: &Value, key: &str) -> Option<String> {
    if let Some(text) = secret.pointer("/stringDataDecoded").and_then(|data| data.get(key)) {
        return text.as_str().map(str::to_owned);
    }
    secret.get("type")?;
    let bytes = STANDARD.decode(secret.get("data")?.get(key)?.as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// An object as it is compared. Of a list, only what is about the subjects: the results of a sync without the order in
/// which they came, events as the set of what they say, lists without their order.
pub(super) fn shape(mut value: Value, subjects: &Subjects, replacements: &Replacements) -> Value {
    if let Some(Value::Array(results)) = value.pointer_mut("/status/operationState/syncResult/resources") {
        results.sort_by_key(ToString::to_string);
    }
    // Who made an Application behind the server's back, and with what.
    if value["kind"] == "Application"
        && let Some(Value::Object(annotations)) = value.pointer_mut("/metadata/annotations")
    {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    // Its pods may be there a moment earlier or later.
    if subjects.progresses
        && is_progressing(&value)
        && let Some(Value::Object(health)) = value.pointer_mut("/status/health")
    {
        health.remove("message");
        health.insert("status".to_owned(), "Healthy".into());
    }
    if value.get("items").is_none() {
        return value;
    }
    let meant = items(&value).iter().filter(|item| subjects.has(item, replacements)).cloned();
    let mut items: Vec<Value> = folded(meant).map(|item| entry(item, subjects, replacements)).collect();
    items.sort_by_cached_key(|item| replacements.normal(&sort_key(item)));
    items.dedup();
    Value::Array(items)
}

fn sort_key(item: &Value) -> String {
    match item.get("stringDataDecoded") {
        Some(data) => format!("{}{}", data["url"], data["server"]),
        None => item.pointer("/metadata/name").unwrap_or(item).to_string(),
    }
}

fn entry(mut item: Value, subjects: &Subjects, replacements: &Replacements) -> Value {
    if item.get("reason").is_some() && item.get("involvedObject").is_some() {
        return said(&item, replacements);
    }
    let Some(fields) = item.as_object_mut() else { return item };
    // A list's items do not say what they are.
    fields.remove("apiVersion");
    fields.remove("kind");
    // How far Kubernetes has come with the pods of a Job.
    if let Some(ready) = fields.get_mut("status").and_then(|status| status.get_mut("ready")) {
        *ready = "<n>".into();
    }
    if fields.contains_key("type") {
        let values = secret_values(&item, subjects);
        item["stringDataDecoded"] = Value::Object(values);
        if let Some(fields) = item.as_object_mut() {
            fields.remove("data");
        }
    } else if let Some(Value::Object(data)) = fields.get_mut("data") {
        for (key, value) in data {
            if INSTALLED.iter().any(|name| key.starts_with(name)) && SHIPPED["data"].get(key) == Some(value) {
                *value = AS_SHIPPED.into();
            }
        }
    }
    item
}

/// What a Secret holds, without what the recorder hid.
fn secret_values(secret: &Value, subjects: &Subjects) -> Map<String, Value> {
    let data = ["stringDataDecoded", "data"].iter().find_map(|field| secret.get(field)?.as_object());
    let keys = data.into_iter().flat_map(Map::keys);
    let values = keys.map(|key| {
        let text = decoded(secret, key).unwrap_or_default();
        let value = match (key.as_str(), serde_json::from_str::<Value>(&text)) {
            ("config", _) if subjects.hidden => MASKED.into(),
            ("config", Ok(config)) => masked(config),
            ("password", _) if !text.starts_with("<masked ") => {
                format!("<masked {} bytes>", text.len()).into()
            }
            _ => text.into(),
        };
        (key.clone(), value)
    });
    values.collect()
}

fn masked(mut config: Value) -> Value {
    let tls = config.get("tlsClientConfig").cloned().map(masked);
    if let Some(fields) = config.as_object_mut() {
        fields.extend(tls.map(|tls| ("tlsClientConfig".to_owned(), tls)));
        for name in SECRET_FIELDS {
            if fields.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty()) {
                fields.insert(name.to_owned(), MASKED.into());
            }
        }
    }
    config
}

/// Events without what tells of applications while they progress or are being deleted: whether anybody looks meanwhile
/// depends on timing. They come in the order of their names, which is that of time.
fn folded(items: impl Iterator<Item = Value>) -> impl Iterator<Item = Value> {
    let mut settled: BTreeMap<String, String> = BTreeMap::new();
    let mut deleted: BTreeSet<String> = BTreeSet::new();
    items.filter_map(move |mut item| {
        let of = item["involvedObject"]["name"].to_string();
        let message = item.get("message").and_then(Value::as_str).unwrap_or_default();
        if message.ends_with(DELETED) {
            deleted.insert(of);
            return Some(item);
        }
        if deleted.contains(&of) && message.starts_with("Updated ") {
            return None;
        }
        let change = message.strip_prefix(HEALTH).and_then(|change| change.split_once(" -> "));
        let Some((from, to)) = change else { return Some(item) };
        let from = settled.get(&of).filter(|_| from == PROGRESSING).map_or(from, String::as_str).to_owned();
        let is_settled = !to.starts_with(PROGRESSING);
        let told = (is_settled && from != to).then(|| format!("{HEALTH}{from} -> {to}"));
        let now = if is_settled { to.to_owned() } else { from };
        settled.insert(of, now);
        item["message"] = told?.into();
        Some(item)
    })
}

/// What an event says: of what, why, in which words, with which annotations, and who.
fn said(event: &Value, replacements: &Replacements) -> Value {
    let message = replacements.normal(event["message"].as_str().unwrap_or_default());
    let at = |pointer: &str| event.pointer(pointer).cloned().unwrap_or(Value::Null);
    json!({
        "of": [at("/involvedObject/kind"), at("/involvedObject/name")], "type": at("/type"), "reason": at("/reason"),
        "message": message, "annotations": at("/metadata/annotations"), "by": at("/source/component"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(changes: &[&str]) -> Vec<String> {
        let event =
            |change: &&str| json!({"involvedObject": {"name": "a"}, "message": format!("{HEALTH}{change}")});
        let told = folded(changes.iter().map(event));
        told.filter_map(|event| event["message"].as_str()?.strip_prefix(HEALTH).map(str::to_owned)).collect()
    }

    #[test]
    fn what_progressed_on_the_way_is_not_compared_and_where_it_led_is() {
        let slow = [
            " -> Missing",
            "Missing -> Healthy",
            "Healthy -> Progressing (Caused by x)",
            "Progressing -> Healthy",
        ];
        let quick = [" -> Missing", "Missing -> Progressing (Caused by x)", "Progressing -> Healthy"];
        assert_eq!(messages(&slow), [" -> Missing", "Missing -> Healthy"]);
        assert_eq!(messages(&quick), messages(&slow));
        assert_eq!(messages(&["Healthy -> Progressing", "Progressing -> Degraded"]), ["Healthy -> Degraded"]);
        let deleted = json!({"involvedObject": {"name": "a"}, "message": "admin deleted application"});
        let late =
            json!({"involvedObject": {"name": "a"}, "message": "Updated sync status: Synced -> OutOfSync"});
        let told: Vec<Value> = folded([late.clone(), deleted.clone(), late.clone()].into_iter()).collect();
        assert_eq!(told, [late, deleted]);
    }

    #[test]
    fn what_the_recorder_hid_of_a_secret_is_hidden_and_the_rest_is_not() {
        let subjects = Subjects::of(&json!({"items": []}), &Replacements::new(&[]));
        let data = json!({
            "password": STANDARD.encode("secret"), "username": STANDARD.encode("bob"),
            "config": STANDARD.encode(r#"{"bearerToken": "t", "tlsClientConfig": {"insecure": false, "caData": "c"}}"#),
        });
        let values = secret_values(&json!({"type": "Opaque", "data": data}), &subjects);
        let config =
            json!({"bearerToken": "<masked>", "tlsClientConfig": {"insecure": false, "caData": "<masked>"}});
        let expected = json!({"password": "<masked 6 bytes>", "username": "bob", "config": config});
        assert_eq!(Value::Object(values), expected);
    }
}
