//! PagerDuty: incidents of a service.

use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request};
use crate::json::{is_empty, marshal};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::Value;

const API: &str = "https://api.pagerduty.com";

struct PagerDuty {
    client: Client,
    token: object::Secret<String>,
    from: String,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let client = outlet.client(API, &Connection::default())?;
    Ok(Box::new(PagerDuty { client, token: options.text("token")?.into(), from: options.text("from")? }))
}

#[derive(Serialize)]
struct Envelope {
    incident: Incident,
}

#[derive(Serialize)]
struct Incident {
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    service: Reference,
    priority: Reference,
    #[serde(skip_serializing_if = "is_empty")]
    urgency: String,
    body: Details,
}

#[derive(Serialize)]
struct Reference {
    #[serde(skip_serializing_if = "is_empty")]
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Details {
    /// With the tabulator that the original sends.
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    details: String,
}

#[async_trait]
impl Delivery for PagerDuty {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let section = notification.section("pagerduty");
        if section.is_none() {
            return Err(Failure::lasting("no config found for pagerduty"));
        }
        let own = |name: &str| text(section.as_ref(), name);
        let body = marshal(&Envelope {
            incident: Incident {
                kind: "incident",
                title: own("title")?,
                service: Reference { id: destination.recipient.clone(), kind: "service_reference" },
                priority: Reference { id: own("priorityId")?, kind: "priority" },
                urgency: own("urgency")?,
                body: Details { kind: "incident_details\t", details: own("body")? },
            },
        });
        let request = Request::new("POST", format!("{API}/incidents"))
            .header("Accept", "application/vnd.pagerduty+json;version=2")
            .header("Authorization", format!("Token token={}", self.token.reveal()))
            .header("From", &self.from)
            .json(body);
        let answer = self.client.send(request).await?;
        if answer.is_good() {
            return Ok(());
        }
        let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let error = said.get("error").map(marshal).unwrap_or_default();
        let text = format!("HTTP response failed with status code {}: {error}", answer.status);
        Err(answer.failure(text))
    }
}
