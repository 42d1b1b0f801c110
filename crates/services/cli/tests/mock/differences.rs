//! What is managed and what is rendered, from files in a folder of cases; and differences, as the server tells them.

use std::fs;

use api::v1alpha1::ResourceDiff;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tonic::Status;
use wire::application::{ApplicationServerSideDiffQuery, ApplicationServerSideDiffResponse};

/// The list in a file; an empty one where the folder has no such file.
pub fn listed<T: DeserializeOwned>(folder: &str, name: &str) -> Vec<T> {
    let Ok(text) = fs::read(format!("{folder}/{name}")) else { return Vec::new() };
    let value = object::yaml::decode(&text).expect("a file of YAML");
    serde_json::from_value(value).expect("a list of what the file is called after")
}

/// What the controller found. An entry says its `target`, and what is `live` and `predicted` where that is not the target.
pub fn managed(entry: &Value) -> ResourceDiff {
    let target = &entry["target"];
    let live = entry.get("live").unwrap_or(target);
    let predicted = entry.get("predicted").unwrap_or(target);
    let named = if live.is_null() { target } else { live };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = text(&named["apiVersion"]);
    ResourceDiff {
        group: object::split_api_version(&version).0.to_owned(),
        kind: text(&named["kind"]),
        namespace: text(&named["metadata"]["namespace"]),
        name: text(&named["metadata"]["name"]),
        target_state: target.to_string(),
        live_state: live.to_string(),
        normalized_live_state: live.to_string(),
        predicted_live_state: predicted.to_string(),
        modified: predicted != live,
        ..ResourceDiff::default()
    }
}

/// Pairs compared as they are; two objects of different namespaces are refused as the server refuses them.
pub fn differences(
    query: ApplicationServerSideDiffQuery,
) -> Result<ApplicationServerSideDiffResponse, Status> {
    let object = |text: &str| serde_json::from_str::<Value>(text).expect("an object");
    let mut items = Vec::new();
    for (asked, target) in query.live_resources.into_iter().zip(&query.target_manifests) {
        let target = object(target);
        let namespace = target["metadata"]["namespace"].as_str().unwrap_or_default();
        if namespace != asked.namespace {
            return Err(Status::invalid_argument(format!("namespace mismatch: {namespace}")));
        }
        let modified = target != object(&asked.live_state);
        items.push(ResourceDiff { target_state: target.to_string(), modified, ..asked });
    }
    let modified = items.iter().any(|item| item.modified);
    Ok(ApplicationServerSideDiffResponse { items, modified })
}
