//! Nodes, and how much of them an application asks for.

use api::k8s::core_v1::NodeSystemInfo;
use api::v1alpha1::{HostInfo, HostResourceInfo};
use object::{Object, Quantity};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Amounts in thousandths: of a core, of a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time.
    pub cpu: i64,
    /// Memory.
    pub memory: i64,
    /// Storage.
    pub storage: i64,
}

/// What is kept of a pod for its node's sake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodFacts {
    /// The node it runs on; empty while it has none.
    pub host: String,
    /// What it asks for.
    pub requests: Usage,
    /// Whether it has ended and asks for nothing any more.
    pub finished: bool,
}

/// What is kept of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostFacts {
    /// What it has.
    pub capacity: Usage,
    /// What it is.
    pub system: NodeSystemInfo,
    /// The labels users want to see.
    pub labels: BTreeMap<String, String>,
}

impl Usage {
    pub(crate) fn plus(self, other: Self) -> Self {
        self.each(other, i64::saturating_add)
    }

    pub(crate) fn max(self, other: Self) -> Self {
        self.each(other, i64::max)
    }

    fn each(self, other: Self, of: fn(i64, i64) -> i64) -> Self {
        Self {
            cpu: of(self.cpu, other.cpu),
            memory: of(self.memory, other.memory),
            storage: of(self.storage, other.storage),
        }
    }

    pub(crate) fn set(&mut self, name: &str, amount: i64) {
        match name {
            "cpu" => self.cpu = amount,
            "memory" => self.memory = amount,
            "storage" => self.storage = amount,
            _ => {}
        }
    }

    fn named(self) -> [(&'static str, i64); 3] {
        [("cpu", self.cpu), ("memory", self.memory), ("storage", self.storage)]
    }
}

/// A quantity in thousandths, rounded up; nothing for what is none.
pub(crate) fn milli(quantity: &Value) -> i64 {
    let text = match quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return 0,
    };
    let Ok(quantity) = text.parse::<Quantity>() else { return 0 };
    let exact = quantity.as_f64() * 1000.0;
    let whole = exact.round();
    // What floating point adds to `0.1` is no amount.
    let near = (exact - whole).abs() <= 1e-9 * whole.abs().max(1.0);
    (if near { whole } else { exact.ceil() }) as i64
}

pub(crate) fn host_facts(live: &Object, labels: &[String]) -> HostFacts {
    let mut capacity = Usage::default();
    for (name, quantity) in live.at(&["status", "capacity"]).and_then(Value::as_object).into_iter().flatten()
    {
        capacity.set(name, milli(quantity));
    }
    let system = live.at(&["status", "nodeInfo"]).cloned().unwrap_or(Value::Null);
    let shown = labels.iter().filter_map(|name| Some((name.clone(), live.label(name)?.to_owned())));
    HostFacts {
        capacity,
        system: serde_json::from_value(system).unwrap_or_default(),
        labels: shown.collect(),
    }
}

/// The nodes an application's pods run on. `pods` are all pods of those nodes, each with whether it is the
/// application's; `hosts` are nodes by name.
pub(crate) fn hosts<'a>(
    own: impl IntoIterator<Item = &'a PodFacts>,
    neighbours: impl IntoIterator<Item = &'a PodFacts>,
    hosts: &BTreeMap<String, &HostFacts>,
) -> Vec<HostInfo> {
    let mut asked: BTreeMap<&str, (Usage, Usage)> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for pod in own {
        let entry = asked.entry(&pod.host).or_default();
        entry.0 = entry.0.plus(pod.requests);
        used.insert(pod.host.as_str());
    }
    for pod in neighbours.into_iter().filter(|pod| !pod.finished) {
        let entry = asked.entry(&pod.host).or_default();
        entry.1 = entry.1.plus(pod.requests);
    }
    let shown = used.into_iter().filter_map(|name| Some((name, *hosts.get(name)?, asked[name])));
    shown.map(|(name, host, (own, others))| host_info(name, host, own, others)).collect()
}

fn host_info(name: &str, host: &HostFacts, own: Usage, others: Usage) -> HostInfo {
    let amounts = host.capacity.named().into_iter().zip(own.named()).zip(others.named());
    let resources_info = amounts
        .filter(|(((_, capacity), _), _)| *capacity > 0)
        .map(|(((resource, capacity), (_, own)), (_, others))| HostResourceInfo {
            resource_name: resource.into(),
            requested_by_app: own,
            requested_by_neighbors: others,
            capacity,
        })
        .collect();
    HostInfo {
        name: name.into(),
        resources_info,
        system_info: host.system.clone(),
        labels: host.labels.clone(),
    }
}
