//! Applications: what is written, by whom, and under which conditions.

use crate::error::StoreError;
use crate::store::Store;
use crate::watched::Stored;
use api::Root;
use api::names::{HYDRATE, HYDRATE_TIMESTAMP, REFRESH, REFRESH_TIMESTAMP};
use api::v1alpha1::{Application, ApplicationStatus, Operation, OperationState};
use kubernetes::{DeleteOptions, Patch, WriteOptions, merge_patch};
use object::Object;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How often a write that depends on what is stored starts over.
const TRIES: usize = 8;

/// What the controller found, to be written if it differs from what was there.
#[derive(Clone, Copy, Debug)]
pub struct StatusChange<'a> {
    /// The application as it was read: its status is what the new one is compared with.
    pub application: &'a Application,
    /// The status it is to have.
    pub status: &'a ApplicationStatus,
    /// Whether the operation has ended, and `.operation` is to go in the same write.
    pub operation_done: bool,
}

/// The smallest merge patch between two values of a type; `None` when they are equal.
pub fn merge_patch_of<T: Serialize>(before: &T, after: &T) -> Option<Value> {
    merge_patch(&as_value(before), &as_value(after))
}

impl Store {
    /// The application of a namespace and name: an error when it is not there, or invalid.
    pub fn application(&self, namespace: &str, name: &str) -> Result<Arc<Application>, StoreError> {
        self.stored_application(namespace, name)?.valid(Application::KIND)
    }

    /// The same, whether it reads or not.
    pub fn stored_application(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Arc<Stored<Application>>, StoreError> {
        let found = self.0.applications.get(namespace, name);
        found.ok_or_else(|| StoreError::NotFound { kind: Application::KIND, name: name.into() })
    }

    /// The application as the API server has it at this moment.
    pub async fn fetch_application(&self, namespace: &str, name: &str) -> Result<Application, StoreError> {
        self.permitted(namespace)?;
        let object = self.0.cluster.get(self.0.applications.resource(), namespace, name).await?;
        self.taken(object)
    }

    /// Creates an application in its namespace.
    pub async fn create_application(&self, application: &Application) -> Result<Application, StoreError> {
        let object = application.to_object();
        self.permitted(object.namespace())?;
        let created =
            self.0.cluster.create(self.0.applications.resource(), &object, &self.server_writes()).await?;
        self.taken(created)
    }

    /// Replaces an application. With a resource version in it, only that version; without, whatever is there.
    pub async fn update_application(&self, application: &Application) -> Result<Application, StoreError> {
        let mut object = application.to_object();
        self.permitted(object.namespace())?;
        let resource = self.0.applications.resource();
        let pinned = !object.resource_version().is_empty();
        for _ in 0..TRIES {
            if !pinned {
                let live = self.0.cluster.get(resource, object.namespace(), object.name()).await?;
                object.metadata_mut().insert("resourceVersion".into(), live.resource_version().into());
            }
            match self.0.cluster.replace(resource, &object, &self.server_writes()).await {
                Err(error) if error.is_conflict() && !pinned => {}
                other => return self.taken(other?),
            }
        }
        Err(StoreError::Contention(format!("application {}", object.name())))
    }

    /// Changes an application by a JSON merge patch, in the server's name.
    pub async fn patch_application(
        &self,
        namespace: &str,
        name: &str,
        patch: &Patch,
    ) -> Result<Application, StoreError> {
        self.permitted(namespace)?;
        let resource = self.0.applications.resource();
        let object = self.0.cluster.patch(resource, namespace, name, patch, &self.server_writes()).await?;
        self.taken(object)
    }

    /// Asks for an application to be deleted; its finalizers hold it.
    pub async fn delete_application(
        &self,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<(), StoreError> {
        self.permitted(namespace)?;
        let resource = self.0.applications.resource();
        if let Some(object) = self.0.cluster.delete(resource, namespace, name, options).await? {
            // The answer to a deletion is of one that was kept.
            self.0.applications.observe(object).ok();
        }
        Ok(())
    }

    /// Writes what changed of a status, and nothing when nothing did. Only the controller calls this; it is the
    /// status' one writer, so no version is expected. The uid is: a new application of the same name must not get
    /// the old one's status.
    pub async fn write_status(&self, change: StatusChange<'_>) -> Result<Option<Application>, StoreError> {
        let Some(patch) = status_patch(change) else { return Ok(None) };
        self.patch_status(change.application, patch).await.map(Some)
    }

    /// The same, and takes the refresh annotation away that was acted on, as the application had it when it was read: what was
    /// asked meanwhile stays. Mostly one request.
    pub async fn write_status_of_refresh(
        &self,
        change: StatusChange<'_>,
    ) -> Result<Option<Application>, StoreError> {
        let metadata = &change.application.metadata;
        let mut patch = status_patch(change).unwrap_or_default();
        patch.insert(
            "metadata".into(),
            json!({
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
                "annotations": {REFRESH: null, REFRESH_TIMESTAMP: null},
            }),
        );
        match self.patch_status(change.application, patch).await {
            // It is another version, or another application: one question each.
            Err(StoreError::Replaced { .. }) => {
                let written = self.write_status(change).await?;
                self.acknowledge_refresh(change.application).await?;
                Ok(written)
            }
            other => other.map(Some),
        }
    }

    async fn patch_status(
        &self,
        application: &Application,
        patch: Map<String, Value>,
    ) -> Result<Application, StoreError> {
        let metadata = &application.metadata;
        let options = WriteOptions::manager(self.0.managers.application_status.as_str());
        let resource = self.0.applications.resource();
        let patch = Patch::Merge(Value::Object(patch));
        match self.0.cluster.patch(resource, &metadata.namespace, &metadata.name, &patch, &options).await {
            // The server says so in one of these two ways when the uid is another.
            Err(error)
                if error.is_conflict() || error.is_invalid() && error.message().contains("metadata.uid") =>
            {
                Err(replaced(&metadata.namespace, &metadata.name))
            }
            other => self.taken(other?),
        }
    }

    /// Starts an operation on an application as it was read, unless one runs already. With a state it has begun in the
    /// same write; where somebody else wrote meanwhile, it is only asked for, and what is stored has no state.
    pub async fn start_operation_on(
        &self,
        application: &Application,
        operation: &Operation,
        state: Option<&OperationState>,
    ) -> Result<Application, StoreError> {
        let metadata = &application.metadata;
        if application.operation.is_none() && !metadata.resource_version.is_empty() {
            self.permitted(&metadata.namespace)?;
            let status = ApplicationStatus { operation_state: state.cloned(), ..application.status.clone() };
            let mut patch = json!({
                "metadata": {"resourceVersion": metadata.resource_version, "uid": metadata.uid},
                "operation": without_nulls(as_value(operation)),
            });
            if let Some(status) = merge_patch_of(&application.status, &status) {
                patch["status"] = status;
            }
            let patch = Patch::Merge(patch);
            let resource = self.0.applications.resource();
            let options = self.server_writes();
            match self.0.cluster.patch(resource, &metadata.namespace, &metadata.name, &patch, &options).await
            {
                // Somebody wrote it meanwhile: it is read anew.
                Err(error) if error.is_conflict() || error.is_invalid() => {}
                other => return self.taken(other?),
            }
        }
        self.begin(&metadata.namespace, &metadata.name, Some(&metadata.uid), operation).await
    }

    /// Starts an operation unless one runs already.
    pub async fn start_operation(
        &self,
        namespace: &str,
        name: &str,
        operation: &Operation,
    ) -> Result<Application, StoreError> {
        self.begin(namespace, name, None, operation).await
    }

    async fn begin(
        &self,
        namespace: &str,
        name: &str,
        uid: Option<&str>,
        operation: &Operation,
    ) -> Result<Application, StoreError> {
        self.permitted(namespace)?;
        let resource = self.0.applications.resource();
        for _ in 0..TRIES {
            let live = self.0.cluster.get(resource, namespace, name).await?;
            if uid.is_some_and(|uid| uid != live.uid()) {
                return Err(replaced(namespace, name));
            }
            if live.at(&["operation"]).is_some_and(|operation| !operation.is_null()) {
                return Err(StoreError::OperationInProgress);
            }
            let patch = Patch::Merge(json!({
                "metadata": {"resourceVersion": live.resource_version()},
                "operation": without_nulls(as_value(operation)),
                "status": {"operationState": null},
            }));
            match self.0.cluster.patch(resource, namespace, name, &patch, &self.server_writes()).await {
                Err(error) if error.is_conflict() => {}
                other => return self.taken(other?),
            }
        }
        Err(StoreError::Contention(format!("operation of application {name}")))
    }

    /// Asks the controller to end the running operation. An error when none runs.
    pub async fn terminate_operation(&self, namespace: &str, name: &str) -> Result<Application, StoreError> {
        self.permitted(namespace)?;
        let resource = self.0.applications.resource();
        for _ in 0..TRIES {
            let live = self.0.cluster.get(resource, namespace, name).await?;
            let running = live.at(&["operation"]).is_some_and(|operation| !operation.is_null());
            if !running || live.at(&["status", "operationState"]).is_none_or(Value::is_null) {
                return Err(StoreError::NotFound { kind: "operation of application", name: name.into() });
            }
            let patch = Patch::Merge(json!({
                "metadata": {"resourceVersion": live.resource_version()},
                "status": {"operationState": {"phase": "Terminating"}},
            }));
            match self.0.cluster.patch(resource, namespace, name, &patch, &self.server_writes()).await {
                Err(error) if error.is_conflict() => {}
                other => return self.taken(other?),
            }
        }
        Err(StoreError::Contention(format!("operation of application {name}")))
    }

    /// Asks for a refresh by annotation, with the moment: so the controller sees that it was asked again while it looked.
    pub async fn request_refresh(
        &self,
        namespace: &str,
        name: &str,
        hard: bool,
        asked: jiff::Timestamp,
    ) -> Result<Application, StoreError> {
        let level = if hard { "hard" } else { "normal" };
        let annotations = json!({REFRESH: level, REFRESH_TIMESTAMP: asked.to_string()});
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        self.patch_application(namespace, name, &patch).await
    }

    /// Asks for a refresh because of a push, and with `hydrate` for what is hydrated, too; with the moment of the push.
    pub async fn request_refresh_of_push(
        &self,
        namespace: &str,
        name: &str,
        hydrate: bool,
        pushed: jiff::Timestamp,
    ) -> Result<Application, StoreError> {
        let at = pushed.to_string();
        let mut annotations = json!({REFRESH: "normal", REFRESH_TIMESTAMP: at});
        if hydrate {
            annotations[HYDRATE] = "normal".into();
            annotations[HYDRATE_TIMESTAMP] = at.into();
        }
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        self.patch_application(namespace, name, &patch).await
    }

    /// Removes a refresh annotation that has been acted on, if it still is the one that the application had when it was read:
    /// what was asked meanwhile stays. Says whether it was removed.
    pub async fn acknowledge_refresh(&self, application: &Application) -> Result<bool, StoreError> {
        let (namespace, name) = (&application.metadata.namespace, &application.metadata.name);
        let seen = |annotation: &str| application.metadata.annotations.get(annotation).map(String::as_str);
        let resource = self.0.applications.resource();
        let options = WriteOptions::manager(self.0.managers.application_status.as_str());
        for _ in 0..TRIES {
            let live = self.0.cluster.get(resource, namespace, name).await?;
            let is_seen = |annotation: &str| live.annotation(annotation) == seen(annotation);
            let asked = live.annotation(REFRESH).is_some();
            if live.uid() != application.metadata.uid
                || !asked
                || !is_seen(REFRESH)
                || !is_seen(REFRESH_TIMESTAMP)
            {
                return Ok(false);
            }
            let patch = Patch::Merge(json!({"metadata": {
                "resourceVersion": live.resource_version(),
                "annotations": {REFRESH: null, REFRESH_TIMESTAMP: null},
            }}));
            match self.0.cluster.patch(resource, namespace, name, &patch, &options).await {
                Err(error) if error.is_conflict() => {}
                other => {
                    self.0.applications.observe(other?).ok();
                    return Ok(true);
                }
            }
        }
        Err(StoreError::Contention(format!("application {name}")))
    }

    /// Has exactly this application carry some finalizers and not others; the rest stays. Gives the application as
    /// it is then, nothing when it was so already.
    pub async fn settle_finalizers(
        &self,
        application: &Application,
        wanted: &[(&str, bool)],
    ) -> Result<Option<Application>, StoreError> {
        let metadata = &application.metadata;
        let settled = |known: &[String]| {
            let mut settled: Vec<String> =
                known.iter().filter(|known| !wanted.contains(&(known.as_str(), false))).cloned().collect();
            for (name, _) in wanted.iter().filter(|(_, carried)| *carried) {
                if !settled.iter().any(|known| known == name) {
                    settled.push((*name).to_owned());
                }
            }
            (settled != known).then_some(settled)
        };
        let Some(finalizers) = settled(&metadata.finalizers) else { return Ok(None) };
        let mut try_now = Some((finalizers, metadata.resource_version.clone()));
        let resource = self.0.applications.resource();
        let options = WriteOptions::manager(self.0.managers.application_status.as_str());
        for _ in 0..TRIES {
            let (finalizers, version) = match try_now.take() {
                Some(known) => known,
                None => {
                    let live = self.0.cluster.get(resource, &metadata.namespace, &metadata.name).await?;
                    if live.uid() != metadata.uid {
                        return Err(replaced(&metadata.namespace, &metadata.name));
                    }
                    let known: Vec<String> = live.finalizers().into_iter().map(str::to_owned).collect();
                    match settled(&known) {
                        Some(finalizers) => (finalizers, live.resource_version().to_owned()),
                        None => return self.taken(live).map(Some),
                    }
                }
            };
            let patch = Patch::Merge(json!({"metadata": {
                "uid": metadata.uid, "resourceVersion": version, "finalizers": finalizers,
            }}));
            match self.0.cluster.patch(resource, &metadata.namespace, &metadata.name, &patch, &options).await
            {
                Err(error) if error.is_conflict() => {}
                other => return self.taken(other?).map(Some),
            }
        }
        Err(StoreError::Contention(format!("finalizers of application {}", metadata.name)))
    }

    /// Removes a finalizer of exactly this application. An application that is gone already is no error.
    pub async fn remove_finalizer(
        &self,
        application: &Application,
        finalizer: &str,
    ) -> Result<(), StoreError> {
        let resource = self.0.applications.resource();
        let metadata = &application.metadata;
        let options = WriteOptions::manager(self.0.managers.application_status.as_str());
        for _ in 0..TRIES {
            let found = self.0.cluster.find(resource, &metadata.namespace, &metadata.name).await?;
            let Some(live) = found.filter(|live| live.uid() == metadata.uid) else { return Ok(()) };
            let rest: Vec<&str> = live.finalizers().into_iter().filter(|other| *other != finalizer).collect();
            if rest.len() == live.finalizers().len() {
                return Ok(());
            }
            let patch = Patch::Merge(json!({"metadata": {
                "resourceVersion": live.resource_version(),
                "finalizers": if rest.is_empty() { Value::Null } else { json!(rest) },
            }}));
            match self.0.cluster.patch(resource, &metadata.namespace, &metadata.name, &patch, &options).await
            {
                Err(error) if error.is_conflict() => {}
                Err(error) if error.is_not_found() => return Ok(()),
                other => {
                    self.0.applications.observe(other?).ok();
                    return Ok(());
                }
            }
        }
        Err(StoreError::Contention(format!("finalizers of application {}", metadata.name)))
    }

    pub(crate) fn server_writes(&self) -> WriteOptions {
        WriteOptions::manager(self.0.managers.server.as_str())
    }

    pub(crate) fn permitted(&self, namespace: &str) -> Result<(), StoreError> {
        if self.0.namespaces.permits(namespace) {
            Ok(())
        } else {
            Err(StoreError::NamespaceNotPermitted(namespace.into()))
        }
    }

    /// Keeps a write's answer in memory and reads it.
    fn taken(&self, object: Object) -> Result<Application, StoreError> {
        match self.0.applications.observe(object) {
            Ok(stored) => stored.valid(Application::KIND).map(|application| application.as_ref().clone()),
            Err(object) => {
                let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
                Application::from_object(object).map_err(|error| StoreError::Invalid {
                    kind: Application::KIND.into(),
                    namespace,
                    name,
                    reason: error.reason,
                })
            }
        }
    }
}

fn replaced(namespace: &str, name: &str) -> StoreError {
    StoreError::Replaced { kind: Application::KIND, namespace: namespace.into(), name: name.into() }
}

/// What is to be written of a status; nothing when nothing changed.
fn status_patch(change: StatusChange<'_>) -> Option<Map<String, Value>> {
    let before = &change.application.status;
    let mut patch = Map::new();
    if before != change.status
        && let Some(status) = merge_patch_of(before, change.status)
    {
        patch.insert("status".into(), status);
    }
    if change.operation_done {
        patch.insert("operation".into(), Value::Null);
    }
    if patch.is_empty() {
        return None;
    }
    patch.insert("metadata".into(), json!({"uid": change.application.metadata.uid}));
    Some(patch)
}

fn as_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("API types are JSON objects with text keys")
}

/// A merge patch reads `null` as removal; here it only ever means "not set".
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_status_is_not_written_and_a_change_is_small() {
        let mut before = ApplicationStatus::default();
        before.sync.status = "OutOfSync".into();
        let mut after = before.clone();
        assert_eq!(merge_patch_of(&before, &after), None);
        after.sync.status = "Synced".into();
        assert_eq!(merge_patch_of(&before, &after), Some(json!({"sync": {"status": "Synced"}})));
    }
}
