//! Registering repositories, changing and forgetting them, and trying credentials before that.

use super::listed::{chosen, forget, shown};
use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::path_value::address;
use crate::services::register::{Purpose, different, no_payload, object_of, scoped};
use api::v1alpha1::{ConnectionState, Repository};
use store::{Register, StoreError};
use tonic::Status;
use wire::repository::{RepoAccessQuery, RepoCreateRequest, RepoQuery, RepoUpdateRequest};

/// Registers a repository that answers. One that is registered the same way already is no mistake.
pub(super) async fn create(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    request: RepoCreateRequest,
) -> Result<Repository, Status> {
    let wanted = request.repo.ok_or_else(no_payload)?;
    access.require(purpose.resource, "create", &object_of(&wanted))?;
    is_fetchable(&wanted.repo)?;
    if purpose.register == Register::Write {
        // Whoever pushes does so with what is registered, and nothing else.
        if !store::has_credentials(&wanted) {
            return Err(Status::invalid_argument("missing credentials in request"));
        }
        hub.test_repository(wanted.clone()).await?;
    } else if wanted.project.is_empty() {
        // What belongs to a project takes no credentials from elsewhere, and is tried by whoever reads it.
        test(hub, wanted.clone()).await?;
    }
    match hub.store.create_repository(purpose.register, &wanted).await {
        Ok(()) => Ok(named(&wanted)),
        Err(StoreError::Registered { .. }) => existing(hub, access, purpose, wanted, request.upsert).await,
        Err(error) => Err(failure::store(&error)),
    }
}

/// Refuses what is no address of a repository. Pages show addresses as links, and programs take them as arguments
/// (CVE-2025-47933): whoever may register one must not reach either.
fn is_fetchable(address: &str) -> Result<(), Status> {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme.trim().to_ascii_lowercase());
    let runs = |scheme: &str| ["javascript", "data", "vbscript", "blob", "ext"].contains(&scheme);
    if address.starts_with('-') || scheme.as_deref().is_some_and(runs) || address.contains(char::is_control) {
        return Err(Status::invalid_argument(format!(
            "repository {address:?}: addresses begin with https, http, ssh, git or oci, or are like git@host:path"
        )));
    }
    Ok(())
}

async fn existing(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    wanted: Repository,
    upsert: bool,
) -> Result<Repository, Status> {
    let found = hub.store.registration(purpose.register, &wanted.repo, &wanted.project);
    let found = found.map_err(|error| {
        let status = failure::store(&error);
        Status::internal(format!("unable to check existing repository details: {}", status.message()))
    })?;
    let mut known = found.map(object::Secret::into_revealed).unwrap_or_default();
    if known.r#type.is_empty() {
        known.r#type = "git".into();
    }
    let differences = store::repository_differences(&known, &wanted);
    if differences.is_empty() {
        return Ok(named(&known));
    }
    if !upsert {
        return Err(different("repository", &differences));
    }
    access.require(purpose.resource, "update", &object_of(&wanted))?;
    replace(hub, purpose, &wanted).await?;
    let connection_state = ConnectionState { status: "Successful".into(), ..ConnectionState::default() };
    Ok(Repository { connection_state, r#type: wanted.r#type.clone(), ..shown(&wanted) })
}

/// Changes a registration. Whoever does must be allowed to change what there is and what will be.
pub(super) async fn update(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    request: RepoUpdateRequest,
) -> Result<Repository, Status> {
    let mut wanted = request.repo.ok_or_else(no_payload)?;
    wanted.repo = address(&wanted.repo);
    let current = hub.store.repository_in(purpose.register, &wanted.repo, &wanted.project);
    let current = current.map_err(|_| failure::denied())?;
    if !access.permits(purpose.resource, "update", &object_of(current.reveal())) {
        return Err(failure::denied());
    }
    access.require(purpose.resource, "update", &object_of(&wanted))?;
    replace(hub, purpose, &wanted).await?;
    Ok(named(&wanted))
}

async fn replace(hub: &Hub, purpose: Purpose, wanted: &Repository) -> Result<(), Status> {
    let replaced = hub.store.update_repository(purpose.register, wanted).await;
    replaced.map_err(|error| failure::store(&error))?;
    forget(hub, purpose, &wanted.repo, &wanted.project).await;
    Ok(())
}

/// Takes a registration back.
pub(super) async fn delete(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    query: &RepoQuery,
) -> Result<(), Status> {
    let found = chosen(hub, access, purpose, query)?;
    access.require(purpose.resource, "delete", &object_of(&found))?;
    let deleted = hub.store.delete_repository(purpose.register, &found.repo, &found.project).await;
    deleted.map_err(|error| failure::store(&error))?;
    forget(hub, purpose, &found.repo, &found.project).await;
    Ok(())
}

/// Tries to reach a repository as it would be registered. Whoever would push to it says with what.
pub(super) async fn validate(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    query: RepoAccessQuery,
) -> Result<(), Status> {
    access.require(purpose.resource, "create", &scoped(&query.project, &query.repo))?;
    match purpose.register {
        Register::Read => test(hub, described(query)).await,
        Register::Write => hub.test_repository(described(query)).await,
    }
}

/// With the credentials of a template where it has none.
async fn test(hub: &Hub, mut repository: Repository) -> Result<(), Status> {
    if !store::has_credentials(&repository) {
        let found = hub.store.credentials_for(Register::Read, &repository.repo);
        if let Some(found) = found.map_err(|error| failure::store(&error))? {
            store::inherit(&mut repository, found.into_revealed());
        }
    }
    hub.test_repository(repository).await
}

fn described(query: RepoAccessQuery) -> Repository {
    Repository {
        repo: query.repo,
        r#type: query.r#type,
        name: query.name,
        username: query.username,
        password: query.password,
        bearer_token: query.bearer_token,
        ssh_private_key: query.ssh_private_key,
        insecure: query.insecure,
        tls_client_cert_data: query.tls_client_cert_data,
        tls_client_cert_key: query.tls_client_cert_key,
        enable_oci: query.enable_oci,
        github_app_private_key: query.github_app_private_key,
        github_app_id: query.github_app_id,
        github_app_installation_id: query.github_app_installation_id,
        github_app_enterprise_base_url: query.github_app_enterprise_base_url,
        proxy: query.proxy,
        project: query.project,
        gcp_service_account_key: query.gcp_service_account_key,
        force_http_basic_auth: query.force_http_basic_auth,
        use_azure_workload_identity: query.use_azure_workload_identity,
        insecure_oci_force_http: query.insecure_oci_force_http,
        azure_service_principal_client_id: query.azure_service_principal_client_id,
        azure_service_principal_client_secret: query.azure_service_principal_client_secret,
        azure_service_principal_tenant_id: query.azure_service_principal_tenant_id,
        azure_active_directory_endpoint: query.azure_active_directory_endpoint,
        ..Repository::default()
    }
}

/// A registration as the answer to a change names it.
fn named(repository: &Repository) -> Repository {
    Repository {
        repo: repository.repo.clone(),
        r#type: repository.r#type.clone(),
        name: repository.name.clone(),
        ..Repository::default()
    }
}
