//! Microsoft Teams by connectors: a message card for each recipient's address.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request};
use crate::json::{is_empty, marshal, read, short};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

struct Teams {
    outlet: Outlet,
    connection: Connection,
    /// The address is all there is of a password.
    urls: object::Secret<BTreeMap<String, String>>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    Ok(Box::new(Teams {
        outlet: outlet.clone(),
        connection: connection(options)?,
        urls: options.text_map("recipientUrls")?.into(),
    }))
}

#[derive(Serialize)]
struct Card {
    #[serde(rename = "@type")]
    kind: &'static str,
    context: &'static str,
    title: String,
    summary: String,
    text: String,
    #[serde(rename = "themeColor", skip_serializing_if = "is_empty")]
    theme_color: String,
    #[serde(rename = "potentialAction", skip_serializing_if = "Vec::is_empty")]
    potential_action: Vec<Ordered>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sections: Vec<Ordered>,
}

/// Members in the order of their names, as the original's maps are written.
type Ordered = Map<String, Value>;

pub(super) fn list(what: &str, text: &str) -> Result<Vec<Ordered>, Failure> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let value = read(&format!("{what} unmarshalling error"), text)?;
    let wrong = || Failure::lasting(format!("{what} unmarshalling error: not a list of objects"));
    let Value::Array(items) = value else { return Err(wrong()) };
    items
        .into_iter()
        .map(|item| match item {
            Value::Object(members) => Ok(members),
            _ => Err(wrong()),
        })
        .collect()
}

fn card(notification: &Notification) -> Result<String, Failure> {
    let section = notification.section("teams");
    let own = |name: &str| text(section.as_ref(), name);
    let template = own("template")?;
    if !template.is_empty() {
        return Ok(template);
    }
    let words = own("text")?;
    let mut sections = list("teams sections", &own("sections")?)?;
    let facts = own("facts")?;
    if !facts.is_empty() {
        let facts = list("teams facts", &facts)?;
        let facts = facts.into_iter().map(Value::Object).collect();
        sections.push(Map::from_iter([("facts".to_owned(), Value::Array(facts))]));
    }
    Ok(marshal(&Card {
        kind: "MessageCard",
        context: "https://schema.org/extensions",
        title: own("title")?,
        summary: own("summary")?,
        text: if words.is_empty() { notification.message.clone() } else { words },
        theme_color: own("themeColor")?,
        potential_action: list("teams potential action", &own("potentialAction")?)?,
        sections,
    }))
}

#[async_trait]
impl Delivery for Teams {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let recipient = &destination.recipient;
        let Some(url) = self.urls.reveal().get(recipient) else {
            return Err(Failure::lasting(format!("no teams webhook configured for recipient {recipient}")));
        };
        let client: Client = self.outlet.client(url, &self.connection)?;
        let sent = client.send(Request::new("POST", url).json(card(notification)?)).await;
        let answer = sent.map_err(|failure| hidden(&failure, "teams", recipient))?;
        if answer.body == "1" || (answer.body.is_empty() && answer.is_good()) {
            return Ok(());
        }
        let text = format!("teams webhook post error: {}", short(&answer.body));
        Err(answer.failure(text))
    }
}

/// The address is a password: a message names the recipient instead.
pub(super) fn hidden(failure: &Failure, service: &str, recipient: &str) -> Failure {
    let cause = failure.message.split_once(": ").map_or("", |(_, cause)| cause);
    Failure {
        message: format!("post to the {service} webhook of recipient {recipient}: {cause}"),
        retry: failure.retry,
        after: failure.after,
    }
}
