//! An application's resources: the tree, what is managed, and single objects. An object is reached through the tree
//! of its application only, so that a right on an application is none on its neighbours.

use crate::audit::Reason;
use crate::authorization::{Access, Wanted};
use crate::failure;
use crate::found;
use crate::hub::Hub;
use crate::masking;
use api::v1alpha1::{Application, ApplicationTree, ResourceDiff};
use kubernetes::{ApiResource, Cluster, DeleteOptions, Patch, Propagation, WriteOptions};
use object::GroupVersionKind;
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
    let application = access.application(wanted(query), "get")?;
    found::tree(hub, &application).await
}

/// The managed resources of an application, Secrets masked.
pub(crate) async fn managed(
    hub: &Hub,
    access: &Access,
    query: &ResourcesQuery,
) -> Result<ManagedResourcesResponse, Status> {
    let application = access.application(wanted(query), "get")?;
    let mut items = found::managed(hub, &application).await?;
    items.retain(|item| is_asked_for(item, query));
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
struct Named<'a> {
    there: Wanted<'a>,
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

/// An object the caller may do something with.
struct Reached {
    application: Arc<Application>,
    cluster: Cluster,
    resource: ApiResource,
    namespace: String,
    uid: String,
}

/// The object of an application, if the caller may and it belongs to the application.
async fn reach(hub: &Hub, access: &Access, named: &Named<'_>, action: &str) -> Result<Reached, Status> {
    let application = permitted(access, named, action)?;
    let scope = hub.project_of(&application)?;
    let tree = found::tree(hub, &application).await;
    let tree = tree.map_err(|status| failure::within("error getting app resources", &status))?;
    let node = found::node(&tree, named.group, named.kind, named.namespace, named.name);
    let node = node.filter(|node| !node.resource_ref.uid.is_empty()).ok_or_else(|| {
        Status::invalid_argument(format!(
            "{} {} {} not found as part of application {}",
            named.kind, named.group, named.name, application.metadata.name
        ))
    })?;
    let cluster = hub.connect(&application, &scope).await?;
    let version = if named.version.is_empty() { &node.resource_ref.version } else { named.version };
    let kind = GroupVersionKind::new(named.group, version, named.kind);
    let resource = cluster.resource(&kind).await.map_err(|error| failure::kubernetes(&error))?;
    let reached = Reached {
        namespace: if resource.namespaced { node.resource_ref.namespace.clone() } else { String::new() },
        uid: node.resource_ref.uid.clone(),
        application,
        cluster,
        resource,
    };
    Ok(reached)
}

/// The application of an object, when the caller may do something with that object: by a right on the object, and
/// by one on the application where settings let it reach its objects.
fn permitted(access: &Access, named: &Named<'_>, action: &str) -> Result<Arc<Application>, Status> {
    if action == "get" {
        return access.application(named.there, action);
    }
    let fine = format!("{action}/{}/{}/{}/{}", named.group, named.kind, named.namespace, named.name);
    if access.snapshot().server.no_resource_inheritance {
        return access.application(named.there, &fine);
    }
    access.application(named.there, action).or_else(|_| access.application(named.there, &fine))
}

/// An object as it is in the cluster, masked when it is a Secret.
pub(crate) async fn get(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourceRequest,
) -> Result<ApplicationResourceResponse, Status> {
    let named = Named {
        there: Wanted::new(&query.project, &query.app_namespace, &query.name),
        group: query.group(),
        version: &query.version,
        kind: &query.kind,
        namespace: query.namespace(),
        name: &query.resource_name,
    };
    let reached = reach(hub, access, &named, "get").await?;
    let live = reached.cluster.get(&reached.resource, &reached.namespace, named.name).await;
    let live =
        live.map_err(|error| failure::within("error getting resource", &failure::kubernetes(&error)))?;
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
    let patch = read_patch(&query.patch_type, &query.patch)?;
    let options = WriteOptions::manager(crate::COMPONENT);
    let patched =
        reached.cluster.patch(&reached.resource, &reached.namespace, named.name, &patch, &options).await;
    let patched = patched.map_err(|error| {
        let status = failure::kubernetes(&error);
        // Validation and admission quote what they refuse; of a Secret nothing is quoted (CVE-2025-23216).
        let status = if named.group.is_empty() && named.kind == "Secret" {
            Status::new(status.code(), "the API server refused the change of the Secret")
        } else {
            status
        };
        failure::within("error patching resource", &status)
    })?;
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
            Status::failed_precondition(format!("error patching resource: error decoding patch: {problem}"))
        })
    };
    match kind {
        "application/merge-patch+json" => value().map(Patch::Merge),
        "application/json-patch+json" => value().map(Patch::Json),
        "application/strategic-merge-patch+json" => value().map(Patch::Strategic),
        _ => Err(Status::unknown("error patching resource: 415: Unsupported Media Type")),
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
