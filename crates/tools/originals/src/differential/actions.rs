//! Objects as their controllers write them, changed at random; the original's scripts for their kind, as if a user had
//! written them, against our built-in actions.

use super::chance::Chance;
use super::scripts::{self, Library, OBJECT, UNTOLD};
use super::tools::Tools;
use super::{Corpora, Input};
use crate::answer::Answer;
use ::actions::{ActionError, Actions, Impact, Parameters};
use anyhow::{Context, Result};
use jiff::Timestamp;
use lua_sandbox::{Limits, ScriptFault};
use object::Object;
use serde_json::{Value, json};
use settings::Customizations;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const DISCOVERY: &str = "actions/discovery.lua";
const PARAMETERS: &str = "parameters.yaml";
/// The time of all comparisons.
const NOW: Timestamp = Timestamp::constant(1_772_600_000, 0);
/// What users type.
const TYPED: &[&str] = &["0", "3", "12", "2", "some", "", "any", "some-2", "1"];

pub(crate) fn make(chance: &mut Chance, _: &Corpora) -> Result<Input> {
    let library = library()?;
    let place = chance.pick(&library.places);
    let action = match chance.percent(40) {
        true => None,
        false => Some(chance.pick(library.actions(place)).clone()),
    };
    let script = library.script(place, &script_name(action.as_deref()))?;
    let object = scripts::object(chance, library, place, &script);
    let mut parameters = Parameters::new();
    for name in named(&script).filter(|_| chance.percent(85)).collect::<Vec<_>>() {
        parameters.insert(name.to_owned(), chance.of(TYPED).to_owned());
    }
    Ok(input(place, action.as_deref(), &object, &parameters))
}

/// What the original tries its scripts on, with everything that can be done to it.
pub(crate) fn unchanged() -> Result<Vec<Input>> {
    let library = library()?;
    let mut inputs = Vec::new();
    for place in &library.places {
        for object in library.objects(place) {
            inputs.push(input(place, None, object, &Parameters::new()));
            for action in library.actions(place) {
                let script = library.script(place, &script_name(Some(action)))?;
                let parameters = named(&script).map(|name| (name.to_owned(), "2".to_owned())).collect();
                inputs.push(input(place, Some(action), object, &parameters));
            }
        }
    }
    Ok(inputs)
}

fn input(place: &str, action: Option<&str>, object: &Value, parameters: &Parameters) -> Input {
    let mut arguments = vec![place.to_owned()];
    arguments.extend(action.map(str::to_owned));
    let mut input = Input { arguments, ..Input::default() };
    input.files.add(OBJECT, object::yaml::encode(object));
    if !parameters.is_empty() {
        input.files.add(PARAMETERS, object::yaml::encode(&json!(parameters)));
    }
    input
}

fn script_name(action: Option<&str>) -> String {
    action.map_or_else(|| DISCOVERY.to_owned(), |action| format!("actions/{action}/action.lua"))
}

/// The parameters a script asks for.
fn named(script: &str) -> impl Iterator<Item = &str> {
    script.split("actionParams[\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// The scripts, read once.
fn library() -> Result<&'static Library> {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    match LIBRARY.get() {
        Some(library) => Ok(library),
        None => {
            let library = Library::open(DISCOVERY)?;
            Ok(LIBRARY.get_or_init(|| library))
        }
    }
}

pub(crate) fn ours(input: &Input) -> Result<String, String> {
    let case = Case::read(input).map_err(|error| format!("{error:#}"))?;
    Ok(case.outcome(&Actions::default()).unwrap_or_else(|error| refused(&error.to_string())))
}

pub(crate) fn theirs(_: &mut Tools, input: &Input) -> Result<Result<String, String>> {
    let Ok(case) = Case::read(input) else { return Ok(Err("no case".to_owned())) };
    let actions = written(&case)?;
    // What is not offered is not asked for.
    if let Some(action) = &case.action {
        let offered = actions.discover(&case.object, NOW).unwrap_or_default();
        if !offered.iter().any(|offer| offer.name == *action && !offer.disabled) {
            return Ok(Ok(UNTOLD.to_owned()));
        }
    }
    Ok(Ok(match case.outcome(&actions) {
        Ok(outcome) => outcome,
        Err(ActionError::Script(error)) => match error.fault {
            // What a script says by itself names no line; where it breaks, a line is named.
            ScriptFault::Failed(message) if !message.starts_with("line ") => refused(&message),
            _ => UNTOLD.to_owned(),
        },
        Err(_) => UNTOLD.to_owned(),
    }))
}

fn refused(message: &str) -> String {
    json!({"refused": message.trim()}).to_string()
}

/// The original's scripts of the kind as a user's.
fn written(case: &Case) -> Result<Actions> {
    let library = library()?;
    let mut definitions = Vec::new();
    for action in library.actions(&case.place) {
        let text = library.script(&case.place, &script_name(Some(action)))?;
        definitions.push(json!({"name": action, "action.lua": text}));
    }
    let text = json!({
        "discovery.lua": library.script(&case.place, DISCOVERY)?,
        "definitions": definitions,
    });
    let key = format!("resource.customizations.actions.{}", case.place.replace('/', "_"));
    let (customizations, problems) = Customizations::parse(&BTreeMap::from([(key, text.to_string())]));
    anyhow::ensure!(problems.is_empty(), "{} cannot be written as a user's: {problems:?}", case.place);
    Ok(Actions::new(&customizations, Limits::default()))
}

/// What an input asks for.
struct Case {
    place: String,
    action: Option<String>,
    object: Object,
    parameters: Parameters,
}

impl Case {
    fn read(input: &Input) -> Result<Self> {
        let place = input.arguments.first().context("there is no script")?.clone();
        let action = input.arguments.get(1).cloned();
        let library = library()?;
        anyhow::ensure!(
            action.as_ref().is_none_or(|action| library.actions(&place).contains(action)),
            "the original has no such action"
        );
        let object = object::yaml::decode(input.files.0.get(OBJECT).context("there is no object")?)?;
        anyhow::ensure!(library.serves(&place, &object), "the object is of another kind");
        let parameters = match input.files.0.get(PARAMETERS) {
            Some(text) => serde_json::from_value(object::yaml::decode(text)?)?,
            None => Parameters::new(),
        };
        Ok(Self { place, action, object: Object::from_value(object)?, parameters })
    }

    fn outcome(&self, actions: &Actions) -> Result<String, ActionError> {
        let Some(action) = &self.action else {
            return Ok(json!(actions.discover(&self.object, NOW)?).to_string());
        };
        let impacts = actions.run(&self.object, action, &self.parameters, NOW)?;
        let told = impacts.into_iter().map(|impact| match impact {
            Impact::Create(object) => json!({"operation": "create", "resource": object.into_value()}),
            Impact::Patch(object) => json!({"operation": "patch", "resource": object.into_value()}),
        });
        Ok(Value::Array(told.collect()).to_string())
    }
}

/// Texts of values, so that what differs is told by its place.
pub(crate) fn compare(ours: &str, theirs: &str) -> Result<Answer> {
    if theirs == UNTOLD {
        return Ok(Answer::Equal { exactly: false });
    }
    let (ours, theirs): (Value, Value) = (serde_json::from_str(ours)?, serde_json::from_str(theirs)?);
    Ok(Answer::of_values(&ours, &theirs, true))
}
