//! Bitbucket Cloud.

use super::{Account, Caller, CommitStatus, Known, PAGE, Page, Place, Proof, Provider, listed, text};
use crate::failure::Failure;
use crate::json::truncated;
use async_trait::async_trait;
use notify::secrets::percent_encoded;
use preview::State;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const DESCRIPTION: usize = 255;
/// What Bitbucket's own clients give as the user of a token.
const TOKEN_USER: &str = "x-token-auth";

pub(super) struct Bitbucket {
    caller: Caller,
    about: String,
    /// A status must lead somewhere.
    page: String,
}

/// A key of a status is this long at most.
pub(super) fn key(context: &str) -> String {
    let digest = Sha256::digest(context.as_bytes());
    let digits: String = digest.iter().take(14).map(|byte| format!("{byte:02x}")).collect();
    format!("argocd-{digits}")
}

impl Bitbucket {
    pub(super) fn new(account: &Account, place: &Place, mut caller: Caller) -> Result<Self, String> {
        let api = place.api(|origin| match origin {
            "https://bitbucket.org" => "https://api.bitbucket.org/2.0".to_owned(),
            other => format!("{other}/2.0"),
        });
        if let Proof::Password(user, token) = &account.proof
            && user == TOKEN_USER
        {
            caller.proof = Proof::Token(token.clone());
        }
        let (owner, name) = place.owner_and_name()?;
        let page = format!("{}/{owner}/{name}", place.origin);
        Ok(Self { caller, about: format!("{api}/repositories/{owner}/{name}"), page })
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.caller.call(method, &format!("{}{path}", self.about), body).await
    }
}

#[async_trait]
impl Provider for Bitbucket {
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let state = match status.state {
            State::Pending => "INPROGRESS",
            State::Success => "SUCCESSFUL",
            State::Failure => "FAILED",
            State::Error => "STOPPED",
        };
        let body = json!({
            "key": key(status.context), "state": state, "name": status.context,
            "url": if status.url.is_empty() { &self.page } else { status.url },
            "description": truncated(status.text, DESCRIPTION),
        });
        let path = format!("/commit/{}/statuses/build", percent_encoded(status.commit));
        self.call("POST", &path, Some(&body)).await.map(drop)
    }

    async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        let pull = self.call("GET", &format!("/pullrequests/{number}"), None).await?;
        Ok((text(&pull, "/state") == "OPEN").then(|| text(&pull, "/source/commit/hash").to_owned()))
    }

    async fn comments(&self, number: u64, from: u64) -> Result<Page, Failure> {
        let page = from.max(1);
        let path = format!("/pullrequests/{number}/comments?page={page}&pagelen={PAGE}&sort=created_on");
        let answer = self.call("GET", &path, None).await?;
        let values = answer.get("values").and_then(Value::as_array).into_iter().flatten();
        let there: Vec<Value> =
            values.filter(|comment| comment.get("deleted") != Some(&Value::Bool(true))).cloned().collect();
        let comments = listed(Some(&Value::Array(there)), "/id", "/content/raw");
        Ok(Page { comments, next: answer.get("next").map(|_| page + 1) })
    }

    async fn write(&self, number: u64, words: &str) -> Result<(), Failure> {
        let body = json!({"content": {"raw": words}});
        self.call("POST", &format!("/pullrequests/{number}/comments"), Some(&body)).await.map(drop)
    }

    async fn edit(&self, number: u64, known: &Known, words: &str) -> Result<(), Failure> {
        let body = json!({"content": {"raw": words}});
        let path = format!("/pullrequests/{number}/comments/{}", known.id);
        self.call("PUT", &path, Some(&body)).await.map(drop)
    }
}
