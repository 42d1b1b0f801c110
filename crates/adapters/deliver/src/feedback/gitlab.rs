//! GitLab.

use super::{Caller, CommitStatus, Known, PAGE, Page, Place, Proof, Provider, listed, text, with_body};
use crate::failure::Failure;
use crate::http::Request;
use crate::json::truncated;
use async_trait::async_trait;
use notify::secrets::percent_encoded;
use preview::State;
use serde_json::{Value, json};

const DESCRIPTION: usize = 255;

pub(super) struct GitLab {
    caller: Caller,
    about: String,
}

impl GitLab {
    pub(super) fn new(place: &Place, caller: Caller) -> Self {
        let api = place.api(|origin| format!("{origin}/api/v4"));
        Self { caller, about: format!("{api}/projects/{}", percent_encoded(&place.parts.join("/"))) }
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let (Proof::Token(token) | Proof::Password(_, token)) = &self.caller.proof else {
            return Err(Failure::lasting("gitlab: a GitHub App is known to GitHub only"));
        };
        let url = format!("{}{path}", self.about);
        let request = Request::new(method, &url).header("Private-Token", token.reveal());
        self.caller.send(with_body(request, body), method, &url).await
    }
}

#[async_trait]
impl Provider for GitLab {
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let state = match status.state {
            State::Pending => "running",
            State::Success => "success",
            // There is no other word for what went wrong.
            State::Failure | State::Error => "failed",
        };
        let mut body = json!({
            "state": state, "name": status.context, "description": truncated(status.text, DESCRIPTION),
        });
        if !status.url.is_empty() {
            body["target_url"] = status.url.into();
        }
        let path = format!("/statuses/{}", percent_encoded(status.commit));
        match self.call("POST", &path, Some(&body)).await {
            // It stands like that already.
            Err(failure) if failure.message.contains("Cannot transition status") => Ok(()),
            other => other.map(drop),
        }
    }

    async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        let request = self.call("GET", &format!("/merge_requests/{number}"), None).await?;
        Ok((text(&request, "/state") == "opened").then(|| text(&request, "/sha").to_owned()))
    }

    async fn comments(&self, number: u64, from: u64) -> Result<Page, Failure> {
        let page = from.max(1);
        let path = format!(
            "/merge_requests/{number}/notes?order_by=created_at&page={page}&per_page={PAGE}&sort=asc"
        );
        let comments = listed(Some(&self.call("GET", &path, None).await?), "/id", "/body");
        let next = (comments.len() >= PAGE).then(|| page + 1);
        Ok(Page { comments, next })
    }

    async fn write(&self, number: u64, words: &str) -> Result<(), Failure> {
        let body = json!({"body": words});
        self.call("POST", &format!("/merge_requests/{number}/notes"), Some(&body)).await.map(drop)
    }

    async fn edit(&self, number: u64, known: &Known, words: &str) -> Result<(), Failure> {
        let body = json!({"body": words});
        let path = format!("/merge_requests/{number}/notes/{}", known.id);
        self.call("PUT", &path, Some(&body)).await.map(drop)
    }
}
