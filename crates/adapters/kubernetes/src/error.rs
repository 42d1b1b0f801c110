//! What can go wrong on the way to a cluster, and whether trying again helps.

use object::{GroupVersionKind, Object};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The API server's answer to a request it did not grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason: `NotFound`, `Conflict`, `Invalid`, …
    pub reason: String,
    /// The server's own words.
    pub message: String,
    /// Seconds to wait before another try, if the server said so.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(formatter, "{} {}", self.code, self.reason)
        } else {
            formatter.write_str(&self.message)
        }
    }
}

/// Why a request to a cluster failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The credentials or the address cannot be used as they are written.
    #[error("configure access to {server}: {reason}")]
    Configuration {
        /// The server, or where the configuration was looked for.
        server: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No answer: the server is not there, TLS failed, the connection broke, or time ran out.
    #[error("{action}: {reason}")]
    Transport {
        /// What was tried.
        action: String,
        /// What happened.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{action}: {status}")]
    Api {
        /// What was tried.
        action: String,
        /// The answer.
        status: Box<Status>,
    },
    /// The server's answer is not what the protocol says.
    #[error("{action}: cannot read the answer: {reason}")]
    Decode {
        /// What was tried.
        action: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// No API group of the cluster serves the kind.
    #[error("no matches for kind {:?} in version {:?}", .0.kind, .0.api_version())]
    UnknownKind(GroupVersionKind),
    /// The kind may exist, but its API group could not be discovered.
    #[error("discover {}: {reason}", .kind.api_version())]
    GroupUnavailable {
        /// The kind that was asked for.
        kind: GroupVersionKind,
        /// Why its group did not answer.
        reason: String,
    },
    /// The object cannot be sent: it has no name, or a namespace its kind does not have.
    #[error("{0}")]
    InvalidObject(String),
}

impl Error {
    /// The HTTP status, where the server answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(status.code),
            _ => None,
        }
    }

    /// The machine-readable reason, where the server answered.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Api { status, .. } => Some(&status.reason),
            _ => None,
        }
    }

    /// The message without what was tried: the server's own words, which is what users of Argo CD see.
    pub fn message(&self) -> String {
        match self {
            Self::Api { status, .. } => status.to_string(),
            Self::Transport { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }

    /// The message as Go's client words it, where the server did not answer: what was asked, and what came of it.
    pub fn go_text(&self, verb: &str, url: &str) -> String {
        let Self::Transport { reason, .. } = self else { return self.message() };
        let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or(url);
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let lower = reason.to_lowercase();
        let cause = if lower.contains("connection refused") {
            let port = if url.starts_with("http://") { ":80" } else { ":443" };
            let port = if authority.contains(':') { "" } else { port };
            format!("dial tcp {authority}{port}: connect: connection refused")
        } else if lower.contains("failed to lookup") || lower.contains("dns error") {
            format!("dial tcp: lookup {host}: no such host")
        } else if lower.contains("unknownissuer") {
            "tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned()
        } else {
            reason.clone()
        };
        format!("{verb} {url:?}: {cause}")
    }

    /// The object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Someone else wrote the object meanwhile. An object that exists already is none of these.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409) && !self.is_already_exists()
    }

    /// An object of that name exists already.
    pub fn is_already_exists(&self) -> bool {
        self.reason() == Some("AlreadyExists")
    }

    /// The server refuses the object's content.
    pub fn is_invalid(&self) -> bool {
        self.code() == Some(422)
    }

    /// The credentials do not suffice.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.code(), Some(401 | 403))
    }

    /// The resource version or the continue token is too old.
    pub fn is_gone(&self) -> bool {
        self.code() == Some(410) || matches!(self.reason(), Some("Expired" | "Gone"))
    }

    /// Whether the same request may succeed later without anyone changing anything.
    pub fn retry_helps(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::GroupUnavailable { .. } => true,
            Self::Api { status, .. } => matches!(status.code, 408 | 409 | 410 | 429 | 500 | 502..=504),
            Self::Configuration { .. }
            | Self::Decode { .. }
            | Self::UnknownKind(_)
            | Self::InvalidObject(_) => false,
        }
    }

    /// Takes the values of a Secret out of the server's message: validation and admission may quote them.
    pub(crate) fn redacted(mut self, object: &Object) -> Self {
        if object.kind() != "Secret" || !object.group().is_empty() {
            return self;
        }
        let text = match &mut self {
            Self::Api { status, .. } => &mut status.message,
            Self::Decode { reason, .. } | Self::Transport { reason, .. } => reason,
            _ => return self,
        };
        for value in secret_values(object) {
            *text = masked(text, &value);
        }
        self
    }
}

const MASK: &str = "++++++++";

/// A text without a value. A short one counts only as a word of its own: it may be part of many words.
fn masked(text: &str, value: &str) -> String {
    if value.is_empty() {
        return text.to_owned();
    }
    let long = value.chars().count() >= 4;
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        out.push_str(before);
        let joins = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
        let alone = !joins(out.chars().next_back()) && !joins(after.chars().next());
        out.push_str(if long || alone { MASK } else { value });
        rest = after;
    }
    out + rest
}

/// What a Secret keeps, as written, decoded, encoded and escaped, longest first so that no part of a value stays. One that is
/// malformed may keep it anywhere: as a list, in a map within a map, beside `data`.
fn secret_values(object: &Object) -> Vec<String> {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut leaves = Vec::new();
    for (member, value) in &object.0 {
        if !matches!(member.as_str(), "apiVersion" | "kind" | "metadata" | "type" | "immutable") {
            add_leaves(value, &mut leaves);
        }
    }
    let mut values = Vec::new();
    for leaf in leaves {
        if let Ok(bytes) = base64.decode(leaf.trim())
            && let Ok(decoded) = String::from_utf8(bytes)
        {
            add_forms(decoded.trim_end(), &mut values);
            add_forms(&decoded, &mut values);
        }
        values.push(base64.encode(&leaf));
        add_forms(leaf.trim_end(), &mut values);
        add_forms(&leaf, &mut values);
    }
    values.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    values.dedup();
    values
}

fn add_leaves(value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => leaves.push(number.to_string()),
        Value::String(text) => leaves.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| add_leaves(item, leaves)),
        Value::Object(members) => members.values().for_each(|member| add_leaves(member, leaves)),
    }
}

/// A text, and how it stands between quotes, once and twice.
fn add_forms(text: &str, values: &mut Vec<String>) {
    let mut form = text.to_owned();
    for _ in 0..3 {
        let quoted = Value::from(form.as_str()).to_string();
        values.push(std::mem::take(&mut form));
        let inner = quoted.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"'));
        inner.unwrap_or_default().clone_into(&mut form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_did_not_answer_is_told_as_go_tells_it() {
        let of = |reason: &str| Error::Transport { action: "get".into(), reason: reason.into() };
        let refused = of("client error (Connect): tcp connect error: Connection refused (os error 111)");
        assert_eq!(
            refused.go_text("Get", "https://127.0.0.1:1/version?timeout=32s"),
            "Get \"https://127.0.0.1:1/version?timeout=32s\": dial tcp 127.0.0.1:1: connect: connection refused"
        );
        assert_eq!(of("odd").go_text("Get", "https://h/"), "Get \"https://h/\": odd");
    }

    #[test]
    fn values_of_a_secret_leave_the_message() {
        let secret = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"},
            "data": {"a": "aHVudGVyMg=="}, "stringData": {"b": "swordfish"},
        }))
        .unwrap();
        let error = Error::Api {
            action: "apply".into(),
            status: Box::new(Status {
                message: "refused: aHVudGVyMg== hunter2 swordfish c3dvcmRmaXNo".into(),
                ..Status::default()
            }),
        };
        assert_eq!(error.redacted(&secret).message(), "refused: ++++++++ ++++++++ ++++++++ ++++++++");
    }

    #[test]
    fn a_malformed_secret_leaves_the_message_too() {
        let secret = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "named"}, "type": "Opaque",
            "data": {"a": {"deep": ["hunter2", 4711, 12, true]}}, "stringData": "sword\"fish\nline", "dta": {"x": "canary"},
        }))
        .unwrap();
        let told = [
            r#".data.a: expected string, got &{map[string]interface {}{"deep":[]interface {}{"hunter2", 4711, 12, true}}} of 3124 in named Opaque"#,
            r#"stringData: got "sword\"fish\nline" or \"sword\\\"fish\\nline\", dta: canary"#,
        ];
        let error = Error::Api {
            action: "apply".into(),
            status: Box::new(Status { message: told.join("; "), ..Status::default() }),
        };
        let message = error.redacted(&secret).message();
        assert_eq!(
            message,
            r#".data.a: expected string, got &{map[string]interface {}{"deep":[]interface {}{"++++++++", ++++++++, ++++++++, true}}} of 3124 in named Opaque; stringData: got "++++++++" or \"++++++++\", dta: ++++++++"#
        );
    }
}
