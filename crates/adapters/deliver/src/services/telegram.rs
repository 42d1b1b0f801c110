//! Telegram: a bot's messages to a chat or a channel.

use super::Delivery;
use crate::failure::Failure;
use crate::http::{Answer, Client, Connection, Outlet, Request};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde_json::Value;

const API: &str = "https://api.telegram.org";

struct Telegram {
    client: Client,
    token: object::Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    Ok(Box::new(Telegram {
        client: outlet.client(API, &Connection::default())?,
        token: options.text("token")?.into(),
    }))
}

impl Telegram {
    /// Calls a method. The address holds the token: messages name the method only.
    async fn call(&self, method: &str, fields: &[(&str, &str)]) -> Result<(), Failure> {
        let url = format!("{API}/bot{}/{method}", self.token.reveal());
        let sent = self.client.send(Request::new("POST", url).form(fields)).await;
        let answer: Answer = sent.map_err(|failure| {
            let cause = failure.message.rsplit(": ").next().unwrap_or_default().to_owned();
            Failure { message: format!("telegram {method}: {cause}"), ..failure }
        })?;
        let said = answer.json(&format!("telegram {method}"))?;
        if said.get("ok").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        let text = said.get("description").and_then(Value::as_str).unwrap_or("the answer is not ok");
        Err(answer.failure(text))
    }
}

#[async_trait]
impl Delivery for Telegram {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let (chat, thread) = match destination.recipient.split_once('|') {
            Some((chat, thread)) => (chat, thread),
            None => (destination.recipient.as_str(), ""),
        };
        let chat = match chat.starts_with('-') {
            true => {
                let number: Result<i64, _> = chat.parse();
                number.map_err(|_| format!("telegram: {chat} is no number of a chat"))?.to_string()
            }
            false => format!("@{chat}"),
        };
        self.call("getMe", &[]).await?;
        let mut fields = vec![
            ("business_connection_id", ""),
            ("chat_id", chat.as_str()),
            ("entities", "null"),
            ("link_preview_options", "{}"),
            ("parse_mode", "Markdown"),
            ("reply_parameters", "{\"message_id\":0}"),
            ("text", notification.message.as_str()),
        ];
        if !thread.is_empty() {
            fields.push(("message_thread_id", thread));
        }
        self.call("sendMessage", &fields).await
    }
}
