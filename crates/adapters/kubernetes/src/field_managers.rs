//! Moving fields from managers that wrote them by updates to one that applies them server-side. Without it a
//! field that was once applied client-side has two owners, and leaving it out of an apply does not remove it.

use crate::cluster::Cluster;
use crate::discovery::ApiResource;
use crate::error::Error;
use crate::write::{Patch, WriteOptions};
use api::names::LAST_APPLIED;
use object::Object;
use serde_json::{Map, Value, json};

impl Cluster {
    /// Gives the fields that `from` own by updates to `to`, as if `to` had applied them. `None` when they own nothing.
    /// Fails with a conflict when the object has changed since it was read.
    pub async fn migrate_field_managers(
        &self,
        resource: &ApiResource,
        live: &Object,
        from: &[&str],
        to: &str,
    ) -> Result<Option<Object>, Error> {
        let Some(entries) = migrated(live, from, to) else { return Ok(None) };
        let patch = Patch::Json(json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version()},
        ]));
        let options = WriteOptions::manager(to);
        self.patch(resource, live.namespace(), live.name(), &patch, &options).await.map(Some)
    }
}

/// `managedFields` after the move; `None` when there is nothing to move.
fn migrated(live: &Object, from: &[&str], to: &str) -> Option<Vec<Value>> {
    let entries = live.at(&["metadata", "managedFields"])?.as_array()?;
    let is = |entry: &Value, operation: &str| {
        entry["operation"] == operation && entry["subresource"].as_str().is_none_or(str::is_empty)
    };
    let moves = |entry: &Value| {
        is(entry, "Update") && entry["manager"].as_str().is_some_and(|name| from.contains(&name))
    };
    let first = entries.iter().find(|entry| moves(entry))?;
    let own = entries.iter().find(|entry| is(entry, "Apply") && entry["manager"] == to);
    let mut applied = own.unwrap_or(first).clone();
    applied["manager"] = to.into();
    applied["operation"] = "Apply".into();
    let mut fields = own.and_then(|own| own["fieldsV1"].as_object()).cloned().unwrap_or_default();
    for entry in entries.iter().filter(|entry| moves(entry)) {
        if let Some(more) = entry["fieldsV1"].as_object() {
            unite(&mut fields, more);
        }
    }
    // The record of what was applied belongs to nobody: the next apply would otherwise remove it.
    if let Some(annotations) = fields
        .get_mut("f:metadata")
        .and_then(|metadata| metadata.get_mut("f:annotations"))
        .and_then(Value::as_object_mut)
    {
        annotations.remove(&format!("f:{LAST_APPLIED}"));
    }
    applied["fieldsV1"] = Value::Object(fields);
    let mut result: Vec<Value> = entries
        .iter()
        .filter(|entry| !moves(entry) && !own.is_some_and(|own| std::ptr::eq(own, *entry)))
        .cloned()
        .collect();
    result.insert(0, applied);
    Some(result)
}

fn unite(fields: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (name, inner) in more {
        let own = fields.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(own), Value::Object(inner)) = (own, inner) {
            unite(own, inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_move_to_the_applying_manager_and_the_record_to_nobody() {
        let record = format!("f:{LAST_APPLIED}");
        let live = Object::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": [
            {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1",
                "fieldsV1": {"f:data": {"f:a": {}}, "f:metadata": {"f:annotations": {record: {}, "f:x": {}}}}},
            {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:data": {"f:b": {}}}},
            {"manager": "other", "operation": "Update", "fieldsV1": {"f:data": {"f:c": {}}}},
        ]}}))
        .unwrap();
        let result = migrated(&live, &["kubectl-client-side-apply"], "argocd-controller").unwrap();
        assert_eq!(
            Value::Array(result),
            json!([
                {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {
                    "f:data": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:annotations": {"f:x": {}}}}},
                {"manager": "other", "operation": "Update", "fieldsV1": {"f:data": {"f:c": {}}}},
            ])
        );
        assert_eq!(migrated(&live, &["nobody"], "argocd-controller"), None);
    }
}
