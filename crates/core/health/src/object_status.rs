//! The verdict, and how the parts of a status are read.

use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

/// What is said of one object's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthStatus {
    /// The verdict.
    pub status: HealthStatusCode,
    /// Why; may be empty.
    pub message: String,
}

impl HealthStatus {
    /// A verdict and its reason.
    pub fn new(status: HealthStatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// As the API carries it.
    pub fn to_api(&self) -> api::v1alpha1::HealthStatus {
        api::v1alpha1::HealthStatus {
            status: self.status.as_str().into(),
            message: self.message.clone(),
            last_transition_time: None,
        }
    }

    pub(crate) fn healthy(message: impl Into<String>) -> Self {
        Self::new(HealthStatusCode::Healthy, message)
    }

    pub(crate) fn progressing(message: impl Into<String>) -> Self {
        Self::new(HealthStatusCode::Progressing, message)
    }

    pub(crate) fn degraded(message: impl Into<String>) -> Self {
        Self::new(HealthStatusCode::Degraded, message)
    }

    pub(crate) fn suspended(message: impl Into<String>) -> Self {
        Self::new(HealthStatusCode::Suspended, message)
    }

    /// What a check says when the word it read is none of health's.
    pub(crate) fn invalid() -> Self {
        Self::new(HealthStatusCode::Unknown, "Lua returned an invalid health status")
    }

    /// The kind is known, but not at this version.
    pub(crate) fn unsupported(live: &Object, kind: &str) -> Self {
        let message = format!("unsupported {kind} GVK: {}, Kind={}", live.api_version(), live.kind());
        Self::new(HealthStatusCode::Unknown, message)
    }
}

/// One entry of `status.conditions`. What is not text reads as empty.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Condition<'a> {
    pub kind: &'a str,
    pub status: &'a str,
    pub reason: &'a str,
    pub message: &'a str,
}

/// `status.conditions` in their order.
pub(crate) fn conditions(live: &Object) -> impl Iterator<Item = Condition<'_>> {
    entries(live, &["status", "conditions"]).iter().map(condition)
}

pub(crate) fn condition(entry: &Value) -> Condition<'_> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    Condition { kind: text("type"), status: text("status"), reason: text("reason"), message: text("message") }
}

/// The list at a path; empty when there is none.
pub(crate) fn entries<'a>(live: &'a Object, path: &[&str]) -> &'a [Value] {
    live.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The whole number at a path; 0 when there is none, as Go's zero value.
pub(crate) fn count(live: &Object, path: &[&str]) -> i64 {
    live.int_at(path).unwrap_or(0)
}
