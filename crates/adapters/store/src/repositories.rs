//! Repositories and their credentials, out of labelled Secrets.

use crate::error::StoreError;
use crate::registrations::Register;
use crate::secret_data::SecretEntry;
use crate::store::Store;
use api::v1alpha1::{RepoCreds, Repository};
use object::Secret;
use std::sync::Arc;

impl Store {
    /// The repository at a URL as a project sees it: its own registration, else the unscoped one, else none; with
    /// the credentials of the longest matching template where it has none of its own.
    pub fn repository(&self, url: &str, project: &str) -> Result<Secret<Repository>, StoreError> {
        self.repository_in(Register::Read, url, project)
    }

    /// Every registered repository; those that cannot be read with the reason.
    pub fn repositories(&self) -> Vec<Result<Secret<Repository>, StoreError>> {
        self.secrets_of("repository").iter().map(|entry| read_repository(entry)).collect()
    }

    /// Every credential template.
    pub fn repository_credentials(&self) -> Vec<Result<Secret<RepoCreds>, StoreError>> {
        self.secrets_of("repo-creds").iter().map(|entry| read_credentials(entry)).collect()
    }

    /// Secrets of a type, by name.
    pub(crate) fn secrets_of(&self, secret_type: &str) -> Vec<Arc<SecretEntry>> {
        self.0.secrets.values().into_iter().filter(|entry| entry.secret_type() == secret_type).collect()
    }
}

/// The registration of a URL that a project may use: never another project's.
pub fn repository_for(
    entries: &[Arc<SecretEntry>],
    url: &str,
    project: &str,
) -> Result<Option<Secret<Repository>>, StoreError> {
    let same: Vec<_> = entries.iter().filter(|entry| same_url(&entry.text("url"), url)).collect();
    let own = same.iter().find(|entry| entry.text("project") == project);
    let found = own.or_else(|| same.iter().find(|entry| entry.text("project").is_empty()));
    found.map(|entry| read_repository(entry)).transpose()
}

/// The template whose URL is the longest prefix of a URL.
///
/// The original compares texts only, so that a template for `https://host` serves `https://host.evil.example`, too;
/// here the host must end where the template's host ends.
pub fn credentials_for(
    entries: &[Arc<SecretEntry>],
    url: &str,
) -> Result<Option<Secret<RepoCreds>>, StoreError> {
    let url = project::normalized(url);
    let mut best: Option<(usize, &Arc<SecretEntry>)> = None;
    for entry in entries {
        let prefix = project::normalized(&entry.text("url"));
        let Some(rest) = url.strip_prefix(&prefix).filter(|_| !prefix.is_empty()) else { continue };
        if cuts_host(&prefix, rest) {
            continue;
        }
        if best.is_none_or(|(length, _)| prefix.len() > length) {
            best = Some((prefix.len(), entry));
        }
    }
    best.map(|(_, entry)| read_credentials(entry)).transpose()
}

/// Whether a prefix ends in the middle of the host.
fn cuts_host(prefix: &str, rest: &str) -> bool {
    let host = prefix.split_once("://").map_or(prefix, |(_, host)| host);
    !host.contains('/') && !rest.is_empty() && !rest.starts_with(['/', ':'])
}

pub(crate) fn same_url(left: &str, right: &str) -> bool {
    let form = |url: &str| {
        let normalized = project::normalized(url);
        if normalized.is_empty() { url.to_owned() } else { normalized }
    };
    let (left, right) = (form(left), form(right));
    !left.is_empty() && left == right
}

fn invalid(entry: &SecretEntry, reason: String) -> StoreError {
    StoreError::Invalid { kind: "Secret".into(), namespace: String::new(), name: entry.name.clone(), reason }
}

pub(crate) fn read_repository(entry: &SecretEntry) -> Result<Secret<Repository>, StoreError> {
    repository_of(entry).map(Secret::new).map_err(|reason| invalid(entry, reason))
}

pub(crate) fn read_credentials(entry: &SecretEntry) -> Result<Secret<RepoCreds>, StoreError> {
    credentials_of(entry).map(Secret::new).map_err(|reason| invalid(entry, reason))
}

fn repository_of(entry: &SecretEntry) -> Result<Repository, String> {
    Ok(Repository {
        repo: entry.text("url"),
        name: entry.text("name"),
        r#type: entry.text("type"),
        project: entry.text("project"),
        username: entry.text("username"),
        password: entry.text("password"),
        bearer_token: entry.text("bearerToken"),
        ssh_private_key: entry.text("sshPrivateKey"),
        tls_client_cert_data: entry.text("tlsClientCertData"),
        tls_client_cert_key: entry.text("tlsClientCertKey"),
        github_app_private_key: entry.text("githubAppPrivateKey"),
        github_app_id: entry.number("githubAppID")?,
        github_app_installation_id: entry.number("githubAppInstallationID")?,
        github_app_enterprise_base_url: entry.text("githubAppEnterpriseBaseUrl"),
        gcp_service_account_key: entry.text("gcpServiceAccountKey"),
        proxy: entry.text("proxy"),
        no_proxy: entry.text("noProxy"),
        insecure: entry.flag("insecure")?,
        insecure_ignore_host_key: entry.flag("insecureIgnoreHostKey")?,
        enable_lfs: entry.flag("enableLfs")?,
        enable_oci: entry.flag("enableOCI")?,
        insecure_oci_force_http: entry.flag("insecureOCIForceHttp")?,
        force_http_basic_auth: entry.flag("forceHttpBasicAuth")?,
        use_azure_workload_identity: entry.flag("useAzureWorkloadIdentity")?,
        depth: entry.number("depth")?,
        webhook_manifest_cache_warm_disabled: entry.flag("webhookManifestCacheWarmDisabled")?,
        azure_service_principal_client_id: entry.text("azureServicePrincipalClientId"),
        azure_service_principal_client_secret: entry.text("azureServicePrincipalClientSecret"),
        azure_service_principal_tenant_id: entry.text("azureServicePrincipalTenantId"),
        azure_active_directory_endpoint: entry.text("azureActiveDirectoryEndpoint"),
        ..Repository::default()
    })
}

/// Templates spell two of the Azure keys differently from repositories; that is how the original reads them.
fn credentials_of(entry: &SecretEntry) -> Result<RepoCreds, String> {
    Ok(RepoCreds {
        url: entry.text("url"),
        r#type: entry.text("type"),
        username: entry.text("username"),
        password: entry.text("password"),
        bearer_token: entry.text("bearerToken"),
        ssh_private_key: entry.text("sshPrivateKey"),
        tls_client_cert_data: entry.text("tlsClientCertData"),
        tls_client_cert_key: entry.text("tlsClientCertKey"),
        github_app_private_key: entry.text("githubAppPrivateKey"),
        github_app_id: entry.number("githubAppID")?,
        github_app_installation_id: entry.number("githubAppInstallationID")?,
        github_app_enterprise_base_url: entry.text("githubAppEnterpriseBaseUrl"),
        gcp_service_account_key: entry.text("gcpServiceAccountKey"),
        proxy: entry.text("proxy"),
        no_proxy: entry.text("noProxy"),
        enable_oci: entry.flag("enableOCI")?,
        insecure_oci_force_http: entry.flag("insecureOCIForceHttp")?,
        force_http_basic_auth: entry.flag("forceHttpBasicAuth")?,
        use_azure_workload_identity: entry.flag("useAzureWorkloadIdentity")?,
        azure_service_principal_client_id: entry.text("azureServicePrincipalClientID"),
        azure_service_principal_client_secret: entry.text("azureServicePrincipalClientSecret"),
        azure_service_principal_tenant_id: entry.text("azureServicePrincipalTenantID"),
        azure_active_directory_endpoint: entry.text("azureActiveDirectoryEndpoint"),
    })
}

/// Whether a repository has credentials of its own.
pub fn has_credentials(repository: &Repository) -> bool {
    let secrets = [
        &repository.username,
        &repository.password,
        &repository.bearer_token,
        &repository.ssh_private_key,
        &repository.tls_client_cert_data,
        &repository.github_app_private_key,
        &repository.gcp_service_account_key,
        &repository.azure_service_principal_client_secret,
    ];
    repository.use_azure_workload_identity || secrets.iter().any(|secret| !secret.is_empty())
}

/// Gives a repository the credentials of a template.
pub fn inherit(repository: &mut Repository, from: RepoCreds) {
    repository.inherited_creds = true;
    repository.username = from.username;
    repository.password = from.password;
    repository.bearer_token = from.bearer_token;
    repository.ssh_private_key = from.ssh_private_key;
    repository.tls_client_cert_data = from.tls_client_cert_data;
    repository.tls_client_cert_key = from.tls_client_cert_key;
    repository.github_app_private_key = from.github_app_private_key;
    repository.github_app_id = from.github_app_id;
    repository.github_app_installation_id = from.github_app_installation_id;
    repository.github_app_enterprise_base_url = from.github_app_enterprise_base_url;
    repository.gcp_service_account_key = from.gcp_service_account_key;
    repository.force_http_basic_auth = from.force_http_basic_auth;
    repository.use_azure_workload_identity = from.use_azure_workload_identity;
    repository.azure_service_principal_client_id = from.azure_service_principal_client_id;
    repository.azure_service_principal_client_secret = from.azure_service_principal_client_secret;
    repository.azure_service_principal_tenant_id = from.azure_service_principal_tenant_id;
    repository.azure_active_directory_endpoint = from.azure_active_directory_endpoint;
    repository.insecure_oci_force_http |= from.insecure_oci_force_http;
    for (own, other) in [(&mut repository.proxy, from.proxy), (&mut repository.no_proxy, from.no_proxy)] {
        if own.is_empty() {
            *own = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(values: &[(&str, &str)]) -> Arc<SecretEntry> {
        Arc::new(SecretEntry {
            name: values.iter().map(|(_, value)| *value).collect(),
            data: values
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Secret::new(value.as_bytes().to_vec())))
                .collect(),
            ..SecretEntry::default()
        })
    }

    #[test]
    fn a_projects_own_registration_wins_and_anothers_is_never_used() {
        let url = "https://git.example/a.git";
        let of = |project: &str| entry(&[("url", url), ("project", project), ("username", project)]);
        let found = |entries: &[Arc<SecretEntry>], project: &str| {
            repository_for(entries, "https://GIT.example/a", project)
                .unwrap()
                .map(|repository| repository.reveal().project.clone())
        };
        assert_eq!(found(&[of(""), of("red")], "red").as_deref(), Some("red"));
        assert_eq!(found(&[of("red"), of("")], "blue").as_deref(), Some(""));
        assert_eq!(found(&[of("red")], "blue"), None);
    }

    #[test]
    fn the_longest_template_serves_and_never_another_host() {
        let entries =
            [entry(&[("url", "https://git.example")]), entry(&[("url", "https://git.example/team")])];
        let found = |url: &str| {
            credentials_for(&entries, url).unwrap().map(|credentials| credentials.reveal().url.clone())
        };
        assert_eq!(found("https://git.example/team/a.git").as_deref(), Some("https://git.example/team"));
        assert_eq!(found("https://git.example/other").as_deref(), Some("https://git.example"));
        assert_eq!(found("https://git.example.evil.test/team"), None);
        assert_eq!(found("https://git.example:8443/x").as_deref(), Some("https://git.example"));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_an_error_without_the_value() {
        let entries =
            [entry(&[("url", "https://git.example/a"), ("insecure", "hunter2"), ("password", "hunter2")])];
        let error = repository_for(&entries, "https://git.example/a", "").unwrap_err();
        let reason = match error {
            StoreError::Invalid { reason, .. } => reason,
            other => other.to_string(),
        };
        assert_eq!(reason, "insecure is neither true nor false");
    }
}
