//! GitLab: statuses of commits, deployments, comments on merge requests.

use super::github::parts;
use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request, shown};
use crate::json::{is_empty, marshal, short, truncated};
use crate::progress::Progress;
use async_trait::async_trait;
use notify::fields::Members;
use notify::secrets::percent_encoded;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::{Value, json};

const DESCRIPTION: usize = 255;
/// Bytes of an answer: lists are long.
const LARGEST_ANSWER: usize = 16 << 20;
/// Merge requests that are commented on.
const MOST_REQUESTS: usize = 30;

struct GitLab {
    client: Client,
    api: String,
    token: object::Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let base = match options.text("baseURL")?.trim_end_matches('/') {
        "" => "https://gitlab.com".to_owned(),
        url => url.to_owned(),
    };
    let api = if base.ends_with("/api/v4") { base.clone() } else { format!("{base}/api/v4") };
    let client = outlet.client(&base, &connection(options)?)?;
    Ok(Box::new(GitLab { client, api, token: options.text("token")?.into() }))
}

#[derive(Serialize)]
struct Status {
    state: String,
    #[serde(skip_serializing_if = "is_empty")]
    name: String,
    #[serde(skip_serializing_if = "is_empty")]
    target_url: String,
    description: String,
}

#[derive(Serialize)]
struct Deployment {
    environment: String,
    #[serde(rename = "ref")]
    reference: String,
    sha: String,
    tag: bool,
    status: String,
}

impl GitLab {
    async fn call(&self, method: &str, path: &str, body: Option<String>) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.api);
        let mut request = Request::new(method, &url)
            .up_to(LARGEST_ANSWER)
            .header("Accept", "application/json")
            .header("Private-Token", self.token.reveal());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.client.send(request).await?;
        if answer.is_good() {
            return answer.json(&format!("{method} {}", shown(&url)));
        }
        let text = format!("{method} {}: {} {}", shown(&url), answer.status, short(&answer.body));
        Err(answer.failure(text))
    }

    async fn told(&self, path: &str, body: String) -> Result<(), Failure> {
        self.call("POST", path, Some(body)).await.map(drop)
    }
}

#[async_trait]
impl Delivery for GitLab {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        self.go_on(notification, destination, &Progress::default()).await
    }

    async fn go_on(
        &self,
        notification: &Notification,
        _: &Destination,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Some(section) = notification.section("gitlab") else {
            return Err(Failure::lasting("config is empty"));
        };
        let url = text(Some(&section), "repoURL")?;
        let parts = parts(&url);
        if parts.len() < 2 {
            return Err(Failure::lasting(format!("GitLab.repoURL ({}) does not have a `/`", shown(&url))));
        }
        let about = format!("/projects/{}", percent_encoded(&parts.join("/")));
        let revision = text(Some(&section), "revision")?;
        let commit = percent_encoded(&revision);
        // What was done for one commit is not done for the next.
        let step = |what: &str| format!("{about} {commit} {what}");
        if let Some(own) = section.section("status")? {
            let body = marshal(&Status {
                state: own.text("state")?,
                name: own.text("label")?,
                target_url: own.text("targetURL")?,
                description: truncated(&notification.message, DESCRIPTION),
            });
            let path = format!("{about}/statuses/{commit}");
            progress.once(&step("status"), self.told(&path, body)).await?;
        }
        if let Some(own) = section.section("deployment")? {
            let reference = own.text("reference")?;
            let body = marshal(&Deployment {
                environment: own.text("environment")?,
                reference: if reference.is_empty() { revision.clone() } else { reference },
                sha: revision.clone(),
                tag: own.flag("tag")?.unwrap_or_default(),
                status: own.text("state")?,
            });
            let path = format!("{about}/deployments");
            progress.once(&step("deployment"), self.told(&path, body)).await?;
        }
        if let Some(own) = section.section("mergeRequestComment")? {
            let body = marshal(&json!({"body": own.text("content")?}));
            let path = format!("{about}/repository/commits/{commit}/merge_requests");
            let requests = self.call("GET", &path, None).await?;
            let ids = requests.as_array().into_iter().flatten();
            let ids = ids.filter_map(|request| request.get("iid").and_then(Value::as_i64));
            for id in ids.take(MOST_REQUESTS) {
                let path = format!("{about}/merge_requests/{id}/notes");
                progress.once(&step(&format!("comment {id}")), self.told(&path, body.clone())).await?;
            }
        }
        Ok(())
    }
}
