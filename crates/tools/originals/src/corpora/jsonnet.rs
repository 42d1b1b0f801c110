//! `jsonnet/*.jsonl`: a file with its libraries and variables, a case a line.

use super::Case;
use crate::answer::Answer;
use ::jsonnet::{Parameters, Variable, evaluate};
use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recorded {
    id: String,
    source: Option<String>,
    main: String,
    files: BTreeMap<String, String>,
    ext_vars: BTreeMap<String, String>,
    ext_code: BTreeMap<String, String>,
    tlas: BTreeMap<String, String>,
    tla_code: BTreeMap<String, String>,
    libs: Vec<String>,
    expected: Option<Value>,
    expected_text: Option<String>,
    error: Option<String>,
}

pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for file in ["cases.jsonl", "golden.jsonl"] {
        for line in fs::read_to_string(folder.join(file))?.lines() {
            let case: Recorded = serde_json::from_str(line)?;
            cases.push(Case { name: case.id.clone(), check: Box::new(move || check(&case)) });
        }
    }
    Ok(cases)
}

fn check(case: &Recorded) -> Result<Answer> {
    let name = case.id.rsplit('/').next().unwrap_or_default();
    let mut files = case.files.clone();
    let mut main = case.main.clone();
    if let Some(source) = &case.source {
        main = format!("{name}.jsonnet");
        files.insert(main.clone(), source.clone());
    }
    let files = files.into_iter().map(|(name, text)| Ok((TreePath::parse(&name)?, text)));
    let tree = MemoryTree::from_files(files.collect::<Result<Vec<_>>>()?)?;
    let libraries = case.libs.iter().map(|library| Ok(TreePath::parse(library)?));
    let parameters = Parameters {
        external: variables(&case.ext_vars, &case.ext_code),
        top_level: variables(&case.tlas, &case.tla_code),
        libraries: libraries.collect::<Result<_>>()?,
    };
    let ours = evaluate(&tree, &TreePath::parse(&main)?, &parameters);
    let refuses = case.expected_text.is_none() && case.expected.is_none();
    let theirs = case.error.as_deref().unwrap_or_default();
    Ok(match (ours, &case.expected_text, &case.expected) {
        (Ok(_), None, None) => Answer::WronglyAccepted(theirs.to_owned()),
        (Ok(ours), Some(theirs), _) => Answer::of_texts(&ours, theirs),
        (Ok(ours), None, Some(theirs)) => Answer::of_values(&serde_json::from_str(&ours)?, theirs, false),
        (Err(error), ..) if refuses => Answer::of_errors(&error.to_string(), theirs),
        (Err(error), ..) => Answer::WronglyRefused(error.to_string()),
    })
}

fn variables(
    texts: &BTreeMap<String, String>,
    codes: &BTreeMap<String, String>,
) -> BTreeMap<String, Variable> {
    let texts = texts.iter().map(|(name, text)| (name.clone(), Variable::Text(text.clone())));
    let codes = codes.iter().map(|(name, code)| (name.clone(), Variable::Code(code.clone())));
    texts.chain(codes).collect()
}
