//! Pushover: messages to a user's or a group's key.

use super::Delivery;
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde_json::Value;

const API: &str = "https://api.pushover.net";

struct Pushover {
    client: Client,
    token: object::Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    Ok(Box::new(Pushover {
        client: outlet.client(API, &Connection::default())?,
        token: options.text("token")?.into(),
    }))
}

/// Thirty letters and digits.
fn check(what: &str, token: &str) -> Result<(), Failure> {
    match token {
        "" => Err(Failure::lasting(format!("pushover: empty {what} token"))),
        token if token.len() == 30 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(()),
        _ => Err(Failure::lasting(format!("pushover: invalid {what} token"))),
    }
}

#[async_trait]
impl Delivery for Pushover {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        check("API", self.token.reveal())?;
        check("recipient", &destination.recipient)?;
        if notification.message.is_empty() {
            return Err(Failure::lasting("pushover: message empty"));
        }
        let fields = [
            ("message", notification.message.as_str()),
            ("priority", "0"),
            ("token", self.token.reveal().as_str()),
            ("user", destination.recipient.as_str()),
        ];
        let url = format!("{API}/1/messages.json");
        let answer = self.client.send(Request::new("POST", url).form(&fields)).await?;
        let said = answer.json("pushover")?;
        if said.get("status").and_then(Value::as_i64) == Some(1) {
            return Ok(());
        }
        let errors = said.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
        let errors: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
        Err(answer.failure(format!("Errors:\n{}", errors.join("\n"))))
    }
}
