//! Bitbucket Server and Data Center.

use super::bitbucket::key;
use super::{Account, Caller, CommitStatus, Known, PAGE, Page, Place, Provider, number, text};
use crate::failure::Failure;
use crate::json::truncated;
use async_trait::async_trait;
use notify::secrets::percent_encoded;
use preview::State;
use serde_json::{Value, json};

const DESCRIPTION: usize = 255;

pub(super) struct BitbucketServer {
    caller: Caller,
    rest: String,
    project: String,
    about: String,
}

impl BitbucketServer {
    pub(super) fn new(_: &Account, place: &Place, caller: Caller) -> Result<Self, String> {
        // `https://host/context/scm/project/name`; over SSH without the `scm`.
        let scm = place.parts.iter().position(|part| part == "scm").unwrap_or(0);
        let below: String =
            place.parts[..scm].iter().map(|part| format!("/{}", percent_encoded(part))).collect();
        let rest = place.api(|origin| format!("{origin}{below}/rest"));
        let (project, name) = place.owner_and_name()?;
        let about = format!("{rest}/api/1.0/projects/{project}/repos/{name}");
        Ok(Self { caller, rest, project, about })
    }
}

#[async_trait]
impl Provider for BitbucketServer {
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let state = match status.state {
            State::Pending => "INPROGRESS",
            State::Success => "SUCCESSFUL",
            State::Failure | State::Error => "FAILED",
        };
        // A status must lead somewhere.
        let page = format!("{}/projects/{}", self.rest.trim_end_matches("/rest"), self.project);
        let body = json!({
            "key": key(status.context), "state": state, "name": status.context,
            "url": if status.url.is_empty() { &page } else { status.url },
            "description": truncated(status.text, DESCRIPTION),
        });
        let url = format!("{}/build-status/1.0/commits/{}", self.rest, percent_encoded(status.commit));
        self.caller.call("POST", &url, Some(&body)).await.map(drop)
    }

    async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        let url = format!("{}/pull-requests/{number}", self.about);
        let pull = self.caller.call("GET", &url, None).await?;
        Ok((text(&pull, "/state") == "OPEN").then(|| text(&pull, "/fromRef/latestCommit").to_owned()))
    }

    async fn comments(&self, pull: u64, from: u64) -> Result<Page, Failure> {
        let url = format!("{}/pull-requests/{pull}/activities?limit={PAGE}&start={from}", self.about);
        let answer = self.caller.call("GET", &url, None).await?;
        let entries = answer.get("values").and_then(Value::as_array).into_iter().flatten();
        let known = |entry: &Value| {
            Some(Known {
                id: number(entry, "/comment/id")?,
                beside: number(entry, "/comment/version").unwrap_or_default(),
                text: text(entry, "/comment/text").to_owned(),
            })
        };
        let commented = entries.filter(|entry| text(entry, "/action") == "COMMENTED");
        let comments = commented.filter_map(known).collect();
        Ok(Page { comments, next: number(&answer, "/nextPageStart").filter(|next| *next > from) })
    }

    async fn write(&self, number: u64, words: &str) -> Result<(), Failure> {
        let url = format!("{}/pull-requests/{number}/comments", self.about);
        self.caller.call("POST", &url, Some(&json!({"text": words}))).await.map(drop)
    }

    async fn edit(&self, number: u64, known: &Known, words: &str) -> Result<(), Failure> {
        let url = format!("{}/pull-requests/{number}/comments/{}", self.about, known.id);
        let body = json!({"text": words, "version": known.beside});
        self.caller.call("PUT", &url, Some(&body)).await.map(drop)
    }
}
