//! Google Chat: messages and cards to a space's webhook, in threads by a key.

use super::teams::hidden;
use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::form;
use crate::http::{Client, Connection, Outlet, Request};
use crate::json::marshal;
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

struct GoogleChat {
    outlet: Outlet,
    connection: Connection,
    /// The address holds the key and the token.
    webhooks: object::Secret<BTreeMap<String, String>>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    Ok(Box::new(GoogleChat {
        outlet: outlet.clone(),
        connection: connection(options)?,
        webhooks: options.text_map("webhooks")?.into(),
    }))
}

#[derive(Serialize)]
struct Message {
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Value>,
    #[serde(rename = "cardsV2", skip_serializing_if = "Vec::is_empty")]
    cards_v2: Vec<CardWithId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardWithId {
    card: Map<String, Value>,
    card_id: String,
}

/// What a card of the second kind can have; the list of a template holds the cards themselves.
const CARD: [&str; 8] = [
    "cardActions",
    "displayStyle",
    "fixedFooter",
    "header",
    "name",
    "peekCardHeader",
    "sectionDividerStyle",
    "sections",
];

fn list(what: &str, text: &str) -> Result<Vec<Value>, Failure> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let value = object::yaml::decode(text.as_bytes());
    match value.map_err(|error| format!("cannot create message: {what}: {error}"))? {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        _ => Err(Failure::lasting(format!("cannot create message: {what}: not a list"))),
    }
}

fn message(notification: &Notification) -> Result<Message, Failure> {
    let section = notification.section("googlechat");
    let cards = list("cards", &text(section.as_ref(), "cards")?)?;
    let second = list("cardsV2", &text(section.as_ref(), "cardsV2")?)?;
    let with_id = |card: Value| {
        let members = match card {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let card = members.into_iter().filter(|(name, _)| CARD.contains(&name.as_str())).collect();
        CardWithId { card, card_id: uuid::Uuid::new_v4().to_string() }
    };
    let cards_v2: Vec<_> = second.into_iter().map(with_id).collect();
    let text = match cards.is_empty() && cards_v2.is_empty() {
        true => notification.message.clone(),
        false => String::new(),
    };
    Ok(Message { text, cards, cards_v2 })
}

#[async_trait]
impl Delivery for GoogleChat {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let recipient = &destination.recipient;
        let Some(url) = self.webhooks.reveal().get(recipient) else {
            return Err(Failure::lasting(format!(
                "error creating client to webhook: no Google chat webhook configured for recipient {recipient}"
            )));
        };
        let unreadable = |_| format!("the Google chat webhook of recipient {recipient} is no address");
        let mut address = url::Url::parse(url).map_err(unreadable)?;
        let thread = text(notification.section("googlechat").as_ref(), "threadKey")?;
        if !thread.is_empty() {
            let pairs: Vec<_> = address.query_pairs().into_owned().collect();
            let mut fields: Vec<(&str, &str)> =
                pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            fields.push(("threadKey", &thread));
            fields.push(("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"));
            let query = form(&fields);
            address.set_query(Some(&query));
        }
        let client: Client = self.outlet.client(url, &self.connection)?;
        let body = marshal(&message(notification)?);
        let sent = client.send(Request::new("POST", address.as_str()).json(body)).await;
        let answer = sent.map_err(|failure| hidden(&failure, "googlechat", recipient))?;
        let said = answer.json("cannot send message")?;
        let Some(error) = said.get("error").filter(|error| !error.is_null()) else {
            return match answer.is_good() {
                true => Ok(()),
                false => Err(answer.failure(format!("cannot send message: status {}", answer.status))),
            };
        };
        let member = |name: &str| error.get(name).and_then(notify::fields::scalar_text).unwrap_or_default();
        let (code, status, said) = (member("code"), member("status"), member("message"));
        Err(answer.failure(format!("error with message: code={code} status={status} message={said}")))
    }
}
