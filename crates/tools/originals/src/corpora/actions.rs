//! `actions/GROUP/KIND/N.yaml`: the actions an object has, and what they do.

use super::{Case, yaml_files};
use crate::answer::Answer;
use ::actions::{Actions, Impact, Parameters};
use anyhow::Result;
use object::Object;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// When the actions are taken; what depends on it is left out of the comparison.
const NOW: &str = "2026-11-23T08:42:47Z";

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let found = yaml_files(folder)?
        .into_iter()
        .map(|(name, path)| Case { name, check: Box::new(move || check(&path)) });
    Ok(found.collect())
}

fn check(path: &Path) -> Result<Answer> {
    let case = object::yaml::decode(&fs::read(path)?)?;
    let input = Object::from_value(case["input"].clone())?;
    let now = NOW.parse()?;
    let actions = Actions::default();
    if case["kind"] == "discovery" {
        return Ok(match actions.discover(&input, now) {
            Ok(found) => Answer::of_values(&serde_json::to_value(found)?, &case["expectedActions"], true),
            Err(error) => Answer::WronglyRefused(error.to_string()),
        });
    }
    let parameters: Parameters =
        serde_json::from_value(case.get("parameters").cloned().unwrap_or_else(|| json!({})))?;
    let ran = actions.run(&input, case["action"].as_str().unwrap_or_default(), &parameters, now);
    Ok(match (ran, case["expectedError"].as_str()) {
        (Ok(_), Some(error)) => Answer::WronglyAccepted(error.to_owned()),
        (Err(ours), Some(theirs)) => Answer::of_errors(&ours.to_string(), theirs),
        (Err(error), None) => Answer::WronglyRefused(error.to_string()),
        (Ok(impacts), None) => {
            let mut ours = Value::Array(impacts.into_iter().map(told).collect());
            let mut theirs = case["expectedResults"].clone();
            for path in case["volatilePaths"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                for side in [&mut ours, &mut theirs] {
                    if !drop_at(side, path) {
                        return Ok(Answer::Different(format!("nothing is at {path}")));
                    }
                }
            }
            Answer::of_values(&ours, &theirs, true)
        }
    })
}

fn told(impact: Impact) -> Value {
    let (operation, object) = match impact {
        Impact::Create(object) => ("create", object),
        Impact::Patch(object) => ("patch", object),
    };
    json!({"object": object.into_value(), "operation": operation})
}

/// Whether something was there.
fn drop_at(value: &mut Value, pointer: &str) -> bool {
    let Some((way, last)) = pointer.rsplit_once('/') else { return false };
    let members = value.pointer_mut(way).and_then(Value::as_object_mut);
    members.is_some_and(|members| members.remove(&last.replace("~1", "/").replace("~0", "~")).is_some())
}
