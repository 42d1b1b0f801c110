//! Actions on an application's objects: which there are, and running one. What an action does is worked out by
//! `actions`, from the live object; here it is checked against the project and done.

use crate::application::resources::{self, Named, Reached};
use crate::audit::Reason;
use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use actions::{ActionError, Impact, Parameters};
use api::names::IN_CLUSTER_SERVER;
use api::v1alpha1::{ApplicationDestination, ResourceAction, ResourceRef};
use jiff::Timestamp;
use kubernetes::{ApiResource, DryRun, Patch, WriteOptions, merge_patch};
use object::Object;
use serde_json::Value;
use tonic::Status;
use wire::application::{
    ApplicationResourceRequest, ApplicationResponse, ResourceActionRunRequest, ResourceActionRunRequestV2,
    ResourceActionsListResponse,
};

/// The actions an object has now.
pub(super) async fn list(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourceRequest,
) -> Result<ResourceActionsListResponse, Status> {
    let reached = resources::reach_or_application(hub, access, &Named::of(query), "get").await?;
    let live = reached.live().await?;
    let actions = discovered(hub, access, live).await?;
    Ok(ResourceActionsListResponse { actions })
}

async fn discovered(hub: &Hub, access: &Access, live: Object) -> Result<Vec<ResourceAction>, Status> {
    let known = access.snapshot().actions();
    let found = hub.scripted(move || known.discover(&live, Timestamp::now())).await?;
    found.map_err(|error| Status::unknown(format!("error getting available actions: {error}")))
}

/// The older call, without parameters, as the newer one.
pub(super) fn without_parameters(request: ResourceActionRunRequest) -> ResourceActionRunRequestV2 {
    ResourceActionRunRequestV2 {
        name: request.name,
        namespace: request.namespace,
        resource_name: request.resource_name,
        version: request.version,
        group: request.group,
        kind: request.kind,
        action: request.action,
        app_namespace: request.app_namespace,
        project: request.project,
        resource_action_parameters: Vec::new(),
    }
}

/// Runs an action.
pub(super) async fn run(
    hub: &Hub,
    access: &Access,
    request: ResourceActionRunRequestV2,
) -> Result<ApplicationResponse, Status> {
    let query = ApplicationResourceRequest {
        name: request.name,
        namespace: request.namespace,
        resource_name: request.resource_name,
        version: request.version,
        group: request.group,
        kind: request.kind,
        app_namespace: request.app_namespace,
        project: request.project,
    };
    let action = request.action;
    let permission = format!("action/{}/{}/{action}", query.group(), query.kind);
    let reached = resources::reach_or_application(hub, access, &Named::of(&query), &permission).await?;
    let live = reached.live().await?;
    let parameters: Parameters = request
        .resource_action_parameters
        .into_iter()
        .map(|parameter| (parameter.name, parameter.value))
        .collect();
    let known = access.snapshot().actions();
    let (name, source) = (action.clone(), live.clone());
    let worked_out = hub.scripted(move || known.run(&source, &name, &parameters, Timestamp::now())).await?;
    let impacts = worked_out.map_err(|error| refused(&error))?;
    let mut resolved = Vec::new();
    for impact in impacts {
        resolved.push(permitted(&reached, impact).await?);
    }
    // All are seen to be possible before the first is done: there is no way back.
    for (impact, resource) in &resolved {
        if let Impact::Create(object) = impact {
            create(&reached, resource, object, DryRun::Server).await?;
        }
    }
    for (impact, resource) in &resolved {
        match impact {
            Impact::Create(object) => create(&reached, resource, object, DryRun::No).await?,
            Impact::Patch(object) => patch(&reached, resource, &live, object).await?,
        }
    }
    let what = if reached.is_application {
        format!("ran action {action}")
    } else {
        format!("ran action {action} on resource {}/{}/{}", query.group(), query.kind, query.resource_name)
    };
    hub.tell_application(access, &reached.application, Reason::ActionRan, &what).await;
    if !reached.is_application {
        let of = ResourceRef {
            group: reached.resource.group.clone(),
            version: reached.resource.version.clone(),
            kind: reached.resource.kind.clone(),
            namespace: reached.namespace.clone(),
            name: reached.name.clone(),
            uid: reached.uid.clone(),
        };
        hub.tell_object(access, &of, &format!("ran action {action}")).await;
    }
    Ok(ApplicationResponse {})
}

/// Why an action is not run, as clients know it.
fn refused(error: &ActionError) -> Status {
    match error {
        ActionError::Unknown { .. } => {
            Status::unknown("error getting Lua resource action: built-in script does not exist")
        }
        ActionError::Customization { .. } => {
            Status::unknown(format!("error getting Lua resource action: {error}"))
        }
        ActionError::Refused(_) | ActionError::Script(_) | ActionError::Result { .. } => {
            Status::unknown(format!("error executing Lua resource action: {error}"))
        }
    }
}

/// An impact with its kind, when the project permits the object it is on.
async fn permitted(reached: &Reached, impact: Impact) -> Result<(Impact, ApiResource), Status> {
    let (Impact::Patch(object) | Impact::Create(object)) = &impact;
    let resource = match &impact {
        Impact::Patch(_) => reached.resource.clone(),
        Impact::Create(_) => {
            reached.cluster.resource(&object.gvk()).await.map_err(|error| failure::kubernetes(&error))?
        }
    };
    let own;
    let destination = if reached.is_application {
        // An application is an object of the cluster Argo CD runs in, wherever it deploys to.
        own = ApplicationDestination { server: IN_CLUSTER_SERVER.into(), ..Default::default() };
        &own
    } else {
        &reached.application.spec.destination
    };
    let cluster = reached.scope.destination(destination).map_err(Status::invalid_argument)?;
    if project::permits_live(&reached.scope.project, object, &cluster, &reached.scope.own_clusters) {
        return Ok((impact, resource));
    }
    Err(Status::unknown(format!(
        "application is not permitted to manage {}/{}/{} in {}",
        object.group(),
        object.kind(),
        object.name(),
        object.namespace()
    )))
}

async fn create(
    reached: &Reached,
    resource: &ApiResource,
    object: &Object,
    dry_run: DryRun,
) -> Result<(), Status> {
    let options = WriteOptions { dry_run, ..WriteOptions::manager(crate::COMPONENT) };
    let created = reached.cluster.create(resource, object, &options).await;
    created
        .map(drop)
        .map_err(|error| failure::within("error creating resource", &failure::kubernetes(&error)))
}

/// Writes what differs. A status goes through its subresource where the kind has one, and the rest without it.
async fn patch(
    reached: &Reached,
    resource: &ApiResource,
    live: &Object,
    wanted: &Object,
) -> Result<(), Status> {
    let Some(change) = merge_patch(&live.to_value(), &wanted.to_value()) else { return Ok(()) };
    let (status, rest) = split(&change);
    let options = WriteOptions::manager(crate::COMPONENT);
    let failed =
        |error: &kubernetes::Error| failure::within("error patching resource", &failure::kubernetes(error));
    let mut remaining = Some(change);
    if let Some(status) = status {
        let options = options.clone().status();
        let body = Patch::Merge(of_object(status, live));
        match reached.cluster.patch(resource, &reached.namespace, &reached.name, &body, &options).await {
            Ok(_) => remaining = rest,
            // The kind has no such subresource: its status is a member like any other.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    let Some(change) = remaining else { return Ok(()) };
    let body = Patch::Merge(of_object(change, live));
    let patched = reached.cluster.patch(resource, &reached.namespace, &reached.name, &body, &options).await;
    patched.map(drop).map_err(|error| failed(&error))
}

/// The status' part of a change, and the rest of it.
fn split(change: &Value) -> (Option<Value>, Option<Value>) {
    let Some(members) = change.as_object() else { return (None, Some(change.clone())) };
    let mut rest = members.clone();
    let status = rest.remove("status").map(|status| serde_json::json!({ "status": status }));
    (status, (!rest.is_empty()).then_some(Value::Object(rest)))
}

/// The change, for the object it was worked out from and for none that took its name.
fn of_object(mut change: Value, live: &Object) -> Value {
    if let Some(members) = change.as_object_mut()
        && !live.uid().is_empty()
    {
        let metadata = members.entry("metadata").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("uid".into(), live.uid().into());
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_and_the_rest_are_told_apart() {
        let both = json!({"status": {"a": 1}, "spec": {"b": 2}});
        assert_eq!(split(&both), (Some(json!({"status": {"a": 1}})), Some(json!({"spec": {"b": 2}}))));
        assert_eq!(split(&json!({"spec": {}})), (None, Some(json!({"spec": {}}))));
        assert_eq!(split(&json!({"status": null})), (Some(json!({"status": null})), None));
    }

    #[test]
    fn a_change_names_the_object_it_is_for() {
        let live = Object::from_value(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"uid": "u"}}));
        let change = of_object(json!({"metadata": {"labels": {"a": "b"}}}), &live.unwrap());
        assert_eq!(change, json!({"metadata": {"labels": {"a": "b"}, "uid": "u"}}));
    }

    #[test]
    fn what_there_is_not_is_said_as_clients_know_it() {
        let error = ActionError::Unknown { action: "nope".into(), kind: "apps/Deployment".into() };
        assert_eq!(
            refused(&error).message(),
            "error getting Lua resource action: built-in script does not exist"
        );
        let error = ActionError::Refused("invalid number: x".into());
        assert_eq!(refused(&error).message(), "error executing Lua resource action: invalid number: x");
    }
}
