//! Health of custom resources as data: a kind is a few lines of the table in `table`. Steps are asked in
//! order, the first that holds decides, else what `otherwise` says.

mod table;

use crate::object_status::{Condition, HealthStatus, conditions};
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
    /// Something is at the path.
    Present(&'static [&'static str]),
    /// The text at the path is one of these.
    Text(&'static [&'static str], &'static [&'static str]),
    /// The boolean at the path is this.
    Flag(&'static [&'static str], bool),
    /// A condition of this type has this status.
    Condition(&'static str, &'static str),
    /// Conditions of all these types have these statuses.
    Conditions(&'static [(&'static str, &'static str)]),
}

/// What to say.
pub(crate) enum Message {
    /// Always the same.
    Fixed(&'static str),
    /// The text at a path, or these words where there is none.
    AtOr(&'static [&'static str], &'static str),
    /// The message of the condition the step found, the last of several.
    OfCondition,
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
        Message::Fixed(text) => text,
        Message::AtOr(path, words) => live.at(path).and_then(Value::as_str).unwrap_or(words),
        Message::OfCondition => found.message,
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
        When::Present(path) => plain(live.at(path).is_some_and(|value| !value.is_null())),
        When::Text(path, words) => plain(words.contains(&live.text_at(path))),
        When::Flag(path, flag) => plain(live.at(path).and_then(Value::as_bool) == Some(*flag)),
        When::Condition(kind, status) => of(kind, status),
        When::Conditions(wanted) => {
            wanted.iter().map(|(kind, status)| of(kind, status)).reduce(Option::and).flatten()
        }
    }
}
