//! The charts of the corpora with random values: what their own values files say, changed.

use super::chance::Chance;
use super::{Corpora, Input, trees};
use crate::corpora::folders;
use crate::files::Files;
use crate::ours::HelmCall;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// Charts with more than this are left out: a process takes seconds for them.
const LARGEST_BYTES: usize = 3 << 20;

pub(crate) fn make(chance: &mut Chance, corpora: &Corpora) -> Result<Input> {
    let charts = folders(&corpora.0.join("helm-charts")).context("the corpora's charts are needed")?;
    let mut files = Files::default();
    while files.0.is_empty() {
        let (_, path) = chance.pick(&charts);
        let read = Files::read(path)?;
        if read.0.values().map(Vec::len).sum::<usize>() <= LARGEST_BYTES {
            files.0 = read.0.into_iter().map(|(path, content)| (format!("chart/{path}"), content)).collect();
        }
    }
    let own = files.0.get("chart/values.yaml").map(Vec::as_slice).unwrap_or_default();
    let own = object::yaml::decode(own).unwrap_or_default();
    let mut changed = Value::Object(Map::new());
    for _ in 0..=chance.below(8) {
        let path = way(chance, &own);
        let before = path.iter().try_fold(&own, |value, key| value.get(key)).cloned().unwrap_or_default();
        put(&mut changed, &path, other(chance, &before));
    }
    files.add("values.yaml", object::yaml::encode(&changed));
    let mut call = HelmCall {
        chart: "chart".into(),
        release: "rel".into(),
        namespace: "ns".into(),
        ..HelmCall::default()
    };
    (*chance.pick(&["1.31.0", "1.25.16", "1.33.1"])).clone_into(&mut call.kube_version);
    call.values_files.push("values.yaml".into());
    call.include_crds = chance.percent(20);
    call.skip_tests = chance.percent(20);
    if chance.percent(30) {
        call.api_versions.extend(["monitoring.coreos.com/v1".into(), "policy/v1/PodDisruptionBudget".into()]);
    }
    Ok(Input { files, arguments: call.arguments() })
}

/// The keys to a random place.
fn way(chance: &mut Chance, values: &Value) -> Vec<String> {
    let mut way = Vec::new();
    let mut here = values;
    while let Some(members) = here.as_object().filter(|members| !members.is_empty()) {
        if !way.is_empty() && chance.percent(12) {
            break;
        }
        let keys: Vec<&String> = members.keys().collect();
        let key = *chance.pick(&keys);
        way.push(key.clone());
        here = &members[key];
    }
    way
}

fn put(values: &mut Value, way: &[String], value: Value) {
    let Some((first, rest)) = way.split_first() else { return };
    if !values.is_object() {
        *values = Value::Object(Map::new());
    }
    let members = values.as_object_mut().expect("it was made one above");
    let place = members.entry(first.clone()).or_insert(Value::Null);
    if rest.is_empty() { *place = value } else { put(place, rest, value) }
}

/// Something that may stand in the place of a value: mostly of the same kind.
fn other(chance: &mut Chance, before: &Value) -> Value {
    if chance.percent(6) {
        return trees::value(chance, 1);
    }
    match before {
        Value::Bool(truth) => json!(!truth),
        Value::Number(_) => json!(*chance.pick(&[0, 1, 2, 3, 443, 8080, 100_000, 12_345_678])),
        Value::Array(items) => {
            let mut items = items.clone();
            match chance.below(5) {
                0 => items.clear(),
                1 => items.push(json!("extra")),
                2 => items.push(json!({"name": "extra", "value": "x", "key": "k", "operator": "Exists"})),
                3 => items.push(json!("{{ .Release.Name }}-x")),
                _ => items.extend(items.clone()),
            }
            Value::Array(items)
        }
        Value::Object(members) if members.is_empty() || chance.percent(40) => {
            let maps = [
                json!({"app": "x", "n": 1}),
                json!({"cpu": "100m", "memory": "1Gi"}),
                json!({"limits": {"cpu": 1}}),
                json!({"a.b/c": "true"}),
                json!({"enabled": true}),
                json!({"runAsUser": 1000, "runAsNonRoot": true}),
                json!({"k": "{{ .Release.Name }}"}),
                json!({}),
            ];
            chance.pick(&maps).clone()
        }
        Value::Null | Value::Object(_) | Value::String(_) => {
            let texts = [
                "x",
                "",
                "1",
                "true",
                "a-b",
                "LoadBalancer",
                "{{ .Release.Name }}",
                "ClusterIP",
                "{{ .Values.nope }}",
                "multi\nline",
                "10Gi",
                "latest",
                "v1.2.3",
            ];
            if chance.percent(10) { Value::Null } else { json!(*chance.pick(&texts)) }
        }
    }
}
