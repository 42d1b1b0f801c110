//! A model of a Kubernetes API server: versions, uids, finalizers, refusals, dry runs, applies. Every change is
//! kept, so that a check can ask what an object was when it was judged.

use crate::fields;
use crate::thing::{NAMESPACE, is_namespaced, label};
use jiff::Timestamp;
use object::{GroupVersionKind, LAST_APPLIED_ANNOTATION, Object, ResourceKey};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use sync::{Failure, FailureKind, Outcome, Propagation, Write};

/// Kept by the garbage collector until what the object owns is gone.
pub const FOREGROUND: &str = "foregroundDeletion";

/// One change of an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub key: ResourceKey,
    /// What it is now; nothing when it is gone.
    pub now: Option<Object>,
    /// The version of the change.
    pub version: u64,
}

/// The server.
#[derive(Clone, Debug, Default)]
pub struct ApiServer {
    /// What there is.
    pub objects: BTreeMap<ResourceKey, Object>,
    /// Whether it answers.
    pub down: bool,
    /// Labels of objects whose writes it refuses.
    pub refused: BTreeSet<String>,
    /// Labels of objects whose server-side applies it answers with 422.
    pub invalid: BTreeSet<String>,
    /// Changes nobody was told of yet.
    pub changes: Vec<Change>,
    /// Every version of every uid, with the number of the change.
    pub past: BTreeMap<String, Vec<(u64, Object)>>,
    /// Number of the last change.
    pub version: u64,
    uids: u64,
}

fn failure(message: impl Into<String>, kind: FailureKind) -> Failure {
    Failure { message: message.into(), kind }
}

fn not_found(key: &ResourceKey) -> Failure {
    failure(format!("{} {:?} not found", key.kind.to_lowercase(), key.name), FailureKind::NotFound)
}

/// How a target is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'a> {
    /// The method.
    pub write: &'a Write,
    /// Nothing is changed.
    pub dry_run: bool,
}

impl ApiServer {
    /// Whether a kind is served, and its objects live in namespaces.
    pub fn serves(&self, gvk: &GroupVersionKind) -> Option<bool> {
        let known = match gvk.kind.as_str() {
            "Widget" => self.objects.values().any(|object| {
                object.kind() == "CustomResourceDefinition"
                    && !object.at(&["status"]).is_none_or(Value::is_null)
            }),
            _ => true,
        };
        known.then(|| is_namespaced(&gvk.kind))
    }

    fn answers(&self) -> Result<(), Failure> {
        if self.down { Err(failure("connection refused", FailureKind::Other)) } else { Ok(()) }
    }

    fn admits(&self, object: &Object) -> Result<(), Failure> {
        self.answers()?;
        if self.serves(&object.gvk()).is_none() {
            return Err(failure("the server could not find the requested resource", FailureKind::NotFound));
        }
        let refused = self.refused.iter().any(|refused| {
            *refused == label(object)
                || (!object.generate_name().is_empty()
                    && *refused == format!("{}/{}", object.kind(), object.generate_name()))
        });
        if refused {
            return Err(failure("admission webhook denied the request", FailureKind::Other));
        }
        Ok(())
    }

    /// Reads one object.
    pub fn read(&self, key: &ResourceKey) -> Result<Option<Object>, Failure> {
        self.answers()?;
        Ok(self.objects.get(key).cloned())
    }

    /// Creates an object.
    pub fn create(&mut self, object: &Object, dry_run: bool, now: Timestamp) -> Result<Object, Failure> {
        self.admits(object)?;
        let mut object = object.clone();
        if object.name().is_empty() {
            let name = format!("{}{:05}", object.generate_name(), self.uids);
            object.set_name(&name);
        }
        let key = object.key();
        if !key.namespace.is_empty() {
            let space = self.objects.get(&ResourceKey::new("", "Namespace", "", &key.namespace));
            let Some(space) = space else {
                return Err(failure(
                    format!("namespaces {:?} not found", key.namespace),
                    FailureKind::NotFound,
                ));
            };
            if !space.deletion_timestamp().is_empty() {
                return Err(failure("the namespace is being terminated", FailureKind::Other));
            }
        }
        if let Some(there) = self.objects.get(&key) {
            let going = if there.deletion_timestamp().is_empty() { "" } else { "object is being deleted: " };
            return Err(failure(format!("{going}{} already exists", label(&object)), FailureKind::Other));
        }
        fields::default(&mut object);
        let metadata = object.metadata_mut();
        metadata.insert("generation".into(), json!(1));
        metadata.insert(
            "creationTimestamp".into(),
            now.round(jiff::Unit::Second).unwrap_or(now).to_string().into(),
        );
        if dry_run {
            return Ok(object);
        }
        self.uids += 1;
        object.metadata_mut().insert("uid".into(), format!("u{}", self.uids).into());
        Ok(self.store(object))
    }

    /// Puts an object in place of the one there; with a version in it, only of that one.
    pub fn replace(&mut self, object: &Object, dry_run: bool) -> Result<Object, Failure> {
        self.admits(object)?;
        let key = object.key();
        let Some(live) = self.objects.get(&key).cloned() else { return Err(not_found(&key)) };
        if !object.resource_version().is_empty() && object.resource_version() != live.resource_version() {
            return Err(failure("the object has been modified", FailureKind::Conflict));
        }
        let mut object = object.clone();
        if live.kind() == "Job" && live.at(&["spec", "template"]) != object.at(&["spec", "template"]) {
            return Err(failure("spec.template: field is immutable", FailureKind::Other));
        }
        fields::default(&mut object);
        for name in ["uid", "creationTimestamp", "deletionTimestamp", "generation", "ownerReferences"] {
            if let Some(value) = live.metadata().and_then(|metadata| metadata.get(name)) {
                object.metadata_mut().entry(name).or_insert_with(|| value.clone());
            }
        }
        if !object.0.contains_key("status")
            && let Some(status) = live.0.get("status")
        {
            object.0.insert("status".into(), status.clone());
        }
        if fields::declared(&object) != fields::declared(&live) {
            object.metadata_mut().insert("generation".into(), (live.generation() + 1).into());
        }
        let unversioned = |object: &Object| {
            let mut object = object.clone();
            object.metadata_mut().remove("resourceVersion");
            object
        };
        if dry_run || unversioned(&object) == unversioned(&live) {
            return Ok(if dry_run { object } else { live });
        }
        let stored = self.store(object);
        Ok(self.sweep(&key).unwrap_or(stored))
    }

    /// Brings a target to the cluster.
    pub fn apply(
        &mut self,
        target: &Object,
        how: Writing<'_>,
        now: Timestamp,
    ) -> Result<(Outcome, Object), Failure> {
        self.admits(target)?;
        let Writing { write, dry_run } = how;
        if matches!(write, Write::ServerSideApply { .. }) && self.invalid.contains(&label(target)) {
            return Err(failure(format!("{} is invalid: spec: 422", label(target)), FailureKind::Other));
        }
        let live = self.objects.get(&target.key()).filter(|_| !target.name().is_empty()).cloned();
        let recorded = |target: &Object| match write {
            Write::Apply { .. } => fields::with_last_applied(target),
            Write::ServerSideApply { .. } => fields::with_owner(target),
            _ => target.clone(),
        };
        let Some(live) = live else {
            let made = self.create(&recorded(target), dry_run, now)?;
            let server_side = matches!(write, Write::ServerSideApply { .. });
            return Ok((if server_side { Outcome::ServerSideApplied } else { Outcome::Created }, made));
        };
        let (wanted, outcome) = match write {
            Write::Create => {
                return Err(failure(format!("{} already exists", label(target)), FailureKind::Other));
            }
            Write::Apply { .. } => (fields::three_way(&recorded(target), &live), Outcome::Configured),
            Write::ServerSideApply { .. } => {
                (fields::server_side(&recorded(target), &live), Outcome::ServerSideApplied)
            }
            Write::Update => (target.clone(), Outcome::Updated),
            _ => (target.clone(), Outcome::Replaced),
        };
        let by_force = matches!(write, Write::Apply { force: true } | Write::Replace { force: true });
        let before = live.resource_version().to_owned();
        let recreates =
            by_force && (matches!(write, Write::Replace { .. }) || self.replace(&wanted, true).is_err());
        if recreates && !dry_run {
            self.delete(&target.key(), live.uid(), Propagation::Background, now)?;
            if self.objects.contains_key(&target.key()) {
                return Err(failure("timed out waiting for the deletion", FailureKind::Other));
            }
            let made = self.create(&recorded(target), false, now)?;
            return Ok((outcome, made));
        }
        if recreates {
            return Ok((outcome, wanted));
        }
        let mut wanted = wanted;
        wanted.metadata_mut().remove("resourceVersion");
        let written = self.replace(&wanted, dry_run)?;
        let unchanged = outcome == Outcome::Configured && written.resource_version() == before;
        Ok((if unchanged { Outcome::Unchanged } else { outcome }, written))
    }

    /// Deletes exactly one object; what is left of it comes back.
    pub fn delete(
        &mut self,
        key: &ResourceKey,
        uid: &str,
        propagation: Propagation,
        now: Timestamp,
    ) -> Result<Option<Object>, Failure> {
        self.answers()?;
        let Some(live) = self.objects.get(key) else { return Err(not_found(key)) };
        if !uid.is_empty() && live.uid() != uid {
            return Err(failure("the UID in the precondition does not match", FailureKind::Conflict));
        }
        let mut live = live.clone();
        if !live.deletion_timestamp().is_empty() {
            return Ok(Some(live));
        }
        live.metadata_mut().insert("deletionTimestamp".into(), now.to_string().into());
        let mut finalizers: Vec<Value> = live.finalizers().into_iter().map(Value::from).collect();
        match propagation {
            Propagation::Foreground => finalizers.push(FOREGROUND.into()),
            Propagation::Orphan => self.orphan(live.uid()),
            Propagation::Background => {}
        }
        if live.kind() == "Namespace" {
            finalizers.push("kubernetes".into());
        }
        fields::set_finalizers(&mut live, finalizers);
        let stored = self.store(live);
        Ok(self.sweep(key).or_else(|| self.objects.contains_key(key).then_some(stored)))
    }

    /// Takes a finalizer off an object.
    pub fn unfinalize(&mut self, key: &ResourceKey, finalizer: &str) -> Result<Option<Object>, Failure> {
        self.answers()?;
        let Some(live) = self.objects.get(key) else { return Ok(None) };
        if !live.finalizers().contains(&finalizer) {
            return Ok(Some(live.clone()));
        }
        let mut live = live.clone();
        let left = live.finalizers().into_iter().filter(|known| *known != finalizer);
        let left = left.map(Value::from).collect();
        fields::set_finalizers(&mut live, left);
        self.store(live);
        Ok(self.sweep(key))
    }

    fn orphan(&mut self, owner: &str) {
        let owned: Vec<Object> = self
            .objects
            .values()
            .filter(|object| object.owner_references().iter().any(|reference| reference.uid == owner))
            .cloned()
            .collect();
        for mut object in owned {
            object.metadata_mut().remove("ownerReferences");
            self.store(object);
        }
    }

    /// Removes an object that is being deleted and that nothing holds; gives what is there afterwards.
    fn sweep(&mut self, key: &ResourceKey) -> Option<Object> {
        let live = self.objects.get(key)?;
        if live.deletion_timestamp().is_empty() || !live.finalizers().is_empty() {
            return Some(live.clone());
        }
        self.objects.remove(key);
        self.version += 1;
        self.changes.push(Change { key: key.clone(), now: None, version: self.version });
        None
    }

    /// Stores an object as its next version.
    pub fn store(&mut self, mut object: Object) -> Object {
        self.version += 1;
        object.metadata_mut().insert("resourceVersion".into(), self.version.to_string().into());
        let key = object.key();
        self.past.entry(object.uid().to_owned()).or_default().push((self.version, object.clone()));
        self.changes.push(Change { key: key.clone(), now: Some(object.clone()), version: self.version });
        self.objects.insert(key, object.clone());
        object
    }

    /// The object of a label, in the destination's namespace or in none.
    pub fn find(&self, wanted: &str) -> Option<&Object> {
        let here = |key: &ResourceKey| key.namespace == NAMESPACE || key.namespace.is_empty();
        self.objects
            .iter()
            .find(|(key, object)| here(key) && label(object) == wanted)
            .map(|(_, object)| object)
    }
}

/// What kubectl remembers on an object.
pub fn last_applied(object: &Object) -> Option<Value> {
    serde_json::from_str(object.annotation(LAST_APPLIED_ANNOTATION)?).ok()
}
