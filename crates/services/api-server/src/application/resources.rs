//! An application's resources: the tree, what is managed, and single objects. An object is reached through the tree
//! of its application only, so that a right on an application is none on its neighbours.

use crate::audit::Reason;
use crate::authorization::{Access, Wanted};
use crate::destinations::Scope;
use crate::failure;
use crate::found;
use crate::hub::Hub;
use crate::masking;
use api::Root as _;
use api::v1alpha1::{Application, ApplicationTree, ResourceDiff, ResourceNode, ResourceRef};
use kubernetes::{ApiResource, Cluster, DeleteOptions, Patch, Propagation, WriteOptions};
use object::{GroupVersionKind, Object};
use serde_json::Value;
use std::sync::Arc;
use tonic::Status;
use wire::application::{
    ApplicationResourceDeleteRequest, ApplicationResourcePatchRequest, ApplicationResourceRequest,
    ApplicationResourceResponse, ApplicationResponse, ManagedResourcesResponse, ResourcesQuery,
};

/// The tree of an application.
pub(crate) async fn tree(
    hub: &Hub,
    access: &Access,
    query: &ResourcesQuery,
) -> Result<ApplicationTree, Status> {
    let application = access.application(wanted(query), "get").await?;
    found::tree(hub, &application).await
}

/// The managed resources of an application, Secrets masked.
pub(crate) async fn managed(
    hub: &Hub,
    access: &Access,
    query: &ResourcesQuery,
) -> Result<ManagedResourcesResponse, Status> {
    let application = access.application(wanted(query), "get").await?;
    let mut items = found::managed(hub, &application).await?;
    items.retain(|item| !item.hook && is_asked_for(item, query));
    for item in &mut items {
        masking::resource(item, &access.snapshot().masked_annotations);
    }
    Ok(ManagedResourcesResponse { items })
}

pub(super) fn wanted(query: &ResourcesQuery) -> Wanted<'_> {
    Wanted::new(&query.project, &query.app_namespace, &query.application_name)
}

fn is_asked_for(item: &ResourceDiff, query: &ResourcesQuery) -> bool {
    let fits = |asked: &str, has: &str| asked.is_empty() || asked == has;
    fits(query.name(), &item.name)
        && fits(query.namespace(), &item.namespace)
        && fits(query.group(), &item.group)
        && fits(query.kind(), &item.kind)
}

/// Which object of an application a request is about.
pub(super) struct Named<'a> {
    pub(super) there: Wanted<'a>,
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Named<'a> {
    /// From the fields of a request.
    pub(super) fn of(query: &'a ApplicationResourceRequest) -> Self {
        Self {
            there: Wanted::new(&query.project, &query.app_namespace, &query.name),
            group: query.group(),
            version: &query.version,
            kind: &query.kind,
            namespace: query.namespace(),
            name: &query.resource_name,
        }
    }
}

/// An object the caller may do something with.
pub(super) struct Reached {
    pub(super) application: Arc<Application>,
    pub(super) scope: Scope,
    pub(super) cluster: Cluster,
    pub(super) resource: ApiResource,
    pub(super) namespace: String,
    pub(super) name: String,
    /// As it was when it was looked for.
    pub(super) uid: String,
    /// Whether it is the application itself.
    pub(super) is_application: bool,
}

impl Reached {
    /// The object as it is in the cluster.
    pub(super) async fn live(&self) -> Result<Object, Status> {
        let live = self.cluster.get(&self.resource, &self.namespace, &self.name).await;
        live.map_err(|error| failure::within("error getting resource", &failure::kubernetes(&error)))
    }
}

/// The object of an application, if the caller may and it belongs to the application.
pub(super) async fn reach(
    hub: &Hub,
    access: &Access,
    named: &Named<'_>,
    action: &str,
) -> Result<Reached, Status> {
    let application = permitted(access, named, action).await?;
    let scope = hub.project_of(&application)?;
    let tree = found::tree(hub, &application).await;
    let tree = tree.map_err(|status| failure::within("error getting app resources", &status))?;
    let node = found::node(&tree, named.group, named.kind, named.namespace, named.name);
    let place = scope.destination(&application.spec.destination).map_err(Status::invalid_argument)?;
    // The tree may be from before the project was narrowed (CVE-2022-24768).
    let within = |node: &&ResourceNode| {
        let object = identified(&node.resource_ref);
        project::permits_live(&scope.project, &object, &place, &scope.own_clusters)
    };
    let node = node.filter(|node| !node.resource_ref.uid.is_empty()).filter(within).ok_or_else(|| {
        Status::invalid_argument(format!(
            "{} {} {} not found as part of application {}",
            named.kind, named.group, named.name, application.metadata.name
        ))
    })?;
    let cluster = hub.acting(&application, &scope).await?;
    let version = if named.version.is_empty() { &node.resource_ref.version } else { named.version };
    let kind = GroupVersionKind::new(named.group, version, named.kind);
    let resource = cluster.resource(&kind).await.map_err(|error| failure::kubernetes(&error))?;
    let reached = Reached {
        namespace: if resource.namespaced { node.resource_ref.namespace.clone() } else { String::new() },
        name: named.name.to_owned(),
        uid: node.resource_ref.uid.clone(),
        application,
        scope,
        cluster,
        resource,
        is_application: false,
    };
    Ok(reached)
}

/// An object as far as a tree knows it.
fn identified(found: &ResourceRef) -> Object {
    let mut object = Object::default();
    let kind = GroupVersionKind::new(&found.group, &found.version, &found.kind);
    object.0.insert("apiVersion".into(), kind.api_version().into());
    object.0.insert("kind".into(), found.kind.as_str().into());
    object.set_namespace(&found.namespace);
    object.set_name(&found.name);
    object
}

/// The same, or the application itself, which is no part of its own tree.
pub(super) async fn reach_or_application(
    hub: &Hub,
    access: &Access,
    named: &Named<'_>,
    action: &str,
) -> Result<Reached, Status> {
    let own = (named.group, named.kind, named.name) == (api::GROUP, Application::KIND, named.there.name);
    let namespace = hub.namespace_or_default(named.there.namespace);
    if !own || !(named.namespace.is_empty() || named.namespace == namespace) {
        return reach(hub, access, named, action).await;
    }
    let application = access.application(named.there, action).await?;
    let cluster = hub.store.cluster().clone();
    let kind = GroupVersionKind::from_api_version(api::API_VERSION, Application::KIND);
    let resource = cluster.resource(&kind).await.map_err(|error| failure::kubernetes(&error))?;
    Ok(Reached {
        scope: hub.project_of(&application)?,
        cluster,
        resource,
        namespace: namespace.to_owned(),
        name: application.metadata.name.clone(),
        uid: application.metadata.uid.clone(),
        application,
        is_application: true,
    })
}

/// The application of an object, when the caller may do something with that object: by a right on the object, and
/// by one on the application where settings let it reach its objects.
async fn permitted(access: &Access, named: &Named<'_>, action: &str) -> Result<Arc<Application>, Status> {
    // What is done by an action has its own name; the object is not part of it.
    if action == "get" || action.starts_with("action/") {
        return access.application(named.there, action).await;
    }
    let fine = format!("{action}/{}/{}/{}/{}", named.group, named.kind, named.namespace, named.name);
    if access.snapshot().server.no_resource_inheritance {
        return access.application(named.there, &fine).await;
    }
    access.application_for_any(named.there, &[action, &fine]).await
}

/// An object as it is in the cluster, masked when it is a Secret.
pub(crate) async fn get(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourceRequest,
) -> Result<ApplicationResourceResponse, Status> {
    let live = reach(hub, access, &Named::of(query), "get").await?.live().await?;
    Ok(ApplicationResourceResponse { manifest: masking::shown(&live, &access.snapshot().masked_annotations) })
}

/// Changes an object.
pub(crate) async fn patch(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourcePatchRequest,
) -> Result<ApplicationResourceResponse, Status> {
    let named = Named {
        there: Wanted::new(&query.project, &query.app_namespace, &query.name),
        group: query.group(),
        version: &query.version,
        kind: &query.kind,
        namespace: query.namespace(),
        name: &query.resource_name,
    };
    let reached = reach(hub, access, &named, "update").await?;
    // Readers, validation and admission quote what they refuse; of a Secret nothing is quoted (CVE-2025-23216).
    let told = |status: Status| match (named.group, named.kind) {
        ("", "Secret") => {
            Status::unknown(format!("failed to patch Secret {}/{}", reached.namespace, named.name))
        }
        _ => failure::within("error patching resource", &status),
    };
    let patch = read_patch(&query.patch_type, &query.patch).map_err(told)?;
    let options = WriteOptions::manager(crate::COMPONENT);
    let patched =
        reached.cluster.patch(&reached.resource, &reached.namespace, named.name, &patch, &options).await;
    let patched = patched.map_err(|error| told(failure::kubernetes(&error)))?;
    let what = format!("patched resource {}/{} '{}'", named.group, named.kind, named.name);
    hub.tell_application(access, &reached.application, Reason::Updated, &what).await;
    Ok(ApplicationResourceResponse {
        manifest: masking::shown(&patched, &access.snapshot().masked_annotations),
    })
}

fn read_patch(kind: &str, text: &str) -> Result<Patch, Status> {
    let value = || {
        serde_json::from_str::<Value>(text).map_err(|error| {
            let problem = wire::transcode::problem(text.as_bytes()).unwrap_or_else(|| error.to_string());
            Status::failed_precondition(format!("error decoding patch: {problem}"))
        })
    };
    match kind {
        "application/merge-patch+json" => value().map(Patch::Merge),
        "application/json-patch+json" => value().map(Patch::Json),
        "application/strategic-merge-patch+json" => value().map(Patch::Strategic),
        _ => Err(Status::unknown("415: Unsupported Media Type")),
    }
}

/// Deletes an object.
pub(crate) async fn delete(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourceDeleteRequest,
) -> Result<ApplicationResponse, Status> {
    let named = Named {
        there: Wanted::new(&query.project, &query.app_namespace, &query.name),
        group: query.group(),
        version: &query.version,
        kind: &query.kind,
        namespace: query.namespace(),
        name: &query.resource_name,
    };
    let reached = reach(hub, access, &named, "delete").await?;
    let (force, orphan) = (query.force.unwrap_or(false), query.orphan.unwrap_or(false));
    let propagation = match (orphan, force) {
        (true, _) => Propagation::Orphan,
        (false, true) => Propagation::Background,
        (false, false) => Propagation::Foreground,
    };
    let options = DeleteOptions {
        propagation: Some(propagation),
        // The object of the tree, and not one that took its name meanwhile.
        uid: Some(reached.uid.clone()),
        grace_period_s: (force && !orphan).then_some(0),
        ..DeleteOptions::default()
    };
    let deleted = reached.cluster.delete(&reached.resource, &reached.namespace, named.name, &options).await;
    deleted.map_err(|error| failure::within("error deleting resource", &failure::kubernetes(&error)))?;
    let what = format!("deleted resource {}/{} '{}'", named.group, named.kind, named.name);
    hub.tell_application(access, &reached.application, Reason::Deleted, &what).await;
    Ok(ApplicationResponse {})
}
