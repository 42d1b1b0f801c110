//! A model of the cluster cache: watches that are slow, lose events, or are known to be broken.

use crate::api_server::{ApiServer, Change};
use object::tracking::TrackingMethod;
use object::{AppInstance, Object, ResourceKey, marked_application};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a controller knows of its cluster.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    known: BTreeMap<ResourceKey, Object>,
    coming: BTreeMap<String, VecDeque<Change>>,
    /// Per kind, how far lists and deletions reach.
    gone_until: BTreeMap<String, u64>,
    /// Kinds whose events are lost.
    pub lost: BTreeSet<String>,
    /// Kinds that are known to be unknown.
    pub tainted: BTreeSet<String>,
    /// Whether everything was listed once.
    pub listed: bool,
}

/// What a delivered change means to the application.
pub struct Told {
    /// Which object.
    pub key: ResourceKey,
    /// What it is now.
    pub now: Option<Object>,
    /// Whether it is, or was, the application's.
    pub concerns: bool,
}

impl Cache {
    /// Takes changes from the server, to be delivered later.
    pub fn send(&mut self, changes: &[Change]) {
        for change in changes {
            if !self.lost.contains(&change.key.kind) && !self.tainted.contains(&change.key.kind) {
                self.coming.entry(change.key.kind.clone()).or_default().push_back(change.clone());
            }
        }
    }

    /// Kinds with something to deliver.
    pub fn waiting(&self) -> Vec<String> {
        let waiting = self.coming.iter().filter(|(_, queue)| self.listed && !queue.is_empty());
        waiting.map(|(kind, _)| kind.clone()).collect()
    }

    /// Delivers the next change of a kind.
    pub fn deliver(&mut self, kind: &str, instance: &AppInstance, method: TrackingMethod) -> Option<Told> {
        let change = self.coming.get_mut(kind)?.pop_front()?;
        let is_ours = |object: &Object| marks(object, method).as_ref() == Some(instance);
        let before = self.known.get(&change.key);
        let known = before.map_or(0, version);
        if change.version <= known || change.version <= self.gone_until.get(kind).copied().unwrap_or(0) {
            return None;
        }
        let concerns = before.is_some_and(is_ours) || change.now.as_ref().is_some_and(is_ours);
        match &change.now {
            Some(object) => {
                self.known.insert(change.key.clone(), object.clone());
            }
            None => {
                self.known.remove(&change.key);
                let reached = self.gone_until.entry(kind.to_owned()).or_default();
                *reached = change.version.max(*reached);
            }
        }
        Some(Told { key: change.key, now: change.now, concerns })
    }

    /// Takes in what a write gave back.
    pub fn observe(&mut self, object: &Object) {
        let key = object.key();
        let reached = self.gone_until.get(&key.kind).copied().unwrap_or(0);
        let known = self.known.get(&key).map_or(0, version);
        if version(object) > known.max(reached) && !self.tainted.contains(&key.kind) && self.listed {
            self.known.insert(key, object.clone());
        }
    }

    /// Lists everything anew.
    pub fn list(&mut self, api: &ApiServer) {
        if api.down {
            return;
        }
        for kind in
            self.known.keys().chain(api.objects.keys()).map(|key| key.kind.clone()).collect::<BTreeSet<_>>()
        {
            self.gone_until.insert(kind, api.version);
        }
        self.known.clone_from(&api.objects);
        self.coming.clear();
        self.lost.clear();
        self.tainted.clear();
        self.listed = true;
    }

    /// The objects that carry an application's mark; an error before everything was listed.
    pub fn managed(
        &self,
        instance: &AppInstance,
        method: TrackingMethod,
    ) -> Result<BTreeMap<ResourceKey, Object>, String> {
        if !self.listed {
            return Err("the cluster is being listed".into());
        }
        let own = self.known.iter().filter(|(_, object)| marks(object, method).as_ref() == Some(instance));
        Ok(own.map(|(key, object)| (key.clone(), object.clone())).collect())
    }

    /// Whether a kind is known now.
    pub fn require(&self, kind: &str) -> Result<(), String> {
        if self.tainted.contains(kind) { Err(format!("{kind} cannot be listed")) } else { Ok(()) }
    }

    /// The version of an object that the cache knows, marked or not; zero when it knows none.
    pub fn known_version(&self, key: &ResourceKey) -> u64 {
        self.known.get(key).map_or(0, version)
    }

    /// One object, if the cache knows about it: marked ones are kept whole, others only by name.
    pub fn known_live(&self, key: &ResourceKey, method: TrackingMethod) -> Option<Option<Object>> {
        match self.known.get(key) {
            Some(object) => marks(object, method).map(|_| Some(object.clone())),
            None => (self.listed && !self.tainted.contains(&key.kind)).then_some(None),
        }
    }
}

fn version(object: &Object) -> u64 {
    object.resource_version().parse().unwrap_or(0)
}

fn marks(object: &Object, method: TrackingMethod) -> Option<AppInstance> {
    marked_application(object, method, object::tracking::DEFAULT_LABEL_KEY, "")
}
