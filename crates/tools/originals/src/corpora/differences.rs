//! `diff/CASE`: what is wanted and what is live, compared.

use super::{Case, folders};
use crate::answer::Answer;
use anyhow::Result;
use diff::{DiffOptions, IgnoreDifference, ResourceOverride, Rules};
use object::{Object, TrackingMethod, mask_secret, yaml};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    ignore_differences: Vec<IgnoreDifference>,
    resource_overrides: BTreeMap<String, BTreeMap<String, Value>>,
    ignore_aggregated_roles: bool,
    tracking_method: String,
    app_label_key: String,
    structured_merge: bool,
}

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let found =
        folders(folder)?.into_iter().map(|(name, path)| Case { name, check: Box::new(move || check(&path)) });
    Ok(found.collect())
}

/// A file's value; nothing when it is not there or empty.
fn read(path: &Path) -> Result<Option<Value>> {
    if !path.exists() {
        return Ok(None);
    }
    let value = yaml::decode(&fs::read(path)?)?;
    Ok((!value.is_null()).then_some(value))
}

fn object(path: &Path) -> Result<Option<Object>> {
    Ok(read(path)?.map(Object::from_value).transpose()?)
}

impl Settings {
    fn options(&self) -> Result<DiffOptions> {
        let mut overrides = BTreeMap::new();
        for (key, settings) in &self.resource_overrides {
            let mut one = ResourceOverride::default();
            if let Some(Value::String(text)) = settings.get("ignoreDifferences") {
                one.ignore = serde_json::from_value(yaml::decode(text.as_bytes())?)?;
            }
            if let Some(fields) = settings.get("knownTypeFields") {
                one.known_type_fields = serde_json::from_value(fields.clone())?;
            }
            overrides.insert(key.clone(), one);
        }
        Ok(DiffOptions {
            rules: Arc::new(Rules::compile(&self.ignore_differences, &overrides)?),
            ignore_aggregated_roles: self.ignore_aggregated_roles,
            tracking_method: (!self.tracking_method.is_empty())
                .then(|| TrackingMethod::from_setting(&self.tracking_method)),
            tracking_label: self.app_label_key.clone(),
            structured_merge: self.structured_merge,
            ..DiffOptions::default()
        })
    }
}

fn check(folder: &Path) -> Result<Answer> {
    let settings = read(&folder.join("case.yaml"))?.unwrap_or_else(|| Value::Object(Map::new()));
    let settings: Settings = serde_json::from_value(settings)?;
    let target = object(&folder.join("desired.yaml"))?;
    let live = object(&folder.join("live.yaml"))?;
    let theirs = read(&folder.join("expected.yaml"))?.unwrap_or_default();
    let found =
        settings.options().and_then(|options| Ok(diff::diff(target.as_ref(), live.as_ref(), &options)?));
    let found = match (found, theirs.get("error").and_then(Value::as_str)) {
        (Ok(_), Some(error)) => return Ok(Answer::WronglyAccepted(error.to_owned())),
        (Err(ours), Some(error)) => return Ok(Answer::of_errors(&ours.to_string(), error)),
        (Err(error), None) => return Ok(Answer::WronglyRefused(error.to_string())),
        (Ok(found), None) => found,
    };
    let synced = !found.modified && target.is_some() && live.is_some();
    let mut ours = Map::new();
    let mut add =
        |name: &str, value: Option<Value>| drop(ours.insert(name.to_owned(), value.unwrap_or_default()));
    add("modified", Some(found.modified.into()));
    add("syncStatus", Some(if synced { "Synced" } else { "OutOfSync" }.into()));
    add("normalizedLive", found.normalized_live.as_ref().map(Object::to_value));
    add("predictedLive", found.predicted_live.as_ref().map(Object::to_value));
    if theirs.get("hiddenDesired").is_some() || theirs.get("hiddenLive").is_some() {
        let (target, live) = mask_secret(target.as_ref(), live.as_ref(), &BTreeSet::new());
        add("hiddenDesired", target.as_ref().map(Object::to_value));
        add("hiddenLive", live.as_ref().map(Object::to_value));
    }
    // What is not there and what is null are the same here.
    let told =
        |members: Map<String, Value>| members.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let theirs = theirs.as_object().cloned().unwrap_or_default();
    Ok(Answer::of_values(&Value::Object(told(ours)), &Value::Object(told(theirs)), true))
}
