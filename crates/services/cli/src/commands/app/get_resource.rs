//! `argocd app get-resource`.

use serde_json::{Map, Value};
use wire::application::ApplicationResourceRequest;

use crate::command::{Command, Running, list, switch, text};
use crate::commands::output;
use crate::failure::Outcome;
use crate::log::Level;
use crate::output::documents;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app get-resource my-app --kind Pod\n  \
              argocd app get-resource my-app --kind Pod --filter-fields status.podIP -o json",
    flags: &[&[
        super::NAMESPACE,
        list("filter-fields", "Only these fields, as paths with dots"),
        text("group", "Group"),
        text("kind", "Kind").required(),
        output("wide", "Format of the output, wide, yaml, or json"),
        text("project", "The project of the application"),
        text("resource-name", "Name of resource; all of the kind when not given"),
        switch("show-managed-fields", "Show managed fields in the output manifest"),
    ]],
    run: Some(start),
    ..Command::new(
        "get-resource",
        "APPNAME",
        "Get details about the live Kubernetes manifests of a resource in an application.",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let mut query = super::resources_of(&name, &namespace);
    let project = Some(session.text("project")).filter(|project| !project.is_empty());
    query.project.clone_from(&project);
    let nodes = server.applications().resource_tree(query).await?.into_inner().nodes;
    let mut shown: Vec<Value> = Vec::new();
    for node in nodes {
        let of = node.resource_ref;
        let wanted = |flag: &str, value: &str| {
            session.matches.text(flag).is_empty() || session.matches.text(flag) == value
        };
        let group = !session.matches.changed("group") || session.matches.text("group") == of.group;
        if !group || !wanted("kind", &of.kind) || !wanted("resource-name", &of.name) {
            continue;
        }
        let request = ApplicationResourceRequest {
            name: name.clone(),
            app_namespace: Some(namespace.clone()),
            namespace: Some(of.namespace),
            resource_name: of.name,
            version: of.version,
            group: Some(of.group),
            kind: of.kind,
            project: project.clone(),
        };
        let manifest = server.applications().get_resource(request).await?.into_inner().manifest;
        let mut object = super::manifests::parsed(&manifest)?;
        if !session.is("show-managed-fields")
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("managedFields");
        }
        shown.push(object);
    }
    let names: Vec<_> = shown.iter().map(name_of).collect();
    let fields = session.matches.list("filter-fields").to_vec();
    let filtered: Vec<_> = shown.iter().map(|object| filter(object, &fields)).collect();
    show(session, &names, filtered);
    session.log(Level::Info, &format!("Resources '{}' fetched", names.join(", ")));
    Ok(())
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// The object with only the fields wanted; without any, the whole object. Lists are entered.
fn filter(object: &Value, fields: &[String]) -> Value {
    if fields.is_empty() {
        return object.clone();
    }
    let mut kept = Value::Null;
    for field in fields {
        let parts: Vec<_> = field.split('.').collect();
        if let Some(part) = select(object, &parts) {
            kept = merged(kept, part);
        }
    }
    if kept.is_null() { Value::Object(Map::new()) } else { kept }
}

fn select(value: &Value, path: &[&str]) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(value.clone()) };
    match value {
        Value::Object(members) => {
            let inner = select(members.get(*first)?, rest)?;
            Some(Value::Object(Map::from_iter([((*first).to_owned(), inner)])))
        }
        Value::Array(items) => {
            let inner: Vec<_> = items.iter().filter_map(|item| select(item, path)).collect();
            (!inner.is_empty()).then_some(Value::Array(inner))
        }
        _ => None,
    }
}

fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (key, value) in other {
                let before = one.remove(&key).unwrap_or(Value::Null);
                one.insert(key, merged(before, value));
            }
            Value::Object(one)
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            Value::Array(one.into_iter().zip(other).map(|(one, other)| merged(one, other)).collect())
        }
        (_, other) => other,
    }
}

fn show(session: &mut Session<'_>, names: &[String], mut objects: Vec<Value>) {
    match session.matches.text("output") {
        format @ ("yaml" | "json") => {
            let text = |value: &Value| {
                if format == "yaml" {
                    documents::yaml(value)
                } else {
                    documents::indented(&sorted(value), b" ")
                }
            };
            let text =
                if objects.len() == 1 { text(&objects.remove(0)) } else { text(&Value::Array(objects)) };
            session.line(&text);
        }
        _ => {
            let mut table = Table::new();
            table.row(&["FIELD", "RESOURCE NAME", "VALUE"]);
            for (name, object) in names.iter().zip(&objects) {
                flatten(&mut table, name, "", object);
            }
            session.print(&table.finish());
        }
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut entries: Vec<_> = members.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// One line for each scalar, fields sorted.
fn flatten(table: &mut Table, name: &str, path: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut entries: Vec<_> = members.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            for (key, value) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(table, name, &path, value);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(table, name, &format!("{path}[{index}]"), item);
            }
        }
        Value::String(text) => table.row(&[path, name, text]),
        Value::Null => table.row(&[path, name, "<nil>"]),
        other => table.row(&[path, name, &other.to_string()]),
    }
}
