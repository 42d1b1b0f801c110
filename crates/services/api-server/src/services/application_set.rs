//! ApplicationSets. What they generate is their controller's to know; here they are written, shown and watched.

use crate::application::list_events;
use crate::audit::Reason;
use crate::authentication::Caller;
use crate::authorization::{Access, rbac_name};
use crate::failure;
use crate::hub::Hub;
use crate::selector::Selector;
use crate::streams::{Listing, Opened, fell_behind, guarded, opened};
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{
    ApplicationSet, ApplicationSetGenerator, ApplicationSetList, ApplicationSetTree,
    ApplicationSetWatchEvent, ResourceNode, ResourceRef, ResourceStatus,
};
use api::{API_VERSION, Root};
use kubernetes::DeleteOptions;
use std::sync::Arc;
use store::{EventKind, StoreError, Stored};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use wire::applicationset::application_set_service_server::ApplicationSetService;
use wire::applicationset::{
    ApplicationSetCreateRequest, ApplicationSetDeleteRequest, ApplicationSetGetQuery,
    ApplicationSetListQuery, ApplicationSetResponse, ApplicationSetTreeQuery, ApplicationSetWatchQuery,
};
use wire::events::EventList;

const APPLICATION_SETS: &str = "applicationsets";
/// How often an update that meets another one starts over.
const TRIES: usize = 10;

/// ApplicationSets.
pub(crate) struct ApplicationSets(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ApplicationSetService for ApplicationSets {
    async fn get(&self, request: Request<ApplicationSetGetQuery>) -> Answer<ApplicationSet> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.appset_namespace, &query.name).await?;
        Ok(Response::new(ApplicationSet::clone(&found)))
    }

    async fn list(&self, request: Request<ApplicationSetListQuery>) -> Answer<ApplicationSetList> {
        let (access, query) = self.0.enter(request)?;
        list(&self.0, &access, &query).map(Response::new)
    }

    async fn create(&self, request: Request<ApplicationSetCreateRequest>) -> Answer<ApplicationSet> {
        let (access, request) = self.0.enter(request)?;
        create(&self.0, &access, request).await.map(Response::new)
    }

    async fn delete(&self, request: Request<ApplicationSetDeleteRequest>) -> Answer<ApplicationSetResponse> {
        let (access, query) = self.0.enter(request)?;
        delete(&self.0, &access, &query).await?;
        Ok(Response::new(ApplicationSetResponse::default()))
    }

    async fn resource_tree(&self, request: Request<ApplicationSetTreeQuery>) -> Answer<ApplicationSetTree> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.appset_namespace, &query.name).await?;
        Ok(Response::new(tree(&found)))
    }

    async fn list_resource_events(&self, request: Request<ApplicationSetGetQuery>) -> Answer<EventList> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.appset_namespace, &query.name).await?;
        list_events(&self.0, &found.metadata).await.map(Response::new)
    }

    async fn watch(
        &self,
        request: Request<ApplicationSetWatchQuery>,
    ) -> Answer<BoxStream<ApplicationSetWatchEvent>> {
        let (access, query) = self.0.enter(request)?;
        watch(self.0.clone(), &access, &query).map(Response::new)
    }
}

/// The object of the policy that an ApplicationSet is: its applications' project, and its own name.
fn object_of(hub: &Hub, set: &ApplicationSet) -> String {
    let namespace = hub.namespace_or_default(&set.metadata.namespace);
    rbac_name(hub.store.namespace(), &set.spec.template.spec.project, namespace, &set.metadata.name)
}

/// An ApplicationSet the caller may see.
async fn visible(
    hub: &Hub,
    access: &Access,
    namespace: &str,
    name: &str,
) -> Result<Arc<ApplicationSet>, Status> {
    let namespace = hub.namespace_or_default(namespace);
    if !hub.store.namespaces().permits(namespace) {
        return Err(failure::store(&StoreError::NamespaceNotPermitted(namespace.into())));
    }
    let may = |set: &Arc<ApplicationSet>| access.permits(APPLICATION_SETS, "get", &object_of(hub, set));
    match hub.store.application_set(namespace, name) {
        Ok(found) if may(&found) => return Ok(found),
        Ok(_) | Err(StoreError::NotFound { .. }) => {}
        Err(error) => return Err(failure::store(&error)),
    }
    // Another replica may have written it a moment ago.
    if let Some(fetched) = hub.fetched_set(namespace, name).await.filter(may) {
        return Ok(fetched);
    }
    let message = format!("error getting ApplicationSet: applicationset.{} {name:?} not found", api::GROUP);
    Err(hidden(hub, access, "get", namespace, name).unwrap_or_else(|| Status::not_found(message)))
}

/// The refusal for a set that may not be seen, whether or not it is there; nothing for whoever may do something with
/// sets of that name in some project, and so may be told that there is none.
fn hidden(hub: &Hub, access: &Access, action: &str, namespace: &str, name: &str) -> Option<Status> {
    let object = |project: &str| rbac_name(hub.store.namespace(), project, namespace, name);
    let may = |project: &str| {
        ["get", "create", "update", "delete"]
            .iter()
            .any(|action| access.permits(APPLICATION_SETS, action, &object(project)))
    };
    if hub.store.projects().values().iter().any(|project| may(&project.metadata.name)) {
        return None;
    }
    access.require(APPLICATION_SETS, action, &object(api::names::DEFAULT_PROJECT)).err()
}

/// Which sets a query is about.
struct Filter {
    name: String,
    namespace: String,
    projects: Vec<String>,
    selector: Selector,
}

impl Filter {
    fn takes(&self, set: &ApplicationSet) -> bool {
        let metadata = &set.metadata;
        (self.name.is_empty() || self.name == metadata.name)
            && (self.namespace.is_empty() || self.namespace == metadata.namespace)
            && (self.projects.is_empty() || self.projects.contains(&set.spec.template.spec.project))
            && self.selector.matches(&metadata.labels)
    }
}

fn selector(text: &str) -> Result<Selector, Status> {
    Selector::parse(text).map_err(|error| Status::unknown(format!("error parsing the selector: {error}")))
}

fn list(hub: &Hub, access: &Access, query: &ApplicationSetListQuery) -> Result<ApplicationSetList, Status> {
    let filter = Filter {
        name: String::new(),
        namespace: query.appset_namespace.clone(),
        projects: query.projects.clone(),
        selector: selector(&query.selector)?,
    };
    let (stored, resource_version) =
        hub.store.application_sets().map(store::Watched::snapshot).unwrap_or_default();
    let mut items: Vec<ApplicationSet> = stored
        .iter()
        .filter_map(|stored| stored.value())
        .filter(|set| filter.takes(set))
        .filter(|set| access.permits(APPLICATION_SETS, "get", &object_of(hub, set)))
        .map(|set| ApplicationSet::clone(set))
        .collect();
    items.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
    Ok(ApplicationSetList { metadata: ListMeta { resource_version, ..ListMeta::default() }, items })
}

async fn create(
    hub: &Hub,
    access: &Access,
    request: ApplicationSetCreateRequest,
) -> Result<ApplicationSet, Status> {
    let mut wanted = request.applicationset.ok_or_else(|| {
        Status::unknown("error creating ApplicationSets: ApplicationSets is nil in request")
    })?;
    check(&wanted)?;
    let namespace = hub.namespace_or_default(&wanted.metadata.namespace).to_owned();
    if !hub.store.namespaces().permits(&namespace) {
        return Err(failure::store(&StoreError::NamespaceNotPermitted(namespace)));
    }
    may_create(hub, access, &wanted).await?;
    if request.dry_run {
        return Ok(wanted);
    }
    // The API server would take an empty list; the original sends it none, and passes on what that is told.
    if wanted.spec.generators.is_empty() {
        return Err(Status::invalid_argument(format!(
            "error creating ApplicationSet: ApplicationSet.{} {:?} is invalid: spec.generators: Required value",
            api::GROUP,
            wanted.metadata.name
        )));
    }
    wanted.metadata.namespace = namespace;
    // A status is the controller's; a made-up one could hide what the set has made.
    wanted.status = Default::default();
    match hub.store.create_application_set(&wanted).await {
        Ok(created) => {
            hub.tell_application_set(access, &created, Reason::Created, "created ApplicationSet").await;
            Ok(created)
        }
        Err(StoreError::Cluster(error)) if error.is_already_exists() => {
            already_there(hub, access, &wanted, request.upsert).await
        }
        Err(error) => Err(failure::tried("error creating ApplicationSet", &error)),
    }
}

/// A set's own mistakes.
fn check(set: &ApplicationSet) -> Result<(), Status> {
    if set.spec.template.spec.project.contains("{{") {
        return Err(Status::unknown(
            "error validating ApplicationSets: the Argo CD API does not currently support creating ApplicationSets \
             with templated `project` fields",
        ));
    }
    if set.spec.generators.iter().any(|generator| *generator == ApplicationSetGenerator::default()) {
        return Err(Status::unknown(format!(
            "error validating ApplicationSets: ApplicationSet {} contains unrecognized generators",
            set.metadata.name
        )));
    }
    Ok(())
}

async fn may_create(hub: &Hub, access: &Access, set: &ApplicationSet) -> Result<(), Status> {
    access.require(APPLICATION_SETS, "create", &object_of(hub, set))?;
    let project = &set.spec.template.spec.project;
    if project.is_empty() {
        return Err(Status::unknown(format!(
            "error checking create permissions for ApplicationSets {} : error getting ApplicationSet's project \"\": \
             resource name may not be empty",
            set.metadata.name
        )));
    }
    if hub.project_now(project).await.is_err() {
        return Err(Status::invalid_argument(format!(
            "ApplicationSet references project {project} which does not exist"
        )));
    }
    Ok(())
}

async fn already_there(
    hub: &Hub,
    access: &Access,
    wanted: &ApplicationSet,
    upsert: bool,
) -> Result<ApplicationSet, Status> {
    let (namespace, name) = (&wanted.metadata.namespace, &wanted.metadata.name);
    for _ in 0..TRIES {
        let existing = hub.store.fetch_application_set(namespace, name).await.map_err(|error| {
            Status::internal(format!(
                "unable to check existing ApplicationSet details: {}",
                failure::store(&error).message()
            ))
        })?;
        let (old, new) = (&existing.metadata, &wanted.metadata);
        let same = existing.spec == wanted.spec
            && (&old.labels, &old.annotations, &old.finalizers)
                == (&new.labels, &new.annotations, &new.finalizers);
        if same {
            access.require(APPLICATION_SETS, "get", &object_of(hub, &existing))?;
            return Ok(existing);
        }
        if !upsert {
            return Err(Status::invalid_argument(
                "existing ApplicationSet spec is different, use upsert flag to force update",
            ));
        }
        // In the project it comes to, and in the one it leaves.
        access.require(APPLICATION_SETS, "update", &object_of(hub, wanted))?;
        access.require(APPLICATION_SETS, "update", &object_of(hub, &existing))?;
        let mut updated = existing;
        updated.spec = wanted.spec.clone();
        updated.metadata.labels.extend(new.labels.clone());
        updated.metadata.annotations.extend(new.annotations.clone());
        updated.metadata.finalizers.clone_from(&new.finalizers);
        match hub.store.update_application_set(&updated).await {
            Ok(updated) => {
                hub.tell_application_set(access, &updated, Reason::Updated, "updated ApplicationSets spec")
                    .await;
                return Ok(updated);
            }
            Err(StoreError::Cluster(error)) if error.is_conflict() => {}
            Err(error) => return Err(failure::tried("error updating ApplicationSets", &error)),
        }
    }
    Err(Status::internal("failed to update ApplicationSets: too many conflicts"))
}

async fn delete(hub: &Hub, access: &Access, query: &ApplicationSetDeleteRequest) -> Result<(), Status> {
    let namespace = hub.namespace_or_default(&query.appset_namespace);
    let name = &query.name;
    let missing = || {
        let message =
            format!("error getting ApplicationSets: applicationsets.{} {name:?} not found", api::GROUP);
        hidden(hub, access, "delete", namespace, name).unwrap_or_else(|| Status::not_found(message))
    };
    let found = match hub.store.fetch_application_set(namespace, name).await {
        Ok(found) => found,
        Err(StoreError::Cluster(error)) if error.is_not_found() => return Err(missing()),
        Err(error) => return Err(failure::tried("error getting ApplicationSets", &error)),
    };
    let object = object_of(hub, &found);
    if !access.permits(APPLICATION_SETS, "delete", &object) {
        // Who may see it is told what is missing; to all others it is as if it were not there.
        let seen = access.permits(APPLICATION_SETS, "get", &object);
        return if seen { access.require(APPLICATION_SETS, "delete", &object) } else { Err(missing()) };
    }
    let options = DeleteOptions { uid: Some(found.metadata.uid.clone()), ..DeleteOptions::default() };
    let deleted = hub.store.delete_application_set(namespace, name, &options).await;
    deleted.map_err(|error| failure::tried("error deleting ApplicationSets", &error))?;
    hub.tell_application_set(access, &found, Reason::Deleted, "deleted ApplicationSets").await;
    Ok(())
}

/// The applications of a set, below it.
fn tree(set: &ApplicationSet) -> ApplicationSetTree {
    let metadata = &set.metadata;
    let (_, version) = object::split_api_version(API_VERSION);
    let parent = ResourceRef {
        group: api::GROUP.into(),
        version: version.to_owned(),
        kind: ApplicationSet::KIND.into(),
        namespace: metadata.namespace.clone(),
        name: metadata.name.clone(),
        uid: metadata.uid.clone(),
    };
    let node = |application: &ResourceStatus| ResourceNode {
        resource_ref: ResourceRef {
            group: application.group.clone(),
            version: application.version.clone(),
            kind: application.kind.clone(),
            namespace: metadata.namespace.clone(),
            name: application.name.clone(),
            uid: String::new(),
        },
        parent_refs: vec![parent.clone()],
        health: application.health.clone(),
        ..ResourceNode::default()
    };
    let mut nodes: Vec<ResourceNode> = set.status.resources.iter().map(node).collect();
    nodes.sort_by(|left, right| left.resource_ref.name.cmp(&right.resource_ref.name));
    ApplicationSetTree { nodes }
}

/// What a watcher is told about.
struct Watcher {
    hub: Arc<Hub>,
    caller: Caller,
    filter: Filter,
}

impl Watcher {
    fn event(&self, kind: EventKind, stored: &Stored<ApplicationSet>) -> Option<ApplicationSetWatchEvent> {
        let set = stored.value().filter(|set| self.filter.takes(set))?;
        // Anew for every event: permissions may have changed since the stream began.
        let access = self.hub.access(self.caller.clone());
        if !access.permits(APPLICATION_SETS, "get", &object_of(&self.hub, set)) {
            return None;
        }
        let r#type = match kind {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
        };
        Some(ApplicationSetWatchEvent {
            r#type: r#type.to_owned(),
            application_set: ApplicationSet::clone(set),
        })
    }
}

/// Sets: the one that is named as it is, then every change.
fn watch(
    hub: Arc<Hub>,
    access: &Access,
    query: &ApplicationSetWatchQuery,
) -> Result<BoxStream<ApplicationSetWatchEvent>, Status> {
    let filter = Filter {
        name: query.name.clone(),
        namespace: query.app_set_namespace.clone(),
        projects: query.projects.clone(),
        selector: selector(&query.selector)?,
    };
    let Some(watched) = hub.store.application_sets() else {
        return Err(Status::unavailable("ApplicationSets are not watched by this server"));
    };
    let listing = if query.name.is_empty() { Listing::Nothing } else { Listing::One };
    let Opened { listed, mut changes, mut known } =
        opened(watched, &query.resource_version, listing, "ApplicationSets")?;
    let watcher = Watcher { hub: hub.clone(), caller: access.caller().clone(), filter };
    let events = Box::pin(async_stream::try_stream! {
        for stored in listed {
            if let Some(event) = watcher.event(EventKind::Added, &stored) {
                known.add(&stored);
                yield event;
            }
        }
        while let Some(change) = changes.next().await {
            let change = change.map_err(|_| fell_behind("ApplicationSets"))?;
            if known.has(&change) {
                continue;
            }
            if let Some(event) = watcher.event(change.kind, &change.item) {
                yield event;
            }
        }
    });
    Ok(guarded(hub, access.caller().clone(), events, |_| Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(project: &str) -> ApplicationSet {
        let mut set = ApplicationSet::default();
        set.metadata.name = "s".into();
        set.metadata.namespace = "argocd".into();
        set.spec.template.spec.project = project.into();
        set
    }

    #[test]
    fn a_project_is_no_template_and_a_generator_generates() {
        assert!(check(&set("default")).is_ok());
        assert!(check(&set("{{.p}}")).unwrap_err().message().contains("templated `project`"));
        let mut empty = set("default");
        empty.spec.generators.push(ApplicationSetGenerator::default());
        assert!(check(&empty).unwrap_err().message().ends_with("s contains unrecognized generators"));
    }

    #[test]
    fn applications_hang_below_their_set() {
        let mut set = set("default");
        for name in ["b", "a"] {
            set.status.resources.push(ResourceStatus { name: name.into(), ..ResourceStatus::default() });
        }
        let tree = tree(&set);
        let names: Vec<_> = tree.nodes.iter().map(|node| node.resource_ref.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let parent = &tree.nodes[0].parent_refs[0];
        assert_eq!((parent.kind.as_str(), parent.name.as_str()), ("ApplicationSet", "s"));
    }

    #[test]
    fn every_filter_must_take_a_set() {
        let filter = |projects: &[&str], namespace: &str| Filter {
            name: String::new(),
            namespace: namespace.into(),
            projects: projects.iter().map(|name| (*name).to_owned()).collect(),
            selector: Selector::parse("").unwrap(),
        };
        assert!(filter(&[], "").takes(&set("p")) && filter(&["p"], "argocd").takes(&set("p")));
        assert!(!filter(&["q"], "").takes(&set("p")) && !filter(&[], "other").takes(&set("p")));
    }
}
