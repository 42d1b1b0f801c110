//! A repository and a credential template as flags describe them.

use api::v1alpha1::{RepoCreds, Repository};

use crate::command::{Flag, int, switch, text};
use crate::failure::{Failure, Outcome, io_error};
use crate::session::Session;

/// How a server is entered: for repositories and for credential templates.
pub(crate) const CREDENTIALS: &[Flag] = &[
    text("azure-active-directory-endpoint", "Azure Active Directory endpoint"),
    text("azure-service-principal-client-id", "Client id of the Azure service principal"),
    text("azure-service-principal-client-secret", "Client secret of the Azure service principal"),
    text("azure-service-principal-tenant-id", "Tenant id of the Azure service principal"),
    text("bearer-token", "Bearer token for the Git repository (Bitbucket Data Center)"),
    switch("enable-oci", "The repository holds charts as OCI artifacts"),
    switch("force-http-basic-auth", "Send the user name and password at once, unasked"),
    text("gcp-service-account-key-path", "File with the service account key for Google Cloud Platform"),
    text("github-app-enterprise-base-url", "Base URL of the API of GitHub Enterprise"),
    int("github-app-id", "Id of the GitHub App"),
    int("github-app-installation-id", "Id of the installation of the GitHub App"),
    text("github-app-private-key-path", "File with the private key of the GitHub App"),
    switch("insecure-oci-force-http", "Reach the OCI repository over plain HTTP"),
    text("password", "Password for the repository"),
    text("ssh-private-key-path", "File with the private SSH key (e.g. ~/.ssh/id_rsa)"),
    text("tls-client-cert-key-path", "File with the key of the TLS client certificate, in PEM"),
    text("tls-client-cert-path", "File with the TLS client certificate, in PEM"),
    text("type", "Type of the repository: git, oci or helm").or("git"),
    switch("use-azure-workload-identity", "Authenticate with Azure workload identity"),
    text("username", "User name for the repository"),
];

/// What a repository has besides.
pub(crate) const REPOSITORY: &[Flag] = &[
    int("depth", "How many commits are fetched; all where it is not set"),
    switch("enable-lfs", "Fetch files from large file storage"),
    switch(
        "insecure-ignore-host-key",
        "Do not verify the host's SSH key (use --insecure-skip-server-verification)",
    ),
    switch("insecure-skip-server-verification", "Do not verify the server's certificate or host key"),
    text("name", "Name of the repository; Helm repositories must have one"),
    text("no-proxy", "Hosts that are reached without the proxy"),
    text("project", "The project that the repository belongs to"),
    text("proxy", "Proxy to the repository"),
    switch("webhook-manifest-cache-warm-disabled", "Do not render ahead when a push is announced"),
];

/// The repository that arguments and flags describe.
pub(crate) fn repository(session: &Session<'_>, url: &str) -> Outcome<Repository> {
    let from = credentials(session, url)?;
    let repository = Repository {
        repo: from.url,
        r#type: from.r#type,
        name: session.text("name"),
        project: session.text("project"),
        username: from.username,
        password: from.password,
        bearer_token: from.bearer_token,
        ssh_private_key: from.ssh_private_key,
        tls_client_cert_data: from.tls_client_cert_data,
        tls_client_cert_key: from.tls_client_cert_key,
        github_app_private_key: from.github_app_private_key,
        github_app_id: from.github_app_id,
        github_app_installation_id: from.github_app_installation_id,
        github_app_enterprise_base_url: from.github_app_enterprise_base_url,
        gcp_service_account_key: from.gcp_service_account_key,
        force_http_basic_auth: from.force_http_basic_auth,
        use_azure_workload_identity: from.use_azure_workload_identity,
        azure_service_principal_client_id: from.azure_service_principal_client_id,
        azure_service_principal_client_secret: from.azure_service_principal_client_secret,
        azure_service_principal_tenant_id: from.azure_service_principal_tenant_id,
        azure_active_directory_endpoint: from.azure_active_directory_endpoint,
        enable_oci: from.enable_oci,
        insecure_oci_force_http: from.insecure_oci_force_http,
        proxy: session.text("proxy"),
        no_proxy: session.text("no-proxy"),
        insecure: session.is("insecure-skip-server-verification"),
        insecure_ignore_host_key: session.is("insecure-ignore-host-key"),
        enable_lfs: session.is("enable-lfs"),
        depth: session.matches.number("depth"),
        webhook_manifest_cache_warm_disabled: session.is("webhook-manifest-cache-warm-disabled"),
        ..Repository::default()
    };
    if repository.r#type == "helm" && repository.name.is_empty() {
        return Err(Failure::generic("Must specify --name for repos of type 'helm'"));
    }
    Ok(repository)
}

/// The credentials that arguments and flags describe.
pub(crate) fn credentials(session: &Session<'_>, url: &str) -> Outcome<RepoCreds> {
    let over_tls = url.starts_with("https://");
    let mut credentials = RepoCreds {
        url: url.to_owned(),
        r#type: session.text("type"),
        username: session.text("username"),
        password: session.text("password"),
        bearer_token: session.text("bearer-token"),
        github_app_id: session.matches.number("github-app-id"),
        github_app_installation_id: session.matches.number("github-app-installation-id"),
        github_app_enterprise_base_url: session.text("github-app-enterprise-base-url"),
        enable_oci: session.is("enable-oci"),
        force_http_basic_auth: session.is("force-http-basic-auth"),
        use_azure_workload_identity: session.is("use-azure-workload-identity"),
        insecure_oci_force_http: session.is("insecure-oci-force-http"),
        azure_service_principal_client_id: session.text("azure-service-principal-client-id"),
        azure_service_principal_client_secret: session.text("azure-service-principal-client-secret"),
        azure_service_principal_tenant_id: session.text("azure-service-principal-tenant-id"),
        azure_active_directory_endpoint: session.text("azure-active-directory-endpoint"),
        ..RepoCreds::default()
    };
    let key = session.text("ssh-private-key-path");
    if !key.is_empty() {
        if !is_ssh(url) {
            return Err(Failure::generic("--ssh-private-key-path is only supported for SSH repositories."));
        }
        credentials.ssh_private_key = read(&key, 1)?;
    }
    let [certificate, key] =
        ["tls-client-cert-path", "tls-client-cert-key-path"].map(|flag| session.text(flag));
    if certificate.is_empty() != key.is_empty() {
        return Err(Failure::generic(
            "--tls-client-cert-path and --tls-client-cert-key-path must be specified together",
        ));
    }
    if !certificate.is_empty() {
        only_over_tls(over_tls, "tls-client-cert-path")?;
        credentials.tls_client_cert_data = read(&certificate, 20)?;
        credentials.tls_client_cert_key = read(&key, 20)?;
    }
    for (flag, into) in [
        ("github-app-private-key-path", &mut credentials.github_app_private_key),
        ("gcp-service-account-key-path", &mut credentials.gcp_service_account_key),
    ] {
        let path = session.text(flag);
        if !path.is_empty() {
            only_over_tls(over_tls, flag)?;
            *into = read(&path, 20)?;
        }
    }
    Ok(credentials)
}

/// Asks for the password that belongs to a user name, and refuses what does not go together.
pub(crate) fn complete(session: &mut Session<'_>, credentials: &mut RepoCreds) -> Outcome {
    if !credentials.username.is_empty() && credentials.password.is_empty() {
        credentials.password = session.read_password("Password: ")?;
    }
    if credentials.bearer_token.is_empty() {
        return Ok(());
    }
    let refused = if !credentials.password.is_empty() {
        "only --bearer-token or --password is allowed, not both"
    } else if credentials.r#type != "git" {
        "--bearer-token is only supported for Git repositories"
    } else if !credentials.url.starts_with("https://") {
        "--bearer-token is only supported for HTTPS repositories"
    } else {
        return Ok(());
    };
    Err(Failure::generic(refused))
}

/// The same for a repository.
pub(crate) fn complete_repository(session: &mut Session<'_>, repository: &mut Repository) -> Outcome {
    let mut entered = RepoCreds {
        url: repository.repo.clone(),
        r#type: repository.r#type.clone(),
        username: repository.username.clone(),
        password: repository.password.clone(),
        bearer_token: repository.bearer_token.clone(),
        ..RepoCreds::default()
    };
    complete(session, &mut entered)?;
    repository.password = entered.password;
    Ok(())
}

fn only_over_tls(over_tls: bool, flag: &str) -> Outcome {
    if over_tls {
        return Ok(());
    }
    Err(Failure::generic(format!("--{flag} is only supported for HTTPS repositories")))
}

/// A user, an `@` and a host, with or without the scheme.
fn is_ssh(url: &str) -> bool {
    let rest = url.strip_prefix("ssh://").unwrap_or(url);
    rest.split_once('@')
        .is_some_and(|(user, host)| !user.contains(['/', ':']) && !host.is_empty() && !host.contains('@'))
}

fn read(path: &str, code: i32) -> Outcome<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::Fatal { message: format!("open {path}: {}", io_error(&error)), code })
}

#[cfg(test)]
mod tests {
    use super::is_ssh;

    #[test]
    fn ssh_addresses_are_known() {
        for url in ["git@host:a/b.git", "ssh://git@host:22/a.git", "user@host"] {
            assert!(is_ssh(url), "{url}");
        }
        for url in ["https://user@host/a.git", "http://host/a.git", "host:a", "ssh://host/a"] {
            assert!(!is_ssh(url), "{url}");
        }
    }
}
