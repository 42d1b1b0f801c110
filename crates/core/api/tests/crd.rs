//! The generated CRDs have the fields, types and constraints of the original's: `cases/crd/<kind>.txt`, one
//! field a line, written from `reference/crd.yaml` (Argo CD 3.6.0).
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads its cases and fails by panicking"
)]

use serde_json::Value;
use std::path::Path;

#[test]
fn application() {
    check("application", &api::crd::application());
}

#[test]
fn application_set() {
    check("applicationset", &api::crd::application_set());
}

#[test]
fn app_project() {
    check("appproject", &api::crd::app_project());
}

fn check(kind: &str, crd: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../cases/crd").join(format!("{kind}.txt"));
    let expected = std::fs::read_to_string(&path).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut actual = Vec::new();
    properties("", schema, &mut actual);
    actual.sort();
    let missing: Vec<_> = expected.lines().filter(|line| !actual.iter().any(|other| other == line)).collect();
    let extra: Vec<_> = actual.iter().filter(|line| !expected.lines().any(|other| other == *line)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:#?}\nextra: {extra:#?}");
}

fn properties(path: &str, schema: &Value, lines: &mut Vec<String>) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let required = required.iter().any(|entry| entry == name);
        field(&format!("{path}.{name}"), property, required, lines);
    }
    for entry in required {
        let name = entry.as_str().unwrap();
        assert!(schema["properties"].get(name).is_some(), "{path} requires {name}, which it does not have");
    }
}

fn field(path: &str, schema: &Value, required: bool, lines: &mut Vec<String>) {
    let (mut suffix, mut inner) = (String::new(), schema);
    loop {
        if inner["type"] == "array" {
            suffix.push_str("[]");
            inner = &inner["items"];
        } else if inner["additionalProperties"].is_object() {
            suffix.push_str("{}");
            inner = &inner["additionalProperties"];
        } else {
            break;
        }
    }
    let preserves = inner["x-kubernetes-preserve-unknown-fields"] == true;
    let base = if inner["x-kubernetes-int-or-string"] == true {
        "int-or-string"
    } else {
        inner["type"].as_str().unwrap_or("any")
    };
    let mut line = format!("{path} {base}{suffix}");
    if preserves {
        line.push_str(" preserve-unknown");
    }
    for word in ["format", "enum", "maxLength", "pattern", "minLength"] {
        if let Some(value) = inner.get(word) {
            let text = value.to_string().replace("\",\"", "\", \"");
            line.push_str(&format!(" {word}={text}"));
        }
    }
    for (word, name) in [("x-kubernetes-list-type", "list-type"), ("x-kubernetes-map-type", "map-type")] {
        if let Some(value) = schema.get(word).or_else(|| inner.get(word)).and_then(Value::as_str) {
            line.push_str(&format!(" {name}={value}"));
        }
    }
    if required {
        line.push_str(" required");
    }
    lines.push(line);
    properties(&format!("{path}{suffix}"), inner, lines);
}
