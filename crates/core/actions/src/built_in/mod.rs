//! Built-in actions, as data: a kind is a few lines of `table`.

mod create;
mod logic;
mod table;

use crate::{ActionError, Impact, Parameters, edit, parameter};
use api::v1alpha1::ResourceAction;
use jiff::Timestamp;
use object::Object;
use serde_json::{Map, Value};

/// The actions of some kinds.
struct Kinds {
    group: &'static str,
    kinds: &'static [&'static str],
    actions: &'static [Action],
}

/// One action.
#[derive(Clone, Copy)]
struct Action {
    name: &'static str,
    icon_class: &'static str,
    display_name: &'static str,
    parameters: &'static [&'static str],
    /// Whether it is shown at all.
    shown: Question,
    /// Whether it is shown, but cannot be run.
    disabled: Question,
    does: Does,
    /// The name said of the object, where it depends on it.
    says: Option<fn(&Object) -> &'static str>,
}

type Question = fn(&Object) -> bool;

/// What an action does.
#[derive(Clone, Copy)]
enum Does {
    /// These changes of the object.
    Changes(&'static [Change]),
    /// Changes that depend on the object or on parameters.
    Edit(fn(&mut Map<String, Value>, &Run<'_>) -> Result<(), String>),
    /// A new object.
    Create(fn(&Object, &Run<'_>) -> Option<Object>),
}

/// One change, at a path of names.
enum Change {
    Text(&'static [&'static str], &'static str),
    Flag(&'static [&'static str], bool),
    /// The flag, where the opposite stands.
    Lower(&'static [&'static str]),
    Remove(&'static [&'static str]),
    /// The time of the run, in this format.
    Now(&'static [&'static str], &'static str),
}

/// What a run is given beside the object.
struct Run<'a> {
    parameters: &'a Parameters,
    now: Timestamp,
}

impl Run<'_> {
    fn at(&self, format: &str) -> String {
        self.now.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string()
    }
}

const RFC_3339: &str = "%Y-%m-%dT%H:%M:%SZ";

fn of(group: &str, kind: &str) -> impl Iterator<Item = &'static Action> {
    let found = table::KINDS.iter().find(|entry| entry.group == group && entry.kinds.contains(&kind));
    found.map_or(&[][..], |entry| entry.actions).iter()
}

pub(crate) fn has(group: &str, kind: &str, action: &str) -> bool {
    of(group, kind).any(|entry| entry.name == action)
}

pub(crate) fn discover(live: &Object) -> Vec<ResourceAction> {
    let shown = of(live.group(), live.kind()).filter(|action| (action.shown)(live));
    shown
        .map(|action| ResourceAction {
            name: action.name.to_owned(),
            params: action.parameters.iter().map(|name| parameter(name)).collect(),
            disabled: (action.disabled)(live),
            icon_class: action.icon_class.to_owned(),
            display_name: action.says.map_or(action.display_name, |says| says(live)).to_owned(),
        })
        .collect()
}

/// None when there is no such action.
pub(crate) fn run(
    live: &Object,
    name: &str,
    parameters: &Parameters,
    now: Timestamp,
) -> Option<Result<Vec<Impact>, ActionError>> {
    let action = of(live.group(), live.kind()).find(|action| action.name == name)?;
    let run = Run { parameters, now };
    Some(apply(action, live, &run).map(|impact| vec![impact]))
}

fn apply(action: &Action, live: &Object, run: &Run<'_>) -> Result<Impact, ActionError> {
    if let Does::Create(create) = action.does {
        let made = create(live, run);
        return made.map(Impact::Create).ok_or_else(|| {
            ActionError::Refused(format!("{} {} has nothing to make it of", live.kind(), live.name()))
        });
    }
    let mut value = live.to_value();
    edit::without_nulls(&mut value);
    let Value::Object(mut members) = value else {
        return Err(ActionError::Refused("not an object".into()));
    };
    match action.does {
        Does::Changes(changes) => changes.iter().for_each(|change| make(&mut members, change, run)),
        Does::Edit(edit) => edit(&mut members, run).map_err(ActionError::Refused)?,
        Does::Create(_) => {}
    }
    Ok(Impact::Patch(Object(members)))
}

fn make(members: &mut Map<String, Value>, change: &Change, run: &Run<'_>) {
    match change {
        Change::Text(path, text) => edit::put(members, path, Value::from(*text)),
        Change::Flag(path, flag) => edit::put(members, path, Value::Bool(*flag)),
        Change::Lower(path) => {
            if logic::truthy(logic::at(members, path)) {
                edit::put(members, path, Value::Bool(false));
            }
        }
        Change::Remove(path) => edit::remove(members, path),
        Change::Now(path, format) => edit::put(members, path, Value::from(run.at(format))),
    }
}
