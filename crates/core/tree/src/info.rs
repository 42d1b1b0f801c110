//! What the tree shows of one object.

use crate::host::{HostFacts, PodFacts};
use crate::{host, network, pod};
use api::names::LINK_PREFIX;
use api::v1alpha1::{InfoItem, ResourceNetworkingInfo};
use object::Object;
use serde_json::Value;
use url::Url;

/// What is kept of every live object. Small: most of a cluster's objects have nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeInfo {
    /// Named facts, in the order they are shown.
    pub info: Vec<InfoItem>,
    /// What leads to and from it.
    pub networking: Option<Box<ResourceNetworkingInfo>>,
    /// Images it runs; sorted.
    pub images: Vec<String>,
    /// For pods: where it runs and what it asks for.
    pub pod: Option<Box<PodFacts>>,
    /// For nodes: what it has.
    pub host: Option<Box<HostFacts>>,
    /// For StatefulSets: names of its volume claim templates.
    pub claim_templates: Vec<String>,
}

/// What users want to see beyond the rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct InfoOptions<'a> {
    /// Labels shown of any object.
    pub labels: &'a [String],
    /// Labels shown of nodes.
    pub node_labels: &'a [String],
}

/// Takes out of an object what the tree shows of it.
pub fn node_info(live: &Object, options: InfoOptions<'_>) -> NodeInfo {
    let mut node = NodeInfo::default();
    let revision = revision(live);
    if revision > 0 {
        node.info.push(item("Revision", format!("Rev:{revision}")));
    }
    for label in options.labels {
        if let Some(value) = live.label(label) {
            node.info.push(item(label, value));
        }
    }
    let links = links(live);
    node.networking = network::networking(live, links).map(Box::new);
    match (live.group(), live.kind()) {
        ("", "Pod") => pod::describe(live, &mut node),
        ("", "Node") => node.host = Some(Box::new(host::host_facts(live, options.node_labels))),
        ("apps" | "extensions", "StatefulSet") => node.claim_templates = claim_templates(live),
        ("argoproj.io", "Application") => {
            if let Some(address) = live.annotation("argocd.argoproj.io/managed-by-url") {
                node.info.push(item("managed-by-url", address));
            }
        }
        _ => {}
    }
    node
}

pub(crate) fn item(name: &str, value: impl Into<String>) -> InfoItem {
    InfoItem { name: name.into(), value: value.into() }
}

/// The number of a roll-out: of Deployments and what they own, of Rollouts, of ControllerRevisions.
fn revision(live: &Object) -> i64 {
    let annotated = ["deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"];
    match annotated.iter().find_map(|name| live.annotation(name)) {
        Some(text) => text.parse().unwrap_or(0),
        None => live.0.get("revision").and_then(Value::as_i64).unwrap_or(0),
    }
}

/// Links users put on the object: an address, or `title|address`. Other schemes than http and https would run
/// in the browser of whoever clicks.
fn links(live: &Object) -> Vec<String> {
    let annotations = live.annotations().into_iter();
    annotations
        .filter(|(name, value)| {
            let address = value.split_once('|').map_or(value.as_str(), |(_, address)| address);
            name.starts_with(LINK_PREFIX) && is_web_address(address)
        })
        .map(|(_, value)| value)
        .collect()
}

fn is_web_address(address: &str) -> bool {
    Url::parse(address).is_ok_and(|address| matches!(address.scheme(), "http" | "https"))
}

fn claim_templates(live: &Object) -> Vec<String> {
    let templates = live.at(&["spec", "volumeClaimTemplates"]).and_then(Value::as_array);
    templates
        .into_iter()
        .flatten()
        .filter_map(|template| Some(template.pointer("/metadata/name")?.as_str()?.to_owned()))
        .collect()
}
