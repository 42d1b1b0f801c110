//! `health/GROUP/KIND/N.yaml`: live objects, and how well they are.

use super::Case;
use crate::answer::Answer;
use anyhow::{Context, Result};
use object::Object;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let table = fs::read_to_string(folder.join("expected.tsv"))?;
    let rows = table.lines().skip(1).filter(|line| !line.is_empty()).map(|line| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().map(str::to_owned).context("a row has a file, a status and a message");
        let (name, status, message) = (next()?, next()?, next()?);
        let path = folder.join(&name);
        Ok(Case { name, check: Box::new(move || check(&path, &status, &message)) })
    });
    rows.collect()
}

fn check(path: &Path, status: &str, message: &str) -> Result<Answer> {
    let live = Object::from_value(object::yaml::decode(&fs::read(path)?)?)?;
    let ours = match ::health::health(&live) {
        Some(health) => json!({"status": health.status.as_str(), "message": health.message}),
        None => json!({"status": "-", "message": ""}),
    };
    let theirs = json!({"status": status, "message": serde_json::from_str::<Value>(message)?});
    Ok(Answer::of_values(&ours, &theirs, true))
}
