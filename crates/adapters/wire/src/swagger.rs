//! The REST API described in Swagger 2.0, made from the same descriptors and options that it is served by; which rights an
//! operation wants is its member `x-argocd-rights`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::rights::{self, Right, Wants};
use crate::route::{Body, Route, routes};
use crate::transcode::plan::{Codec, Element, Empty, Field, Plan, PlanId, Scalar, Shape, plans};

/// How deep messages are taken apart into query parameters.
const DEPTH: usize = 4;

/// The document: JSON, keys sorted.
#[must_use]
pub fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        let document = describe();
        format!("{}\n", serde_json::to_string_pretty(&document).expect("a value of JSON is JSON"))
    });
    &DOCUMENT
}

fn describe() -> Value {
    let mut paths: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for route in routes() {
        let name = format!("{}_{}", short(&route.service), route.method);
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let id = if *count > 1 { format!("{name}{count}") } else { name };
        let template = route.template.replace("=**}", "}");
        let verbs = paths.entry(template).or_default();
        let verb = route.verb.as_str().to_lowercase();
        // Of two methods with one binding the newer one answers.
        if !(route.deprecated && verbs.contains_key(&verb)) {
            verbs.insert(verb, operation(route, &id, &mut used));
        }
    }
    json!({
        "consumes": ["application/json"],
        "definitions": definitions(used),
        "info": {
            "description": "Consolidate Services",
            "title": "Consolidate Services",
            "version": "version not set",
        },
        "paths": paths,
        "produces": ["application/json"],
        "schemes": ["http", "https"],
        "swagger": "2.0",
    })
}

/// The last part of a name with dots.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The name of a message's definition: the last part of its package, then its own.
fn definition(message: &str) -> String {
    let mut parts = message.rsplit('.');
    let (name, package) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{package}{name}")
}

fn reference(message: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{}", definition(message)) })
}

fn operation(route: &Route, id: &str, used: &mut BTreeSet<String>) -> Value {
    used.insert(route.response.clone());
    let success = if route.server_streaming {
        json!({
            "description": "A successful response.(streaming responses)",
            "schema": {
                "type": "object",
                "title": format!("Stream result of {}", definition(&route.response)),
                "properties": {
                    "error": {"$ref": "#/definitions/runtimeStreamError"},
                    "result": reference(&route.response),
                },
            },
        })
    } else {
        json!({"description": "A successful response.", "schema": reference(&route.response)})
    };
    let mut operation = json!({
        "operationId": id,
        "tags": [short(&route.service)],
        "responses": {
            "200": success,
            "default": {
                "description": "An unexpected error response.",
                "schema": {"$ref": "#/definitions/runtimeError"},
            },
        },
    });
    let parameters = parameters(route, used);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if route.deprecated {
        operation["deprecated"] = true.into();
    }
    if let Some(wants) = rights::of(&route.service, &route.method) {
        operation["x-argocd-rights"] = wanted(wants);
    }
    operation
}

/// Who may call a method, and the rights for it.
fn wanted(wants: &Wants) -> Value {
    let all = |rights: &[Right]| -> Vec<String> { rights.iter().map(ToString::to_string).collect() };
    let mut told = json!({"caller": wants.caller.as_str()});
    if !wants.all.is_empty() {
        told["all"] = all(&wants.all).into();
    }
    if !wants.also.is_empty() {
        let also = wants.also.iter();
        told["also"] = also
            .map(|condition| json!({"when": condition.when, "all": all(&condition.all)}))
            .collect::<Vec<_>>()
            .into();
    }
    if wants.filtered {
        told["filtered"] = true.into();
    }
    if !wants.note.is_empty() {
        told["note"] = wants.note.as_str().into();
    }
    told
}

fn parameters(route: &Route, used: &mut BTreeSet<String>) -> Vec<Value> {
    let mut parameters = Vec::new();
    let of_path: Vec<&str> = route.path_fields().collect();
    let Some(plan) = plans().find(&route.request).map(|id| plans().get(id)) else { return parameters };
    for field in &of_path {
        let mut parameter = found(plan, field).map_or_else(
            || json!({"type": "string"}),
            |field| {
                let mut schema = schema(field, &mut BTreeSet::new());
                schema.as_object_mut().map(|schema| schema.remove("$ref"));
                schema
            },
        );
        parameter["name"] = (*field).into();
        parameter["in"] = "path".into();
        parameter["required"] = true.into();
        parameters.push(parameter);
    }
    match &route.body {
        Body::Whole => {
            used.insert(route.request.clone());
            parameters.push(json!({
                "name": "body", "in": "body", "required": true, "schema": reference(&route.request),
            }));
        }
        Body::Field(name) => {
            let body = found(plan, name).map_or_else(|| json!({}), |field| schema(field, used));
            parameters.push(json!({"name": "body", "in": "body", "required": true, "schema": body}));
            query(plan, "", &of_path, Some(name), DEPTH, &mut parameters);
        }
        Body::None => query(plan, "", &of_path, None, DEPTH, &mut parameters),
    }
    parameters
}

/// The field that a dotted path leads to.
fn found<'p>(plan: &'p Plan, path: &str) -> Option<&'p Field> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let field = plan.fields.iter().find(|field| &*field.name == first)?;
    match (rest, field.element) {
        (None, _) => Some(field),
        (Some(rest), Element::Message(inner)) => found(plans().get(inner), rest),
        (Some(_), Element::Scalar(_)) => None,
    }
}

/// What may be said in the query: everything that neither path nor body says and that a text can say.
fn query(
    plan: &Plan,
    above: &str,
    of_path: &[&str],
    of_body: Option<&str>,
    depth: usize,
    parameters: &mut Vec<Value>,
) {
    for field in &plan.fields {
        let name = if above.is_empty() { field.name.to_string() } else { format!("{above}.{}", field.name) };
        if of_path.contains(&name.as_str()) || of_body == Some(name.as_str()) {
            continue;
        }
        match (field.element, field.shape) {
            (Element::Scalar(_), Shape::Single | Shape::List) => {
                let mut parameter = schema(field, &mut BTreeSet::new());
                parameter["name"] = name.into();
                parameter["in"] = "query".into();
                if field.required {
                    parameter["required"] = true.into();
                }
                if field.shape == Shape::List {
                    parameter["collectionFormat"] = "multi".into();
                }
                parameters.push(parameter);
            }
            (Element::Message(inner), Shape::Single) if depth > 0 => {
                query(plans().get(inner), &name, of_path, of_body, depth - 1, parameters);
            }
            _ => {}
        }
    }
}

fn scalar(scalar: Scalar) -> Value {
    match scalar {
        Scalar::String => json!({"type": "string"}),
        Scalar::Bytes => json!({"type": "string", "format": "byte"}),
        Scalar::Bool => json!({"type": "boolean"}),
        Scalar::Int32 => json!({"type": "integer", "format": "int32"}),
        Scalar::Int64 => json!({"type": "integer", "format": "int64"}),
    }
}

/// What a field's value is in JSON.
fn schema(field: &Field, used: &mut BTreeSet<String>) -> Value {
    let element = match field.element {
        Element::Scalar(kind) => scalar(kind),
        Element::Message(id) => {
            let name = name_of(id);
            used.insert(name.clone());
            reference(&name)
        }
    };
    match field.shape {
        Shape::Single => element,
        Shape::List => json!({"type": "array", "items": element}),
        Shape::Map => json!({"type": "object", "additionalProperties": element}),
    }
}

/// The full name of a message.
fn name_of(id: PlanId) -> String {
    plans().name(id).unwrap_or_default().to_owned()
}

/// The definitions of all that is used, and of what that uses.
fn definitions(mut waiting: BTreeSet<String>) -> BTreeMap<String, Value> {
    let mut made = BTreeMap::from([
        (
            "protobufAny".to_owned(),
            json!({"type": "object", "properties": {
                "type_url": {"type": "string"}, "value": {"type": "string", "format": "byte"},
            }}),
        ),
        (
            "runtimeError".to_owned(),
            json!({"type": "object", "properties": {
                "code": {"type": "integer", "format": "int32"},
                "details": {"type": "array", "items": {"$ref": "#/definitions/protobufAny"}},
                "error": {"type": "string"},
                "message": {"type": "string"},
            }}),
        ),
        (
            "runtimeStreamError".to_owned(),
            json!({"type": "object", "properties": {
                "details": {"type": "array", "items": {"$ref": "#/definitions/protobufAny"}},
                "grpc_code": {"type": "integer", "format": "int32"},
                "http_code": {"type": "integer", "format": "int32"},
                "http_status": {"type": "string"},
                "message": {"type": "string"},
            }}),
        ),
    ]);
    while let Some(message) = waiting.pop_first() {
        let name = definition(&message);
        if made.contains_key(&name) {
            continue;
        }
        let Some(id) = plans().find(&message) else { continue };
        made.insert(name, object(plans().get(id), &mut waiting));
    }
    made
}

fn object(plan: &Plan, used: &mut BTreeSet<String>) -> Value {
    match plan.codec {
        Codec::Time | Codec::MicroTime => return json!({"type": "string", "format": "date-time"}),
        Codec::IntOrString => return json!({"type": "string", "format": "int-or-string"}),
        Codec::RawJson => return json!({"description": "any JSON"}),
        Codec::Struct | Codec::PluginParameter | Codec::ResourceOverride => {}
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    members(plan, &mut properties, &mut required, used, 0);
    let mut object = json!({"type": "object"});
    if !properties.is_empty() {
        object["properties"] = properties.into();
    }
    if !required.is_empty() {
        required.sort_unstable();
        object["required"] = required.into();
    }
    object
}

/// The members of an object: a group's stand in an object of its own, inline messages' among the others.
fn members(
    plan: &Plan,
    properties: &mut Map<String, Value>,
    required: &mut Vec<String>,
    used: &mut BTreeSet<String>,
    depth: usize,
) {
    for field in &plan.fields {
        match (field.empty, field.element) {
            (Empty::Never, _) => {}
            (Empty::Inline, Element::Message(inner)) if depth < DEPTH => {
                members(plans().get(inner), properties, required, used, depth + 1);
            }
            _ => {
                let value = schema(field, used);
                let group = field.oneof.and_then(|group| plan.oneofs.get(group));
                match group {
                    None => {
                        properties.insert(field.key.to_string(), value);
                    }
                    Some(group) => {
                        let object = properties
                            .entry(group.key.to_string())
                            .or_insert_with(|| json!({"type": "object", "properties": {}}));
                        object["properties"][&*field.key] = value;
                    }
                }
                if field.required && group.is_none() {
                    required.push(field.key.to_string());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let document: Value = serde_json::from_str(document()).unwrap();
        for route in routes() {
            let path = &document["paths"][route.template.replace("=**}", "}")];
            assert!(
                path[route.verb.as_str().to_lowercase()].is_object(),
                "{} {}",
                route.verb,
                route.template
            );
        }
        let sync = &document["paths"]["/api/v1/applications/{name}/sync"]["post"];
        assert_eq!(sync["operationId"], "ApplicationService_Sync");
        assert_eq!(sync["parameters"][0]["in"], "path");
        assert_eq!(
            sync["parameters"][1]["schema"]["$ref"],
            "#/definitions/applicationApplicationSyncRequest"
        );
        let watch = &document["paths"]["/api/v1/stream/applications"]["get"]["responses"]["200"];
        assert_eq!(watch["description"], "A successful response.(streaming responses)");
    }

    #[test]
    fn every_operation_says_which_rights_it_wants() {
        let document: Value = serde_json::from_str(document()).unwrap();
        let callers = ["permitted", "logged in", "anybody", "nobody"];
        for (path, verbs) in document["paths"].as_object().unwrap() {
            for (verb, operation) in verbs.as_object().unwrap() {
                let caller = operation["x-argocd-rights"]["caller"].as_str().unwrap_or_default();
                assert!(callers.contains(&caller), "{verb} {path}: {caller:?}");
            }
        }
        let create = &document["paths"]["/api/v1/clusters"]["post"]["x-argocd-rights"];
        let also = json!([
            {"when": "`upsert` changes what is there", "all": ["clusters, update, {server}"]},
            {"when": "`upsert` takes it out of another project", "all": ["clusters, update, {oldProject}/{server}"]},
        ]);
        let wanted = json!({"caller": "permitted", "all": ["clusters, create, {server}"], "also": also});
        assert_eq!(*create, wanted);
        let list = &document["paths"]["/api/v1/applications"]["get"]["x-argocd-rights"];
        assert_eq!(list["filtered"], true);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
            match value {
                Value::Object(members) => members.iter().for_each(|(name, value)| match value {
                    Value::String(text) if name == "$ref" => {
                        found.insert(text);
                    }
                    value => references(value, found),
                }),
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(document()).unwrap();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let name = reference.strip_prefix("#/definitions/").unwrap();
            assert!(document["definitions"][name].is_object(), "{reference}");
        }
        let application = &document["definitions"]["v1alpha1Application"]["properties"];
        assert_eq!(application["spec"]["$ref"], "#/definitions/v1alpha1ApplicationSpec");
        assert_eq!(document["definitions"]["v1Time"], json!({"type": "string", "format": "date-time"}));
    }

    #[test]
    fn the_text_begins_as_clients_know_it() {
        assert!(super::document().starts_with("{\n  \"consumes\": [\n    \"application/json\""));
    }
}
