//! Webex: messages to a person's address or a room.

use super::{Delivery, connection};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::{is_empty, marshal};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
struct Webex {
    client: Client,
    api: String,
    token: object::Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let api = match options.text("apiURL")?.as_str() {
        "" => "https://webexapis.com".to_owned(),
        url => url.trim_end_matches('/').to_owned(),
    };
    let client = outlet.client(&api, &connection(options)?)?;
    Ok(Box::new(Webex { client, api, token: options.text("token")?.into() }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(skip_serializing_if = "is_empty")]
    to_person_email: String,
    #[serde(skip_serializing_if = "is_empty")]
    room_id: String,
    #[serde(skip_serializing_if = "is_empty")]
    markdown: String,
}

/// Something, an at sign, and a dot in what follows.
fn is_address(text: &str) -> bool {
    let blank = text.contains(char::is_whitespace);
    let split = text.split_once('@');
    !blank
        && split.is_some_and(|(name, host)| {
            !name.is_empty() && host.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
        })
}

#[async_trait]
impl Delivery for Webex {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let recipient = destination.recipient.clone();
        let (person, room) =
            if is_address(&recipient) { (recipient, String::new()) } else { (String::new(), recipient) };
        let message =
            Message { to_person_email: person, room_id: room, markdown: notification.message.clone() };
        let url = format!("{}/v1/messages", self.api);
        let request = Request::new("POST", &url)
            .header("Authorization", format!("Bearer {}", self.token.reveal()))
            .json(marshal(&message));
        self.client.send(request).await?.exactly_good(&url)?;
        Ok(())
    }
}
