//! `kustomize/CASE`: kustomizations.

use super::{Case, folders};
use crate::answer::{Answer, documents};
use crate::files::Files;
use crate::ours;
use anyhow::Result;
use serde_json::Value;
use std::fs;
use std::path::Path;

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let found =
        folders(folder)?.into_iter().map(|(name, path)| Case { name, check: Box::new(move || check(&path)) });
    Ok(found.collect())
}

fn check(folder: &Path) -> Result<Answer> {
    let case = object::yaml::decode(&fs::read(folder.join("case.yaml"))?)?;
    let target = case["target"].as_str().unwrap_or("input");
    let flags = case["buildOptions"].as_array().into_iter().flatten();
    let flags: Vec<String> = flags.filter_map(Value::as_str).map(str::to_owned).collect();
    let built = ours::kustomize(&Files::read(folder)?.tree()?, target, &flags);
    let refused = fs::read_to_string(folder.join("expected-error.txt")).ok();
    Ok(match (built, refused) {
        (Ok(_), Some(error)) => Answer::WronglyAccepted(error),
        (Err(error), Some(theirs)) => Answer::of_errors(&format!("Error: {error}"), &theirs),
        (Err(error), None) => Answer::WronglyRefused(error),
        (Ok(ours), None) => {
            let theirs = fs::read_to_string(folder.join("expected.yaml"))?;
            let exactly = ours == theirs;
            let values = |text: &str| documents(text).map(Value::Array);
            Answer::of_values(&values(&ours)?, &values(&theirs)?, exactly)
        }
    })
}
