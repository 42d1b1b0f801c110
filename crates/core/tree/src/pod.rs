//! Pods: the status reason `kubectl get` shows, containers, restarts, images and requests.

use crate::host::{PodFacts, Usage, milli};
use crate::info::{NodeInfo, item};
use object::Object;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub(crate) fn describe(live: &Object, node: &mut NodeInfo) {
    let containers = list(live, &["spec", "containers"]);
    let initial = list(live, &["spec", "initContainers"]);
    let images: BTreeSet<&str> = initial.iter().chain(containers).map(|it| text(it, "image")).collect();
    node.images = images.into_iter().map(str::to_owned).collect();

    let progress = progress(live);
    if !progress.reason.is_empty() {
        node.info.push(item("Status Reason", progress.reason));
    }
    let host = live.text_at(&["spec", "nodeName"]);
    node.info.push(item("Node", host));
    let total = containers.len() + initial.iter().filter(|it| is_sidecar(it)).count();
    node.info.push(item("Containers", format!("{}/{total}", progress.ready)));
    if progress.restarts > 0 {
        node.info.push(item("Restart Count", progress.restarts.to_string()));
    }
    let requests = requests(live);
    let finished = matches!(live.text_at(&["status", "phase"]), "Succeeded" | "Failed");
    if !finished {
        node.info.push(item("cpu", requests.cpu.to_string()));
        node.info.push(item("memory", requests.memory.to_string()));
    }
    node.pod = Some(Box::new(PodFacts { host: host.to_owned(), requests, finished }));
}

struct Progress {
    reason: String,
    ready: usize,
    restarts: i64,
}

/// Walks the containers' states the way `kubectl` does.
fn progress(live: &Object) -> Progress {
    let phase = live.text_at(&["status", "phase"]);
    let status_reason = live.text_at(&["status", "reason"]);
    let mut progress = Progress {
        reason: if status_reason.is_empty() { phase } else { status_reason }.to_owned(),
        ready: 0,
        restarts: 0,
    };
    let conditions = list(live, &["status", "conditions"]);
    let scheduled = conditions.iter().find(|it| text(it, "type") == "PodScheduled");
    if scheduled.is_some_and(|it| text(it, "reason") == "SchedulingGated") {
        progress.reason = "SchedulingGated".into();
    }
    let initializing = initial_containers(live, &mut progress);
    let initialized = conditions
        .iter()
        .find(|it| text(it, "type") == "Initialized")
        .is_some_and(|it| text(it, "status") == "True");
    if !initializing || initialized {
        main_containers(live, &mut progress);
    }
    if !live.deletion_timestamp().is_empty() {
        if status_reason == "NodeLost" {
            progress.reason = "Unknown".into();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            progress.reason = "Terminating".into();
        }
    }
    progress
}

/// Whether one of the first containers still runs or has failed.
fn initial_containers(live: &Object, progress: &mut Progress) -> bool {
    let specs = list(live, &["spec", "initContainers"]);
    for (index, status) in list(live, &["status", "initContainerStatuses"]).iter().enumerate() {
        progress.restarts = progress.restarts.saturating_add(number(status, "restartCount"));
        let spec = specs.iter().find(|spec| text(spec, "name") == text(status, "name"));
        let terminated = state(status, "terminated");
        if terminated.is_some_and(|it| number(it, "exitCode") == 0) {
            continue;
        }
        if spec.is_some_and(is_sidecar) && flag(status, "started") {
            progress.ready += usize::from(flag(status, "ready"));
            continue;
        }
        let waiting = state(status, "waiting").map_or("", |it| text(it, "reason"));
        let why = match terminated {
            Some(terminated) => end(terminated),
            None if !waiting.is_empty() && waiting != "PodInitializing" => waiting.to_owned(),
            None => format!("{index}/{}", specs.len()),
        };
        progress.reason = format!("Init:{why}");
        return true;
    }
    false
}

fn main_containers(live: &Object, progress: &mut Progress) {
    let mut running = false;
    for status in list(live, &["status", "containerStatuses"]).iter().rev() {
        progress.restarts = progress.restarts.saturating_add(number(status, "restartCount"));
        let waiting = state(status, "waiting").map_or("", |it| text(it, "reason"));
        if !waiting.is_empty() {
            progress.reason = waiting.to_owned();
        } else if let Some(terminated) = state(status, "terminated") {
            progress.reason = end(terminated);
        } else if flag(status, "ready") && state(status, "running").is_some() {
            running = true;
            progress.ready += 1;
        }
    }
    if progress.reason == "Completed" && running {
        progress.reason = "Running".into();
    }
}

/// Why a container ended.
fn end(terminated: &Value) -> String {
    let reason = text(terminated, "reason");
    let signal = number(terminated, "signal");
    if !reason.is_empty() {
        reason.to_owned()
    } else if signal != 0 {
        format!("Signal:{signal}")
    } else {
        format!("ExitCode:{}", number(terminated, "exitCode"))
    }
}

/// What the scheduler counts: containers together, or the largest of those that run before them.
fn requests(live: &Object) -> Usage {
    let of = |container: &Value| usage(container.pointer("/resources/requests"));
    let mut running = list(live, &["spec", "containers"]).iter().map(of).fold(Usage::default(), Usage::plus);
    let (mut sidecars, mut largest) = (Usage::default(), Usage::default());
    for container in list(live, &["spec", "initContainers"]) {
        if is_sidecar(container) {
            sidecars = sidecars.plus(of(container));
            largest = largest.max(sidecars);
        } else {
            largest = largest.max(sidecars.plus(of(container)));
        }
    }
    running = running.plus(sidecars).max(largest);
    let whole = live.at(&["spec", "resources", "requests"]).and_then(Value::as_object);
    for (name, quantity) in whole.into_iter().flatten() {
        running.set(name, milli(quantity));
    }
    running.plus(usage(live.at(&["spec", "overhead"])))
}

fn usage(quantities: Option<&Value>) -> Usage {
    let mut usage = Usage::default();
    for (name, quantity) in quantities.and_then(Value::as_object).unwrap_or(&Map::new()) {
        usage.set(name, milli(quantity));
    }
    usage
}

/// A container of the first ones that goes on running beside the others.
fn is_sidecar(container: &Value) -> bool {
    text(container, "restartPolicy") == "Always"
}

fn state<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status.get("state")?.get(name).filter(|state| state.is_object())
}

fn list<'a>(live: &'a Object, path: &[&str]) -> &'a [Value] {
    live.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or(0)
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}
