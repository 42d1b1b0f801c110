//! Registered repositories as clients may see them, and whether they answer.

use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::masking::without_password;
use crate::services::path_value::address;
use crate::services::register::{Purpose, object_of};
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{ConnectionState, Repository, RepositoryList};
use futures::StreamExt as _;
use jiff::Timestamp;
use store::Register;
use tonic::Status;
use wire::repository::RepoQuery;

/// Repositories that are tried at once.
const AT_ONCE: usize = 10;

/// All that the caller may see.
pub(super) async fn list(hub: &Hub, access: &Access, purpose: Purpose, query: &RepoQuery) -> RepositoryList {
    let asked = visible(hub, access, purpose).into_iter();
    let told = asked.map(|repository| told(hub, purpose, repository, query.force_refresh));
    let items = futures::stream::iter(told).buffered(AT_ONCE).collect().await;
    RepositoryList { metadata: ListMeta::default(), items }
}

/// One of them.
pub(super) async fn get(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    query: &RepoQuery,
) -> Result<Repository, Status> {
    let found = chosen(hub, access, purpose, query)?;
    Ok(told(hub, purpose, found, query.force_refresh).await)
}

/// The registration a query means, among those that the caller may see. Not there and not to be seen look alike.
pub(super) fn chosen(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    query: &RepoQuery,
) -> Result<Repository, Status> {
    let (url, project) = (address(&query.repo), &query.app_project);
    let wanted = project::normalized(&url);
    let mut found = visible(hub, access, purpose);
    // Whoever was shown an address without its password may name it so.
    let meant = |repository: &Repository| {
        project::normalized(&repository.repo) == wanted
            || project::normalized(&without_password(&repository.repo)) == wanted
    };
    found.retain(|repository| !wanted.is_empty() && meant(repository));
    match found.len() {
        0 => Err(failure::denied()),
        1 if project.is_empty() => Ok(found.remove(0)),
        _ => found.into_iter().find(|repository| repository.project == *project).ok_or_else(|| {
            let url = without_password(&url);
            Status::unknown(format!("repository not found for url {url:?} and project {project:?}"))
        }),
    }
}

fn visible(hub: &Hub, access: &Access, purpose: Purpose) -> Vec<Repository> {
    let mut found: Vec<Repository> = hub
        .store
        .registered_repositories(purpose.register)
        .into_iter()
        .filter_map(|repository| match repository {
            Ok(repository) => Some(repository.into_revealed()),
            Err(error) => {
                tracing::warn!(%error, "a repository cannot be read");
                None
            }
        })
        .filter(|repository| access.permits(purpose.resource, "get", &object_of(repository)))
        .collect();
    let place = |repository: &Repository| format!("{}/{}", repository.project, repository.repo);
    found.sort_by_cached_key(place);
    found
}

/// Where it is remembered whether a repository answers.
fn key(purpose: Purpose, url: &str, project: &str) -> String {
    let prefix = match purpose.register {
        Register::Read => "repo",
        Register::Write => "repo-write",
    };
    // A key is seen by more than those who see the value.
    format!("{prefix}|{}|{project}|connection-state", without_password(url))
}

/// Forgets whether a repository answered: how it is entered changed.
pub(super) async fn forget(hub: &Hub, purpose: Purpose, url: &str, project: &str) {
    if let Err(error) = hub.cache.delete(&key(purpose, url, project)).await {
        tracing::debug!(%error, "the state of a repository could not be forgotten");
    }
}

/// A repository as clients see it, with whether it answers.
async fn told(hub: &Hub, purpose: Purpose, repository: Repository, now: bool) -> Repository {
    let key = key(purpose, &repository.repo, &repository.project);
    let known = if now { None } else { hub.cache.get(&key).await.ok().flatten() };
    let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut shown = shown(&repository);
    shown.connection_state = match known {
        Some(state) => state,
        None => {
            let state = tested(hub, repository).await;
            if let Ok(bytes) = serde_json::to_vec(&state)
                && let Err(error) = hub.cache.set(&key, bytes.into(), hub.options.connection_keep).await
            {
                tracing::debug!(%error, "the state of a repository could not be remembered");
            }
            state
        }
    };
    shown
}

async fn tested(hub: &Hub, repository: Repository) -> ConnectionState {
    let mut state = ConnectionState {
        status: "Successful".into(),
        attempted_at: Some(Timestamp::now().into()),
        ..ConnectionState::default()
    };
    if let Err(status) = hub.test_repository(repository).await {
        state.status = "Failed".into();
        state.message = format!("Unable to connect to repository: {}", failure::go_text(&status));
    }
    state
}

/// What of a repository opens nothing.
pub(crate) fn shown(repository: &Repository) -> Repository {
    Repository {
        repo: without_password(&repository.repo),
        r#type: kind(repository).to_owned(),
        name: repository.name.clone(),
        username: repository.username.clone(),
        insecure: repository.insecure || repository.insecure_ignore_host_key,
        enable_lfs: repository.enable_lfs,
        enable_oci: repository.enable_oci,
        proxy: without_password(&repository.proxy),
        no_proxy: repository.no_proxy.clone(),
        project: repository.project.clone(),
        force_http_basic_auth: repository.force_http_basic_auth,
        inherited_creds: repository.inherited_creds,
        insecure_oci_force_http: repository.insecure_oci_force_http,
        use_azure_workload_identity: repository.use_azure_workload_identity,
        azure_active_directory_endpoint: repository.azure_active_directory_endpoint.clone(),
        azure_service_principal_client_id: repository.azure_service_principal_client_id.clone(),
        azure_service_principal_tenant_id: repository.azure_service_principal_tenant_id.clone(),
        github_app_id: repository.github_app_id,
        github_app_installation_id: repository.github_app_installation_id,
        github_app_enterprise_base_url: without_password(&repository.github_app_enterprise_base_url),
        depth: repository.depth,
        ..Repository::default()
    }
}

/// What it is, also where that is not said.
fn kind(repository: &Repository) -> &str {
    match repository.r#type.as_str() {
        "" if repository.repo.starts_with("oci://") => "oci",
        "" => "git",
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_registration_is_shown() {
        let repository = Repository {
            repo: "oci://registry.example/charts".into(),
            github_app_id: 1,
            github_app_installation_id: 2,
            github_app_enterprise_base_url: "https://github.example/api/v3".into(),
            azure_service_principal_client_id: "client".into(),
            azure_service_principal_tenant_id: "tenant".into(),
            azure_active_directory_endpoint: "https://login.example".into(),
            ..Repository::default()
        };
        let shown = shown(&repository);
        assert_eq!(shown, Repository { r#type: "oci".into(), ..repository });
        let git = Repository { repo: "https://git.example/a".into(), ..Repository::default() };
        assert_eq!(super::shown(&git).r#type, "git");
    }

    #[test]
    fn nothing_that_opens_a_repository_is_shown() {
        let canary = || "canary".to_owned();
        let repository = Repository {
            repo: "https://u:canary@git.example/a".into(),
            password: canary(),
            bearer_token: canary(),
            ssh_private_key: canary(),
            tls_client_cert_key: canary(),
            tls_client_cert_data: canary(),
            github_app_private_key: canary(),
            gcp_service_account_key: canary(),
            azure_service_principal_client_secret: canary(),
            proxy: "http://u:canary@proxy".into(),
            ..Repository::default()
        };
        let text = serde_json::to_string(&shown(&repository)).unwrap();
        assert!(!text.contains("canary"), "{text}");
    }
}
