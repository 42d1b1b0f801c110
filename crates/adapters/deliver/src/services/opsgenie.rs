//! Opsgenie: an alert for a team, with the key of that team.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::{is_empty, marshal};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde::Serialize;
use std::collections::BTreeMap;

struct Opsgenie {
    client: Client,
    api: String,
    keys: Secret<BTreeMap<String, String>>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let api = match options.text("apiUrl")?.trim_end_matches('/') {
        "" => "https://api.opsgenie.com".to_owned(),
        url if url.starts_with("http://") || url.starts_with("https://") => url.to_owned(),
        host => format!("https://{host}"),
    };
    Ok(Box::new(Opsgenie {
        client: outlet.client(&api, &connection(options)?)?,
        api,
        keys: options.text_map("apiKeys")?.into(),
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    message: String,
    #[serde(skip_serializing_if = "is_empty")]
    alias: String,
    #[serde(skip_serializing_if = "is_empty")]
    description: String,
    responders: [Responder; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    visible_to: Vec<Responder>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_empty")]
    entity: String,
    source: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    priority: String,
    #[serde(skip_serializing_if = "is_empty")]
    user: String,
    #[serde(skip_serializing_if = "is_empty")]
    note: String,
}

#[derive(Serialize)]
struct Responder {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "is_empty")]
    name: String,
    #[serde(skip_serializing_if = "is_empty")]
    id: String,
    username: String,
}

impl Responder {
    fn read(members: &Members<'_>) -> Result<Self, String> {
        let (kind, name) = (members.text("type")?, members.text("name")?);
        Ok(Self { kind, name, id: members.text("id")?, username: members.text("username")? })
    }
}

fn alert(notification: &Notification, team: &str) -> Result<Alert, Failure> {
    let section = notification.section("opsgenie");
    let own = |name: &str| text(section.as_ref(), name);
    let mut alert = Alert {
        message: notification.message.clone(),
        alias: own("alias")?,
        description: own("description")?,
        responders: [Responder {
            kind: "team".to_owned(),
            name: String::new(),
            id: team.to_owned(),
            username: String::new(),
        }],
        visible_to: Vec::new(),
        actions: Vec::new(),
        tags: Vec::new(),
        details: BTreeMap::new(),
        entity: own("entity")?,
        source: "Argo CD",
        priority: own("priority")?,
        user: own("user")?,
        note: own("note")?,
    };
    if let Some(section) = &section {
        if alert.description.is_empty() {
            return Err(Failure::lasting("Opsgenie notification description is missing"));
        }
        let visible = section.sections("visibleTo")?;
        alert.visible_to = visible.iter().map(Responder::read).collect::<Result<_, _>>()?;
        alert.actions = section.texts("actions")?;
        alert.tags = section.texts("tags")?;
        alert.details = section.text_map("details")?;
    }
    Ok(alert)
}

#[async_trait]
impl Delivery for Opsgenie {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let Some(key) = self.keys.reveal().get(&destination.recipient) else {
            let text = format!("no API key configured for recipient {}", destination.recipient);
            return Err(Failure::lasting(text));
        };
        let body = marshal(&alert(notification, &destination.recipient)?);
        let url = format!("{}/v2/alerts", self.api);
        let request = Request::new("POST", &url)
            .header("Accept", "application/json")
            .header("Authorization", format!("GenieKey {key}"))
            .header("Content-Type", "application/json; charset=utf-8")
            .body(format!("{body}\n"));
        self.client.send(request).await?.good(&url)?;
        Ok(())
    }
}
