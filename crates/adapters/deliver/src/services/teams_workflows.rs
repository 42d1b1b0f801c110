//! Microsoft Teams by workflows: an adaptive card for each recipient's address.

use super::teams::{hidden, list};
use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request};
use crate::json::{is_empty, marshal, read, short};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

struct Workflows {
    outlet: Outlet,
    connection: Connection,
    urls: object::Secret<BTreeMap<String, String>>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    Ok(Box::new(Workflows {
        outlet: outlet.clone(),
        connection: connection(options)?,
        urls: options.text_map("recipientUrls")?.into(),
    }))
}

#[derive(Default, Serialize)]
struct Element {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    text: String,
    #[serde(skip_serializing_if = "is_empty")]
    size: String,
    #[serde(skip_serializing_if = "is_empty")]
    weight: String,
    #[serde(skip_serializing_if = "is_empty")]
    color: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    wrap: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Fact {
    title: String,
    value: String,
}

#[derive(Serialize)]
struct Action {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    title: String,
    url: String,
}

#[derive(Serialize)]
struct Card {
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    body: Vec<Element>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action>,
}

#[derive(Serialize)]
struct Envelope<C> {
    #[serde(rename = "type")]
    kind: &'static str,
    attachments: [Attachment<C>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment<C> {
    content_type: &'static str,
    content: C,
}

fn envelope<C: Serialize>(content: C) -> String {
    let attachment = Attachment { content_type: "application/vnd.microsoft.card.adaptive", content };
    marshal(&Envelope { kind: "message", attachments: [attachment] })
}

/// Named facts; those without a name are left out.
fn facts<'f>(items: impl Iterator<Item = &'f Value>) -> Vec<Fact> {
    let each = |item: &Value| {
        let title = item.get("name")?.as_str()?.to_owned();
        let value = match item.get("value") {
            None => String::new(),
            Some(value) => notify::fields::scalar_text(value).unwrap_or_else(|| marshal(value)),
        };
        Some(Fact { title, value })
    };
    items.filter_map(each).collect()
}

fn body(notification: &Notification) -> Result<String, Failure> {
    let section = notification.section("teams-workflows");
    let own = |name: &str| text(section.as_ref(), name);
    let whole = own("adaptiveCard")?;
    if !whole.is_empty() {
        let card = read("teams-workflows adaptiveCard unmarshalling error", &whole)?;
        return Ok(envelope(card));
    }
    let mut elements = Vec::new();
    let title = own("title")?;
    if !title.is_empty() {
        elements.push(Element {
            kind: "TextBlock",
            text: title,
            size: "Large".to_owned(),
            weight: "Bolder".to_owned(),
            color: own("themeColor")?,
            wrap: true,
            ..Element::default()
        });
    }
    let words = own("text")?;
    let words = if words.is_empty() { notification.message.clone() } else { words };
    if !words.is_empty() {
        elements.push(Element { kind: "TextBlock", text: words, wrap: true, ..Element::default() });
    }
    let named = list("teams-workflows facts", &own("facts")?)?;
    let mut sets = vec![facts(named.into_iter().map(Value::Object).collect::<Vec<_>>().iter())];
    for section in list("teams-workflows sections", &own("sections")?)? {
        sets.push(facts(section.get("facts").and_then(Value::as_array).into_iter().flatten()));
    }
    for facts in sets.into_iter().filter(|facts| !facts.is_empty()) {
        elements.push(Element { kind: "FactSet", facts, ..Element::default() });
    }
    let actions = list("teams-workflows potential action", &own("potentialAction")?)?;
    let action = |members: serde_json::Map<String, Value>| {
        let members = Value::Object(members);
        if members.get("@type")?.as_str()? != "OpenUri" {
            return None;
        }
        let url = members.get("targets")?.get(0)?.get("uri")?.as_str()?.to_owned();
        let title = members.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        (!url.is_empty()).then_some(Action { kind: "Action.OpenUrl", title, url })
    };
    let actions = actions.into_iter().filter_map(action).collect();
    Ok(envelope(Card { kind: "AdaptiveCard", version: "1.4", body: elements, actions }))
}

/// Addresses of workflows: anything else is a mistake that would be answered with a puzzle.
fn check(url: &str) -> Result<(), String> {
    let parsed = url::Url::parse(url).map_err(|_| "invalid webhook URL format".to_owned())?;
    let host = parsed.host_str().unwrap_or_default();
    let local = host == "localhost" || host.starts_with("127.");
    if parsed.scheme() != "https" && !(local && parsed.scheme() == "http") {
        return Err("webhook URL must use HTTPS scheme".to_owned());
    }
    let lower = url.to_ascii_lowercase();
    let known = [
        "api.powerautomate.com",
        "api.powerplatform.com",
        "flow.microsoft.com",
        "webhook.office.com/workflows",
        "/powerautomate/",
    ];
    if known.iter().any(|part| lower.contains(part)) {
        return Ok(());
    }
    Err(
        "webhook URL does not appear to be a valid Microsoft Teams Workflows URL (Power Automate). Expected patterns: api.powerautomate.com, api.powerplatform.com, flow.microsoft.com, or webhook.office.com/workflows"
            .to_owned(),
    )
}

#[async_trait]
impl Delivery for Workflows {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let recipient = &destination.recipient;
        let Some(url) = self.urls.reveal().get(recipient) else {
            let text = format!("no teams-workflows webhook configured for recipient {recipient}");
            return Err(Failure::lasting(text));
        };
        check(url).map_err(|error| format!("invalid webhook URL for recipient {recipient}: {error}"))?;
        let client: Client = self.outlet.client(url, &self.connection)?;
        let sent = client.send(Request::new("POST", url).json(body(notification)?)).await;
        let answer = sent.map_err(|failure| hidden(&failure, "teams-workflows", recipient))?;
        if answer.is_good() {
            return Ok(());
        }
        let said =
            if answer.body.is_empty() { "no error details provided".to_owned() } else { short(&answer.body) };
        let text = format!("teams workflows webhook post error (status {}): {said}", answer.status);
        Err(answer.failure(text))
    }
}
