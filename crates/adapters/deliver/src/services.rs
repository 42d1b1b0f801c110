//! The services by their names in the documentation, and sending through one of a configuration.

use crate::failure::Failure;
use crate::http::{Connection, Limit, Outlet};
use crate::progress::Progress;
use crate::reach::Reach;
use crate::world::World;
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Config, Destination, Notification, Redactor, ServiceConfig};
use std::collections::BTreeMap;

mod alertmanager;
pub(crate) mod amazon;
mod awssqs;
mod email;
pub(crate) mod github;
pub(crate) mod github_app;
mod gitlab;
mod googlechat;
mod grafana;
mod mattermost;
mod nats;
mod newrelic;
mod opsgenie;
mod pagerduty;
mod pagerdutyv2;
mod pushover;
mod rocketchat;
pub(crate) mod slack;
mod slack_mentions;
mod teams;
mod teams_workflows;
mod telegram;
mod webex;
mod webhook;

/// A service that is set up.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Delivers one notification, by one request.
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure>;

    /// The same by several requests: what `progress` says was done is not done again.
    async fn go_on(
        &self,
        notification: &Notification,
        destination: &Destination,
        _progress: &Progress,
    ) -> Result<(), Failure> {
        self.deliver(notification, destination).await
    }
}

/// All services of a configuration.
pub struct Services {
    by_name: BTreeMap<String, Box<dyn Delivery>>,
    redactor: Redactor,
}

impl Services {
    /// Sets them up; the first that cannot be is the error, as in the original.
    pub fn new(config: &Config, world: &World) -> Result<Self, String> {
        let reach = if config.origin.self_service { Reach::Users } else { Reach::Ours };
        let mut redactor = config.redactor.clone();
        let mut by_name = BTreeMap::new();
        for (name, service) in &config.services {
            learn(&mut redactor, service);
            let delivery =
                set_up(service, &Outlet::new(world, reach)).map_err(|error| redactor.redact(&error))?;
            by_name.insert(name.clone(), delivery);
        }
        Ok(Self { by_name, redactor })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Sends a notification. What the error says is free of secrets.
    pub async fn send(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        self.go_on(notification, destination, &Progress::default()).await
    }

    /// The same, of which some steps may be done already.
    pub async fn go_on(
        &self,
        notification: &Notification,
        destination: &Destination,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Some(service) = self.by_name.get(&destination.service) else {
            return Err(Failure::lasting(format!(
                "notification service '{}' is not supported",
                destination.service
            )));
        };
        let sent = service.go_on(notification, destination, progress).await;
        sent.map_err(|failure| Failure { message: self.redactor.redact(&failure.message), ..failure })
    }
}

/// Settings whose values are secrets, wherever they were written.
const SECRETS: [&str; 10] = [
    "token",
    "password",
    "apiKey",
    "apiKeys",
    "secret",
    "serviceKeys",
    "privateKey",
    "bearerToken",
    "signingSecret",
    "basicAuth",
];

/// Services whose addresses may be all there is of a password.
const SECRET_ADDRESSES: [&str; 4] = ["googlechat", "teams", "teams-workflows", "webhook"];
/// A part of an address is a secret by itself when it is so long, or half as long and no plain word.
const SECRET_PART: usize = 16;

fn is_secret_part(part: &str) -> bool {
    let plain = part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    part.len() >= SECRET_PART || (part.len() >= SECRET_PART / 2 && !plain)
}

/// What of addresses is a secret: services repeat it in what they answer.
fn learn_addresses(redactor: &mut Redactor, value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            let Ok(url) = url::Url::parse(text) else { return };
            let (path, query) = (url.path(), url.query().unwrap_or_default());
            for whole in [path, query].into_iter().filter(|whole| whole.len() > 1) {
                redactor.learn(whole.as_bytes());
            }
            let parts = path.split('/').chain(query.split(['&', '=']));
            parts.filter(|part| is_secret_part(part)).for_each(|part| redactor.learn(part.as_bytes()));
        }
        serde_json::Value::Object(members) => {
            members.values().for_each(|value| learn_addresses(redactor, value));
        }
        _ => {}
    }
}

/// Headers that say nothing of who sends.
const PLAIN_HEADERS: [&str; 3] = ["accept", "content-type", "user-agent"];

/// Values of a webhook's headers; of `Bearer x`, `x` too.
fn learn_headers(redactor: &mut Redactor, headers: &serde_json::Value) {
    for header in headers.as_array().into_iter().flatten() {
        let text = |name: &str| header.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        if PLAIN_HEADERS.iter().any(|plain| plain.eq_ignore_ascii_case(text("name"))) {
            continue;
        }
        let value = text("value");
        let last = value.split_whitespace().last().unwrap_or_default();
        [value, last].into_iter().for_each(|part| redactor.learn(part.as_bytes()));
    }
}

/// Values that are secrets though they stand in the ConfigMap.
fn learn(redactor: &mut Redactor, service: &ServiceConfig) {
    let Some(options) = service.options.reveal().as_object() else { return };
    if SECRET_ADDRESSES.contains(&service.kind.as_str()) {
        learn_addresses(redactor, service.options.reveal());
    }
    if let Some(headers) = options.get("headers") {
        learn_headers(redactor, headers);
    }
    for (name, value) in options {
        if !SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
            continue;
        }
        let texts = match value {
            serde_json::Value::Object(entries) => {
                entries.iter().filter(|(name, _)| *name != "username").map(|(_, value)| value).collect()
            }
            value => vec![value],
        };
        for text in texts.into_iter().filter_map(|value| value.as_str()) {
            redactor.learn(text.as_bytes());
        }
    }
}

fn set_up(service: &ServiceConfig, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let options = Members::new(&service.kind, service.options.reveal())?;
    match service.kind.as_str() {
        "alertmanager" => alertmanager::set_up(&options, outlet),
        "awssqs" => awssqs::set_up(&options, outlet),
        "email" => email::set_up(&options, outlet),
        "github" => github::set_up(&options, outlet),
        "gitlab" => gitlab::set_up(&options, outlet),
        "googlechat" => googlechat::set_up(&options, outlet),
        "grafana" => grafana::set_up(&options, outlet),
        "mattermost" => mattermost::set_up(&options, outlet),
        "nats" => nats::set_up(&options, outlet),
        "newrelic" => newrelic::set_up(&options, outlet),
        "opsgenie" => opsgenie::set_up(&options, outlet),
        "pagerduty" => pagerduty::set_up(&options, outlet),
        "pagerdutyv2" => pagerdutyv2::set_up(&options, outlet),
        "pushover" => pushover::set_up(&options, outlet),
        "rocketchat" => rocketchat::set_up(&options, outlet),
        "slack" => slack::set_up(&options, outlet),
        "teams" => teams::set_up(&options, outlet),
        "teams-workflows" => teams_workflows::set_up(&options, outlet),
        "telegram" => telegram::set_up(&options, outlet),
        "webex" => webex::set_up(&options, outlet),
        "webhook" => webhook::set_up(&options, outlet),
        kind => Err(format!("service type '{kind}' is not supported")),
    }
}

/// How a service is connected to: whether trust in certificates is switched off, which connections stay open, and how many
/// there are.
fn connection(options: &Members<'_>) -> Result<Connection, String> {
    // Nothing, or zero, is no limit; what is below zero keeps no connection open, as in Go.
    let number = |name: &str| {
        let number = options.integer(name)?;
        Ok::<_, String>((number != 0).then(|| usize::try_from(number).unwrap_or(0)))
    };
    let most_idle = [number("maxIdleConns")?, number("maxIdleConnsPerHost")?];
    // A time that cannot be read says nothing, as in the original.
    let idle =
        options.text("idleConnTimeout")?.parse::<object::GoDuration>().ok().map(object::GoDuration::to_std);
    Ok(Connection {
        proxy: None,
        insecure: options.flag("insecureSkipVerify")?.unwrap_or_default(),
        most_idle: most_idle.into_iter().flatten().min(),
        longest_idle: idle.filter(|time| !time.is_zero()),
        most: number("maxConnsPerHost")?.filter(|most| *most > 0).map(Limit::new),
    })
}

/// A text of a section; empty when there is none.
fn text(section: Option<&Members<'_>>, name: &str) -> Result<String, Failure> {
    Ok(section.map(|section| section.text(name)).transpose()?.unwrap_or_default())
}
