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
}

/// The repository as `git` takes it.
pub(crate) fn git_repository(
    repository: Option<Repository>,
    trust: Trust<'_>,
) -> Result<git::Repository, Status> {
    let repository = repository.ok_or_else(|| status::missing("repository"))?;
    if !matches!(repository.r#type.as_str(), "" | "git") {
        let (url, kind) = (&repository.repo, &repository.r#type);
        return Err(Status::unimplemented(format!("{url}: this version reads no {kind} repositories yet")));
    }
    Ok(git::Repository {
        certificate_authorities: authorities(&repository.repo, trust.tls_data),
        known_hosts: std::fs::read_to_string(trust.ssh_data.join("ssh_known_hosts")).unwrap_or_default(),
        username: repository.username,
        password: repository.password.into(),
        bearer_token: repository.bearer_token.into(),
        ssh_private_key: repository.ssh_private_key.into(),
        insecure: repository.insecure,
        insecure_ignore_host_key: repository.insecure_ignore_host_key,
        tls_client_certificate: repository.tls_client_cert_data,
        tls_client_key: repository.tls_client_cert_key.into(),
        proxy: repository.proxy.into(),
        no_proxy: repository.no_proxy,
        force_basic_auth: repository.force_http_basic_auth,
        enable_lfs: repository.enable_lfs,
        submodules: true,
        depth: u32::try_from(repository.depth).unwrap_or(0),
        url: repository.repo,
    })
}

/// The certificates for a URL's host: `argocd-tls-certs-cm` has one entry per host name.
fn authorities(url: &str, folder: &Path) -> String {
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
