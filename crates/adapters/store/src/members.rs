//! The members of a registered repository or credential template, in the order of the original's types: the name in
//! messages about differences, the key in the Secret, and the value. One table serves writing and comparing.

use crate::secret_data::SecretEntry;
use api::v1alpha1::{RepoCreds, Repository};
use object::Secret;
use std::collections::BTreeMap;

/// A value as it goes into a Secret.
#[derive(Clone, Copy, PartialEq)]
enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Number(i64),
}

/// One member of a registration.
pub(crate) struct Member<'a> {
    name: &'static str,
    /// Empty for what is not kept in the Secret.
    key: &'static str,
    value: Value<'a>,
}

fn text<'a>(name: &'static str, key: &'static str, value: &'a str) -> Member<'a> {
    Member { name, key, value: Value::Text(value) }
}

fn flag(name: &'static str, key: &'static str, value: bool) -> Member<'static> {
    Member { name, key, value: Value::Flag(value) }
}

fn number(name: &'static str, key: &'static str, value: i64) -> Member<'static> {
    Member { name, key, value: Value::Number(value) }
}

impl Value<'_> {
    fn is_zero(self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Flag(flag) => !flag,
            Self::Number(number) => number == 0,
        }
    }

    fn written(self) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The members of a repository.
pub(crate) fn of_repository(repository: &Repository) -> Vec<Member<'_>> {
    let from = repository;
    vec![
        text("Repo", "url", &from.repo),
        text("Username", "username", &from.username),
        text("Password", "password", &from.password),
        text("SSHPrivateKey", "sshPrivateKey", &from.ssh_private_key),
        flag("InsecureIgnoreHostKey", "insecureIgnoreHostKey", from.insecure_ignore_host_key),
        flag("Insecure", "insecure", from.insecure),
        flag("EnableLFS", "enableLfs", from.enable_lfs),
        text("TLSClientCertData", "tlsClientCertData", &from.tls_client_cert_data),
        text("TLSClientCertKey", "tlsClientCertKey", &from.tls_client_cert_key),
        text("Type", "type", &from.r#type),
        text("Name", "name", &from.name),
        flag("EnableOCI", "enableOCI", from.enable_oci),
        text("GithubAppPrivateKey", "githubAppPrivateKey", &from.github_app_private_key),
        number("GithubAppId", "githubAppID", from.github_app_id),
        number("GithubAppInstallationId", "githubAppInstallationID", from.github_app_installation_id),
        text(
            "GitHubAppEnterpriseBaseURL",
            "githubAppEnterpriseBaseUrl",
            &from.github_app_enterprise_base_url,
        ),
        text("Proxy", "proxy", &from.proxy),
        text("Project", "project", &from.project),
        text("GCPServiceAccountKey", "gcpServiceAccountKey", &from.gcp_service_account_key),
        flag("ForceHttpBasicAuth", "forceHttpBasicAuth", from.force_http_basic_auth),
        text("NoProxy", "noProxy", &from.no_proxy),
        flag("UseAzureWorkloadIdentity", "useAzureWorkloadIdentity", from.use_azure_workload_identity),
        text("BearerToken", "bearerToken", &from.bearer_token),
        flag("InsecureOCIForceHttp", "insecureOCIForceHttp", from.insecure_oci_force_http),
        number("Depth", "depth", from.depth),
        flag(
            "WebhookManifestCacheWarmDisabled",
            "webhookManifestCacheWarmDisabled",
            from.webhook_manifest_cache_warm_disabled,
        ),
        text(
            "AzureServicePrincipalClientId",
            "azureServicePrincipalClientId",
            &from.azure_service_principal_client_id,
        ),
        text(
            "AzureServicePrincipalClientSecret",
            "azureServicePrincipalClientSecret",
            &from.azure_service_principal_client_secret,
        ),
        text(
            "AzureServicePrincipalTenantId",
            "azureServicePrincipalTenantId",
            &from.azure_service_principal_tenant_id,
        ),
        text(
            "AzureActiveDirectoryEndpoint",
            "azureActiveDirectoryEndpoint",
            &from.azure_active_directory_endpoint,
        ),
    ]
}

/// The members of a credential template. Two of the Azure keys are spelled differently from repositories'; that is
/// how the original reads and writes them.
pub(crate) fn of_credentials(credentials: &RepoCreds) -> Vec<Member<'_>> {
    let from = credentials;
    vec![
        text("URL", "url", &from.url),
        text("Username", "username", &from.username),
        text("Password", "password", &from.password),
        text("SSHPrivateKey", "sshPrivateKey", &from.ssh_private_key),
        text("TLSClientCertData", "tlsClientCertData", &from.tls_client_cert_data),
        text("TLSClientCertKey", "tlsClientCertKey", &from.tls_client_cert_key),
        text("GithubAppPrivateKey", "githubAppPrivateKey", &from.github_app_private_key),
        number("GithubAppId", "githubAppID", from.github_app_id),
        number("GithubAppInstallationId", "githubAppInstallationID", from.github_app_installation_id),
        text(
            "GitHubAppEnterpriseBaseURL",
            "githubAppEnterpriseBaseUrl",
            &from.github_app_enterprise_base_url,
        ),
        flag("EnableOCI", "enableOCI", from.enable_oci),
        text("Type", "type", &from.r#type),
        text("GCPServiceAccountKey", "gcpServiceAccountKey", &from.gcp_service_account_key),
        text("Proxy", "proxy", &from.proxy),
        flag("ForceHttpBasicAuth", "forceHttpBasicAuth", from.force_http_basic_auth),
        text("NoProxy", "noProxy", &from.no_proxy),
        flag("UseAzureWorkloadIdentity", "useAzureWorkloadIdentity", from.use_azure_workload_identity),
        text("BearerToken", "bearerToken", &from.bearer_token),
        flag("InsecureOCIForceHttp", "insecureOCIForceHttp", from.insecure_oci_force_http),
        text(
            "AzureServicePrincipalClientId",
            "azureServicePrincipalClientID",
            &from.azure_service_principal_client_id,
        ),
        text(
            "AzureServicePrincipalClientSecret",
            "azureServicePrincipalClientSecret",
            &from.azure_service_principal_client_secret,
        ),
        text(
            "AzureServicePrincipalTenantId",
            "azureServicePrincipalTenantID",
            &from.azure_service_principal_tenant_id,
        ),
        text(
            "AzureActiveDirectoryEndpoint",
            "azureActiveDirectoryEndpoint",
            &from.azure_active_directory_endpoint,
        ),
    ]
}

/// What goes into the Secret: members that say something, and those that a Secret says something of already.
pub(crate) fn data(
    members: &[Member<'_>],
    existing: Option<&SecretEntry>,
) -> BTreeMap<String, Secret<String>> {
    let known = |key: &str| existing.is_some_and(|entry| entry.data.contains_key(key));
    members
        .iter()
        .filter(|member| !member.value.is_zero() || known(member.key))
        .map(|member| (member.key.to_owned(), Secret::new(member.value.written())))
        .collect()
}

/// Names of the members in which two repositories differ; never their values.
pub fn repository_differences(left: &Repository, right: &Repository) -> Vec<&'static str> {
    differences(&of_repository(left), &of_repository(right))
}

/// Names of the members in which two templates differ; never their values.
pub fn credentials_differences(left: &RepoCreds, right: &RepoCreds) -> Vec<&'static str> {
    differences(&of_credentials(left), &of_credentials(right))
}

/// What a repository's Secret holds, by key, as one would write it by hand.
pub fn repository_secret_data(repository: &Repository) -> BTreeMap<String, Secret<String>> {
    data(&of_repository(repository), None)
}

fn differences(left: &[Member<'_>], right: &[Member<'_>]) -> Vec<&'static str> {
    let pairs = left.iter().zip(right);
    pairs.filter(|(left, right)| left.value != right.value).map(|(left, _)| left.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_something_is_written_unless_it_was_there() {
        let repository = Repository { repo: "https://h/a".into(), insecure: true, ..Repository::default() };
        let fresh = data(&of_repository(&repository), None);
        assert_eq!(fresh.keys().map(String::as_str).collect::<Vec<_>>(), ["insecure", "url"]);
        let mut before = SecretEntry::default();
        before.data.insert("password".into(), Secret::new(b"p".to_vec()));
        before.data.insert("enableLfs".into(), Secret::new(b"true".to_vec()));
        let changed = data(&of_repository(&repository), Some(&before));
        assert_eq!(changed["password"].reveal(), "");
        assert_eq!(changed["enableLfs"].reveal(), "false");
    }

    #[test]
    fn differences_are_names_in_the_order_of_the_type() {
        let left = Repository { r#type: "git".into(), ..Repository::default() };
        let right = Repository { name: "a".into(), password: "hunter2".into(), ..Repository::default() };
        assert_eq!(repository_differences(&left, &right), ["Password", "Type", "Name"]);
        let other = RepoCreds { username: "u".into(), ..RepoCreds::default() };
        assert_eq!(credentials_differences(&RepoCreds::default(), &other), ["Username"]);
    }
}
