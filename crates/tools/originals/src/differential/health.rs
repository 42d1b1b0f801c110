//! Objects as their controllers write them, changed at random; the original's script for their kind against our rules.

use super::chance::Chance;
use super::scripts::{self, Library, OBJECT, UNTOLD};
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
use std::sync::OnceLock;

/// Go's maps have no order, and so scripts see an object's members in any: these are two of them.
const ORDERS: [&str; 2] = ["a < b", "a > b"];
/// Kinds of which the recorded answers, which hold, are those of a commit before the release whose scripts these are.
const RECORDED_OTHERWISE: [&str; 3] = [
    "apiextensions.k8s.io/CustomResourceDefinition",
    "bitnami.com/SealedSecret",
    "kubevirt.io/VirtualMachine",
];
/// The time of all comparisons.
const NOW: Timestamp = Timestamp::constant(1_772_600_000, 0);

pub(crate) fn make(chance: &mut Chance, _: &Corpora) -> Result<Input> {
    let library = library()?;
    let place = chance.pick(&library.places);
    let script = library.script(place, "health.lua")?;
    Ok(input(place, scripts::object(chance, library, place, &script)))
}

/// The objects that the original tries its scripts on.
pub(crate) fn unchanged() -> Result<Vec<Input>> {
    let library = library()?;
    let mut inputs = Vec::new();
    for place in &library.places {
        inputs.extend(library.objects(place).iter().map(|object| input(place, object.clone())));
    }
    Ok(inputs)
}

fn input(place: &str, mut object: Value) -> Input {
    // What is being deleted is Progressing, whatever its script says.
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("deletionTimestamp");
    }
    let mut input = Input { arguments: vec![place.to_owned()], ..Input::default() };
    input.files.add(OBJECT, object::yaml::encode(&object));
    input
}

/// The scripts, read once.
fn library() -> Result<&'static Library> {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    match LIBRARY.get() {
        Some(library) => Ok(library),
        None => {
            let mut library = Library::open("health.lua")?;
            library.places.retain(|place| !RECORDED_OTHERWISE.contains(&place.as_str()));
            Ok(LIBRARY.get_or_init(|| library))
        }
    }
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
    let library = library()?;
    let told = lua_sandbox::Input {
        object: &object.0,
        parameters: &BTreeMap::new(),
        now: NOW,
        open_libraries: true,
    };
    let text = library.script(place, "health.lua")?;
    let mut answers = ORDERS.iter().map(|order| {
        let script = Script::compile(place.clone(), &format!("{}\n{text}", scripts::ordered_pairs(order)));
        script.run(&told, &Limits::default()).map(read)
    });
    Ok(Ok(match (answers.next(), answers.next()) {
        (Some(Ok(first)), Some(Ok(second))) if first == second => first,
        _ => UNTOLD.to_owned(),
    }))
}

/// What the original makes of what a script returned.
fn read(returned: Returned) -> String {
    let Returned::Table(Value::Object(table)) = returned else { return json!(["-", ""]).to_string() };
    let member = |name: &str| match table.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let known = ["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"];
    let status = member("status");
    if known.contains(&status.as_str()) {
        json!([status, member("message")]).to_string()
    } else {
        json!(["Unknown", "Lua returned an invalid health status"]).to_string()
    }
}

/// Where the original's script breaks or wavers, ours may say what it finds.
pub(crate) fn compare(ours: &str, theirs: &str) -> Result<Answer> {
    Ok(if theirs == UNTOLD { Answer::Equal { exactly: false } } else { Answer::of_texts(ours, theirs) })
}

/// The object, as long as it is of the kind that the script is for.
fn live(input: &Input) -> Result<Object> {
    let text = input.files.0.get(OBJECT).context("there is no object")?;
    let place = input.arguments.first().context("there is no script")?;
    let value = object::yaml::decode(text)?;
    anyhow::ensure!(library()?.serves(place, &value), "the object is of another kind");
    let object = Object::from_value(value)?;
    anyhow::ensure!(object.deletion_timestamp().is_empty(), "the object is being deleted");
    Ok(object)
}
