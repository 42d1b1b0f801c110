//! The two promises of a comparison, held against what a real API server makes of real objects: what was applied and is
//! read back is as it should be, and what is declared otherwise is not.

use crate::installation::installation;
use diff::{DiffOptions, diff};
use kubernetes::Method;
use object::{Object, yaml};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Objects of many kinds, as charts write them.
const DOCUMENTS: &str = include_str!("../../../../core/object/cases/yaml/documents.yaml");
/// Objects of the charts in the corpora that are looked at beside.
const MOST: usize = 150;
/// Changes that are tried of one object.
const CHANGES: usize = 6;

fn corpora() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpora");
    std::env::var_os("ARGOCD_CORPORA").map_or_else(beside, PathBuf::from)
}

fn read(text: &str) -> Vec<Object> {
    let documents = yaml::decode_documents(text.as_bytes(), &yaml::Limits::default()).unwrap_or_default();
    documents.into_iter().filter_map(|document| Object::from_value(document.value).ok()).collect()
}

fn objects() -> Vec<Object> {
    let mut objects = read(DOCUMENTS);
    let folders = std::fs::read_dir(corpora().join("helm")).map(Iterator::flatten);
    let mut files: Vec<PathBuf> =
        folders.into_iter().flatten().map(|folder| folder.path().join("expected.yaml")).collect();
    files.sort();
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let mut others: Vec<Object> = texts.flat_map(|text| read(&text)).collect();
    let step = others.len() / MOST + 1;
    others = others.into_iter().step_by(step).collect();
    objects.extend(others);
    objects
}

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                leaves(value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                leaves(value, &format!("{path}/{at}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// Another value of the same type.
fn changed(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Number(number) => Value::from(number.as_i64()? + 1),
        Value::String(text) if text.parse::<object::Quantity>().is_ok() => Value::from(format!("7{text}")),
        Value::String(text) => Value::from(format!("eHh4{text}")),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

#[test]
fn what_a_server_read_back_is_synced_and_what_is_declared_otherwise_is_not() {
    let installation = installation();
    let (mut read_back, mut tried, mut wrong) = (0, 0, Vec::new());
    for mut target in objects() {
        let Some(namespaced) = installation.kube.is_namespaced(&target) else { continue };
        target.set_namespace(if namespaced { "default" } else { "" });
        // Statuses are left out of comparisons, and the server writes its own.
        target.0.remove("status");
        for method in [Method::ClientSide, Method::ServerSide] {
            let pretend = |object: &Object| installation.kube.pretend(object, method).ok();
            // What the server refuses is nobody's to compare.
            let Some(live) = pretend(&target) else { continue };
            read_back += 1;
            let is_modified = |target: &Object| {
                diff(Some(target), Some(&live), &DiffOptions::default()).map(|found| found.modified)
            };
            let key = target.key();
            if is_modified(&target) != Ok(false) {
                let found = diff(Some(&target), Some(&live), &DiffOptions::default());
                let found = found.map(|it| (it.normalized_live_state(), it.predicted_live_state()));
                wrong.push(format!("{key} {method:?} is read back otherwise: {found:?}"));
            }
            let mut paths = Vec::new();
            leaves(&target.to_value(), "", &mut paths);
            let step = paths.len() / CHANGES + 1;
            for path in paths.iter().step_by(step) {
                let mut value = target.to_value();
                let Some(leaf) = value.pointer_mut(path) else { continue };
                let Some(other) = changed(leaf) else { continue };
                *leaf = other;
                let Ok(other) = Object::from_value(value) else { continue };
                if other.key() != key {
                    continue;
                }
                let Some(after) = pretend(&other) else { continue };
                // Only what makes a difference to the server is a difference.
                let (before, after) = (live.to_value(), after.to_value());
                if before.pointer(path) == after.pointer(path) || after.pointer(path).is_none() {
                    continue;
                }
                tried += 1;
                if is_modified(&other) == Ok(false) {
                    wrong.push(format!("{key} {method:?}: {path} is called Synced"));
                }
            }
        }
    }
    println!("{read_back} objects read back, {tried} changes");
    assert!(read_back > 100 && tried > 300, "{read_back} objects, {tried} changes");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
