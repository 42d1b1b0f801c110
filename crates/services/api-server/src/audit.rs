//! Kubernetes events: who did what to which application or project.

use crate::authorization::{Access, project_name};
use crate::hub::Hub;
use crate::snapshot::{Broken, Snapshot};
use api::k8s::meta_v1::ObjectMeta;
use api::v1alpha1::{AppProject, Application, ApplicationSet, ResourceRef};
use api::{API_VERSION, Root};
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::{EventRecord, Store, StoreError};

/// What kind of thing was done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reason {
    Created,
    Updated,
    Deleted,
    OperationStarted,
    ActionRan,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "ResourceCreated",
            Self::Updated => "ResourceUpdated",
            Self::Deleted => "ResourceDeleted",
            Self::OperationStarted => "OperationStarted",
            Self::ActionRan => "ResourceActionRan",
        }
    }
}

impl Hub {
    /// Records what was done to an application.
    pub(crate) async fn tell_application(
        &self,
        access: &Access,
        of: &Application,
        reason: Reason,
        what: &str,
    ) {
        let (annotations, labels) = (annotations(of, user(access)), self.event_labels(of));
        self.tell(access, Application::KIND, &of.metadata, reason, what, (annotations, labels)).await;
    }

    /// Records what was done to a project. Its events carry no annotations.
    pub(crate) async fn tell_project(&self, access: &Access, of: &AppProject, reason: Reason, what: &str) {
        self.tell(access, AppProject::KIND, &of.metadata, reason, what, Default::default()).await;
    }

    /// Records what was done to an ApplicationSet.
    pub(crate) async fn tell_application_set(
        &self,
        access: &Access,
        of: &ApplicationSet,
        reason: Reason,
        what: &str,
    ) {
        let annotations = BTreeMap::from([("user".to_owned(), user(access))]);
        self.tell(access, ApplicationSet::KIND, &of.metadata, reason, what, (annotations, BTreeMap::new()))
            .await;
    }

    /// Records that an action ran on an object of a cluster. The cluster may be another one, so that the event is in our
    /// namespace.
    pub(crate) async fn tell_object(&self, access: &Access, of: &ResourceRef, what: &str) {
        if !self.tells(Reason::ActionRan) {
            return;
        }
        let annotations = [("user", user(access)), ("resource-namespace", of.namespace.clone())];
        let group = if of.group.is_empty() { String::new() } else { format!("{}/", of.group) };
        let event = EventRecord {
            api_version: format!("{group}{}", of.version),
            kind: of.kind.clone(),
            // Kubernetes keeps no event of an object that is said to be elsewhere.
            namespace: self.store.namespace().to_owned(),
            name: of.name.clone(),
            uid: of.uid.clone(),
            // The original has the version of the kind here.
            resource_version: of.version.clone(),
            reason: Reason::ActionRan.as_str().into(),
            message: format!("{} {what}", user(access)),
            warning: false,
            component: crate::COMPONENT.into(),
            annotations: annotations.map(|(name, value)| (name.to_owned(), value)).into(),
            labels: BTreeMap::new(),
            at: Timestamp::now(),
        };
        self.record(&event).await;
    }

    /// Labels of an application's events, as settings choose them.
    fn event_labels(&self, of: &Application) -> BTreeMap<String, String> {
        let project = self.store.project(project_name(of)).ok();
        let none = BTreeMap::new();
        let of_project = project.as_ref().map_or(&none, |project| &project.metadata.labels);
        settings::ResourceLabels::parse(&self.snapshot().data).of_events(&of.metadata.labels, of_project)
    }

    fn tells(&self, reason: Reason) -> bool {
        self.options.event_reasons.iter().any(|word| word == "all" || word == reason.as_str())
    }

    async fn record(&self, event: &EventRecord) {
        tracing::info!(kind = %event.kind, name = %event.name, reason = %event.reason, "{}", event.message);
        if let Err(error) = self.store.record_event(event).await {
            tracing::warn!(%error, "an event could not be written");
        }
    }

    async fn tell(
        &self,
        access: &Access,
        kind: &str,
        metadata: &ObjectMeta,
        reason: Reason,
        what: &str,
        (annotations, labels): (BTreeMap<String, String>, BTreeMap<String, String>),
    ) {
        if !self.tells(reason) {
            return;
        }
        let user = user(access);
        let event = EventRecord {
            api_version: API_VERSION.into(),
            kind: kind.into(),
            namespace: self.namespace_or_default(&metadata.namespace).into(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            reason: reason.as_str().into(),
            message: format!("{user} {what}"),
            warning: false,
            component: crate::COMPONENT.into(),
            annotations,
            labels,
            at: Timestamp::now(),
        };
        self.record(&event).await;
    }
}

/// Records, as an event of an application, that a pull request could not be compared.
pub(crate) async fn tell_of_pull_request(hub: &Hub, of: &Application, what: &str) {
    const REASON: &str = "PullRequestFeedbackFailed";
    if !hub.options.event_reasons.iter().any(|word| word == "all" || word == REASON) {
        return;
    }
    let event = EventRecord {
        api_version: API_VERSION.into(),
        kind: Application::KIND.into(),
        namespace: hub.namespace_or_default(&of.metadata.namespace).into(),
        name: of.metadata.name.clone(),
        uid: of.metadata.uid.clone(),
        resource_version: of.metadata.resource_version.clone(),
        reason: REASON.into(),
        message: what.to_owned(),
        warning: true,
        component: crate::COMPONENT.into(),
        annotations: BTreeMap::new(),
        labels: BTreeMap::new(),
        at: Timestamp::now(),
    };
    if let Err(error) = hub.store.record_event(&event).await {
        tracing::warn!(%error, "an event could not be written");
    }
}

impl Hub {
    /// Tells of parts of the settings that cannot be read and could be before: in the log, and as events of the
    /// objects they are in.
    pub(crate) fn tell_broken(&self, before: Option<&Snapshot>, now: &Snapshot) {
        let known = |problem: &Broken| before.is_some_and(|before| before.problems.contains(problem));
        let fresh: Vec<Broken> = now.problems.iter().filter(|problem| !known(problem)).cloned().collect();
        for problem in &fresh {
            tracing::warn!("{problem}");
        }
        let store = self.store.clone();
        // The settings are read from within other work, which does not wait for events.
        if let (false, Ok(runtime)) = (fresh.is_empty(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                for problem in fresh {
                    if let Err(error) = store.record_event(&broken(&store, &problem)).await {
                        tracing::warn!(%error, "an event could not be written");
                    }
                }
            });
        }
    }
}

/// Records, as an event of it, that something registered cannot be read.
pub(crate) async fn tell_of_unreadable(hub: &Hub, what: &StoreError) {
    let StoreError::Invalid { kind, name, reason, .. } = what else { return };
    let (store, namespace) = (&hub.store, hub.store.namespace());
    let is_project = kind == AppProject::KIND;
    let version = if is_project {
        store.projects().get(namespace, name).map(|stored| stored.resource_version.to_string())
    } else {
        store.secrets().get(namespace, name).map(|stored| stored.resource_version.to_string())
    };
    let event = EventRecord {
        api_version: if is_project { API_VERSION } else { "v1" }.into(),
        kind: kind.clone(),
        name: name.clone(),
        resource_version: version.unwrap_or_default(),
        ..unreadable(store, reason)
    };
    if let Err(error) = store.record_event(&event).await {
        tracing::warn!(%error, "an event could not be written");
    }
}

fn broken(store: &Store, problem: &Broken) -> EventRecord {
    let of = store.config_maps().get(store.namespace(), problem.object);
    EventRecord {
        name: problem.object.to_owned(),
        resource_version: of.map(|stored| stored.resource_version.to_string()).unwrap_or_default(),
        ..unreadable(store, &problem.message)
    }
}

/// That a ConfigMap cannot be read.
fn unreadable(store: &Store, message: &str) -> EventRecord {
    EventRecord {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: store.namespace().to_owned(),
        name: String::new(),
        uid: String::new(),
        resource_version: String::new(),
        reason: "SettingsUnreadable".into(),
        message: message.to_owned(),
        warning: true,
        component: crate::COMPONENT.into(),
        annotations: BTreeMap::new(),
        labels: BTreeMap::new(),
        at: Timestamp::now(),
    }
}

/// What an application's events say of where it goes, an address that it leaves to a name as an empty text, and of who.
fn annotations(of: &Application, user: String) -> BTreeMap<String, String> {
    let destination = &of.spec.destination;
    let told = [
        ("dest-server", destination.server.clone()),
        ("dest-namespace", destination.namespace.clone()),
        ("user", user),
    ];
    told.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Who did it, for a reader.
fn user(access: &Access) -> String {
    match access.username() {
        name if name.is_empty() => "Unknown user".to_owned(),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_left_to_a_name_is_told_as_an_empty_text() {
        let mut application = Application::default();
        application.spec.destination.name = "in-cluster".into();
        application.spec.destination.namespace = "kust".into();
        let told = annotations(&application, "admin".into());
        let expected = [("dest-namespace", "kust"), ("dest-server", ""), ("user", "admin")];
        assert!(told.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
    }
}
