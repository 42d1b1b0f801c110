//! Mentions in Slack: marks that templates leave become ids that Slack knows. What is not found stays as it is.

use crate::failure::Failure;
use serde_json::Value;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

/// Names that are remembered.
const MOST: usize = 10_000;
/// Marks that are looked up in one text.
const MOST_MARKS: usize = 50;
/// Pages of channels that are read.
const PAGES: usize = 50;

/// What was found.
#[derive(Default)]
pub(crate) struct Mentions {
    known: Mutex<HashMap<(&'static str, String), String>>,
}

/// Marks, and what is written around an id.
const KINDS: [(&str, &str); 3] =
    [("__SLACK_USER_EMAIL__", "<@"), ("__SLACK_CHANNEL__", "<#"), ("__SLACK_USERGROUP__", "<!subteam^")];

impl Mentions {
    /// The text with its marks replaced. `call` asks Slack.
    pub(crate) async fn replaced<A, F>(&self, text: &str, call: A) -> String
    where
        A: Fn(&'static str, Vec<(&'static str, String)>) -> F,
        F: Future<Output = Result<Value, Failure>>,
    {
        let mut text = text.to_owned();
        for (mark, before) in KINDS {
            let mut from = 0;
            for _ in 0..MOST_MARKS {
                let Some(start) = text[from..].find(mark).map(|at| at + from) else { break };
                let name_start = start + mark.len();
                let Some(length) = text[name_start..].find("__") else { break };
                let name = text[name_start..name_start + length].to_owned();
                match self.id(mark, &name, &call).await {
                    Some(id) => text.replace_range(start..name_start + length + 2, &format!("{before}{id}>")),
                    None => tracing::warn!("Failed to lookup {name} in Slack"),
                }
                from = start + 1;
            }
        }
        text
    }

    async fn id<A, F>(&self, mark: &'static str, name: &str, call: &A) -> Option<String>
    where
        A: Fn(&'static str, Vec<(&'static str, String)>) -> F,
        F: Future<Output = Result<Value, Failure>>,
    {
        let key = (mark, name.to_owned());
        if let Some(id) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(id.clone());
        }
        let found = match mark {
            "__SLACK_USER_EMAIL__" => {
                let said = call("users.lookupByEmail", vec![("email", name.to_owned())]).await.ok()?;
                text(said.get("user")?, "id")
            }
            "__SLACK_CHANNEL__" => channel(name.trim_start_matches('#'), call).await,
            _ => {
                let said =
                    call("usergroups.list", vec![("include_disabled", "false".to_owned())]).await.ok()?;
                let groups = said.get("usergroups")?.as_array()?.clone();
                let named = |group: &&Value| {
                    ["handle", "name"].iter().any(|member| text(group, member).as_deref() == Some(name))
                };
                groups.iter().find(named).and_then(|group| text(group, "id"))
            }
        }?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, found.clone());
        Some(found)
    }
}

async fn channel<A, F>(name: &str, call: &A) -> Option<String>
where
    A: Fn(&'static str, Vec<(&'static str, String)>) -> F,
    F: Future<Output = Result<Value, Failure>>,
{
    let mut cursor = String::new();
    for _ in 0..PAGES {
        let mut fields = vec![
            ("exclude_archived", "true".to_owned()),
            ("limit", "1000".to_owned()),
            ("types", "public_channel,private_channel".to_owned()),
        ];
        if !cursor.is_empty() {
            fields.push(("cursor", cursor.clone()));
        }
        let said = call("conversations.list", fields).await.ok()?;
        let channels = said.get("channels").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(found) = channels.iter().find(|channel| text(channel, "name").as_deref() == Some(name)) {
            return text(found, "id");
        }
        cursor = said.get("response_metadata").and_then(|more| text(more, "next_cursor")).unwrap_or_default();
        if cursor.is_empty() {
            return None;
        }
    }
    None
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(Value::as_str).map(str::to_owned)
}
