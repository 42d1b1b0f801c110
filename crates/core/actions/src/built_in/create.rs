//! Objects made of others: a Job of a CronJob and its like.

use super::{RFC_3339, Run};
use crate::edit::{put, without_empties};
use object::Object;
use serde_json::{Map, Value, json};

/// The reference to the source as the owner of what is made.
fn owner(source: &Object, controls: bool) -> Value {
    let mut reference = Map::new();
    for (name, value) in [
        ("apiVersion", source.api_version()),
        ("kind", source.kind()),
        ("name", source.name()),
        ("uid", source.uid()),
    ] {
        if !value.is_empty() {
            reference.insert(name.into(), Value::from(value));
        }
    }
    if controls {
        reference.insert("blockOwnerDeletion".into(), Value::Bool(true));
        reference.insert("controller".into(), Value::Bool(true));
    }
    json!([reference])
}

fn start(
    api_version: &str,
    kind: &str,
    metadata: Option<Value>,
    source: &Object,
    name: String,
) -> Map<String, Value> {
    let mut made = Map::new();
    put(&mut made, &["apiVersion"], Value::from(api_version));
    put(&mut made, &["kind"], Value::from(kind));
    put(&mut made, &["metadata"], metadata.unwrap_or_else(|| json!({})));
    put(&mut made, &["metadata", "name"], Value::from(name));
    if !source.namespace().is_empty() {
        put(&mut made, &["metadata", "namespace"], Value::from(source.namespace()));
    }
    made
}

pub(super) fn job(source: &Object, run: &Run<'_>) -> Option<Object> {
    let template = source.at(&["spec", "jobTemplate"])?;
    let name = format!("{}-{}", source.name(), run.at("%y%m%d%H%M"));
    let metadata = template.get("metadata").and_then(without_empties);
    let mut made = start("batch/v1", "Job", metadata, source, name);
    put(&mut made, &["metadata", "annotations", "cronjob.kubernetes.io/instantiate"], Value::from("manual"));
    put(&mut made, &["metadata", "ownerReferences"], owner(source, true));
    if let Some(spec) = template.get("spec").and_then(without_empties) {
        put(&mut made, &["spec"], spec);
    }
    Some(Object(made))
}

pub(super) fn workflow_of_schedule(source: &Object, run: &Run<'_>) -> Option<Object> {
    const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";
    let name = format!("{}-{}", source.name(), run.at("%Y%m%d%H%M"));
    let mut made = start("argoproj.io/v1alpha1", "Workflow", None, source, name);
    for part in ["labels", "annotations"] {
        let own = source.at(&["spec", "workflowMetadata", part]).and_then(without_empties);
        put(&mut made, &["metadata", part], own.unwrap_or_else(|| json!({})));
    }
    let label = ["metadata", "labels", "workflows.argoproj.io/cron-workflow"];
    put(&mut made, &label, Value::from(source.name()));
    if let Some(instance) = source.label(INSTANCE) {
        put(&mut made, &["metadata", "labels", INSTANCE], Value::from(instance));
    }
    let scheduled = ["metadata", "annotations", "workflows.argoproj.io/scheduled-time"];
    put(&mut made, &scheduled, Value::from(run.at(RFC_3339)));
    // Where the original puts them.
    let finalizers = source.at(&["spec", "workflowMetadata", "finalizers"]).cloned();
    put(&mut made, &["finalizers"], finalizers.unwrap_or_else(|| json!([])));
    put(&mut made, &["metadata", "ownerReferences"], owner(source, false));
    if let Some(spec) = source.at(&["spec", "workflowSpec"]).and_then(without_empties) {
        put(&mut made, &["spec"], spec);
    }
    Some(Object(made))
}

pub(super) fn workflow_of_template(source: &Object, run: &Run<'_>) -> Option<Object> {
    let name = format!("{}-{}", source.name(), run.at("%Y%m%d%H%M"));
    let mut made = start("argoproj.io/v1alpha1", "Workflow", None, source, name);
    let label = ["metadata", "labels", "workflows.argoproj.io/workflow-template"];
    put(&mut made, &label, Value::from(source.name()));
    put(&mut made, &["spec", "workflowTemplateRef", "name"], Value::from(source.name()));
    put(&mut made, &["metadata", "ownerReferences"], owner(source, false));
    Some(Object(made))
}
