//! AWS CodeCommit has no webhooks of its own: a trigger or an event rule publishes to a topic of SNS, and the topic posts
//! here. The topic proves itself by basic authentication in the subscription's address. A subscription is confirmed by
//! hand: nothing is fetched because a request asked for it.

use object::Secret;
use serde::Deserialize;

use super::{body, decode, ignored, lenient, push, require_post};
use crate::event::{Event, Provider, RefChange};
use crate::request::{Refusal, Request};
use crate::revision::short_name;
use crate::secrets::{basic_auth, is_secret};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Notification {
    #[serde(rename = "Message", deserialize_with = "lenient")]
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    /// Of a trigger.
    #[serde(rename = "Records", deserialize_with = "lenient")]
    records: Vec<Record>,
    /// Of an event rule.
    #[serde(deserialize_with = "lenient")]
    region: String,
    #[serde(deserialize_with = "lenient")]
    detail: Detail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    #[serde(rename = "awsRegion", deserialize_with = "lenient")]
    region: String,
    #[serde(rename = "eventSourceARN", deserialize_with = "lenient")]
    source: String,
    #[serde(deserialize_with = "lenient")]
    codecommit: References,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct References {
    #[serde(deserialize_with = "lenient")]
    references: Vec<Reference>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "lenient")]
    r#ref: String,
    #[serde(deserialize_with = "lenient")]
    commit: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    #[serde(deserialize_with = "lenient")]
    repository_name: String,
    #[serde(deserialize_with = "lenient")]
    reference_name: String,
    #[serde(deserialize_with = "lenient")]
    commit_id: String,
    #[serde(deserialize_with = "lenient")]
    old_commit_id: String,
}

pub(crate) fn read(request: &Request<'_>, secret: &Secret<String>) -> Result<Event, Refusal> {
    require_post(request)?;
    let password = basic_auth(request).map(|(_, password)| password).unwrap_or_default();
    if !is_secret(&password, secret) {
        return Err(Refusal::Unproven("SNS basic auth verification failed"));
    }
    let body = body(request)?;
    if request.header("X-Amz-Sns-Message-Type") != "Notification" {
        return Ok(ignored("a message about the subscription itself"));
    }
    let notification: Notification = decode(body)?;
    let mut message: Message = decode(notification.message.as_bytes())?;
    if message.records.len() > 1 {
        // Triggers send one; the key of what follows is the repository.
        message.records.truncate(1);
    }
    Ok(match message.records.pop() {
        Some(record) => trigger_event(record),
        None => rule_event(message),
    })
}

fn trigger_event(record: Record) -> Event {
    let repository = record.source.rsplit(':').next().unwrap_or_default();
    let change = |reference: Reference| ref_change(&reference.r#ref, String::new(), reference.commit);
    let changes = record.codecommit.references.into_iter().map(change).collect();
    push(Provider::CodeCommit, web_urls(&record.region, repository), changes)
}

fn rule_event(message: Message) -> Event {
    let detail = message.detail;
    if detail.reference_name.is_empty() {
        return ignored("the message names no ref");
    }
    let change = ref_change(&detail.reference_name, detail.old_commit_id, detail.commit_id);
    push(Provider::CodeCommit, web_urls(&message.region, &detail.repository_name), vec![change])
}

fn ref_change(name: &str, before: String, after: String) -> RefChange {
    // Which branch is the default is not told.
    RefChange { revision: short_name(name).to_owned(), before, after, touched_head: true, files: None }
}

fn web_urls(region: &str, repository: &str) -> Vec<String> {
    if region.is_empty() || repository.is_empty() {
        return Vec::new();
    }
    vec![format!("https://git-codecommit.{region}.amazonaws.com/v1/repos/{repository}")]
}
