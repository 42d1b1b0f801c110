//! Grafana: annotations, with the recipient's words as tags.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::marshal;
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;

struct Grafana {
    client: Client,
    api: String,
    key: object::Secret<String>,
    tags: String,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let api = options.text("apiUrl")?;
    let client = outlet.client(&api, &connection(options)?)?;
    Ok(Box::new(Grafana { client, api, key: options.text("apiKey")?.into(), tags: options.text("tags")? }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation<'a> {
    /// Milliseconds, of a whole second.
    time: i64,
    is_region: bool,
    tags: Vec<&'a str>,
    text: &'a str,
}

#[async_trait]
impl Delivery for Grafana {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let own = text(notification.section("grafana").as_ref(), "tags")?;
        let mut tags: Vec<&str> = destination.recipient.split('|').collect();
        for more in [own.as_str(), self.tags.as_str()] {
            if !more.is_empty() {
                tags.extend(more.split('|'));
            }
        }
        if notification.message.is_empty() {
            tracing::warn!("Message is an empty string or not provided in the notifications template");
        }
        let body = marshal(&Annotation {
            time: jiff::Timestamp::now().as_second() * 1000,
            is_region: false,
            tags,
            text: &notification.message,
        });
        let url = format!("{}/annotations", self.api.trim_end_matches('/'));
        let request = Request::new("POST", &url)
            .header("Authorization", format!("Bearer {}", self.key.reveal()))
            .json(body);
        self.client.send(request).await?.exactly_good(&url)?;
        Ok(())
    }
}
