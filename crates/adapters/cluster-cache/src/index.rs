//! The index: every known object of one cluster, found by key, application, owner and uid. A synchronous state
//! machine; the same inputs give the same state whatever the clock or the transport does.

use crate::entry::{Entry, Owner, ResourceVersion, Uid};
use crate::extract::Extracted;
use crate::intern::Interner;
use object::{GroupKind, Object, ResourceKey};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// An owner chain longer than this is cut: real ones have four links, and references can form a ring.
const LONGEST_CHAIN: usize = 32;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new, or another object of the same name took its place.
    Added,
    /// It changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// One change of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub key: ResourceKey,
    /// Its uid, if it has one; of one that is gone, the last that was known.
    pub uid: Option<Uid>,
    /// What happened.
    pub kind: ChangeKind,
    /// The application that managed the object before.
    pub old_application: Option<Arc<str>>,
    /// The application that manages it now.
    pub new_application: Option<Arc<str>>,
    /// Applications that manage an owner of the object, directly or further up; sorted.
    pub owning: Vec<Arc<str>>,
    /// Whether anything changed that comparisons or health checks see.
    pub projection_changed: bool,
}

/// One step of a walk down the owner graph.
#[derive(Debug)]
pub struct Node<I> {
    /// The object.
    pub entry: Arc<Entry<I>>,
    /// The object whose child it was reached as; `None` for roots.
    pub parent: Option<Arc<Entry<I>>>,
    /// 0 for roots.
    pub depth: usize,
}

/// Namespace and name of an object of one kind.
type Name = (Arc<str>, Arc<str>);
type Objects<I> = BTreeMap<Name, Arc<Entry<I>>>;

/// Every known object of one cluster.
#[derive(Debug)]
pub struct Index<I> {
    interner: Interner,
    keep_managed_fields: bool,
    kinds: BTreeMap<GroupKind, Objects<I>>,
    uids: HashMap<Uid, Arc<Entry<I>>>,
    // Plain vectors: most have one element, and a tree's node for one would weigh more than the object.
    applications: HashMap<Arc<str>, Vec<Arc<Entry<I>>>>,
    /// Children by the uid of an owner.
    children: HashMap<Uid, Vec<Arc<Entry<I>>>>,
    /// Children by the key of an owner that is known by name only.
    implied: HashMap<ResourceKey, Vec<Arc<Entry<I>>>>,
    /// Per scope, how far lists and deletions reach: what is of this version or before and not here is gone.
    gone_until: BTreeMap<(GroupKind, Option<Arc<str>>), ResourceVersion>,
    resources: usize,
    managed: usize,
}

impl<I> Index<I> {
    /// An empty index.
    pub fn new(keep_managed_fields: bool) -> Self {
        Self {
            interner: Interner::default(),
            keep_managed_fields,
            kinds: BTreeMap::new(),
            uids: HashMap::new(),
            applications: HashMap::new(),
            children: HashMap::new(),
            implied: HashMap::new(),
            gone_until: BTreeMap::new(),
            resources: 0,
            managed: 0,
        }
    }

    /// Takes a version of an object in. `None` when that version, or a newer one, is already there.
    pub fn apply(&mut self, object: &Object, extracted: Extracted<I>) -> Option<Change> {
        let entry = Entry::new(object, extracted, &mut self.interner, self.keep_managed_fields);
        let key = entry.key();
        let before = self.get(&key);
        if let Some(before) = &before {
            let same = before.uid == entry.uid
                && before.resource_version == entry.resource_version
                && before.version == entry.version;
            if same || entry.resource_version.is_before(&before.resource_version) {
                return None;
            }
        }
        let owning_before = before.as_ref().map(|before| self.owning(before)).unwrap_or_default();
        if let Some(before) = &before {
            self.unlink(&key, before);
        }
        let entry = Arc::new(entry);
        self.link(&key, &entry);
        let replaced = before.as_ref().is_some_and(|before| before.uid != entry.uid);
        Some(Change {
            uid: entry.uid.clone(),
            kind: if before.is_none() || replaced { ChangeKind::Added } else { ChangeKind::Updated },
            projection_changed: before.as_ref().is_none_or(|before| {
                replaced
                    || before.projection != entry.projection
                    || before.deleting != entry.deleting
                    || before.application != entry.application
                    || before.owners != entry.owners
            }),
            owning: merged(owning_before, self.owning(&entry)),
            old_application: before.and_then(|before| before.application.clone()),
            new_application: entry.application.clone(),
            key,
        })
    }

    /// Takes in what a write gave back. Its answer may come after the news that the object is gone, and nothing
    /// would ever take it out again: an object that is not here is taken in only when it is surely newer than what
    /// the list and the watch of its scope have told.
    pub fn observe(&mut self, object: &Object, extracted: Extracted<I>) -> Option<Change> {
        if self.get(&object.key()).is_none() {
            let version = ResourceVersion::parse(object.resource_version());
            let mut scope = (object.group_kind(), Some(Arc::from(object.namespace())));
            if !self.gone_until.contains_key(&scope) {
                scope.1 = None;
            }
            if !self.gone_until.get(&scope)?.is_before(&version) {
                return None;
            }
        }
        self.apply(object, extracted)
    }

    /// Notes that lists or deletions of a scope have been told up to a version.
    pub fn reach(&mut self, kind: &GroupKind, namespace: Option<&str>, version: &ResourceVersion) {
        let reached = self.gone_until.entry((kind.clone(), namespace.map(Arc::from)));
        let reached = reached.or_insert_with(|| version.clone());
        if !version.is_before(reached) {
            reached.clone_from(version);
        }
    }

    /// Takes an object out. With a uid, only that object; with a version, not one that is newer.
    pub fn delete(
        &mut self,
        key: &ResourceKey,
        uid: Option<&Uid>,
        version: Option<&ResourceVersion>,
    ) -> Option<Change> {
        let entry = self.get(key)?;
        if uid.is_some() && entry.uid.as_ref() != uid {
            return None;
        }
        if version.is_some_and(|version| version.is_before(&entry.resource_version)) {
            return None;
        }
        Some(self.remove(key, &entry))
    }

    /// Takes out every object of a kind, in one namespace if given, that a list of that version did not name.
    /// Objects newer than the list stay: it could not have named them.
    pub fn retain(
        &mut self,
        kind: &GroupKind,
        namespace: Option<&str>,
        named: &BTreeSet<(Arc<str>, Arc<str>)>,
        version: &ResourceVersion,
    ) -> Vec<Change> {
        self.reach(kind, namespace, version);
        let Some(objects) = self.kinds.get(kind) else { return Vec::new() };
        let gone: Vec<_> = objects
            .iter()
            .filter(|(name, entry)| {
                namespace.is_none_or(|namespace| &*name.0 == namespace)
                    && !named.contains(*name)
                    && !version.is_before(&entry.resource_version)
            })
            .map(|(_, entry)| entry.clone())
            .collect();
        gone.iter().map(|entry| self.remove(&entry.key(), entry)).collect()
    }

    /// Takes out every object of a kind, in one namespace if given.
    pub fn remove_kind(&mut self, kind: &GroupKind, namespace: Option<&str>) -> Vec<Change> {
        let gone: Vec<_> = self
            .kinds
            .get(kind)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|entry| namespace.is_none_or(|namespace| &*entry.namespace == namespace))
            .cloned()
            .collect();
        gone.iter().map(|entry| self.remove(&entry.key(), entry)).collect()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.keep_managed_fields);
    }

    /// One object.
    pub fn get(&self, key: &ResourceKey) -> Option<Arc<Entry<I>>> {
        let objects = self.kinds.get(&key.group_kind())?;
        let name: Name = (key.namespace.as_str().into(), key.name.as_str().into());
        objects.get(&name).cloned()
    }

    /// The object with a uid.
    pub fn by_uid(&self, uid: &Uid) -> Option<Arc<Entry<I>>> {
        self.uids.get(uid).cloned()
    }

    /// The objects an application manages, by key.
    pub fn managed(&self, application: &str) -> Vec<Arc<Entry<I>>> {
        sorted(self.applications.get(application).cloned().unwrap_or_default())
    }

    /// The applications that manage something, sorted.
    pub fn applications(&self) -> BTreeSet<Arc<str>> {
        self.applications.keys().cloned().collect()
    }

    /// The objects of a kind, in one namespace if given, by namespace and name.
    pub fn of_kind(&self, kind: &GroupKind, namespace: Option<&str>) -> Vec<Arc<Entry<I>>> {
        let Some(objects) = self.kinds.get(kind) else { return Vec::new() };
        match namespace {
            None => objects.values().cloned().collect(),
            Some(namespace) => in_namespace(objects, namespace).cloned().collect(),
        }
    }

    /// The objects that name this one as an owner, by key.
    pub fn children(&self, entry: &Entry<I>) -> Vec<Arc<Entry<I>>> {
        let mut found = Vec::new();
        if let Some(children) = entry.uid.as_ref().and_then(|uid| self.children.get(uid)) {
            found.extend_from_slice(children);
        }
        if let Some(children) = self.implied.get(&entry.key()) {
            found.extend_from_slice(children);
        }
        let mut found = sorted(found);
        found.dedup_by(|left, right| Arc::ptr_eq(left, right));
        found
    }

    /// The owners of an object that are known.
    pub fn parents(&self, entry: &Entry<I>) -> Vec<Arc<Entry<I>>> {
        entry.owners.iter().filter_map(|owner| self.owner(entry, owner)).collect()
    }

    /// Visits the objects named and everything they own, parents before children, each object once. A child that
    /// another root names too is visited under the first that reaches it.
    pub fn walk(&self, roots: &[ResourceKey], mut visit: impl FnMut(Node<I>)) {
        let mut seen = BTreeSet::new();
        let mut next: Vec<Node<I>> = roots
            .iter()
            .filter_map(|key| Some(Node { entry: self.get(key)?, parent: None, depth: 0 }))
            .filter(|node| seen.insert(node.entry.key()))
            .collect();
        next.reverse();
        while let Some(node) = next.pop() {
            let children = if node.depth < LONGEST_CHAIN { self.children(&node.entry) } else { Vec::new() };
            for child in children.into_iter().rev() {
                if seen.insert(child.key()) {
                    next.push(Node { entry: child, parent: Some(node.entry.clone()), depth: node.depth + 1 });
                }
            }
            visit(node);
        }
    }

    /// The objects of a namespace that nothing owns, by key: where orphans are found.
    pub fn top_level(&self, namespace: &str) -> Vec<Arc<Entry<I>>> {
        self.kinds
            .values()
            .flat_map(|objects| in_namespace(objects, namespace))
            .filter(|entry| entry.owners.is_empty())
            .cloned()
            .collect()
    }

    /// Objects known, and those some application manages.
    pub fn counts(&self) -> (usize, usize) {
        (self.resources, self.managed)
    }

    /// Every object, by kind, namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry<I>>> {
        self.kinds.values().flat_map(BTreeMap::values)
    }

    fn owner(&self, entry: &Entry<I>, owner: &Owner) -> Option<Arc<Entry<I>>> {
        match &owner.uid {
            Some(uid) => self.by_uid(uid),
            None => self.get(&implied_key(entry, owner)),
        }
    }

    /// The applications that manage an owner of the object.
    fn owning(&self, entry: &Entry<I>) -> Vec<Arc<str>> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::from([entry.key()]);
        let mut level = self.parents(entry);
        for _ in 0..LONGEST_CHAIN {
            level.retain(|parent| seen.insert(parent.key()));
            if level.is_empty() {
                break;
            }
            found.extend(level.iter().filter_map(|parent| parent.application.clone()));
            level = level.iter().flat_map(|parent| self.parents(parent)).collect();
        }
        found.into_iter().collect()
    }

    fn link(&mut self, key: &ResourceKey, entry: &Arc<Entry<I>>) {
        if let Some(uid) = &entry.uid {
            self.uids.insert(uid.clone(), entry.clone());
        }
        if let Some(application) = &entry.application {
            self.applications.entry(application.clone()).or_default().push(entry.clone());
            self.managed += 1;
        }
        for owner in &entry.owners {
            match &owner.uid {
                Some(uid) => self.children.entry(uid.clone()).or_default().push(entry.clone()),
                None => self.implied.entry(implied_key(entry, owner)).or_default().push(entry.clone()),
            };
        }
        let name = (entry.namespace.clone(), entry.name.clone());
        self.kinds.entry(key.group_kind()).or_default().insert(name, entry.clone());
        self.resources += 1;
    }

    fn unlink(&mut self, key: &ResourceKey, entry: &Arc<Entry<I>>) {
        if let Some(uid) = &entry.uid
            && self.uids.get(uid).is_some_and(|other| Arc::ptr_eq(other, entry))
        {
            self.uids.remove(uid);
        }
        if let Some(application) = &entry.application {
            drop_from(&mut self.applications, application, entry);
            self.managed -= 1;
        }
        for owner in &entry.owners {
            match &owner.uid {
                Some(uid) => drop_from(&mut self.children, uid, entry),
                None => drop_from(&mut self.implied, &implied_key(entry, owner), entry),
            }
        }
        let kind = key.group_kind();
        if let Some(objects) = self.kinds.get_mut(&kind) {
            objects.remove(&(entry.namespace.clone(), entry.name.clone()));
            if objects.is_empty() {
                self.kinds.remove(&kind);
            }
        }
        self.resources -= 1;
    }

    fn remove(&mut self, key: &ResourceKey, entry: &Arc<Entry<I>>) -> Change {
        let owning = self.owning(entry);
        self.unlink(key, entry);
        Change {
            key: key.clone(),
            uid: entry.uid.clone(),
            kind: ChangeKind::Deleted,
            old_application: entry.application.clone(),
            new_application: None,
            owning,
            projection_changed: true,
        }
    }
}

fn implied_key<I>(entry: &Entry<I>, owner: &Owner) -> ResourceKey {
    ResourceKey::new(owner.group(), &*owner.kind, &*entry.namespace, &*owner.name)
}

fn in_namespace<'a, I>(
    objects: &'a Objects<I>,
    namespace: &str,
) -> impl Iterator<Item = &'a Arc<Entry<I>>> + use<'a, I> {
    let from: Name = (namespace.into(), "".into());
    let namespace = from.0.clone();
    objects.range(from..).take_while(move |(name, _)| name.0 == namespace).map(|(_, entry)| entry)
}

fn drop_from<K: std::hash::Hash + Eq, I>(
    map: &mut HashMap<K, Vec<Arc<Entry<I>>>>,
    at: &K,
    entry: &Arc<Entry<I>>,
) {
    if let Some(entries) = map.get_mut(at) {
        if let Some(place) = entries.iter().position(|other| Arc::ptr_eq(other, entry)) {
            entries.swap_remove(place);
        }
        if entries.is_empty() {
            map.remove(at);
        }
    }
}

fn sorted<I>(mut entries: Vec<Arc<Entry<I>>>) -> Vec<Arc<Entry<I>>> {
    entries.sort_by(|left, right| {
        let name = |entry: &Arc<Entry<I>>| {
            (entry.group.clone(), entry.kind.clone(), entry.namespace.clone(), entry.name.clone())
        };
        name(left).cmp(&name(right))
    });
    entries
}

fn merged(left: Vec<Arc<str>>, right: Vec<Arc<str>>) -> Vec<Arc<str>> {
    left.into_iter().chain(right).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
