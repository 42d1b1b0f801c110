//! PagerDuty by its events: an alert for the key of a service.

use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request};
use crate::json::{is_empty, marshal, short};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde::Serialize;
use std::collections::BTreeMap;

const API: &str = "https://events.pagerduty.com";

struct Events {
    client: Client,
    keys: Secret<BTreeMap<String, String>>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    Ok(Box::new(Events {
        client: outlet.client(API, &Connection::default())?,
        keys: options.text_map("serviceKeys")?.into(),
    }))
}

#[derive(Serialize)]
struct Event {
    routing_key: String,
    event_action: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    dedup_key: String,
    client: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    client_url: String,
    payload: Payload,
}

#[derive(Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: String,
    #[serde(skip_serializing_if = "is_empty")]
    component: String,
    #[serde(skip_serializing_if = "is_empty")]
    group: String,
    #[serde(skip_serializing_if = "is_empty")]
    class: String,
}

#[async_trait]
impl Delivery for Events {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let Some(key) = self.keys.reveal().get(&destination.recipient) else {
            let text = format!("no API key configured for recipient {}", destination.recipient);
            return Err(Failure::lasting(text));
        };
        let section = notification.section("pagerdutyv2");
        if section.is_none() {
            return Err(Failure::lasting("no config found for pagerdutyv2"));
        }
        let own = |name: &str| text(section.as_ref(), name);
        let body = marshal(&Event {
            routing_key: key.clone(),
            event_action: "trigger",
            dedup_key: own("dedupKey")?,
            client: "ArgoCD",
            client_url: own("url")?,
            payload: Payload {
                summary: own("summary")?,
                source: own("source")?,
                severity: own("severity")?,
                component: own("component")?,
                group: own("group")?,
                class: own("class")?,
            },
        });
        let answer = self.client.send(Request::new("POST", format!("{API}/v2/enqueue")).json(body)).await?;
        if answer.status == 202 {
            return Ok(());
        }
        let text = format!("HTTP Status Code: {}: {}", answer.status, short(&answer.body));
        Err(answer.failure(text))
    }
}
