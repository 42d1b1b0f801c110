//! Creating, changing and deleting applications.

use crate::audit::Reason;
use crate::authorization::{APPLICATIONS, Access, Wanted, project_name};
use crate::hub::Hub;
use crate::validation::{may_move, validate};
use crate::{failure, json_patch};
use api::names::{BACKGROUND_FINALIZER, FOREGROUND_FINALIZER, RESOURCES_FINALIZER};
use api::v1alpha1::{Application, ApplicationSpec, ApplicationStatus};
use kubernetes::{DeleteOptions, Patch};
use serde_json::{Value, json};
use std::sync::Arc;
use store::StoreError;
use tonic::{Code, Status};
use wire::application::{
    ApplicationCreateRequest, ApplicationDeleteRequest, ApplicationPatchRequest, ApplicationResponse,
    ApplicationUpdateRequest, ApplicationUpdateSpecRequest,
};

/// How often a change starts over because somebody else changed the application.
const TRIES: usize = 10;

/// Creates an application. One that is there already with the same spec is as good as created.
pub(crate) async fn create(
    hub: &Hub,
    access: &Access,
    request: ApplicationCreateRequest,
) -> Result<Application, Status> {
    let mut application = request.application;
    access.require(APPLICATIONS, "create", &access.object_of(&application))?;
    hub.project_now(project_name(&application)).await.ok();
    hub.project_of(&application)?;
    let checked = validate(hub, access, &mut application, request.validate.unwrap_or(true)).await;
    checked.map_err(|status| explained("error while validating and normalizing app", status))?;
    let namespace = hub.namespace_or_default(&application.metadata.namespace).to_owned();
    application.metadata.namespace = namespace;
    // Operations go through sync and rollback, which check them; the status is the controller's.
    application.operation = None;
    application.status = ApplicationStatus::default();
    match hub.store.create_application(&application).await {
        Ok(created) => {
            hub.tell_application(access, &created, Reason::Created, "created application").await;
            Ok(created)
        }
        Err(StoreError::Cluster(error)) if error.is_already_exists() => {
            already_there(hub, access, &application, request.upsert.unwrap_or(false)).await
        }
        Err(error) => Err(failure::tried("error creating application", &error)),
    }
}

/// Adds what was tried to errors that are not answers of ours already.
fn explained(what: &str, status: Status) -> Status {
    if status.code() == Code::Unknown { failure::within(what, &status) } else { status }
}

async fn already_there(
    hub: &Hub,
    access: &Access,
    wanted: &Application,
    upsert: bool,
) -> Result<Application, Status> {
    let metadata = &wanted.metadata;
    let existing = hub.store.fetch_application(&metadata.namespace, &metadata.name).await;
    let existing = existing.map_err(|error| {
        failure::tried(&format!("unable to check existing application details ({})", metadata.name), &error)
    })?;
    // Its spec says something: only to somebody who may see it.
    if !access.permits(APPLICATIONS, "get", &access.object_of(&existing)) {
        return Err(failure::denied());
    }
    let same = existing.spec == wanted.spec
        && existing.metadata.labels == metadata.labels
        && existing.metadata.annotations == metadata.annotations
        && existing.metadata.finalizers == metadata.finalizers;
    if same {
        return Ok(existing);
    }
    if !upsert {
        return Err(Status::invalid_argument(
            "existing application spec is different, use upsert flag to force update",
        ));
    }
    access.require(APPLICATIONS, "update", &access.object_of(wanted))?;
    access.require(APPLICATIONS, "update", &access.object_of(&existing))?;
    let merged = |application: &mut Application| {
        application.spec = wanted.spec.clone();
        application.metadata.labels.extend(metadata.labels.clone());
        application.metadata.annotations.extend(metadata.annotations.clone());
        application.metadata.finalizers.clone_from(&metadata.finalizers);
    };
    store_change(hub, access, Arc::new(existing), merged).await
}

/// Replaces an application's spec, labels, annotations and finalizers.
pub(crate) async fn update(
    hub: &Hub,
    access: &Access,
    request: ApplicationUpdateRequest,
) -> Result<Application, Status> {
    let mut wanted = request.application;
    let metadata = wanted.metadata.clone();
    let there = Wanted {
        project: request.project.as_deref().unwrap_or(""),
        namespace: &metadata.namespace,
        name: &metadata.name,
    };
    access.require(APPLICATIONS, "update", &access.object_of(&wanted))?;
    let current = access.live_application(there, "update").await?;
    checked(hub, access, &mut wanted, request.validate.unwrap_or(true)).await?;
    may_move(access, &current, &wanted)?;
    store_change(hub, access, current, |application| take_over(application, &wanted)).await
}

/// Replaces an application's spec.
pub(crate) async fn update_spec(
    hub: &Hub,
    access: &Access,
    request: ApplicationUpdateSpecRequest,
) -> Result<ApplicationSpec, Status> {
    let there = Wanted::new(&request.project, &request.app_namespace, &request.name);
    let current = access.live_application(there, "update").await?;
    let mut wanted = Application::clone(&current);
    wanted.spec = request.spec;
    checked(hub, access, &mut wanted, request.validate.unwrap_or(true)).await?;
    may_move(access, &current, &wanted)?;
    let spec = wanted.spec;
    let changed = store_change(hub, access, current, |application| application.spec = spec.clone()).await?;
    Ok(changed.spec)
}

/// Changes an application by a JSON patch or a merge patch, which is made anew for whatever is there by then.
pub(crate) async fn patch(
    hub: &Hub,
    access: &Access,
    request: ApplicationPatchRequest,
) -> Result<Application, Status> {
    let there = Wanted::new(&request.project, &request.app_namespace, &request.name);
    for _ in 0..TRIES {
        let current = access.live_application(there, "get").await?;
        access.require(APPLICATIONS, "update", &access.object_of(&current))?;
        let mut wanted = patched(&current, &request)?;
        checked(hub, access, &mut wanted, true).await?;
        may_move(access, &current, &wanted)?;
        let mut changed = Application::clone(&current);
        take_over(&mut changed, &wanted);
        match hub.store.update_application(&changed).await {
            Err(StoreError::Cluster(error)) if error.is_conflict() => {}
            Err(error) => return Err(failure::tried("error updating application", &error)),
            Ok(updated) => {
                hub.tell_application(access, &updated, Reason::Updated, "updated application spec").await;
                return Ok(updated);
            }
        }
    }
    Err(too_many_conflicts())
}

fn patched(current: &Application, request: &ApplicationPatchRequest) -> Result<Application, Status> {
    let mut value = serde_json::to_value(current).map_err(|error| Status::internal(error.to_string()))?;
    match request.patch_type.as_str() {
        "json" | "" => json_patch::apply(&mut value, &request.patch).map_err(Status::unknown)?,
        "merge" => {
            let patch: Value = serde_json::from_str(&request.patch)
                .map_err(|error| Status::unknown(format!("error calculating merge patch: {error}")))?;
            kubernetes::apply_merge_patch(&mut value, &patch);
        }
        other => return Err(Status::invalid_argument(format!("Patch type '{other}' is not supported"))),
    }
    let mut wanted: Application = serde_json::from_value(value)
        .map_err(|error| Status::unknown(format!("error unmarshaling patched app: {error}")))?;
    // A patch changes the application it names and never another.
    wanted.metadata.name.clone_from(&current.metadata.name);
    wanted.metadata.namespace.clone_from(&current.metadata.namespace);
    Ok(wanted)
}

async fn checked(hub: &Hub, access: &Access, wanted: &mut Application, render: bool) -> Result<(), Status> {
    let checked = validate(hub, access, wanted, render).await;
    checked.map_err(|status| explained("error validating and normalizing app", status))
}

/// What users say of an application. Status and operation stay.
fn take_over(existing: &mut Application, wanted: &Application) {
    existing.spec = wanted.spec.clone();
    existing.metadata.labels.clone_from(&wanted.metadata.labels);
    existing.metadata.annotations.clone_from(&wanted.metadata.annotations);
    existing.metadata.finalizers.clone_from(&wanted.metadata.finalizers);
}

/// Writes a change onto what is stored, however often that changes under way.
async fn store_change(
    hub: &Hub,
    access: &Access,
    existing: Arc<Application>,
    change: impl Fn(&mut Application),
) -> Result<Application, Status> {
    let mut existing = Arc::unwrap_or_clone(existing);
    for _ in 0..TRIES {
        change(&mut existing);
        match hub.store.update_application(&existing).await {
            Ok(updated) => {
                hub.tell_application(access, &updated, Reason::Updated, "updated application spec").await;
                return Ok(updated);
            }
            Err(StoreError::Cluster(error)) if error.is_conflict() => {
                let metadata = &existing.metadata;
                let fresh = hub.store.fetch_application(&metadata.namespace, &metadata.name).await;
                let fresh = fresh.map_err(|error| failure::tried("error updating application", &error))?;
                // It may have gone to a project meanwhile where the caller has no say.
                access.require(APPLICATIONS, "update", &access.object_of(&fresh))?;
                existing = fresh;
            }
            Err(error) => return Err(failure::tried("error updating application", &error)),
        }
    }
    Err(too_many_conflicts())
}

fn too_many_conflicts() -> Status {
    Status::internal("Failed to update application. Too many conflicts")
}

/// Deletes an application; its resources with it, unless that is not wanted.
pub(crate) async fn delete(
    hub: &Hub,
    access: &Access,
    request: ApplicationDeleteRequest,
) -> Result<ApplicationResponse, Status> {
    let there = Wanted::new(&request.project, &request.app_namespace, &request.name);
    let application = access.live_application(there, "get").await?;
    access.require(APPLICATIONS, "delete", &access.object_of(&application))?;
    let policy = request.propagation_policy.as_deref().unwrap_or("");
    let finalizers = finalizers(&application.metadata.finalizers, request.cascade.unwrap_or(true), policy)?;
    let (namespace, name) = (hub.namespace_or_default(there.namespace), there.name);
    // Kubernetes takes no finalizer more of what is being deleted.
    let adds = |finalizers: &Vec<String>| {
        finalizers.iter().any(|finalizer| !application.metadata.finalizers.contains(finalizer))
    };
    let under_way = application.metadata.deletion_timestamp.is_some();
    if let Some(finalizers) = finalizers.filter(|finalizers| !(under_way && adds(finalizers))) {
        let patch =
            Patch::Merge(json!({"metadata": {"uid": application.metadata.uid, "finalizers": finalizers}}));
        let patched = hub.store.patch_application(namespace, name, &patch).await;
        patched.map_err(|error| failure::tried("error patching application finalizers", &error))?;
    }
    let options = DeleteOptions { uid: Some(application.metadata.uid.clone()), ..DeleteOptions::default() };
    let deleted = hub.store.delete_application(namespace, name, &options).await;
    deleted.map_err(|error| failure::tried("error deleting application", &error))?;
    hub.tell_application(access, &application, Reason::Deleted, "deleted application").await;
    Ok(ApplicationResponse {})
}

/// The finalizers a deletion needs, when they are not those that are there.
fn finalizers(present: &[String], cascade: bool, policy: &str) -> Result<Option<Vec<String>>, Status> {
    if !cascade {
        if !policy.is_empty() {
            return Err(Status::invalid_argument("cannot set propagation policy when cascading is disabled"));
        }
        let ours = [RESOURCES_FINALIZER, FOREGROUND_FINALIZER, BACKGROUND_FINALIZER];
        let rest: Vec<String> =
            present.iter().filter(|name| !ours.contains(&name.as_str())).cloned().collect();
        return Ok((rest.len() != present.len()).then_some(rest));
    }
    let wanted = match policy.to_lowercase().as_str() {
        "" => RESOURCES_FINALIZER,
        "foreground" => FOREGROUND_FINALIZER,
        "background" => BACKGROUND_FINALIZER,
        _ => return Err(Status::invalid_argument(format!("invalid propagation policy: {policy}"))),
    };
    let missing = !present.iter().any(|name| name == wanted);
    Ok(missing.then(|| present.iter().cloned().chain([wanted.to_owned()]).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_takes_what_it_manages_along_unless_told_not_to() {
        let of = |present: &[&str], cascade, policy| {
            let present: Vec<String> = present.iter().map(|name| (*name).to_owned()).collect();
            finalizers(&present, cascade, policy).map_err(|status| status.message().to_owned())
        };
        assert_eq!(of(&[], true, ""), Ok(Some(vec![RESOURCES_FINALIZER.into()])));
        assert_eq!(of(&[RESOURCES_FINALIZER], true, ""), Ok(None));
        assert_eq!(
            of(&["other"], true, "Background"),
            Ok(Some(vec!["other".into(), BACKGROUND_FINALIZER.into()]))
        );
        assert_eq!(of(&["other", RESOURCES_FINALIZER], false, ""), Ok(Some(vec!["other".into()])));
        assert_eq!(of(&["other"], false, ""), Ok(None));
        assert_eq!(of(&[], true, "bogus"), Err("invalid propagation policy: bogus".into()));
        assert_eq!(
            of(&[], false, "x"),
            Err("cannot set propagation policy when cascading is disabled".into())
        );
    }
}
