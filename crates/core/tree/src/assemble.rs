//! From live nodes to the tree clients know.

use crate::host::{HostFacts, PodFacts, hosts};
use crate::info::NodeInfo;
use crate::owner::claims;
use api::codes::HealthStatusCode;
use api::k8s::meta_v1::Time;
use api::v1alpha1::{ApplicationSummary, ApplicationTree, ResourceNode, ResourceRef};
use health::HealthStatus;
use object::{ResourceKey, split_api_version};
use std::collections::{BTreeMap, BTreeSet};

/// One live object, as much as the tree shows of it.
#[derive(Clone, Debug)]
pub struct LiveNode<'a> {
    /// Names it.
    pub key: ResourceKey,
    /// API version without the group.
    pub version: &'a str,
    /// Uid; empty for virtual objects.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// When it was made.
    pub created: Option<Time>,
    /// Its owners, those it names and those implied.
    pub owners: Vec<Owner>,
    /// What it shows.
    pub info: &'a NodeInfo,
    /// How it is.
    pub health: Option<&'a HealthStatus>,
}

/// An owner of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// API version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Uid; empty for one known by name only.
    pub uid: String,
}

/// What a tree is made of.
#[derive(Clone, Debug, Default)]
pub struct Input<'a> {
    /// The application's live objects and all they own, in any order, those its project does not permit left out.
    pub nodes: Vec<LiveNode<'a>>,
    /// Managed objects that are not in the cluster.
    pub missing: Vec<ResourceRef>,
    /// Objects of the application's namespace that no application manages, and all they own.
    pub orphans: Vec<LiveNode<'a>>,
    /// Nodes of the cluster the application's pods run on.
    pub hosts: BTreeMap<String, &'a HostFacts>,
    /// Pods of other applications on those nodes.
    pub neighbours: Vec<&'a PodFacts>,
}

/// The resource tree of an application.
pub fn application_tree(input: &Input<'_>) -> ApplicationTree {
    let known = input.nodes.iter().chain(&input.orphans).map(|node| (&node.key, node)).collect();
    let live = input.nodes.iter().map(|node| resource_node(node, &known));
    let absent = HealthStatus::new(HealthStatusCode::Missing, "").to_api();
    let missing = input.missing.iter().map(|missing| ResourceNode {
        resource_ref: missing.clone(),
        health: Some(absent.clone()),
        ..ResourceNode::default()
    });
    let own = input.nodes.iter().filter_map(|node| node.info.pod.as_deref());
    ApplicationTree {
        nodes: sorted(live.chain(missing)),
        orphaned_nodes: sorted(input.orphans.iter().map(|node| resource_node(node, &known))),
        hosts: hosts(own, input.neighbours.iter().copied(), &input.hosts),
        shards_count: 0,
    }
}

/// Each node once, by its full name.
fn sorted(nodes: impl Iterator<Item = ResourceNode>) -> Vec<ResourceNode> {
    let mut named: Vec<(String, ResourceNode)> =
        nodes.map(|node| (full_name(&node.resource_ref), node)).collect();
    // A live node comes before a missing one of the same name, and stays.
    named.sort_by(|left, right| {
        left.0.cmp(&right.0).then_with(|| right.1.resource_ref.uid.cmp(&left.1.resource_ref.uid))
    });
    named.dedup_by(|later, first| later.0 == first.0);
    named.into_iter().map(|(_, node)| node).collect()
}

fn full_name(reference: &ResourceRef) -> String {
    let ResourceRef { group, kind, namespace, name, .. } = reference;
    format!("{group}/{kind}/{namespace}/{name}")
}

/// One node. Owners known by name only are shown when they are among the `known` nodes.
pub fn resource_node(node: &LiveNode<'_>, known: &BTreeMap<&ResourceKey, &LiveNode<'_>>) -> ResourceNode {
    let mut seen = BTreeSet::new();
    let parents = node.owners.iter().filter_map(|owner| parent(node, owner, known));
    ResourceNode {
        resource_ref: reference(node),
        parent_refs: parents
            .filter(|parent| seen.insert((parent.kind.clone(), parent.name.clone(), parent.uid.clone())))
            .collect(),
        info: node.info.info.clone(),
        networking_info: node.info.networking.as_deref().cloned(),
        resource_version: node.resource_version.clone(),
        images: node.info.images.clone(),
        health: node.health.map(HealthStatus::to_api),
        created_at: node.created,
    }
}

fn reference(node: &LiveNode<'_>) -> ResourceRef {
    let ResourceKey { group, kind, namespace, name } = node.key.clone();
    ResourceRef { group, version: node.version.into(), kind, namespace, name, uid: node.uid.clone() }
}

fn parent(
    node: &LiveNode<'_>,
    owner: &Owner,
    known: &BTreeMap<&ResourceKey, &LiveNode<'_>>,
) -> Option<ResourceRef> {
    let (group, version) = split_api_version(&owner.api_version);
    if !owner.uid.is_empty() {
        return Some(ResourceRef {
            group: group.into(),
            version: version.into(),
            kind: owner.kind.clone(),
            namespace: node.key.namespace.clone(),
            name: owner.name.clone(),
            uid: owner.uid.clone(),
        });
    }
    let key = ResourceKey::new(group, owner.kind.as_str(), node.key.namespace.as_str(), owner.name.as_str());
    let found = known.get(&key)?;
    let guessed = node.key.kind == "PersistentVolumeClaim" && node.key.group.is_empty();
    (!guessed || claims(&found.key, found.info, &node.key)).then(|| reference(found))
}

/// Images and addresses of a tree, and whether it holds applications.
pub fn summary(tree: &ApplicationTree) -> ApplicationSummary {
    let images: BTreeSet<&String> = tree.nodes.iter().flat_map(|node| &node.images).collect();
    let urls: BTreeSet<&String> = tree
        .nodes
        .iter()
        .filter_map(|node| node.networking_info.as_ref())
        .flat_map(|it| &it.external_urls)
        .collect();
    ApplicationSummary {
        external_urls: urls.into_iter().cloned().collect(),
        images: images.into_iter().cloned().collect(),
        is_app_of_apps: tree
            .nodes
            .iter()
            .any(|node| node.resource_ref.group == api::GROUP && node.resource_ref.kind == "Application"),
    }
}
