//! Mattermost: posts of a bot.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::{marshal, read};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde_json::{Value, json};

struct Mattermost {
    client: Client,
    api: String,
    token: object::Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let api = options.text("apiURL")?;
    let client = outlet.client(&api, &connection(options)?)?;
    Ok(Box::new(Mattermost { client, api, token: options.text("token")?.into() }))
}

#[async_trait]
impl Delivery for Mattermost {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let attachments = match text(notification.section("mattermost").as_ref(), "attachments")?.as_str() {
            "" => Value::Array(Vec::new()),
            text => read("failed to unmarshal attachments", text)?,
        };
        let body = json!({
            "channel_id": destination.recipient,
            "message": notification.message,
            "props": {"attachments": attachments},
        });
        let url = format!("{}/api/v4/posts", self.api.trim_end_matches('/'));
        let request = Request::new("POST", &url)
            .header("Authorization", format!("Bearer {}", self.token.reveal()))
            .json(marshal(&body));
        self.client.send(request).await?.good(&url)?;
        Ok(())
    }
}
