//! Who wants to hear of what: annotations of applications and projects, their legacy form, and the configuration's own
//! subscriptions.

use crate::config::Config;
use crate::fields::{self, Members};
use crate::state::Destination;
use label_selector::Selector;
use std::collections::{BTreeMap, BTreeSet};

const PREFIX: &str = "notifications.argoproj.io/subscribe.";
const LIST: &str = "notifications.argoproj.io/subscriptions";
const LEGACY: &str = "recipients.argocd-notifications.argoproj.io";
/// Destinations of one application: beyond that an annotation is a mistake or an attack.
const MOST: usize = 1000;

/// Destinations by trigger, in the order they were found, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    by_trigger: BTreeMap<String, Vec<Destination>>,
    seen: BTreeSet<(String, Destination)>,
    /// What could not be read, for people.
    pub problems: Vec<String>,
}

impl Destinations {
    /// Triggers and who wants to hear of them.
    pub fn by_trigger(&self) -> &BTreeMap<String, Vec<Destination>> {
        &self.by_trigger
    }

    fn add(&mut self, trigger: &str, service: &str, recipient: &str) {
        if self.seen.len() >= MOST {
            let problem = format!("more than {MOST} destinations: the others are not told");
            if self.problems.last() != Some(&problem) {
                self.problems.push(problem);
            }
            return;
        }
        let destination = Destination { service: service.to_owned(), recipient: recipient.to_owned() };
        if self.seen.insert((trigger.to_owned(), destination.clone())) {
            self.by_trigger.entry(trigger.to_owned()).or_default().push(destination);
        }
    }
}

/// A subscription of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Subscription {
    /// `service:recipient`.
    pub recipients: Vec<String>,
    /// Triggers; empty for the default ones.
    pub triggers: Vec<String>,
    /// Which applications.
    pub selector: Selector,
}

impl Subscription {
    /// Reads the configuration's list.
    pub(crate) fn parse_list(value: &serde_json::Value) -> Result<Vec<Self>, String> {
        let serde_json::Value::Array(items) = value else {
            if value.is_null() {
                return Ok(Vec::new());
            }
            return Err(format!("json: cannot unmarshal {} into subscriptions", fields::kind(value)));
        };
        items
            .iter()
            .map(|item| {
                let members = Members::new("subscriptions.DefaultSubscription", item)?;
                let selector = Selector::parse(&members.text("selector")?)
                    .map_err(|error| format!("unable to parse requirement: {error}"))?;
                let (recipients, triggers) = (members.texts("recipients")?, members.texts("triggers")?);
                Ok(Self { recipients, triggers, selector })
            })
            .collect()
    }
}

/// All destinations of an application: those the configuration subscribes by label, its own, and its project's.
pub fn destinations(
    config: &Config,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    project: Option<&BTreeMap<String, String>>,
) -> Destinations {
    let mut found = Destinations::default();
    for subscription in &config.subscriptions {
        if !subscription.selector.matches(labels) {
            continue;
        }
        let triggers = match subscription.triggers.is_empty() {
            true => &config.default_triggers,
            false => &subscription.triggers,
        };
        for trigger in triggers {
            for recipient in &subscription.recipients {
                let (service, recipient) = split(recipient);
                found.add(trigger, service, recipient);
            }
        }
    }
    annotated(config, annotations, &mut found);
    legacy(config, annotations, &mut found);
    if let Some(project) = project {
        annotated(config, project, &mut found);
        legacy(config, project, &mut found);
    }
    found
}

/// `service:recipient`; what follows a second colon is not read, as in the original.
fn split(text: &str) -> (&str, &str) {
    let mut parts = text.split(':');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn default_triggers<'c>(config: &'c Config, service: &str) -> &'c [String] {
    config.service_default_triggers.get(service).unwrap_or(&config.default_triggers)
}

fn annotated(config: &Config, annotations: &BTreeMap<String, String>, found: &mut Destinations) {
    for (key, value) in annotations {
        if let Some(rest) = key.strip_prefix(PREFIX) {
            let mut parts = rest.split('.');
            let first = parts.next().unwrap_or_default();
            let (trigger, service) = match parts.next() {
                Some(service) => (Some(first.to_owned()), service),
                None => (None, first),
            };
            let triggers = match &trigger {
                Some(trigger) => std::slice::from_ref(trigger),
                None => default_triggers(config, service),
            };
            let recipients: Vec<&str> = match value.as_str() {
                "" => vec![""],
                value => value.split(';').map(str::trim).filter(|recipient| !recipient.is_empty()).collect(),
            };
            for trigger in triggers {
                for recipient in &recipients {
                    found.add(trigger, service, recipient);
                }
            }
        } else if key.starts_with(LIST)
            && let Err(problem) = listed(config, value, found)
        {
            found.problems.push(format!("annotation {key} cannot be read: {problem}"));
        }
    }
}

/// The list form: `- trigger: [..]`, `destinations: [{service, recipients}]`.
fn listed(config: &Config, text: &str, found: &mut Destinations) -> Result<(), String> {
    let value = object::yaml::decode(text.as_bytes()).map_err(|error| error.to_string())?;
    let wrapped = serde_json::json!({ "subscriptions": value });
    for subscription in Members::new("annotation", &wrapped)?.sections("subscriptions")? {
        let triggers = subscription.texts("trigger")?;
        for destination in subscription.sections("destinations")? {
            let service = destination.text("service")?;
            let triggers = match triggers.iter().all(String::is_empty) {
                true => default_triggers(config, &service),
                false => &triggers,
            };
            for trigger in triggers {
                for recipient in destination.texts("recipients")? {
                    found.add(trigger, &service, &recipient);
                }
            }
        }
    }
    Ok(())
}

fn legacy(config: &Config, annotations: &BTreeMap<String, String>, found: &mut Destinations) {
    for (key, value) in annotations {
        let Some(trigger) = key.strip_suffix(LEGACY) else { continue };
        let trigger = trigger.trim_end_matches('.').to_owned();
        for recipient in value.split(',').map(str::trim).filter(|recipient| !recipient.is_empty()) {
            let (service, recipient) = split(recipient);
            let triggers = match config.service_default_triggers.get(service) {
                Some(triggers) => triggers.as_slice(),
                None if trigger.is_empty() => &config.default_triggers,
                None => std::slice::from_ref(&trigger),
            };
            for trigger in triggers {
                found.add(trigger, service, recipient);
            }
        }
    }
}
