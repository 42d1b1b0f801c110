//! The resource tree of an application, from the cluster cache.

use crate::Controller;
use crate::clusters::Destination;
use crate::extract::LiveInfo;
use crate::memory::Roots;
use crate::situation::Situation;
use api::k8s::meta_v1::Time;
use api::v1alpha1::ApplicationTree;
use cluster_cache::Entry;
use object::{GroupKind, Object, ResourceKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tree::{Input, LiveNode, Owner};

impl Controller {
    /// The tree that hangs from the application's live objects, with the orphans of its namespace where the
    /// project asks for them.
    pub(crate) fn tree(
        &self,
        destination: &Destination,
        situation: &Situation,
        roots: &Roots,
    ) -> ApplicationTree {
        let cache = &destination.cache;
        let mut entries: BTreeMap<ResourceKey, Arc<Entry<LiveInfo>>> = BTreeMap::new();
        cache.walk(&roots.live, |node| {
            entries.insert(node.entry.key(), node.entry);
        });
        let permitted = |entry: &Entry<LiveInfo>| {
            let object = named(entry);
            project::permits_live(&situation.project, &object, &situation.cluster, &situation.own_clusters)
        };
        entries.retain(|_, entry| permitted(entry));
        // What only says that it is another's, whom nobody knows any more, is nobody's.
        let taken = |entry: &Entry<LiveInfo>| {
            let owner = entry.application.as_deref().map(|instance| self.key_of(instance));
            owner.is_some_and(|key| self.store().application(&key.namespace, &key.name).is_ok())
        };
        let orphan = |entry: &Entry<LiveInfo>| !taken(entry) && permitted(entry);
        let orphans = orphans(destination, situation, &entries, &orphan);
        let hosts_of: BTreeSet<&str> = entries
            .values()
            .filter_map(|entry| entry.info.node.pod.as_ref())
            .map(|pod| pod.host.as_str())
            .filter(|host| !host.is_empty())
            .collect();
        let nodes: Vec<Arc<Entry<LiveInfo>>> =
            if hosts_of.is_empty() { Vec::new() } else { cache.of_kind(&GroupKind::new("", "Node"), None) };
        let pods: Vec<Arc<Entry<LiveInfo>>> =
            if hosts_of.is_empty() { Vec::new() } else { cache.of_kind(&GroupKind::new("", "Pod"), None) };
        let hosts = nodes
            .iter()
            .filter(|node| hosts_of.contains(&*node.name))
            .filter_map(|node| Some((node.name.to_string(), node.info.node.host.as_deref()?)))
            .collect();
        let neighbours = pods
            .iter()
            .filter(|pod| !entries.contains_key(&pod.key()))
            .filter_map(|pod| pod.info.node.pod.as_deref())
            .filter(|pod| hosts_of.contains(pod.host.as_str()))
            .collect();
        tree::application_tree(&Input {
            nodes: entries.values().map(|entry| live_node(entry)).collect(),
            missing: roots.missing.clone(),
            orphans: orphans.values().map(|entry| live_node(entry)).collect(),
            hosts,
            neighbours,
        })
    }
}

/// What nothing owns and no application manages in the application's namespace, with what it owns, as far as the project may
/// see it.
fn orphans(
    destination: &Destination,
    situation: &Situation,
    known: &BTreeMap<ResourceKey, Arc<Entry<LiveInfo>>>,
    may_be: &dyn Fn(&Entry<LiveInfo>) -> bool,
) -> BTreeMap<ResourceKey, Arc<Entry<LiveInfo>>> {
    let mut orphans = BTreeMap::new();
    if situation.project.spec.orphaned_resources.is_none() || situation.namespace.is_empty() {
        return orphans;
    }
    let roots: Vec<ResourceKey> = destination
        .cache
        .top_level(&situation.namespace)
        .into_iter()
        .filter(|entry| may_be(entry) && !known.contains_key(&entry.key()))
        .map(|entry| entry.key())
        .filter(|key| !project::ignores_orphan(&situation.project, key))
        .collect();
    destination.cache.walk(&roots, |node| {
        if may_be(&node.entry) && !known.contains_key(&node.entry.key()) {
            orphans.insert(node.entry.key(), node.entry);
        }
    });
    orphans
}

/// As much of the object as a permission is decided by.
fn named(entry: &Entry<LiveInfo>) -> Object {
    let mut object = Object::default();
    object.0.insert("apiVersion".into(), entry.gvk().api_version().into());
    object.0.insert("kind".into(), (*entry.kind).into());
    object.set_name(&entry.name);
    object.set_namespace(&entry.namespace);
    object
}

fn live_node(entry: &Entry<LiveInfo>) -> LiveNode<'_> {
    LiveNode {
        key: entry.key(),
        version: &entry.version,
        uid: entry.uid.as_ref().map(ToString::to_string).unwrap_or_default(),
        resource_version: entry.resource_version.to_string(),
        created: (entry.created != 0).then_some(Time { seconds: entry.created, nanos: 0 }),
        owners: entry
            .owners
            .iter()
            .map(|owner| Owner {
                api_version: owner.api_version.to_string(),
                kind: owner.kind.to_string(),
                name: owner.name.to_string(),
                uid: owner.uid.as_ref().map(ToString::to_string).unwrap_or_default(),
            })
            .collect(),
        info: &entry.info.node,
        health: entry.info.health.as_ref(),
    }
}
