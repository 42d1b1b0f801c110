//! `argocd repo add`.

use api::v1alpha1::Repository;
use wire::repository::{RepoAccessQuery, RepoCreateRequest};

use super::described::{CREDENTIALS, REPOSITORY, complete_repository, repository};
use crate::command::{Command, Flag, Running, switch};
use crate::failure::Outcome;
use crate::session::Session;

const OWN: &[Flag] =
    &[switch("upsert", "Override an existing repository with the same name even if the spec differs")];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repo add https://git.example.com/repos/repo --username git --password secret\n  \
              argocd repo add ssh://git@git.example.com:2222/repos/repo --ssh-private-key-path ~/.ssh/id_rsa\n  \
              argocd repo add https://charts.example.com --type helm --name charts\n  \
              argocd repo add registry.example.com/charts --type helm --name charts --enable-oci",
    flags: &[OWN, CREDENTIALS, REPOSITORY],
    run: Some(start),
    ..Command::new("add", "REPOURL", "Add git, oci or helm repository connection parameters")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let url = session.only_argument()?;
    let mut repository = repository(session, &url)?;
    let server = session.server().await?;
    complete_repository(session, &mut repository)?;
    // The server tries it first: a repository that cannot be reached is not kept.
    server.repositories().validate_access(access_query(&repository)).await?;
    let upsert = session.is("upsert");
    let request = RepoCreateRequest { repo: Some(repository), upsert, ..RepoCreateRequest::default() };
    let created = server.repositories().create_repository(request).await?.into_inner();
    session.line(&format!("Repository '{}' added", created.repo));
    Ok(())
}

fn access_query(repository: &Repository) -> RepoAccessQuery {
    let from = repository.clone();
    RepoAccessQuery {
        repo: from.repo,
        r#type: from.r#type,
        name: from.name,
        project: from.project,
        username: from.username,
        password: from.password,
        bearer_token: from.bearer_token,
        ssh_private_key: from.ssh_private_key,
        tls_client_cert_data: from.tls_client_cert_data,
        tls_client_cert_key: from.tls_client_cert_key,
        insecure: from.insecure || from.insecure_ignore_host_key,
        enable_oci: from.enable_oci,
        github_app_private_key: from.github_app_private_key,
        github_app_id: from.github_app_id,
        github_app_installation_id: from.github_app_installation_id,
        github_app_enterprise_base_url: from.github_app_enterprise_base_url,
        proxy: from.proxy,
        gcp_service_account_key: from.gcp_service_account_key,
        force_http_basic_auth: from.force_http_basic_auth,
        use_azure_workload_identity: from.use_azure_workload_identity,
        insecure_oci_force_http: from.insecure_oci_force_http,
        azure_service_principal_client_id: from.azure_service_principal_client_id,
        azure_service_principal_client_secret: from.azure_service_principal_client_secret,
        azure_service_principal_tenant_id: from.azure_service_principal_tenant_id,
        azure_active_directory_endpoint: from.azure_active_directory_endpoint,
    }
}
