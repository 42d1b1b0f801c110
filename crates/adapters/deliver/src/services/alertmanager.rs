//! Alertmanager: one alert to every target; it is delivered when one of them took it.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request, shown};
use crate::json::{marshal, short};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

struct Alertmanager {
    clients: Vec<(String, Client)>,
    basic: Option<(String, Secret<String>)>,
    bearer: Secret<String>,
    timeout: Duration,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let or = |name: &str, default: &str| {
        let text = options.text(name)?;
        Ok::<_, String>(if text.is_empty() { default.to_owned() } else { text })
    };
    let (scheme, path) = (or("scheme", "http")?, or("apiPath", "/api/v2/alerts")?);
    let mut targets = options.texts("targets")?;
    if targets.is_empty() {
        targets.push("127.0.0.1:9093".to_owned());
    }
    let mut clients = Vec::new();
    for target in targets {
        let url = format!("{scheme}://{target}{path}");
        clients.push((url.clone(), outlet.client(&url, &connection(options)?)?));
    }
    let basic = match options.section("basicAuth")? {
        Some(basic) => Some((basic.text("username")?, Secret::new(basic.text("password")?))),
        None => None,
    };
    let seconds = match options.integer("timeout")? {
        0 => 3,
        seconds => u64::try_from(seconds).unwrap_or(3).min(30),
    };
    Ok(Box::new(Alertmanager {
        clients,
        basic,
        bearer: options.text("bearerToken")?.into(),
        timeout: Duration::from_secs(seconds),
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    starts_at: String,
}

impl Alertmanager {
    async fn tell(&self, url: &str, client: &Client, body: &str) -> Result<(), Failure> {
        let mut request = Request::new("POST", url).json(body);
        if let Some((username, password)) = &self.basic {
            request = request.basic(username, password.reveal());
        } else if !self.bearer.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.bearer.reveal()));
        }
        let late = |_| Failure::passing(format!("POST {}: no answer in time", shown(url)));
        let answer = tokio::time::timeout(self.timeout, client.send(request)).await.map_err(late)??;
        if answer.status == 200 {
            return Ok(());
        }
        let (status, said) = (answer.status, short(&answer.body));
        let text = format!("request to {} has failed with error code {status} : {said}", shown(url));
        Err(answer.failure(text))
    }
}

#[async_trait]
impl Delivery for Alertmanager {
    async fn deliver(&self, notification: &Notification, _: &Destination) -> Result<(), Failure> {
        let Some(section) = notification.section("alertmanager") else {
            return Err(Failure::lasting("notification alertmanager no config"));
        };
        let annotations = section.text_map("annotations")?;
        let body = marshal(&[Alert {
            labels: section.text_map("labels")?,
            annotations: (!annotations.is_empty()).then_some(annotations),
            generator_url: text(Some(&section), "generatorURL")?,
            starts_at: section.text("startsAt")?,
        }]);
        // All at once: one that is down must not take the others' time.
        let told =
            futures::future::join_all(self.clients.iter().map(|(url, client)| self.tell(url, client, &body)));
        let failures: Vec<Failure> = told.await.into_iter().filter_map(Result::err).collect();
        if failures.len() < self.clients.len() {
            for failure in failures {
                tracing::warn!("alertmanager sent target: {failure}");
            }
            return Ok(());
        }
        let causes: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
        Err(Failure {
            message: format!("no events were successfully received by alertmanager: {}", causes.join("; ")),
            retry: failures.iter().any(|failure| failure.retry),
            after: failures.iter().filter_map(|failure| failure.after).max(),
        })
    }
}
