//! Objects as their controllers write them, changed at random; the original's script for their kind against our rules.

use super::chance::Chance;
use super::scripts::{self, Library};
use super::tools::Tools;
use super::{Corpora, Input};
use crate::answer::Answer;
use ::health::Limits;
use anyhow::{Context, Result};
use jiff::Timestamp;
use lua_sandbox::{Returned, Script};
use object::Object;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is said of an object on which the original's script breaks.
const BROKEN: &str = "broken";
const OBJECT: &str = "object.yaml";
/// The time of all comparisons.
const NOW: Timestamp = Timestamp::constant(1_772_600_000, 0);

pub(crate) fn make(chance: &mut Chance, _: &Corpora) -> Result<Input> {
    let library = Library::open("health.lua")?;
    let place = chance.pick(&library.places);
    let mut object = scripts::object(chance, &library, place)?;
    // What is being deleted is Progressing, whatever its script says.
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("deletionTimestamp");
    }
    let mut input = Input { arguments: vec![place.clone()], ..Input::default() };
    input.files.add(OBJECT, object::yaml::encode(&object));
    Ok(input)
}

pub(crate) fn ours(input: &Input) -> Result<String, String> {
    let object = live(input).map_err(|error| format!("{error:#}"))?;
    let checks = ::health::Checks::default();
    Ok(match checks.health(&object, NOW) {
        Some(health) => json!([health.status.as_str(), health.message]).to_string(),
        None => json!(["-", ""]).to_string(),
    })
}

pub(crate) fn theirs(_: &mut Tools, input: &Input) -> Result<Result<String, String>> {
    let Ok(object) = live(input) else { return Ok(Err("no object".to_owned())) };
    let Some(place) = input.arguments.first() else { return Ok(Err("no script".to_owned())) };
    let library = Library::open("health.lua")?;
    let told = lua_sandbox::Input {
        object: &object.0,
        parameters: &BTreeMap::new(),
        now: NOW,
        open_libraries: true,
    };
    let script = Script::compile(place.clone(), &library.script(place, "health.lua")?);
    let Ok(returned) = script.run(&told, &Limits::default()) else { return Ok(Ok(BROKEN.to_owned())) };
    let table = match returned {
        Returned::Table(Value::Object(table)) => table,
        _ => return Ok(Ok(json!(["-", ""]).to_string())),
    };
    let member = |name: &str| match table.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let known = ["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"];
    let status = member("status");
    Ok(Ok(if known.contains(&status.as_str()) {
        json!([status, member("message")]).to_string()
    } else {
        json!(["Unknown", "Lua returned an invalid health status"]).to_string()
    }))
}

/// Where the original's script breaks, ours may say what it finds.
pub(crate) fn compare(ours: &str, theirs: &str) -> Result<Answer> {
    Ok(if theirs == BROKEN { Answer::Equal { exactly: false } } else { Answer::of_texts(ours, theirs) })
}

fn live(input: &Input) -> Result<Object> {
    let text = input.files.0.get(OBJECT).context("there is no object")?;
    Ok(Object::from_value(object::yaml::decode(text)?)?)
}
