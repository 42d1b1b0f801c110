//! `helm/CASE`: charts.

use super::{Case, folders};
use crate::answer::{Answer, documents};
use crate::files::Files;
use crate::ours::HelmCall;
use anyhow::{Context, Result};
use serde_json::Value;
use source_tree::TreePath;
use std::fs;
use std::path::Path;

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let found =
        folders(folder)?.into_iter().map(|(name, path)| Case { name, check: Box::new(move || check(&path)) });
    Ok(found.collect())
}

fn check(folder: &Path) -> Result<Answer> {
    let case = object::yaml::decode(&fs::read(folder.join("case.yaml"))?)?;
    let call: HelmCall = serde_json::from_value(case.clone())?;
    let values = call.values_files.iter().map(|name| fs::read_to_string(folder.join(name)));
    let values = values.collect::<std::io::Result<Vec<_>>>().context("read the values files")?;
    let tree = Files::read(&folder.join(&call.chart))?.tree()?;
    let rendered = helm::load(&tree, &TreePath::root()).and_then(|chart| call.render(&chart, &values));
    let refused = fs::read_to_string(folder.join("expected-error.txt")).ok();
    Ok(match (rendered, refused) {
        (Ok(_), Some(error)) => Answer::WronglyAccepted(error),
        (Err(error), Some(theirs)) => Answer::of_errors(&format!("Error: {error}"), &theirs),
        (Err(error), None) => Answer::WronglyRefused(error.to_string()),
        (Ok(ours), None) => compare(&ours, &fs::read_to_string(folder.join("expected.yaml"))?, &case)?,
    })
}

fn compare(ours: &str, theirs: &str, case: &Value) -> Result<Answer> {
    let exactly = ours == theirs;
    let (mut ours, mut theirs) = (documents(ours)?, documents(theirs)?);
    for documents in [&mut ours, &mut theirs] {
        if let Err(missing) = blank(documents, case) {
            return Ok(Answer::Different(missing));
        }
    }
    Ok(Answer::of_values(&Value::Array(ours), &Value::Array(theirs), exactly))
}

/// Takes out what differs from run to run; it must be there.
fn blank(documents: &mut [Value], case: &Value) -> Result<(), String> {
    for entry in case["nondeterministicPaths"].as_array().into_iter().flatten() {
        let index = entry["document"].as_u64().and_then(|index| usize::try_from(index).ok());
        for path in entry["paths"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let document = index.and_then(|index| documents.get_mut(index));
            match document.and_then(|document| document.pointer_mut(path)) {
                Some(value) if !value.is_null() => *value = Value::Null,
                _ => return Err(format!("nothing at {}{path}", entry["document"])),
            }
        }
    }
    Ok(())
}
