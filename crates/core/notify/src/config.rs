//! `argocd-notifications-cm` and `argocd-notifications-secret`, read and compiled. A configuration with a mistake is none, as
//! in the original: half of one would tell some and be silent to others.

use crate::fields;
use crate::legacy;
use crate::notification::Notification;
use crate::secrets::{Redactor, SecretData, substituted};
use crate::storm;
use crate::subscriptions::Subscription;
use crate::templates::Templates;
use crate::triggers::Trigger;
use object::Secret;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Longest value of one key.
const LONGEST: usize = 1 << 20;

/// Why a configuration cannot be used. Holds no value of the Secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A service as it is configured. What its options mean is for its delivery to know.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// `slack`, `email`, …
    pub kind: String,
    /// Its settings, with the values of the Secret in their places.
    pub options: Secret<Value>,
}

/// Where a configuration is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The namespace of the ConfigMap.
    pub namespace: String,
    /// Whether users of that namespace made it for themselves.
    pub self_service: bool,
    /// Whether expressions and templates see nothing of the Secret: so it is for every configuration where users may
    /// have their own.
    pub hides_secrets: bool,
}

/// A configuration, ready for use.
#[derive(Clone, Default)]
pub struct Config {
    /// Where it is from.
    pub origin: Origin,
    /// Services by name.
    pub services: BTreeMap<String, ServiceConfig>,
    /// Triggers by name.
    pub triggers: BTreeMap<String, Trigger>,
    /// Templates by name, as they are written.
    pub templates: BTreeMap<String, Notification>,
    /// Templates, compiled.
    pub compiled: Templates,
    /// Subscriptions by label.
    pub subscriptions: Vec<Subscription>,
    /// Triggers for whoever names none.
    pub default_triggers: Vec<String>,
    /// The same for one service.
    pub service_default_triggers: BTreeMap<String, Vec<String>>,
    /// So many that wait for one destination are told together; none where that is switched off.
    pub storm_threshold: Option<usize>,
    /// Variables for templates.
    pub context: BTreeMap<String, String>,
    /// The Secret.
    pub secrets: SecretData,
    /// Takes the Secret's values out of messages.
    pub redactor: Redactor,
    /// What people should know about it.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and compiles.
    pub fn parse(
        data: &BTreeMap<String, String>,
        secrets: SecretData,
        origin: Origin,
    ) -> Result<Self, ConfigError> {
        let redactor = Redactor::of_secret(&secrets);
        let storm_threshold = Some(storm::THRESHOLD);
        let mut config =
            Self { origin, redactor: redactor.clone(), secrets, storm_threshold, ..Self::default() };
        config.read(data).map_err(|error| ConfigError(redactor.redact(&error)))?;
        Ok(config)
    }

    fn read(&mut self, data: &BTreeMap<String, String>) -> Result<(), String> {
        let mut missing = BTreeSet::new();
        for (key, text) in data {
            if text.len() > LONGEST {
                return Err(format!("{key} is longer than {LONGEST} bytes"));
            }
            self.read_key(key, text, &mut missing)?;
        }
        legacy::apply(self, data)?;
        self.warnings.extend(
            missing.iter().map(|key| format!("config referenced '${key}', but key does not exist in secret")),
        );
        self.compiled = Templates::compile(&self.templates)?;
        Ok(())
    }

    fn read_key(&mut self, key: &str, text: &str, missing: &mut BTreeSet<String>) -> Result<(), String> {
        let unmarshal = |text: &str| object::yaml::decode(text.as_bytes()).map_err(|error| error.to_string());
        match key {
            "subscriptions" => self.subscriptions = Subscription::parse_list(&unmarshal(text)?)?,
            "defaultTriggers" => self.default_triggers = names(key, &unmarshal(text)?)?,
            "stormThreshold" => self.storm_threshold = storm_threshold(text)?,
            "context" => self.context = text_map(key, &unmarshal(text)?)?,
            _ => {}
        }
        if let Some(name) = key.strip_prefix("template.") {
            let failed = |error: String| format!("failed to unmarshal template {name}: {error}");
            // Services come before templates in the order of the keys.
            let kinds: BTreeSet<&str> = self.services.values().map(|service| service.kind.as_str()).collect();
            let notification = unmarshal(text).and_then(|value| Notification::parse(&value, &kinds));
            self.templates.insert(name.to_owned(), notification.map_err(failed)?);
        } else if let Some(rest) = key.strip_prefix("service.") {
            let parts: Vec<&str> = rest.split('.').collect();
            let (kind, name) = match parts.as_slice() {
                [kind] => (*kind, *kind),
                [kind, name] => (*kind, *name),
                _ => {
                    return Err(format!(
                        "invalid service key; expected 'service.<type>(.<name>)' but got '{key}'"
                    ));
                }
            };
            let failed = |error: String| format!("failed to render service configuration {kind}: {error}");
            let options = substituted(&unmarshal(text).map_err(failed)?, &self.secrets, missing);
            let service = ServiceConfig { kind: kind.to_owned(), options: Secret::new(options) };
            self.services.insert(name.to_owned(), service);
        } else if let Some(name) = key.strip_prefix("trigger.") {
            let failed = |error: String| format!("failed to unmarshal trigger {name}: {error}");
            let trigger = Trigger::parse(name, &unmarshal(text).map_err(failed)?)?;
            self.triggers.insert(name.to_owned(), trigger);
        } else if let Some(service) = key.strip_prefix("defaultTriggers.") {
            let failed = |error: String| format!("failed to unmarshal default trigger {service}: {error}");
            let triggers = unmarshal(text).and_then(|value| names(key, &value)).map_err(failed)?;
            self.service_default_triggers.insert(service.to_owned(), triggers);
        }
        Ok(())
    }

    /// Namespace before entries of the state: only configurations of users' own have one.
    pub fn state_prefix(&self) -> Option<&str> {
        self.origin.self_service.then_some(self.origin.namespace.as_str())
    }
}

/// A number; zero switches off what it is for.
fn storm_threshold(text: &str) -> Result<Option<usize>, String> {
    let number: usize = text.trim().parse().map_err(|_| {
        format!(
            "stormThreshold is a whole number, or 0 to tell each notification by itself, and not {text:?}"
        )
    })?;
    Ok((number > 0).then_some(number.max(2)))
}

fn names(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let wrapped = serde_json::json!({ key: value });
    fields::Members::new("api.Config", &wrapped)?.texts(key)
}

/// Texts by name; scalars become texts.
pub(crate) fn text_map(key: &str, value: &Value) -> Result<BTreeMap<String, String>, String> {
    let wrapped = serde_json::json!({ key: value });
    fields::Members::new("api.Config", &wrapped)?.text_map(key)
}
