//! Health of custom resources as data: a kind is a few lines of the table in `table`. Steps are asked in
//! order, the first that holds decides, else what `otherwise` says.

mod table;

use crate::object_status::{Condition, HealthStatus, conditions, count};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

/// How objects of some kinds are judged.
pub(crate) struct Rule {
    /// API group; `*.` at the start stands for any subdomain.
    pub group: &'static str,
    /// Kinds of the group; none stands for all.
    pub kinds: &'static [&'static str],
    /// Asked in order.
    pub steps: &'static [Step],
    /// When no step holds.
    pub otherwise: (HealthStatusCode, &'static str),
}

/// One question and what its "yes" means.
pub(crate) struct Step {
    pub when: When,
    pub status: HealthStatusCode,
    pub message: Message,
}

/// A question about an object.
pub(crate) enum When {
    /// The controller has not seen the latest spec: `status.observedGeneration` is there and behind.
    Unobserved,
    /// Nothing is at the path.
    Absent(&'static [&'static str]),
    /// The text at the path is one of these.
    Text(&'static [&'static str], &'static [&'static str]),
    /// The boolean at the path is this.
    Flag(&'static [&'static str], bool),
    /// A condition of this type has this status.
    Condition(&'static str, &'static str),
    /// A condition of this type has this status and this reason.
    ConditionReason(&'static str, &'static str, &'static str),
    /// A condition of this type has this status and another reason than this.
    ConditionNotReason(&'static str, &'static str, &'static str),
}

/// What to say.
pub(crate) enum Message {
    /// Always the same.
    Fixed(&'static str),
    /// The text at a path.
    At(&'static [&'static str]),
    /// The message of the condition the step found.
    OfCondition,
    /// The same after some words.
    OfConditionAfter(&'static str),
    /// The reason of the condition the step found.
    ReasonOfCondition,
}

/// The rule for a kind.
pub(crate) fn find(group: &str, kind: &str) -> Option<&'static Rule> {
    table::RULES.iter().find(|rule| {
        let named = rule.kinds.is_empty() || rule.kinds.contains(&kind);
        named
            && match rule.group.strip_prefix('*') {
                Some(suffix) => group.ends_with(suffix),
                None => rule.group == group,
            }
    })
}

/// What the table says of an object; none when its kind is not in it.
pub(crate) fn judge(live: &Object) -> Option<HealthStatus> {
    let rule = find(live.group(), live.kind())?;
    Some(rule.steps.iter().find_map(|step| apply(step, live)).unwrap_or_else(|| {
        let (status, message) = rule.otherwise;
        HealthStatus::new(status, message)
    }))
}

fn apply(step: &Step, live: &Object) -> Option<HealthStatus> {
    let found = holds(&step.when, live)?;
    let message = match step.message {
        Message::Fixed(text) => text.to_owned(),
        Message::At(path) => live.text_at(path).to_owned(),
        Message::OfCondition => found.message.to_owned(),
        Message::OfConditionAfter(words) => format!("{words}{}", found.message),
        Message::ReasonOfCondition => found.reason.to_owned(),
    };
    Some(HealthStatus::new(step.status, message))
}

/// Whether the answer is yes, and the condition it was found in.
fn holds<'a>(when: &When, live: &'a Object) -> Option<Condition<'a>> {
    let plain = |yes: bool| yes.then(Condition::default);
    let of = |kind: &str, status: &str| {
        conditions(live).find(|condition| condition.kind == kind && condition.status == status)
    };
    match when {
        When::Unobserved => {
            let observed = count(live, &["status", "observedGeneration"]);
            plain(observed != 0 && observed < live.generation())
        }
        When::Absent(path) => plain(live.at(path).is_none_or(Value::is_null)),
        When::Text(path, words) => plain(words.contains(&live.text_at(path)) && live.at(path).is_some()),
        When::Flag(path, flag) => plain(live.at(path).and_then(Value::as_bool) == Some(*flag)),
        When::Condition(kind, status) => of(kind, status),
        When::ConditionReason(kind, status, reason) => {
            of(kind, status).filter(|found| found.reason == *reason)
        }
        When::ConditionNotReason(kind, status, reason) => {
            of(kind, status).filter(|found| found.reason != *reason)
        }
    }
}
