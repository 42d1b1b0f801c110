//! The settings of the days when notifications were a project of their own: `config.yaml` in the ConfigMap and
//! `notifiers.yaml` in the Secret.

use crate::config::{Config, ServiceConfig};
use crate::fields::Members;
use crate::notification::Notification;
use crate::subscriptions::Subscription;
use crate::triggers::{Condition, Trigger};
use object::Secret;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Services that may stand in `notifiers.yaml` once each.
const SINGLE: [&str; 4] = ["email", "slack", "opsgenie", "grafana"];

/// Merges both into the configuration.
pub(crate) fn apply(config: &mut Config, data: &BTreeMap<String, String>) -> Result<(), String> {
    let notifiers = config.secrets.get("notifiers.yaml").map(|value| value.reveal().clone());
    if let Some(text) = notifiers.filter(|text| !text.is_empty()) {
        config
            .warnings
            .push("Key 'notifiers.yaml' in Secret is deprecated, please migrate to new settings".to_owned());
        // The text is out of the Secret: not even the parser's message is told.
        let value = object::yaml::decode(&text).map_err(|_| "error unmarshaling legacy services config")?;
        services(config, &value)?;
    }
    if let Some(text) = data.get("config.yaml").filter(|text| !text.is_empty()) {
        config
            .warnings
            .push("Key 'config.yaml' in ConfigMap is deprecated, please migrate to new settings".to_owned());
        let failed = |error: String| format!("error in unmarshaling legacy config: {error}");
        let value = object::yaml::decode(text.as_bytes()).map_err(|error| failed(error.to_string()))?;
        merge(config, &value).map_err(failed)?;
    }
    Ok(())
}

fn services(config: &mut Config, value: &Value) -> Result<(), String> {
    let members = Members::new("settings.legacyServicesConfig", value)?;
    for kind in SINGLE {
        if let Some(options) = members.get(kind) {
            let service = ServiceConfig { kind: kind.to_owned(), options: Secret::new(options.clone()) };
            config.services.insert(kind.to_owned(), service);
        }
    }
    for (place, webhook) in members.sections("webhook")?.iter().enumerate() {
        let options = members.get("webhook").and_then(|list| list.get(place)).cloned().unwrap_or_default();
        let service = ServiceConfig { kind: "webhook".to_owned(), options: Secret::new(options) };
        config.services.insert(webhook.text("name")?, service);
    }
    Ok(())
}

fn merge(config: &mut Config, value: &Value) -> Result<(), String> {
    let members = Members::new("settings.legacyConfig", value)?;
    config.context.extend(members.text_map("context")?);
    if let Some(subscriptions) = members.get("subscriptions") {
        config.subscriptions = Subscription::parse_list(subscriptions)?;
    }
    for template in members.sections("templates")? {
        self::template(config, &template)?;
    }
    for trigger in members.sections("triggers")? {
        self::trigger(config, &trigger)?;
    }
    Ok(())
}

fn template(config: &mut Config, members: &Members<'_>) -> Result<(), String> {
    let name = members.text("name")?;
    let mut written = Map::new();
    for key in
        ["message", "slack", "webhook", "email", "teams", "opsgenie", "github", "mattermost", "telegram"]
    {
        if let Some(value) = members.get(key) {
            written.insert(key.to_owned(), value.clone());
        }
    }
    let (subject, body) = (members.text("subject")?, members.text("body")?);
    if !subject.is_empty() {
        let email = written.entry("email").or_insert_with(|| json!({}));
        if let Value::Object(email) = email {
            email.insert("subject".to_owned(), subject.into());
        }
    }
    if !body.is_empty() {
        written.insert("message".to_owned(), body.into());
    }
    config.templates.insert(name, Notification::parse(&Value::Object(written), &BTreeSet::new())?);
    Ok(())
}

fn trigger(config: &mut Config, members: &Members<'_>) -> Result<(), String> {
    let name = members.text("name")?;
    if members.flag("enabled")? == Some(true) && !config.default_triggers.contains(&name) {
        config.default_triggers.push(name.clone());
    }
    let existing = config.triggers.remove(&name).unwrap_or_default();
    let mut conditions: Vec<Value> = existing.conditions.iter().map(Condition::to_json).collect();
    if conditions.is_empty() {
        conditions.push(json!({}));
    }
    if let Some(Value::Object(first)) = conditions.first_mut() {
        for (from, to) in [("condition", "when"), ("description", "description")] {
            let text = members.text(from)?;
            if !text.is_empty() {
                first.insert(to.to_owned(), text.into());
            }
        }
        let template = members.text("template")?;
        if !template.is_empty() {
            first.insert("send".to_owned(), json!([template]));
        }
    }
    let read = Trigger::parse(&name, &Value::Array(conditions))?;
    config.triggers.insert(name, read);
    Ok(())
}
