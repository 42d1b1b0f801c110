//! The decision: which notifications are due for an application now, which were sent already, and why nothing is.

use crate::config::Config;
use crate::notification::Notification;
use crate::state::{Destination, State, entry, is_of};
use crate::subscriptions::{Destinations, destinations};
use crate::templates::Rendering;
use crate::triggers::Outcome;
use crate::variables::{Repository, Variables};
use expr::time::Zone;
use gotemplate::Outside;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is decided about.
pub struct Situation<'s> {
    /// The application as Kubernetes has it.
    pub application: &'s Value,
    /// Its project as Kubernetes has it, when there is one.
    pub project: Option<&'s Value>,
    /// Where its repository is asked.
    pub repository: &'s Repository,
    /// The time.
    pub now: Timestamp,
    /// The zone of clocks on the wall.
    pub local: &'s Zone,
}

/// A notification that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its name in the state.
    pub entry: String,
    /// The trigger.
    pub trigger: String,
    /// The condition of the trigger.
    pub condition: String,
    /// Whether the condition is true once per some value: then the entry stays when it no longer is.
    pub once: bool,
    /// Whom to tell.
    pub destination: Destination,
    /// In which words.
    pub templates: Vec<String>,
}

/// What became of a trigger, for logs and counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The trigger.
    pub trigger: String,
    /// Its conditions, or why it has none.
    pub outcomes: Result<Vec<Outcome>, String>,
}

/// The decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What is to be sent.
    pub due: Vec<Due>,
    /// What is true and was sent.
    pub sent: Vec<Due>,
    /// The state without what is no longer true; entries of `due` are added when they are delivered.
    pub state: State,
    /// Entries that are true now, or may be: these are kept, whatever their age.
    pub current: BTreeSet<String>,
    /// Entries of which nobody knows whether they are true, without what they are true once per.
    pub unknown: BTreeSet<String>,
    /// Every trigger somebody subscribed to.
    pub evaluated: Vec<Evaluated>,
    /// What is wrong with subscriptions.
    pub problems: Vec<String>,
}

/// Labels or annotations of an object.
pub fn texts(object: &Value, member: &str) -> BTreeMap<String, String> {
    let entries = object.get("metadata").and_then(|metadata| metadata.get(member)).and_then(Value::as_object);
    let each = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    entries.into_iter().flatten().filter_map(each).collect()
}

/// Who wants to hear of an application.
pub fn subscribed(config: &Config, application: &Value, project: Option<&Value>) -> Destinations {
    let project = project.map(|project| texts(project, "annotations"));
    let (labels, annotations) = (texts(application, "labels"), texts(application, "annotations"));
    destinations(config, &labels, &annotations, project.as_ref())
}

/// Whether somebody still wants to hear what is due, by a trigger that is still there.
pub fn is_wanted(config: &Config, application: &Value, project: Option<&Value>, due: &Due) -> bool {
    let wanted = subscribed(config, application, project);
    let destinations = wanted.by_trigger().get(&due.trigger);
    config.triggers.contains_key(&due.trigger)
        && destinations.is_some_and(|destinations| destinations.contains(&due.destination))
}

/// Decides. `state` is what the application's annotation says, with what was delivered since.
pub fn decide(config: &Config, situation: &Situation<'_>, state: State) -> Decision {
    let wanted = subscribed(config, situation.application, situation.project);
    let mut decision = Decision { state, problems: wanted.problems.clone(), ..Decision::default() };
    if wanted.by_trigger().is_empty() {
        return decision;
    }
    let (repository, silence) = situation.repository.marked();
    let variables = variables(config, situation, &repository).for_triggers();
    for (trigger, destinations) in wanted.by_trigger() {
        let outcomes = match config.triggers.get(trigger) {
            Some(known) => Ok(known.run(&variables, &silence, situation.now, situation.local)),
            None => Err(format!("trigger '{trigger}' is not configured")),
        };
        for outcome in outcomes.iter().flatten() {
            for destination in destinations {
                decision.judge(config, trigger, outcome, destination);
            }
        }
        let redact = |outcome: Outcome| Outcome {
            errors: outcome.errors.iter().map(|error| config.redactor.redact(error)).collect(),
            ..outcome
        };
        let outcomes = outcomes.map(|outcomes| outcomes.into_iter().map(redact).collect());
        decision.evaluated.push(Evaluated { trigger: trigger.clone(), outcomes });
    }
    decision
}

impl Decision {
    /// Whether nobody knows if an entry is true now.
    pub fn is_unknown(&self, entry: &str) -> bool {
        self.unknown.iter().any(|name| is_of(entry, name))
    }

    fn judge(&mut self, config: &Config, trigger: &str, outcome: &Outcome, destination: &Destination) {
        let name = entry(config.state_prefix(), trigger, outcome, destination);
        if outcome.unknown {
            // Neither told nor forgotten: once the repository answers, it goes on from here.
            self.current.extend(self.state.of(&name).cloned());
            self.unknown.insert(name);
            return;
        }
        if !outcome.triggered {
            self.state.forget(&name);
            return;
        }
        self.current.insert(name.clone());
        let due = Due {
            entry: name,
            trigger: trigger.to_owned(),
            condition: outcome.key.clone(),
            once: !outcome.once_per.is_empty(),
            destination: destination.clone(),
            templates: outcome.templates.clone(),
        };
        let list = if self.state.has(&due.entry) { &mut self.sent } else { &mut self.due };
        list.push(due);
    }
}

/// Why a notification could not be rendered. Holds no value of the Secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unrendered {
    /// For people.
    pub message: String,
    /// Whether the repository was asked and gave no answer: it may later.
    pub retry: bool,
}

/// Renders a notification for a destination.
pub fn notification(
    config: &Config,
    situation: &Situation<'_>,
    templates: &[String],
    destination: &Destination,
    outside: &mut dyn Outside,
) -> Result<Notification, Unrendered> {
    let (repository, silence) = situation.repository.marked();
    let data = variables(config, situation, &repository).for_template(destination);
    let mut rendering = Rendering { data: &data, outside };
    let rendered = config.compiled.render(templates, &mut rendering, situation.now);
    rendered.map_err(|error| Unrendered { message: config.redactor.redact(&error), retry: silence.taken() })
}

/// What expressions and templates see of a situation.
fn variables<'v>(
    config: &'v Config,
    situation: &'v Situation<'_>,
    repository: &'v Repository,
) -> Variables<'v> {
    Variables {
        application: situation.application,
        project: situation.project,
        context: &config.context,
        secrets: (!config.origin.hides_secrets).then_some(&config.secrets),
        repository,
        now: situation.now,
        local: situation.local,
    }
}

/// Evaluates one trigger whoever subscribed to it.
pub fn run(config: &Config, situation: &Situation<'_>, trigger: &str) -> Result<Vec<Outcome>, String> {
    let known = config.triggers.get(trigger);
    let known = known.ok_or_else(|| format!("trigger '{trigger}' is not configured"))?;
    let (repository, silence) = situation.repository.marked();
    let variables = variables(config, situation, &repository).for_triggers();
    Ok(known.run(&variables, &silence, situation.now, situation.local))
}

/// Whether the status tells of the time after the last operation: until the controller has looked again, sync status and
/// health are those of before.
pub fn is_refreshed(application: &Value) -> bool {
    let status = application.get("status");
    let Some(Value::Object(operation)) = status.and_then(|status| status.get("operationState")) else {
        return true;
    };
    let phase = operation.get("phase").and_then(Value::as_str).unwrap_or_default();
    if !matches!(phase, "Failed" | "Error" | "Succeeded") {
        return true;
    }
    let time =
        |value: Option<&Value>| value.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let Some(finished) = time(operation.get("finishedAt")) else { return false };
    let seen = |name: &str| time(status.and_then(|status| status.get(name)));
    let late = |seen: Option<Timestamp>| seen.is_none_or(|seen| finished > seen);
    !(late(seen("reconciledAt")) && late(seen("observedAt")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;
    use serde_json::json;

    #[test]
    fn what_is_due_is_wanted_while_somebody_subscribes_to_its_trigger() {
        let config = |trigger: &str| {
            let data = [(format!("trigger.{trigger}"), "- when: 'true'\n  send: [t]\n".to_owned())].into();
            Config::parse(&data, BTreeMap::new(), Origin::default()).expect("a configuration")
        };
        let subscribed = |wish: &str| {
            let wish = format!("notifications.argoproj.io/subscribe.{wish}");
            json!({"metadata": {"annotations": {wish: "ops"}}})
        };
        let due = Due {
            entry: String::new(),
            trigger: "on-a".to_owned(),
            condition: String::new(),
            once: false,
            destination: Destination { service: "slack".to_owned(), recipient: "ops".to_owned() },
            templates: vec!["t".to_owned()],
        };
        let is = |trigger: &str, wish: &str, of_project: Option<&Value>| {
            is_wanted(&config(trigger), &subscribed(wish), of_project, &due)
        };
        assert!(is("on-a", "on-a.slack", None));
        assert!(!is("on-a", "on-b.slack", None) && !is("on-a", "on-a.teams", None), "nobody asks for it");
        assert!(is("on-a", "on-b.slack", Some(&subscribed("on-a.slack"))), "the project does");
        assert!(!is("on-b", "on-a.slack", None), "the trigger is gone");
    }
}
