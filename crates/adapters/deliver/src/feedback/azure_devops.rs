//! Azure DevOps. A comment is the first of a thread, which is closed: nobody has to answer it.

use super::{Account, Caller, CommitStatus, Known, Page, Place, Proof, Provider, number, text};
use crate::failure::Failure;
use crate::json::truncated;
use async_trait::async_trait;
use notify::secrets::percent_encoded;
use preview::State;
use serde_json::{Value, json};

const DESCRIPTION: usize = 255;
const VERSION: &str = "api-version=7.1";

pub(super) struct AzureDevOps {
    caller: Caller,
    about: String,
}

impl AzureDevOps {
    pub(super) fn new(account: &Account, place: &Place, mut caller: Caller) -> Result<Self, String> {
        // A token is a password of nobody in particular.
        if let Proof::Token(token) = &account.proof {
            caller.proof = Proof::Password(String::new(), token.clone());
        }
        let wrong = || "the repository's address is not one of Azure DevOps".to_owned();
        let mut parts: Vec<String> = place.parts.iter().map(|part| escaped(part)).collect();
        let mut origin = place.origin.clone();
        if parts.first().is_some_and(|part| part == "v3") {
            // Over SSH: `v3/organisation/project/name`.
            parts.remove(0);
            origin = origin.replacen("://ssh.", "://", 1);
            let at = parts.len().checked_sub(1).ok_or_else(wrong)?;
            parts.insert(at, "_git".to_owned());
        }
        let git = parts.iter().position(|part| part == "_git").filter(|git| *git > 0).ok_or_else(wrong)?;
        let name = parts.get(git + 1).ok_or_else(wrong)?.clone();
        let mut above = parts[..git].to_vec();
        if above.len() == 1 && origin.ends_with("://dev.azure.com") {
            // The project that is named like its repository is left out.
            above.push(name.clone());
        }
        let api = place.api(|_| origin);
        Ok(Self { caller, about: format!("{api}/{}/_apis/git/repositories/{name}", above.join("/")) })
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.caller.call(method, &format!("{}{path}?{VERSION}", self.about), body).await
    }
}

/// A part of the path, escaped once: in addresses it may be escaped already.
fn escaped(part: &str) -> String {
    percent_encoded(part).replace("%25", "%")
}

#[async_trait]
impl Provider for AzureDevOps {
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let state = match status.state {
            State::Pending => "pending",
            State::Success => "succeeded",
            State::Failure => "failed",
            State::Error => "error",
        };
        let (genre, name) = status.context.split_once('/').unwrap_or(("argocd", status.context));
        let mut body = json!({
            "state": state, "context": {"genre": genre, "name": name},
            "description": truncated(status.text, DESCRIPTION),
        });
        if !status.url.is_empty() {
            body["targetUrl"] = status.url.into();
        }
        let path = format!("/commits/{}/statuses", percent_encoded(status.commit));
        self.call("POST", &path, Some(&body)).await.map(drop)
    }

    async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        let pull = self.call("GET", &format!("/pullRequests/{number}"), None).await?;
        let commit = text(&pull, "/lastMergeSourceCommit/commitId");
        Ok((text(&pull, "/status") == "active").then(|| commit.to_owned()))
    }

    async fn comments(&self, pull: u64, _: u64) -> Result<Page, Failure> {
        // All threads come at once.
        let answer = self.call("GET", &format!("/pullRequests/{pull}/threads"), None).await?;
        let threads = answer.get("value").and_then(Value::as_array).into_iter().flatten();
        let known = |thread: &Value| {
            let deleted = |value: &Value| value.get("isDeleted") == Some(&Value::Bool(true));
            let first = thread.pointer("/comments/0").filter(|first| !deleted(first) && !deleted(thread))?;
            Some(Known {
                id: number(thread, "/id")?,
                beside: number(first, "/id")?,
                text: text(first, "/content").to_owned(),
            })
        };
        Ok(Page { comments: threads.filter_map(known).collect(), next: None })
    }

    async fn write(&self, number: u64, words: &str) -> Result<(), Failure> {
        let comment = json!({"parentCommentId": 0, "content": words, "commentType": "text"});
        let body = json!({"comments": [comment], "status": "closed"});
        self.call("POST", &format!("/pullRequests/{number}/threads"), Some(&body)).await.map(drop)
    }

    async fn edit(&self, number: u64, known: &Known, words: &str) -> Result<(), Failure> {
        let path = format!("/pullRequests/{number}/threads/{}/comments/{}", known.id, known.beside);
        self.call("PATCH", &path, Some(&json!({"content": words}))).await.map(drop)
    }
}
