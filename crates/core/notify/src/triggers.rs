//! Triggers: conditions that are compiled once, and what they say of an application.

use crate::fields::Members;
use crate::variables::Silence;
use base64::Engine as _;
use expr::time::Zone;
use expr::{Limits, Program, Value};
use jiff::Timestamp;
use sha1::Digest as _;
use std::collections::BTreeMap;

/// What one evaluation may do: far below the interpreter's own limits, since it runs at every change.
const LIMITS: Limits = Limits { steps: 500_000, memory: 200_000 };
/// Conditions of one trigger.
const MOST_CONDITIONS: usize = 200;

/// One condition of a trigger.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The expression; empty is false.
    pub when: String,
    /// What it is true once per.
    pub once_per: String,
    /// For people.
    pub description: String,
    /// Templates to send.
    pub send: Vec<String>,
    program: Program,
    once_program: Option<Program>,
}

/// What became of one condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its place and the hash of its expression.
    pub key: String,
    /// The value it is true once per; empty when there is none.
    pub once_per: String,
    /// Templates to send.
    pub templates: Vec<String>,
    /// Whether it is true.
    pub triggered: bool,
    /// Whether the repository was asked and gave no answer: then it is not known whether it is true, or once per what.
    pub unknown: bool,
    /// Why it could not be evaluated: then it is taken for false, unless it is unknown.
    pub errors: Vec<String>,
}

/// A trigger's conditions.
#[derive(Clone, Debug, Default)]
pub struct Trigger {
    /// In their order.
    pub conditions: Vec<Condition>,
}

impl Trigger {
    /// Reads a list of conditions and compiles them.
    pub(crate) fn parse(name: &str, value: &serde_json::Value) -> Result<Self, String> {
        let items = match value {
            serde_json::Value::Null => &Vec::new(),
            serde_json::Value::Array(items) => items,
            other => {
                return Err(format!(
                    "failed to unmarshal trigger {name}: error unmarshaling JSON: while decoding JSON: json: cannot \
                     unmarshal {} into Go value of type []triggers.Condition",
                    crate::fields::kind(other)
                ));
            }
        };
        if items.len() > MOST_CONDITIONS {
            return Err(format!("trigger {name} has more than {MOST_CONDITIONS} conditions"));
        }
        let conditions: Result<_, _> = items.iter().map(|item| Condition::parse(name, item)).collect();
        Ok(Self { conditions: conditions? })
    }

    /// Whether it can change its mind without a change of the application.
    pub fn depends_on_more(&self) -> bool {
        let words = ["now(", "Now", "repo."];
        self.conditions.iter().any(|condition| {
            words.iter().any(|word| condition.when.contains(word) || condition.once_per.contains(word))
        })
    }

    /// Evaluates every condition. `silence` tells of the repository that the variables ask.
    pub(crate) fn run(
        &self,
        variables: &BTreeMap<String, Value>,
        silence: &Silence,
        now: Timestamp,
        local: &Zone,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (place, condition) in self.conditions.iter().enumerate() {
            let mut outcome = condition.run(place, variables, now, local);
            // An error that is not the repository's leaves nothing open.
            if silence.taken() && !outcome.errors.is_empty() {
                (outcome.unknown, outcome.triggered) = (true, false);
            }
            outcomes.push(outcome);
        }
        outcomes
    }
}

impl Condition {
    fn parse(trigger: &str, value: &serde_json::Value) -> Result<Self, String> {
        let read = || {
            let members = Members::new("triggers.Condition", value)?;
            let (when, once_per) = (members.text("when")?, members.text("oncePer")?);
            Ok::<_, String>((when, once_per, members.text("description")?, members.texts("send")?))
        };
        let (when, once_per, description, send) =
            read().map_err(|error| format!("failed to unmarshal trigger {trigger}: {error}"))?;
        // What is no expression is told in the interpreter's words, which show the place.
        let program = Program::compile(if when.is_empty() { "false" } else { &when });
        let program = program.map_err(|error| error.to_string())?;
        let once_program = match once_per.as_str() {
            "" => None,
            text => Some(Program::compile(text).map_err(|error| error.to_string())?),
        };
        Ok(Self { when, once_per, description, send, program, once_program })
    }

    fn run(
        &self,
        place: usize,
        variables: &BTreeMap<String, Value>,
        now: Timestamp,
        local: &Zone,
    ) -> Outcome {
        let mut outcome = Outcome {
            key: format!("[{place}].{}", hash(&self.when)),
            templates: self.send.clone(),
            ..Outcome::default()
        };
        match self.program.run_in(variables, now, local, LIMITS) {
            Ok(Value::Bool(truth)) => outcome.triggered = truth,
            Ok(other) => outcome.errors.push(format!(
                "when condition gives {} instead of bool and is taken for false: {}",
                other.type_name(),
                self.when
            )),
            Err(error) => outcome.errors.push(format!("failed to execute when condition: {error}")),
        }
        if let (true, Some(program)) = (outcome.triggered, &self.once_program) {
            match program.run_in(variables, now, local, LIMITS) {
                Ok(value) => outcome.once_per = value.to_string(),
                Err(error) => {
                    outcome.errors.push(format!("failed to execute oncePer condition: {error}"));
                }
            }
        }
        outcome
    }

    /// The members as the configuration has them.
    pub fn to_json(&self) -> serde_json::Value {
        let mut members = serde_json::Map::new();
        for (name, text) in
            [("oncePer", &self.once_per), ("when", &self.when), ("description", &self.description)]
        {
            if !text.is_empty() {
                members.insert(name.to_owned(), text.clone().into());
            }
        }
        if !self.send.is_empty() {
            members.insert("send".to_owned(), self.send.clone().into());
        }
        serde_json::Value::Object(members)
    }
}

fn hash(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(text.as_bytes()))
}
