//! The API server's defaults, given to a value that has passed through its Go type.

use crate::schema::{self, Type};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../data/defaults.tsv");

type Members = Map<String, Value>;
type Rules = BTreeMap<&'static str, Vec<(&'static str, Value)>>;

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| {
        let mut rules = Rules::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.splitn(3, '\t');
            if let (Some(kind), Some(field), Some(value)) = (columns.next(), columns.next(), columns.next()) {
                let value = serde_json::from_str(value).unwrap_or_default();
                rules.entry(kind).or_default().push((field, value));
            }
        }
        rules
    })
}

/// Gives the members of a struct, and of everything in it, their defaults.
pub(crate) fn apply(name: &str, members: &mut Members) {
    special(name, members);
    let Some(fields) = schema::fields(name) else { return };
    for (field, value) in rules().get(name).into_iter().flatten() {
        // A field that is no pointer cannot tell nothing from its zero, which Go writes where it may not leave it out.
        let pointerless =
            fields.get(field).is_some_and(|field| matches!(field.kind, Type::Text | Type::Int(..)));
        if pointerless && members.get(*field).is_some_and(|found| *found == json!("") || *found == json!(0)) {
            members.remove(*field);
        }
        set(members, field, value.clone());
    }
    for (field, value) in members.iter_mut() {
        if let Some(field) = fields.get(field.as_str()) {
            descend(&field.kind, value);
        }
    }
}

fn descend(kind: &Type, value: &mut Value) {
    match (kind, value) {
        (Type::Pointer(inner), value) => descend(inner, value),
        (Type::List(inner), Value::Array(items)) => items.iter_mut().for_each(|item| descend(inner, item)),
        (Type::Map(inner), Value::Object(members)) => {
            members.values_mut().for_each(|value| descend(inner, value));
        }
        (Type::Struct(name), Value::Object(members)) => apply(name, members),
        _ => {}
    }
}

/// Sets a field that is not there, or that Go cannot tell from one that is not.
fn set(members: &mut Members, field: &str, value: Value) {
    if members.get(field).is_none_or(Value::is_null) {
        members.insert(field.to_owned(), value);
    }
}

fn text<'a>(members: &'a Members, field: &str) -> &'a str {
    members.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn object<'a>(members: &'a mut Members, field: &str) -> Option<&'a mut Members> {
    members.get_mut(field).and_then(Value::as_object_mut)
}

/// A field as an object, made when it is not there.
fn made<'a>(members: &'a mut Members, field: &str) -> Option<&'a mut Members> {
    set(members, field, json!({}));
    object(members, field)
}

/// Defaults that depend on something.
fn special(name: &str, members: &mut Members) {
    match name {
        "core/v1.Container" | "core/v1.EphemeralContainer" => {
            let policy = if image_is_latest(text(members, "image")) { "Always" } else { "IfNotPresent" };
            set(members, "imagePullPolicy", policy.into());
        }
        "core/v1.ImageVolumeSource" => {
            let policy = if image_is_latest(text(members, "reference")) { "Always" } else { "IfNotPresent" };
            set(members, "pullPolicy", policy.into());
        }
        "core/v1.Volume" if members.keys().all(|field| field == "name") => {
            set(members, "emptyDir", json!({}));
        }
        "core/v1.Pod" => pod(members),
        "core/v1.Service" => service(members),
        "core/v1.Namespace" => namespace(members),
        "core/v1.LimitRangeItem" => limit_range_item(members),
        "core/v1.ReplicationController" => replication_controller(members),
        "apps/v1.Deployment" | "apps/v1beta2.Deployment" => {
            if let Some(strategy) = made_in_spec(members, "strategy") {
                set(strategy, "type", "RollingUpdate".into());
                if text(strategy, "type") == "RollingUpdate"
                    && let Some(rolling) = made(strategy, "rollingUpdate")
                {
                    set(rolling, "maxUnavailable", "25%".into());
                    set(rolling, "maxSurge", "25%".into());
                }
            }
        }
        "apps/v1.DaemonSet" | "apps/v1beta2.DaemonSet" => {
            if let Some(strategy) = made_in_spec(members, "updateStrategy") {
                set(strategy, "type", "RollingUpdate".into());
                if text(strategy, "type") == "RollingUpdate"
                    && let Some(rolling) = made(strategy, "rollingUpdate")
                {
                    set(rolling, "maxUnavailable", 1.into());
                    set(rolling, "maxSurge", 0.into());
                }
            }
        }
        "apps/v1.StatefulSet" | "apps/v1beta2.StatefulSet" => stateful_set(members),
        "batch/v1.Job" => job(members),
        "networking/v1.NetworkPolicy" => network_policy(members),
        "rbac/v1.Subject" if matches!(text(members, "kind"), "User" | "Group") => {
            set(members, "apiGroup", "rbac.authorization.k8s.io".into());
        }
        "autoscaling/v2.HorizontalPodAutoscaler" => horizontal_pod_autoscaler(members),
        _ => {}
    }
}

fn made_in_spec<'a>(members: &'a mut Members, field: &str) -> Option<&'a mut Members> {
    made(object(members, "spec")?, field)
}

/// Whether an image is pulled by the tag `latest`, said or not. What is no image name is not.
fn image_is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match name[last..].rfind(':') {
        Some(at) => (&name[..last + at], Some(&name[last + at + 1..])),
        None => (name, None),
    };
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    };
    let mut parts = path.split('/');
    let host = path.contains('/')
        && path.split('/').next().is_some_and(|host| host.contains(['.', ':']) || host == "localhost");
    if host {
        parts.next();
    }
    if !parts.all(part) {
        return false;
    }
    match tag {
        Some(tag) => tag == "latest",
        None => digest.is_none(),
    }
}

fn pod(members: &mut Members) {
    let Some(spec) = object(members, "spec") else { return };
    set(spec, "enableServiceLinks", true.into());
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers"] {
        let Some(Value::Array(containers)) = spec.get_mut(list) else { continue };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(resources) = object(container, "resources")
                && let Some(Value::Object(limits)) = resources.get("limits").cloned()
                && let Some(requests) = made(resources, "requests")
            {
                for (name, limit) in limits {
                    set(requests, &name, limit);
                }
            }
            let ports = container.get_mut("ports").and_then(Value::as_array_mut).filter(|_| host_network);
            for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
                if let Some(number) = port.get("containerPort").cloned() {
                    set(port, "hostPort", number);
                }
            }
        }
    }
}

fn service(members: &mut Members) {
    let Some(spec) = object(members, "spec") else { return };
    set(spec, "sessionAffinity", "None".into());
    set(spec, "type", "ClusterIP".into());
    match text(spec, "sessionAffinity") {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let timeout = spec
                .get("sessionAffinityConfig")
                .and_then(|config| config.get("clientIP")?.get("timeoutSeconds"));
            if timeout.is_none_or(Value::is_null) {
                spec.insert("sessionAffinityConfig".into(), json!({"clientIP": {"timeoutSeconds": 10800}}));
            }
        }
        _ => {}
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(port) = port.as_object_mut() else { continue };
        let target = port.get("targetPort");
        if target.is_none_or(|target| target.is_null() || *target == json!(0) || *target == json!(""))
            && let Some(number) = port.get("port").cloned()
        {
            port.insert("targetPort".into(), number);
        }
    }
    let kind = text(spec, "type").to_owned();
    let external = spec.get("externalIPs").and_then(Value::as_array).is_some_and(|ips| !ips.is_empty());
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && external) {
        set(spec, "externalTrafficPolicy", "Cluster".into());
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        set(spec, "internalTrafficPolicy", "Cluster".into());
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", true.into());
        let ingress =
            members.get_mut("status").and_then(|status| status.get_mut("loadBalancer")?.get_mut("ingress"));
        for entry in
            ingress.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
        {
            if !text(entry, "ip").is_empty() {
                set(entry, "ipMode", "VIP".into());
            }
        }
    }
}

fn namespace(members: &mut Members) {
    let Some(metadata) = object(members, "metadata") else { return };
    let name = text(metadata, "name").to_owned();
    if !name.is_empty()
        && let Some(labels) = made(metadata, "labels")
    {
        labels.insert("kubernetes.io/metadata.name".into(), name.into());
    }
}

fn limit_range_item(members: &mut Members) {
    if text(members, "type") != "Container" {
        return;
    }
    let list = |members: &Members, field: &str| {
        members.get(field).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut default = list(members, "default");
    for (name, value) in list(members, "max") {
        set(&mut default, &name, value);
    }
    let mut request = list(members, "defaultRequest");
    for (name, value) in default.clone().into_iter().chain(list(members, "min")) {
        set(&mut request, &name, value);
    }
    for (field, values) in [("default", default), ("defaultRequest", request)] {
        if !values.is_empty() {
            members.insert(field.to_owned(), Value::Object(values));
        }
    }
}

/// Labels of the pod template, where there are any.
fn template_labels(members: &Members) -> Option<Value> {
    let labels = members.get("spec")?.get("template")?.get("metadata")?.get("labels")?;
    labels.is_object().then(|| labels.clone())
}

fn label_as_template(members: &mut Members, labels: Value) {
    if let Some(metadata) = made(members, "metadata") {
        set(metadata, "labels", labels);
    }
}

fn replication_controller(members: &mut Members) {
    let Some(labels) = template_labels(members) else { return };
    if let Some(spec) = object(members, "spec") {
        set(spec, "selector", labels.clone());
    }
    label_as_template(members, labels);
}

fn stateful_set(members: &mut Members) {
    let Some(strategy) = made_in_spec(members, "updateStrategy") else { return };
    if text(strategy, "type").is_empty() {
        set(strategy, "type", "RollingUpdate".into());
        set(strategy, "rollingUpdate", json!({}));
    }
    if text(strategy, "type") == "RollingUpdate"
        && let Some(rolling) = object(strategy, "rollingUpdate")
    {
        set(rolling, "partition", 0.into());
    }
}

fn job(members: &mut Members) {
    if let Some(labels) = template_labels(members) {
        label_as_template(members, labels);
    }
    let Some(spec) = object(members, "spec") else { return };
    let absent = |spec: &Members, field: &str| spec.get(field).is_none_or(Value::is_null);
    if absent(spec, "completions") && absent(spec, "parallelism") {
        set(spec, "completions", 1.into());
    }
    set(spec, "parallelism", 1.into());
    let limit = if absent(spec, "backoffLimitPerIndex") { 6 } else { i32::MAX };
    set(spec, "backoffLimit", limit.into());
    set(spec, "completionMode", "NonIndexed".into());
    set(spec, "suspend", false.into());
    let replacement = if absent(spec, "podFailurePolicy") { "TerminatingOrFailed" } else { "Failed" };
    set(spec, "podReplacementPolicy", replacement.into());
    set(spec, "manualSelector", false.into());
}

fn network_policy(members: &mut Members) {
    let Some(spec) = object(members, "spec") else { return };
    let egress = spec.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
    let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set(spec, "policyTypes", types);
}

fn horizontal_pod_autoscaler(members: &mut Members) {
    let Some(spec) = object(members, "spec") else { return };
    let metric = json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    set(spec, "metrics", metric);
    let Some(behavior) = object(spec, "behavior") else { return };
    let quarter = 15;
    let up = json!({
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": quarter},
            {"type": "Percent", "value": 100, "periodSeconds": quarter},
        ],
    });
    let down = json!({
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": quarter}],
    });
    for (direction, defaults) in [("scaleUp", up), ("scaleDown", down)] {
        if let (Some(rules), Value::Object(defaults)) = (made(behavior, direction), defaults) {
            for (field, value) in defaults {
                set(rules, &field, value);
            }
        }
    }
}
