//! `.argocd-source.yaml` and `.argocd-source-<application>.yaml`: parameters that live beside the manifests.

use crate::RenderError;
use api::v1alpha1::ApplicationSource;
use serde_json::{Map, Value};
use source_tree::{Tree, TreePath};

/// What an override may not change: where the source is.
const FIXED: [&str; 7] = ["repoURL", "path", "targetRevision", "tagPrefix", "chart", "ref", "name"];

/// The source with the files in its folder applied: first the one for all applications, then the one for this.
pub fn with_overrides(
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSource,
    application_name: &str,
) -> Result<ApplicationSource, RenderError> {
    let own = format!(".argocd-source-{application_name}.yaml");
    let mut names = vec![".argocd-source.yaml"];
    if !application_name.is_empty() && !application_name.contains('/') {
        names.push(&own);
    }
    let mut merged = source.clone();
    for name in names {
        let file = path.child(name);
        if !tree.entry(&file)?.is_some_and(|entry| entry.kind.is_file()) {
            continue;
        }
        merged = apply(&merged, &tree.read(&file)?)
            .map_err(|reason| RenderError::Override { path: file.as_str().to_owned(), reason })?;
    }
    Ok(merged)
}

fn apply(source: &ApplicationSource, text: &[u8]) -> Result<ApplicationSource, String> {
    let patch = object::yaml::decode(text).map_err(|error| error.to_string())?;
    let patch = match patch {
        Value::Object(mut members) => {
            for name in FIXED {
                members.remove(name);
            }
            members
        }
        Value::Null => Map::new(),
        _ => return Err("expected the members of an application source".into()),
    };
    let Ok(Value::Object(mut merged)) = serde_json::to_value(source) else {
        unreachable!("a struct with text keys is a JSON object")
    };
    merge(&mut merged, patch);
    serde_json::from_value(Value::Object(merged)).map_err(|error| error.to_string())
}

/// RFC 7386 as far as the original goes: objects merge, all else replaces. What `null` would take away stays, for the
/// original reads the outcome over the source as it was.
fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {}
            Value::Object(inner) => {
                let entry = target.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if !entry.is_object() {
                    *entry = Value::Object(Map::new());
                }
                if let Value::Object(members) = entry {
                    merge(members, inner);
                }
            }
            other => {
                target.insert(name, other);
            }
        }
    }
}
