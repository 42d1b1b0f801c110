//! `gotemplate/cases.jsonl`: single templates.

use super::Case;
use crate::answer::Answer;
use crate::files::Files;
use crate::ours;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let text = fs::read_to_string(folder.join("cases.jsonl"))?;
    let cases = text.lines().map(|line| {
        let case: Value = serde_json::from_str(line)?;
        let name = case["id"].as_str().context("a case has an id")?.to_owned();
        Ok(Case { name, check: Box::new(move || check(&case)) })
    });
    cases.collect()
}

fn check(case: &Value) -> Result<Answer> {
    let mut files = Files::default();
    files.add("Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.2.3\nappVersion: \"4.5\"\ndescription: d\n");
    files.add("templates/case.yaml", case["template"].as_str().unwrap_or_default());
    files.add("values.yaml", case["values"].to_string().replace('\u{7F}', "\\u007f"));
    for (kind, prefix) in [("partials", "templates/"), ("files", "")] {
        for (name, text) in case[kind].as_object().into_iter().flatten() {
            files.add(&format!("{prefix}{name}"), text.as_str().unwrap_or_default());
        }
    }
    let theirs = case["error"].as_str().unwrap_or_default();
    Ok(match (ours::template(&files), case["expected"].as_str()) {
        (Ok(ours), Some(theirs)) => Answer::of_texts(&ours, theirs),
        (Ok(_), None) => Answer::WronglyAccepted(theirs.to_owned()),
        (Err(ours), None) => Answer::of_errors(&ours, theirs),
        (Err(ours), Some(_)) => Answer::WronglyRefused(ours),
    })
}
