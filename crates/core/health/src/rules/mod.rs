//! Health of custom resources as data: a kind is a few lines of a table under `table`. Steps are asked in
//! order, the first that holds decides, else what `otherwise` says.
//!
//! Messages are templates: `{message}`, `{reason}`, `{type}` and `{status}` are those of the condition the
//! step found, `{kind}` the object's, `{.status.phase}` what is at a path; after `|` comes what is said where
//! there is none, words or another of these. `{.status.reason?}` takes empty text for none.

mod table;
mod template;

use crate::object_status::HealthStatus;
use crate::reading::{list, look, number, same, stale, text, truthy};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

/// How objects of some kinds are judged.
pub(crate) struct Rule {
    /// API group; `*.` at the start stands for any subdomain.
    group: &'static str,
    /// Kinds of the group; none stands for all.
    kinds: &'static [&'static str],
    judge: Judge,
}

/// A judgement, or the way to one.
enum Judge {
    /// Steps, asked in order, and what is said when none holds.
    Steps(&'static [Step], Verdict),
    /// Steps, asked in order; when none holds, nothing is said.
    Silent(&'static [Step]),
    /// Conditions that are counted, as Flux's kinds are.
    Tally(Tally),
    /// As `Tally`, unless the step holds.
    TallyUnless(Step, Tally),
    /// Logic that no table should hold.
    Native(fn(&Object) -> HealthStatus),
    /// The same, for kinds that say nothing at first.
    Maybe(fn(&Object) -> Option<HealthStatus>),
}

/// A status and the template of its message.
#[derive(Clone, Copy)]
struct Verdict {
    means: HealthStatusCode,
    says: &'static str,
}

/// One question and what its "yes" means.
enum Step {
    /// A question about the object.
    If(When, Verdict),
    /// The same, told with the first condition's words.
    IfFirst(When, Verdict),
    /// The conditions in their order: the first that fits one of the cases.
    First(&'static [Case]),
    /// The last condition alone.
    Last(&'static [Case]),
    /// As `First`, over a list at another path.
    FirstOf(&'static str, &'static [Case]),
    /// Logic that no table should hold, for one question of several.
    Native(fn(&Object) -> Option<HealthStatus>),
}

/// A question about an object.
enum When {
    Present(&'static str),
    Absent(&'static str),
    /// No object and no list, or one without members.
    Empty(&'static str),
    /// What scripts take for true.
    Truthy(&'static str),
    /// The text at the path is one of these.
    Text(&'static str, &'static [&'static str]),
    /// The text at the path starts so.
    Starts(&'static str, &'static [&'static str]),
    /// The boolean at the path is this.
    Flag(&'static str, bool),
    /// The number at the path is this.
    Number(&'static str, i32),
    /// The number at the path is greater.
    MoreThan(&'static str, i32),
    /// The same is at both paths, or nothing at both.
    Same(&'static str, &'static str),
    /// The generation the status speaks of is told and is not the object's.
    Stale,
    /// The kind is one of these.
    Kind(&'static [&'static str]),
    /// Some condition has this type and status.
    Condition(&'static str, &'static str),
    /// Some condition fits the case.
    Fits(Case),
    Not(&'static When),
    All(&'static [When]),
    Any(&'static [When]),
}

/// What a condition must be, and what that means.
#[derive(Clone, Copy)]
struct Case {
    /// One of these types; none stands for all.
    kinds: &'static [&'static str],
    status: Is,
    reason: Is,
    message: Is,
    verdict: Verdict,
}

/// What a text must be.
#[derive(Clone, Copy)]
enum Is {
    Anything,
    OneOf(&'static [&'static str]),
    NoneOf(&'static [&'static str]),
}

/// Flux's way: conditions that are good and conditions that tell of work are counted.
#[derive(Clone, Copy)]
struct Tally {
    /// Whether `spec.suspend` is heeded.
    suspends: bool,
    /// The status of `Ready` that tells of work.
    working: &'static str,
    /// Reasons of `Reconciling` that tell of work; none stands for all.
    reasons: &'static [&'static str],
    /// Types beside `Ready` that count as good.
    also_good: &'static [&'static str],
    /// How many must be good.
    good: usize,
    /// What work by all signs means.
    busy: HealthStatusCode,
}

/// The table's rule for a kind: its own before one of a wider pattern.
fn find(group: &str, kind: &str) -> Option<&'static Rule> {
    let concerns = |rule: &&Rule| {
        let named = rule.kinds.is_empty() || rule.kinds.contains(&kind);
        named
            && match rule.group.strip_prefix('*') {
                Some(suffix) => group.ends_with(suffix) && group.len() > suffix.len(),
                None => rule.group == group,
            }
    };
    let is_pattern = |rule: &&Rule| rule.kinds.is_empty() || rule.group.starts_with('*');
    let of = |wide: bool| table::rules().filter(move |rule| is_pattern(rule) == wide).find(concerns);
    of(false).or_else(|| of(true))
}

/// Whether the table has the kind.
pub(crate) fn knows(group: &str, kind: &str) -> bool {
    find(group, kind).is_some()
}

/// What the table says of an object; none when its kind is not in it.
pub(crate) fn judge(live: &Object) -> Option<HealthStatus> {
    Some(match &find(live.group(), live.kind())?.judge {
        Judge::Steps(steps, otherwise) => {
            steps.iter().find_map(|step| apply(step, live)).unwrap_or_else(|| say(*otherwise, live, None))
        }
        Judge::Silent(steps) => return steps.iter().find_map(|step| apply(step, live)),
        Judge::Tally(tally) => count(*tally, live),
        Judge::TallyUnless(step, tally) => apply(step, live).unwrap_or_else(|| count(*tally, live)),
        Judge::Native(judge) => judge(live),
        Judge::Maybe(judge) => return judge(live),
    })
}

fn apply(step: &Step, live: &Object) -> Option<HealthStatus> {
    match step {
        Step::If(when, verdict) => holds(when, live).then(|| say(*verdict, live, None)),
        Step::IfFirst(when, verdict) => {
            let condition = list(live, "status.conditions").first();
            holds(when, live).then(|| say(*verdict, live, condition))
        }
        Step::First(cases) => first(list(live, "status.conditions").iter(), cases, live),
        Step::Last(cases) => first(list(live, "status.conditions").last().into_iter(), cases, live),
        Step::Native(judge) => judge(live),
        Step::FirstOf(path, cases) => first(list(live, path).iter(), cases, live),
    }
}

fn first<'a>(
    mut conditions: impl Iterator<Item = &'a Value>,
    cases: &[Case],
    live: &Object,
) -> Option<HealthStatus> {
    conditions.find_map(|condition| {
        let case = cases.iter().find(|case| fits(case, condition))?;
        Some(say(case.verdict, live, Some(condition)))
    })
}

fn say(verdict: Verdict, live: &Object, condition: Option<&Value>) -> HealthStatus {
    HealthStatus::new(verdict.means, template::fill(verdict.says, live, condition))
}

fn fits(case: &Case, condition: &Value) -> bool {
    let of = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
    (case.kinds.is_empty() || case.kinds.contains(&of("type")))
        && is(case.status, of("status"))
        && is(case.reason, of("reason"))
        && is(case.message, of("message"))
}

fn is(wanted: Is, text: &str) -> bool {
    match wanted {
        Is::Anything => true,
        Is::OneOf(words) => words.contains(&text),
        Is::NoneOf(words) => !words.contains(&text),
    }
}

fn holds(when: &When, live: &Object) -> bool {
    match when {
        When::Present(path) => look(live, path).is_some(),
        When::Absent(path) => look(live, path).is_none(),
        When::Empty(path) => match look(live, path) {
            None => true,
            Some(Value::Array(entries)) => entries.is_empty(),
            Some(Value::Object(members)) => members.is_empty(),
            Some(_) => false,
        },
        When::Truthy(path) => truthy(look(live, path)),
        When::Text(path, words) => {
            look(live, path).and_then(Value::as_str).is_some_and(|it| words.contains(&it))
        }
        When::Starts(path, words) => words.iter().any(|word| text(live, path).starts_with(word)),
        When::Flag(path, flag) => look(live, path).and_then(Value::as_bool) == Some(*flag),
        When::Number(path, wanted) => {
            number(live, path).is_some_and(|it| it.total_cmp(&f64::from(*wanted)).is_eq())
        }
        When::MoreThan(path, least) => number(live, path).is_some_and(|it| it > f64::from(*least)),
        When::Same(left, right) => same(look(live, left), look(live, right)),
        When::Stale => stale(live),
        When::Kind(kinds) => kinds.contains(&live.kind()),
        When::Condition(kind, status) => {
            crate::object_status::conditions(live).any(|it| it.kind == *kind && it.status == *status)
        }
        When::Fits(case) => list(live, "status.conditions").iter().any(|condition| fits(case, condition)),
        When::Not(when) => !holds(when, live),
        When::All(questions) => questions.iter().all(|when| holds(when, live)),
        When::Any(questions) => questions.iter().any(|when| holds(when, live)),
    }
}

fn count(tally: Tally, live: &Object) -> HealthStatus {
    if tally.suspends && look(live, "spec.suspend") == Some(&Value::Bool(true)) {
        return HealthStatus::suspended(format!("{} is suspended", live.kind()));
    }
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Status unknown");
    }
    let (mut busy, mut good, mut message) = (0_usize, 0_usize, String::new());
    for condition in crate::object_status::conditions(live) {
        let is_true = condition.status == "True";
        match condition.kind {
            "Ready" => {
                good += usize::from(is_true);
                busy += usize::from(condition.status == tally.working);
                condition.reason.clone_into(&mut message);
            }
            "Reconciling" if is_true => {
                let counts = tally.reasons.is_empty() || tally.reasons.contains(&condition.reason);
                busy += usize::from(counts);
            }
            "ArtifactOutdated" if is_true && tally.also_good.contains(&"ArtifactInStorage") => {
                message = format!("{message} {}", condition.reason);
            }
            other => good += usize::from(is_true && tally.also_good.contains(&other)),
        }
    }
    let means = if busy == 2 {
        tally.busy
    } else if good == tally.good {
        HealthStatusCode::Healthy
    } else {
        HealthStatusCode::Degraded
    };
    HealthStatus::new(means, message)
}

// How the tables are written.

const fn kinds(
    group: &'static str,
    kinds: &'static [&'static str],
    steps: &'static [Step],
    otherwise: Verdict,
) -> Rule {
    Rule { group, kinds, judge: Judge::Steps(steps, otherwise) }
}

const fn native(
    group: &'static str,
    kinds: &'static [&'static str],
    judge: fn(&Object) -> HealthStatus,
) -> Rule {
    Rule { group, kinds, judge: Judge::Native(judge) }
}

const fn verdict(means: HealthStatusCode, says: &'static str) -> Verdict {
    Verdict { means, says }
}

const fn progressing(says: &'static str) -> Verdict {
    verdict(HealthStatusCode::Progressing, says)
}

const fn healthy(says: &'static str) -> Verdict {
    verdict(HealthStatusCode::Healthy, says)
}

const fn degraded(says: &'static str) -> Verdict {
    verdict(HealthStatusCode::Degraded, says)
}

const fn suspended(says: &'static str) -> Verdict {
    verdict(HealthStatusCode::Suspended, says)
}

const fn unknown(says: &'static str) -> Verdict {
    verdict(HealthStatusCode::Unknown, says)
}

/// A condition of this type and status, told in its own words.
const fn on(kind: &'static [&'static str], status: &'static [&'static str], means: HealthStatusCode) -> Case {
    Case {
        kinds: kind,
        status: Is::OneOf(status),
        reason: Is::Anything,
        message: Is::Anything,
        verdict: verdict(means, "{message}"),
    }
}

impl Case {
    const fn says(mut self, says: &'static str) -> Self {
        self.verdict.says = says;
        self
    }

    const fn reason(mut self, reasons: &'static [&'static str]) -> Self {
        self.reason = Is::OneOf(reasons);
        self
    }

    const fn other_reason(mut self, reasons: &'static [&'static str]) -> Self {
        self.reason = Is::NoneOf(reasons);
        self
    }

    const fn other_status(mut self, statuses: &'static [&'static str]) -> Self {
        self.status = Is::NoneOf(statuses);
        self
    }

    const fn message(mut self, messages: &'static [&'static str]) -> Self {
        self.message = Is::OneOf(messages);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Rule, find, table};

    #[test]
    fn no_rule_hides_another() {
        for rule in table::rules() {
            for kind in rule.kinds {
                if !rule.group.starts_with('*') {
                    let found = find(rule.group, kind).unwrap();
                    assert!(std::ptr::eq::<Rule>(found, rule), "{}/{kind} is in the table twice", rule.group);
                }
            }
        }
    }

    #[test]
    fn patterns_stand_for_subdomains_only() {
        assert!(find("ec2.aws.crossplane.io", "VPC").is_some());
        assert!(find("crossplane.io", "VPC").is_none());
        assert!(find("apps", "Deployment").is_none());
    }
}
