//! New Relic: a marker of a deployment, for the application the recipient is the id of.

use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::{is_empty, marshal};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;

struct NewRelic {
    client: Client,
    api: String,
    key: object::Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let api = match options.text("apiURL")?.trim_end_matches('/') {
        "" => "https://api.newrelic.com".to_owned(),
        url => url.to_owned(),
    };
    Ok(Box::new(NewRelic {
        client: outlet.client(&api, &connection(options)?)?,
        api,
        key: options.text("apiKey")?.into(),
    }))
}

#[derive(Serialize)]
struct Marker {
    deployment: Deployment,
}

#[derive(Serialize)]
struct Deployment {
    revision: String,
    #[serde(skip_serializing_if = "is_empty")]
    changelog: String,
    #[serde(skip_serializing_if = "is_empty")]
    description: String,
    #[serde(skip_serializing_if = "is_empty")]
    user: String,
}

#[async_trait]
impl Delivery for NewRelic {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        if self.key.is_empty() {
            return Err(Failure::lasting("apiKey is missing"));
        }
        let section = notification.section("newrelic");
        if section.is_none() {
            return Err(Failure::lasting("config is missing"));
        }
        let own = |name: &str| text(section.as_ref(), name);
        let description = own("description")?;
        let deployment = Deployment {
            revision: own("revision")?,
            changelog: own("changelog")?,
            description: if description.is_empty() { notification.message.clone() } else { description },
            user: own("user")?,
        };
        let id = notify::secrets::percent_encoded(&destination.recipient);
        let url = format!("{}/v2/applications/{id}/deployments.json", self.api);
        let request = Request::new("POST", &url)
            .header("X-Api-Key", self.key.reveal())
            .json(marshal(&Marker { deployment }));
        self.client.send(request).await?.good(&url)?;
        Ok(())
    }
}
