//! Operations: sync, rollback, ending one; and when they may run.

use crate::audit::Reason;
use crate::authorization::{APPLICATIONS, Access, Wanted};
use crate::failure;
use crate::hub::Hub;
use api::v1alpha1::{
    Application, ApplicationSource, Operation, OperationInitiator, RevisionHistory, SyncOperation,
    SyncStrategy, SyncStrategyApply, SyncWindow,
};
use jiff::Timestamp;
use project::windows::{Attempt, Windows};
use store::StoreError;
use tonic::Status;
use wire::application::{
    ApplicationRollbackRequest, ApplicationSyncRequest, ApplicationSyncWindow, ApplicationSyncWindowsQuery,
    ApplicationSyncWindowsResponse, OperationTerminateRequest, OperationTerminateResponse,
};

/// What a sync goes to.
struct Target {
    revision: String,
    revisions: Vec<String>,
    shown: String,
}

/// Starts a sync.
pub(crate) async fn sync(
    hub: &Hub,
    access: &Access,
    request: ApplicationSyncRequest,
) -> Result<Application, Status> {
    let there = Wanted::new(&request.project, &request.app_namespace, &request.name);
    let application = access.application(there, "get").await?;
    let object = access.object_of(&application);
    within_windows(hub, &application)?;
    access.require(APPLICATIONS, "sync", &object)?;
    let local = !request.manifests.is_empty();
    let automated = is_automated(&application) && !request.dry_run.unwrap_or(false);
    if local {
        access.require(APPLICATIONS, "override", &object)?;
        if automated {
            return Err(Status::failed_precondition(
                "cannot use local sync when Automatic Sync Policy is enabled unless for dry run",
            ));
        }
    }
    not_deleting(&application)?;
    let target = target(hub, access, &application, &request, automated).await?;
    let operation = sync_operation(access, &application, &request, &target);
    let replaces = operation.sync.as_ref().is_some_and(|sync| has_option(&sync.sync_options, "Replace=true"));
    if replaces && !hub.options.replace_allowed {
        return Err(Status::failed_precondition(
            "sync with replace was disabled on the API Server level via the server configuration",
        ));
    }
    if local && is_verified(hub, &application)? {
        return Err(Status::failed_precondition(
            "Cannot use local manifests when source integrity is enforced",
        ));
    }
    let started = start(hub, there, &operation).await?;
    let partial = if request.resources.is_empty() { "" } else { "partial " };
    let what = if local {
        format!("initiated {partial}sync locally")
    } else {
        format!("initiated {partial}sync to {}", target.shown)
    };
    hub.tell_application(access, &started, Reason::OperationStarted, &what).await;
    Ok(started)
}

/// Whether the project demands signatures of a source. A mistake in what it demands does not switch that off.
fn is_verified(hub: &Hub, application: &Application) -> Result<bool, Status> {
    let project = hub.project_of(application)?.project;
    let sources = application.spec.effective_sources();
    Ok(sources.iter().any(|source| signature::policy::is_verified(&project.spec, source)))
}

async fn start(hub: &Hub, there: Wanted<'_>, operation: &Operation) -> Result<Application, Status> {
    let namespace = hub.namespace_or_default(there.namespace);
    let started = hub.store.start_operation(namespace, there.name, operation).await;
    started.map_err(|error| failure::tried("error setting app operation", &error))
}

fn sync_operation(
    access: &Access,
    application: &Application,
    request: &ApplicationSyncRequest,
    target: &Target,
) -> Operation {
    let spec = &application.spec;
    let policy = spec.sync_policy.as_ref();
    let retry = request.retry_strategy.clone().or_else(|| policy.and_then(|policy| policy.retry.clone()));
    let sync_options = match &request.sync_options {
        Some(options) => options.items.clone(),
        None => policy.map(|policy| policy.sync_options.clone()).unwrap_or_default(),
    };
    Operation {
        sync: Some(SyncOperation {
            revision: target.revision.clone(),
            revisions: target.revisions.clone(),
            prune: request.prune.unwrap_or(false),
            dry_run: request.dry_run.unwrap_or(false),
            sync_strategy: request.strategy.clone(),
            resources: request.resources.clone(),
            manifests: request.manifests.clone(),
            sync_options,
            source: spec.only_source(),
            sources: spec.several_sources().to_vec(),
            ..SyncOperation::default()
        }),
        initiated_by: initiator(access),
        info: request.infos.clone(),
        retry: retry.unwrap_or_default(),
    }
}

/// What the request's revisions mean now. An application that syncs itself goes where its spec says.
async fn target(
    hub: &Hub,
    access: &Access,
    application: &Application,
    request: &ApplicationSyncRequest,
    automated: bool,
) -> Result<Target, Status> {
    if !request.manifests.is_empty() {
        return Ok(Target { revision: String::new(), revisions: Vec::new(), shown: String::new() });
    }
    let declared = application.spec.effective_sources();
    if !application.spec.has_several_sources() {
        let mut source = declared.into_iter().next().unwrap_or_default();
        if let Some(revision) = request.revision.as_deref().filter(|revision| !revision.is_empty()) {
            may_override(access, application, &source, revision)?;
            if automated && revision != or_head(&source.target_revision) {
                return Err(Status::failed_precondition(format!(
                    "Cannot sync to {revision}: auto-sync currently set to {}",
                    source.target_revision
                )));
            }
            revision.clone_into(&mut source.target_revision);
        }
        let (revision, shown) = hub.resolve(application, &source, -1).await?;
        return Ok(Target { revision, revisions: Vec::new(), shown });
    }
    let mut wanted = at_positions(declared.clone(), &request.source_positions, &request.revisions)?;
    let (mut revisions, mut shown) = (Vec::new(), Vec::new());
    for (index, (source, declared)) in wanted.iter_mut().zip(&declared).enumerate() {
        if source.target_revision.is_empty() {
            // Who names no revision for a source means the declared one.
            source.target_revision.clone_from(&declared.target_revision);
        }
        if or_head(&source.target_revision) != or_head(&declared.target_revision) {
            may_override(access, application, declared, &source.target_revision)?;
            if automated {
                return Err(Status::failed_precondition(format!(
                    "Cannot sync source {} to {}: auto-sync currently set to {}",
                    source.repo_url, source.target_revision, declared.target_revision
                )));
            }
        }
        let (revision, text) = hub.resolve(application, source, i64::try_from(index).unwrap_or(-1)).await?;
        revisions.push(revision);
        shown.push(text);
    }
    Ok(Target { revision: String::new(), revisions, shown: shown.join(",") })
}

/// Where settings say so, another revision than the declared one needs a right of its own.
fn may_override(
    access: &Access,
    application: &Application,
    declared: &ApplicationSource,
    revision: &str,
) -> Result<(), Status> {
    let guarded = access.snapshot().server.revision_needs_override;
    if guarded && revision != or_head(&declared.target_revision) {
        return access.require(APPLICATIONS, "override", &access.object_of(application));
    }
    Ok(())
}

/// The sources with other revisions at some positions, counted from 1.
pub(super) fn at_positions(
    mut sources: Vec<ApplicationSource>,
    positions: &[i64],
    revisions: &[String],
) -> Result<Vec<ApplicationSource>, Status> {
    if positions.len() != revisions.len() {
        return Err(Status::invalid_argument(
            "each source position needs a revision, and each revision a position",
        ));
    }
    for (position, revision) in positions.iter().zip(revisions) {
        let index = usize::try_from(*position).ok().and_then(|position| position.checked_sub(1));
        let source = index.and_then(|index| sources.get_mut(index));
        revision.clone_into(
            &mut source.ok_or_else(|| Status::unknown("source position is out of range"))?.target_revision,
        );
    }
    Ok(sources)
}

fn or_head(revision: &str) -> &str {
    if revision.is_empty() { "HEAD" } else { revision }
}

fn has_option(options: &[String], wanted: &str) -> bool {
    options.iter().any(|option| option == wanted)
}

fn is_automated(application: &Application) -> bool {
    let policy = application.spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    policy.is_some_and(|automated| automated.enabled.unwrap_or(true))
}

fn not_deleting(application: &Application) -> Result<(), Status> {
    if application.metadata.deletion_timestamp.is_some() {
        return Err(Status::failed_precondition("application is deleting"));
    }
    Ok(())
}

fn initiator(access: &Access) -> OperationInitiator {
    OperationInitiator { username: access.username(), automated: false }
}

fn within_windows(hub: &Hub, application: &Application) -> Result<(), Status> {
    let scope = hub.project_of(application)?;
    match Windows::of(&scope.project, application)
        .permit(Attempt { manual: true, started: None }, Timestamp::now())
    {
        Ok(true) => Ok(()),
        Ok(false) => Err(Status::permission_denied("cannot sync: blocked by sync window")),
        Err(problem) => {
            Err(Status::permission_denied(format!("cannot sync: invalid sync window: {problem}")))
        }
    }
}

/// Starts a sync back to what was deployed before.
pub(crate) async fn rollback(
    hub: &Hub,
    access: &Access,
    request: ApplicationRollbackRequest,
) -> Result<Application, Status> {
    let there = Wanted::new(&request.project, &request.app_namespace, &request.name);
    let action = if access.snapshot().server.rollback_needs_action { "rollback" } else { "sync" };
    let application = access.application(there, action).await?;
    not_deleting(&application)?;
    if is_automated(&application) {
        return Err(Status::failed_precondition("rollback cannot be initiated when auto-sync is enabled"));
    }
    let deployed =
        application.status.history.iter().find(|entry| entry.id == request.id).ok_or_else(|| {
            let metadata = &application.metadata;
            Status::invalid_argument(format!(
                "application {}/{} does not have deployment with id {}",
                metadata.namespace, metadata.name, request.id
            ))
        })?;
    if deployed.sources.is_empty() && deployed.source == ApplicationSource::default() {
        return Err(Status::failed_precondition(
            "cannot rollback to revision deployed with Argo CD v0.11 or lower. sync to revision instead.",
        ));
    }
    let operation = rollback_operation(access, &application, &request, deployed);
    let started = start(hub, there, &operation).await?;
    let what = format!("initiated rollback to {}", request.id);
    hub.tell_application(access, &started, Reason::OperationStarted, &what).await;
    Ok(started)
}

fn rollback_operation(
    access: &Access,
    application: &Application,
    request: &ApplicationRollbackRequest,
    deployed: &RevisionHistory,
) -> Operation {
    let options = application.spec.sync_policy.as_ref().map(|policy| policy.sync_options.clone());
    Operation {
        sync: Some(SyncOperation {
            revision: deployed.revision.clone(),
            revisions: deployed.revisions.clone(),
            prune: request.prune.unwrap_or(false),
            dry_run: request.dry_run.unwrap_or(false),
            sync_options: options.unwrap_or_default(),
            sync_strategy: Some(SyncStrategy { apply: Some(SyncStrategyApply::default()), hook: None }),
            source: deployed.sources.is_empty().then(|| deployed.source.clone()),
            sources: deployed.sources.clone(),
            ..SyncOperation::default()
        }),
        initiated_by: initiator(access),
        ..Operation::default()
    }
}

/// Ends the operation that runs.
pub(crate) async fn terminate(
    hub: &Hub,
    access: &Access,
    request: OperationTerminateRequest,
) -> Result<OperationTerminateResponse, Status> {
    let there = Wanted::new(&request.project, &request.app_namespace, &request.name);
    access.application(there, "sync").await?;
    let namespace = hub.namespace_or_default(there.namespace);
    let ended = hub.store.terminate_operation(namespace, there.name).await.map_err(|error| match error {
        StoreError::NotFound { .. } => {
            Status::invalid_argument("Unable to terminate operation. No operation is in progress")
        }
        error => failure::tried("error updating application", &error),
    })?;
    hub.tell_application(access, &ended, Reason::Updated, "terminated running operation").await;
    Ok(OperationTerminateResponse {})
}

/// The windows that concern an application, and whether it may be synced by hand now.
pub(crate) async fn sync_windows(
    hub: &Hub,
    access: &Access,
    query: &ApplicationSyncWindowsQuery,
) -> Result<ApplicationSyncWindowsResponse, Status> {
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let scope = hub.project_of(&application)?;
    let windows = Windows::of(&scope.project, &application);
    let now = Timestamp::now();
    let can_sync = windows.permit(Attempt { manual: true, started: None }, now);
    let can_sync =
        can_sync.map_err(|problem| Status::invalid_argument(format!("invalid sync windows: {problem}")))?;
    let told = |windows: &[&SyncWindow]| {
        let window = |window: &&SyncWindow| ApplicationSyncWindow {
            kind: window.kind.clone(),
            schedule: window.schedule.clone(),
            duration: window.duration.clone(),
            manual_sync: window.manual_sync,
        };
        windows.iter().map(window).collect()
    };
    Ok(ApplicationSyncWindowsResponse {
        active_windows: told(&windows.active(now)),
        assigned_windows: told(windows.assigned()),
        can_sync,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_and_stay_in_range() {
        let two = vec![ApplicationSource::default(); 2];
        let moved = at_positions(two.clone(), &[2], &["v1".into()]).unwrap();
        assert_eq!([&moved[0].target_revision, &moved[1].target_revision], ["", "v1"]);
        for position in [0, -1, 3, i64::MIN, i64::MAX] {
            let error = at_positions(two.clone(), &[position], &["v1".into()]).unwrap_err();
            assert_eq!(error.message(), "source position is out of range");
        }
        assert!(at_positions(two, &[1, 2], &["v1".into()]).is_err());
    }
}
