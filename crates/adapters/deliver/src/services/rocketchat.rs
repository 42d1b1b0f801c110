//! Rocket.Chat: a login, then a message in that session.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::{is_empty, marshal, read};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::{Map, Value};

struct RocketChat {
    client: Client,
    server: String,
    email: String,
    password: object::Secret<String>,
    alias: String,
    icon: String,
    avatar: String,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let server = options.text("serverUrl")?;
    Ok(Box::new(RocketChat {
        client: outlet.client(&server, &connection(options)?)?,
        server: server.trim_end_matches('/').to_owned(),
        email: options.text("email")?,
        password: options.text("password")?.into(),
        alias: options.text("alias")?,
        icon: options.text("icon")?,
        avatar: options.text("avatar")?,
    }))
}

#[derive(Serialize)]
struct Message {
    #[serde(rename = "roomId", skip_serializing_if = "is_empty")]
    room: String,
    #[serde(skip_serializing_if = "is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "is_empty")]
    text: String,
    #[serde(skip_serializing_if = "is_empty")]
    alias: String,
    #[serde(skip_serializing_if = "is_empty")]
    emoji: String,
    #[serde(skip_serializing_if = "is_empty")]
    avatar: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Map<String, Value>>,
}

fn attachments(text: &str) -> Result<Vec<Map<String, Value>>, Failure> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = || Failure::lasting("failed to unmarshal attachments: not a list of objects");
    let Value::Array(items) = read("failed to unmarshal attachments", text)? else { return Err(wrong()) };
    let each = |item: Value| match item {
        Value::Object(mut members) => {
            members.entry("collapsed").or_insert(false.into());
            Ok(members)
        }
        _ => Err(wrong()),
    };
    items.into_iter().map(each).collect()
}

impl RocketChat {
    async fn login(&self) -> Result<(String, String), Failure> {
        let url = format!("{}/api/v1/login", self.server);
        let fields = [("user", self.email.as_str()), ("password", self.password.reveal().as_str())];
        let answer = self.client.send(Request::new("POST", &url).form(&fields)).await?.good(&url)?;
        let said = answer.json("rocketchat login")?;
        let data = said.get("data");
        let member = |name: &str| data.and_then(|data| data.get(name)).and_then(Value::as_str);
        match (member("authToken"), member("userId")) {
            (Some(token), Some(user)) => Ok((token.to_owned(), user.to_owned())),
            _ => Err(Failure::lasting("rocketchat login: the answer holds no session")),
        }
    }
}

#[async_trait]
impl Delivery for RocketChat {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let attachments = attachments(&text(notification.section("rocketchat").as_ref(), "attachments")?)?;
        let recipient = destination.recipient.clone();
        let named = recipient.starts_with(['#', '@']);
        let (room, channel) = if named { (String::new(), recipient) } else { (recipient, String::new()) };
        let is_emoji = self.icon.len() > 2 && self.icon.starts_with(':') && self.icon.ends_with(':');
        if !self.icon.is_empty() && !is_emoji {
            tracing::warn!("Icon reference '{}' is not a valid emoji", self.icon);
        }
        let message = Message {
            room,
            channel,
            text: notification.message.clone(),
            alias: self.alias.clone(),
            emoji: if is_emoji { self.icon.clone() } else { String::new() },
            avatar: if self.avatar.starts_with("http") { self.avatar.clone() } else { String::new() },
            attachments,
        };
        let (token, user) = self.login().await?;
        let url = format!("{}/api/v1/chat.postMessage", self.server);
        let request = Request::new("POST", &url)
            .header("X-Auth-Token", token)
            .header("X-User-Id", user)
            .json(marshal(&message));
        let said = self.client.send(request).await?.good(&url)?.json("rocketchat")?;
        if said.get("success").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        let error = said.get("error").and_then(Value::as_str).unwrap_or("the message was not taken");
        Err(Failure::lasting(error))
    }
}
