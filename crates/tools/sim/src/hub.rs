//! A model of the hub's API server as far as one Application goes: versions, merge patches, conflicts.

use api::names::REFRESH;
use api::v1alpha1::{Application, ApplicationStatus, Operation, OperationState};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Why a write was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The hub takes no writes now.
    Down,
    /// It is not there.
    NotFound,
    /// It is another one, or another version.
    Replaced,
    /// An operation is asked for already.
    InProgress,
}

/// The hub.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    /// What is stored.
    pub application: Option<Application>,
    /// Versions the controller was not told of yet; nothing for a deletion.
    pub news: VecDeque<Option<Application>>,
    /// Whether it takes no writes from the controller.
    pub down: bool,
    version: u64,
}

impl Hub {
    /// Stores an application as the next version.
    pub fn store(&mut self, mut application: Application) -> Application {
        self.version += 1;
        application.metadata.resource_version = self.version.to_string();
        let gone =
            application.metadata.deletion_timestamp.is_some() && application.metadata.finalizers.is_empty();
        let stored = (!gone).then(|| application.clone());
        self.application.clone_from(&stored);
        self.news.push_back(stored);
        application
    }

    fn live(&self, uid: &str) -> Result<Application, Refused> {
        if self.down {
            return Err(Refused::Down);
        }
        let live = self.application.clone().ok_or(Refused::NotFound)?;
        if live.metadata.uid == uid { Ok(live) } else { Err(Refused::Replaced) }
    }

    /// Writes what changed of a status; nothing when nothing did. With `answered` the refresh annotation of that
    /// value goes as well.
    pub fn write_status(
        &mut self,
        read: &Application,
        status: &ApplicationStatus,
        done: bool,
        answered: Option<&str>,
    ) -> Result<Option<Application>, Refused> {
        let patch =
            if read.status == *status { None } else { difference(&value(&read.status), &value(status)) };
        if patch.is_none() && !done && answered.is_none() {
            return Ok(None);
        }
        let mut live = self.live(&read.metadata.uid)?;
        if let Some(patch) = patch {
            let mut merged = value(&live.status);
            merge(&mut merged, &patch);
            live.status = read_status(merged);
        }
        if done {
            live.operation = None;
        }
        if let Some(answered) = answered
            && live.metadata.annotations.get(REFRESH).map(String::as_str) == Some(answered)
        {
            live.metadata.annotations.remove(REFRESH);
        }
        Ok(Some(self.store(live)))
    }

    /// Starts an operation unless one runs: begun with a state where it is still the version that was read.
    pub fn start_operation(
        &mut self,
        read: &Application,
        operation: &Operation,
        state: Option<&OperationState>,
    ) -> Result<Application, Refused> {
        let mut live = self.live(&read.metadata.uid)?;
        if live.operation.is_some() {
            return Err(Refused::InProgress);
        }
        live.operation = Some(operation.clone());
        let same = live.metadata.resource_version == read.metadata.resource_version;
        live.status.operation_state = state.filter(|_| same).cloned();
        Ok(self.store(live))
    }

    /// Has an application carry some finalizers and not others.
    pub fn settle_finalizers(
        &mut self,
        read: &Application,
        wanted: &[(&str, bool)],
    ) -> Result<Option<Application>, Refused> {
        let settled = |known: &[String]| {
            let mut settled = known.to_vec();
            for (name, carried) in wanted {
                settled.retain(|known| known != name || *carried);
                if *carried && !settled.iter().any(|known| known == name) {
                    settled.push((*name).to_owned());
                }
            }
            settled
        };
        if settled(&read.metadata.finalizers) == read.metadata.finalizers {
            return Ok(None);
        }
        let mut live = self.live(&read.metadata.uid)?;
        live.metadata.finalizers = settled(&live.metadata.finalizers);
        Ok(Some(self.store(live)))
    }

    /// Takes a finalizer off.
    pub fn remove_finalizer(&mut self, read: &Application, finalizer: &str) -> Result<(), Refused> {
        let mut live = self.live(&read.metadata.uid)?;
        live.metadata.finalizers.retain(|known| known != finalizer);
        self.store(live);
        Ok(())
    }

    /// A user changes the application; a hub that refuses the controller's writes takes theirs.
    pub fn edit(&mut self, change: impl FnOnce(&mut Application)) {
        if let Some(mut application) = self.application.clone() {
            change(&mut application);
            self.store(application);
        }
    }

    /// A user deletes it.
    pub fn delete(&mut self, now: Timestamp) {
        self.edit(|application| {
            application.metadata.deletion_timestamp.get_or_insert(now.into());
        });
    }
}

fn value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn read_status(value: Value) -> ApplicationStatus {
    match serde_json::from_value(value) {
        Ok(status) => status,
        Err(error) => unreachable!("a patched status reads: {error}"),
    }
}

/// The merge patch from one value to another.
fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = Map::new();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, after) in new {
        let changed = match old.get(name) {
            Some(before) => difference(before, after),
            None => Some(after.clone()),
        };
        if let Some(changed) = changed {
            patch.insert(name.clone(), changed);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// RFC 7386.
fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(members) = document else { return };
    for (name, new) in patch {
        if new.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), new);
        }
    }
}
