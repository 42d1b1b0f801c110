//! Repositories, without what opens them.

use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::masking::without_password;
use crate::services::path_value::unescaped;
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{Repository, RepositoryList};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};
use wire::repository::RepoQuery;
use wire::repository::repository_service_server::RepositoryService;

/// How long it is remembered whether a repository answers.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Repositories.
pub(crate) struct Repositories(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RepositoryService for Repositories {
    async fn list(&self, request: Request<RepoQuery>) -> Answer<RepositoryList> {
        let (access, query) = self.0.enter(request)?;
        list(&self.0, &access, &query).await.map(Response::new)
    }

    async fn list_repositories(&self, request: Request<RepoQuery>) -> Answer<RepositoryList> {
        let (access, query) = self.0.enter(request)?;
        list(&self.0, &access, &query).await.map(Response::new)
    }

    async fn get(&self, request: Request<RepoQuery>) -> Answer<Repository> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query);
        // As it is over gRPC, escaped over REST.
        let unescaped = unescaped(&query.repo).unwrap_or_default();
        let wanted = [project::normalized(&query.repo), project::normalized(&unescaped)];
        let found =
            found.into_iter().find(|repository| wanted.contains(&project::normalized(&repository.repo)));
        // Not there and not to be seen look alike.
        let found = found.filter(|_| !query.repo.is_empty()).ok_or_else(failure::denied)?;
        Ok(Response::new(told(&self.0, found, query.force_refresh).await))
    }
}

async fn list(hub: &Hub, access: &Access, query: &RepoQuery) -> Result<RepositoryList, Status> {
    let mut items = Vec::new();
    for repository in visible(hub, access, query) {
        items.push(told(hub, repository, query.force_refresh).await);
    }
    Ok(RepositoryList { metadata: ListMeta::default(), items })
}

/// Registered repositories that the caller may see.
fn visible(hub: &Hub, access: &Access, query: &RepoQuery) -> Vec<Repository> {
    let mut found: Vec<Repository> = hub
        .store
        .repositories()
        .into_iter()
        .filter_map(|repository| match repository {
            Ok(repository) => Some(repository.into_revealed()),
            Err(error) => {
                tracing::warn!(%error, "a repository cannot be read");
                None
            }
        })
        .filter(|repository| query.app_project.is_empty() || repository.project == query.app_project)
        .filter(|repository| access.permits("repositories", "get", &object_of(repository)))
        .collect();
    found.sort_by(|left, right| left.repo.cmp(&right.repo).then_with(|| left.project.cmp(&right.project)));
    found
}

fn object_of(repository: &Repository) -> String {
    if repository.project.is_empty() {
        repository.repo.clone()
    } else {
        format!("{}/{}", repository.project, repository.repo)
    }
}

/// A repository as clients see it, with whether it answers.
async fn told(hub: &Hub, repository: Repository, now: bool) -> Repository {
    let key = format!("repo|{}|{}|connection-state", repository.repo, repository.project);
    let known = if now { None } else { hub.cache.get(&key).await.ok().flatten() };
    let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut shown = shown(&repository);
    shown.connection_state = match known {
        Some(state) => state,
        None => {
            let state = tested(hub, repository).await;
            if let Ok(bytes) = serde_json::to_vec(&state)
                && let Err(error) = hub.cache.set(&key, bytes.into(), REMEMBERED).await
            {
                tracing::debug!(%error, "the state of a repository could not be remembered");
            }
            state
        }
    };
    shown
}

async fn tested(hub: &Hub, repository: Repository) -> api::v1alpha1::ConnectionState {
    let answer = match hub.repository(&repository.repo, &repository.project) {
        Ok(repository) => hub.test_repository(repository).await,
        Err(status) => Err(status),
    };
    let mut state = api::v1alpha1::ConnectionState {
        status: "Successful".into(),
        attempted_at: Some(Timestamp::now().into()),
        ..Default::default()
    };
    if let Err(status) = answer {
        state.status = "Failed".into();
        state.message = format!("Unable to connect to repository: {}", failure::go_text(&status));
    }
    state
}

/// What of a repository opens nothing.
fn shown(repository: &Repository) -> Repository {
    Repository {
        repo: repository.repo.clone(),
        r#type: if repository.r#type.is_empty() { "git".into() } else { repository.r#type.clone() },
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
        depth: repository.depth,
        ..Repository::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_opens_a_repository_is_shown() {
        let canary = || "canary".to_owned();
        let repository = Repository {
            repo: "https://git.example/a".into(),
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
