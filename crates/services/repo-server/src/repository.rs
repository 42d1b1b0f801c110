//! Repositories as requests describe them, made ready for `git`.

use crate::status;
use api::v1alpha1::Repository;
use std::path::Path;
use tonic::Status;

/// Where trusted certificates and host keys lie. Read at each use: they change while the server runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trust<'a> {
    pub(crate) tls_data: &'a Path,
    pub(crate) ssh_data: &'a Path,
    /// Whether submodules are part of a tree.
    pub(crate) submodules: bool,
}

impl Trust<'_> {
    fn known_hosts(&self) -> String {
        std::fs::read_to_string(self.ssh_data.join("ssh_known_hosts")).unwrap_or_default()
    }
}

/// What a source that lies in no Git repository gives to those it leads to: the way out, and no credentials.
pub(crate) fn proxy_only(repository: Option<&Repository>, trust: Trust<'_>) -> git::Repository {
    let (proxy, no_proxy) =
        repository.map(|found| (found.proxy.clone(), found.no_proxy.clone())).unwrap_or_default();
    git::Repository {
        proxy: proxy.into(),
        no_proxy,
        known_hosts: trust.known_hosts(),
        ..git::Repository::default()
    }
}

/// The repository as `git` takes it.
pub(crate) fn git_repository(
    repository: Option<Repository>,
    trust: Trust<'_>,
) -> Result<git::Repository, Status> {
    let repository = repository.ok_or_else(|| status::missing("repository"))?;
    if !matches!(repository.r#type.as_str(), "" | "git") {
        let (url, kind) = (shown(&repository.repo), &repository.r#type);
        return Err(Status::invalid_argument(format!(
            "{url} is registered as a repository of type {kind}, and this source is read from Git: it names no chart"
        )));
    }
    Ok(git::Repository {
        certificate_authorities: authorities(&repository.repo, trust.tls_data),
        known_hosts: trust.known_hosts(),
        username: repository.username,
        password: repository.password.into(),
        bearer_token: repository.bearer_token.into(),
        ssh_private_key: repository.ssh_private_key.into(),
        github_app: git::GitHubApp {
            id: repository.github_app_id,
            installation: repository.github_app_installation_id,
            private_key: repository.github_app_private_key.into(),
            base_url: repository.github_app_enterprise_base_url,
        },
        google: repository.gcp_service_account_key.into(),
        azure: git::Azure {
            workload: repository.use_azure_workload_identity,
            tenant: repository.azure_service_principal_tenant_id,
            client: repository.azure_service_principal_client_id,
            client_secret: repository.azure_service_principal_client_secret.into(),
            authority: repository.azure_active_directory_endpoint,
        },
        insecure: repository.insecure,
        insecure_ignore_host_key: repository.insecure_ignore_host_key,
        tls_client_certificate: repository.tls_client_cert_data,
        tls_client_key: repository.tls_client_cert_key.into(),
        proxy: repository.proxy.into(),
        no_proxy: repository.no_proxy,
        force_basic_auth: repository.force_http_basic_auth,
        enable_lfs: repository.enable_lfs,
        submodules: trust.submodules,
        depth: u32::try_from(repository.depth).unwrap_or(0),
        url: repository.repo,
    })
}

/// The repository as `charts` takes it.
pub(crate) fn chart_repository(repository: Repository, trust: Trust<'_>) -> charts::Repository {
    let url = repository.repo.clone();
    let authorities = authorities(&url, trust.tls_data);
    charts::Repository { url, access: access(repository, authorities) }
}

/// The repository as `oci` takes it.
pub(crate) fn registry_repository(
    repository: Repository,
    reference: oci::Reference,
    trust: Trust<'_>,
) -> oci::Repository {
    let authorities = authorities(&format!("https://{}", reference.registry), trust.tls_data);
    let plain_http = repository.insecure_oci_force_http;
    oci::Repository { reference, plain_http, access: access(repository, authorities) }
}

fn access(repository: Repository, certificate_authorities: String) -> download::Access {
    download::Access {
        username: repository.username,
        password: repository.password.into(),
        bearer_token: repository.bearer_token.into(),
        certificate_authorities,
        insecure: repository.insecure,
        client_certificate: repository.tls_client_cert_data,
        client_key: repository.tls_client_cert_key.into(),
        proxy: repository.proxy.into(),
        no_proxy: repository.no_proxy,
    }
}

/// An address without what stands before an `@` in it.
fn shown(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
        }
        None => url.to_owned(),
    }
}

/// The certificates for a URL's host: `argocd-tls-certs-cm` has one entry per host name.
pub(crate) fn authorities(url: &str, folder: &Path) -> String {
    let Some(rest) = url.strip_prefix("https://") else { return String::new() };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    // The name becomes part of a path: only what a host name is made of may.
    let plain = !host.is_empty()
        && !host.starts_with('.')
        && host.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-'));
    if !plain {
        return String::new();
    }
    std::fs::read_to_string(folder.join(host)).unwrap_or_default()
}
