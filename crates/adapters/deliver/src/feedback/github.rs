//! GitHub and GitHub Enterprise.

use super::{
    Account, Caller, CommitStatus, Known, PAGE, Page, Place, Proof, Provider, listed, text, with_body,
};
use crate::failure::Failure;
use crate::http::Request;
use crate::json::truncated;
use crate::services::github_app::App;
use async_trait::async_trait;
use notify::secrets::percent_encoded;
use preview::State;
use serde_json::{Value, json};

const DESCRIPTION: usize = 140;

pub(super) struct GitHub {
    caller: Caller,
    app: Option<App>,
    about: String,
}

impl GitHub {
    pub(super) fn new(account: &Account, place: &Place, caller: Caller) -> Result<Self, String> {
        let api = place.api(|origin| match origin {
            "https://github.com" => "https://api.github.com".to_owned(),
            other => format!("{other}/api/v3"),
        });
        let (owner, name) = place.owner_and_name()?;
        let app = match &account.proof {
            Proof::App(app) => {
                let made = App::new(app.id, app.installation, app.private_key.reveal(), api.clone())?;
                Some(made.of_repository(format!("{owner}/{name}")))
            }
            _ => None,
        };
        Ok(Self { caller, app, about: format!("{api}/repos/{owner}/{name}") })
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let token = match (&self.app, &self.caller.proof) {
            (Some(app), _) => app.token(&self.caller.client).await?,
            (None, Proof::Token(token) | Proof::Password(_, token)) => token.clone(),
            (None, Proof::App(_)) => return Err(Failure::lasting("github: the app is not set up")),
        };
        let url = format!("{}{path}", self.about);
        let request = Request::new(method, &url).header("Authorization", format!("token {}", token.reveal()));
        self.caller.send(with_body(request, body), method, &url).await
    }
}

#[async_trait]
impl Provider for GitHub {
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let state = match status.state {
            State::Pending => "pending",
            State::Success => "success",
            State::Failure => "failure",
            State::Error => "error",
        };
        let mut body = json!({
            "state": state, "context": status.context, "description": truncated(status.text, DESCRIPTION),
        });
        if !status.url.is_empty() {
            body["target_url"] = status.url.into();
        }
        self.call("POST", &format!("/statuses/{}", percent_encoded(status.commit)), Some(&body))
            .await
            .map(drop)
    }

    async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        let pull = self.call("GET", &format!("/pulls/{number}"), None).await?;
        Ok((text(&pull, "/state") == "open").then(|| text(&pull, "/head/sha").to_owned()))
    }

    async fn comments(&self, number: u64, from: u64) -> Result<Page, Failure> {
        let page = from.max(1);
        let path = format!("/issues/{number}/comments?per_page={PAGE}&page={page}");
        let comments = listed(Some(&self.call("GET", &path, None).await?), "/id", "/body");
        let next = (comments.len() >= PAGE).then(|| page + 1);
        Ok(Page { comments, next })
    }

    async fn write(&self, number: u64, words: &str) -> Result<(), Failure> {
        let body = json!({"body": words});
        self.call("POST", &format!("/issues/{number}/comments"), Some(&body)).await.map(drop)
    }

    async fn edit(&self, _: u64, known: &Known, words: &str) -> Result<(), Failure> {
        let body = json!({"body": words});
        self.call("PATCH", &format!("/issues/comments/{}", known.id), Some(&body)).await.map(drop)
    }
}
