//! Gitea, Forgejo and Gogs, which differ in what they know: Gogs has no statuses.

use super::{Caller, CommitStatus, Known, Page, Place, Proof, Provider, listed, text, with_body};
use crate::failure::Failure;
use crate::http::Request;
use crate::json::truncated;
use async_trait::async_trait;
use notify::secrets::percent_encoded;
use preview::State;
use serde_json::{Value, json};

const DESCRIPTION: usize = 255;

pub(super) struct Gitea {
    caller: Caller,
    about: String,
    statuses: bool,
}

impl Gitea {
    pub(super) fn new(place: &Place, caller: Caller, statuses: bool) -> Result<Self, String> {
        let (owner, name) = place.owner_and_name()?;
        // It may be served below a path, which then comes before the owner.
        let below = place.parts[..place.parts.len() - 2].iter();
        let below: String = below.map(|part| format!("/{}", percent_encoded(part))).collect();
        let api = place.api(|origin| format!("{origin}{below}/api/v1"));
        Ok(Self { caller, about: format!("{api}/repos/{owner}/{name}"), statuses })
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.about);
        let request = match &self.caller.proof {
            Proof::Token(token) => {
                Request::new(method, &url).header("Authorization", format!("token {}", token.reveal()))
            }
            Proof::Password(user, password) => Request::new(method, &url).basic(user, password.reveal()),
            Proof::App(_) => return Err(Failure::lasting("a GitHub App is known to GitHub only")),
        };
        self.caller.send(with_body(request, body), method, &url).await
    }
}

#[async_trait]
impl Provider for Gitea {
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        if !self.statuses {
            return Err(Failure::lasting("Gogs has no statuses of commits"));
        }
        let state = match status.state {
            State::Pending => "pending",
            State::Success => "success",
            State::Failure => "failure",
            State::Error => "error",
        };
        let body = json!({
            "state": state, "context": status.context, "target_url": status.url,
            "description": truncated(status.text, DESCRIPTION),
        });
        self.call("POST", &format!("/statuses/{}", percent_encoded(status.commit)), Some(&body))
            .await
            .map(drop)
    }

    async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        if !self.statuses {
            // Gogs does not tell of pull requests; as an issue it tells whether it is open.
            let issue = self.call("GET", &format!("/issues/{number}"), None).await?;
            return Ok((text(&issue, "/state") == "open").then(String::new));
        }
        let pull = self.call("GET", &format!("/pulls/{number}"), None).await?;
        Ok((text(&pull, "/state") == "open").then(|| text(&pull, "/head/sha").to_owned()))
    }

    async fn comments(&self, number: u64, _: u64) -> Result<Page, Failure> {
        // All of them come at once.
        let all = self.call("GET", &format!("/issues/{number}/comments"), None).await?;
        Ok(Page { comments: listed(Some(&all), "/id", "/body"), next: None })
    }

    async fn write(&self, number: u64, words: &str) -> Result<(), Failure> {
        let body = json!({"body": words});
        self.call("POST", &format!("/issues/{number}/comments"), Some(&body)).await.map(drop)
    }

    async fn edit(&self, number: u64, known: &Known, words: &str) -> Result<(), Failure> {
        let body = json!({"body": words});
        let path = match self.statuses {
            true => format!("/issues/comments/{}", known.id),
            false => format!("/issues/{number}/comments/{}", known.id),
        };
        self.call("PATCH", &path, Some(&body)).await.map(drop)
    }
}
