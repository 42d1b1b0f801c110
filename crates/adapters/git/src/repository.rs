//! A repository as it is configured: its URL and how to be let in.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{GitError, location::Location, modules};
use object::Secret;

/// A repository with its credentials; the fields are those of Argo CD's repository settings.
#[derive(Clone, Default)]
pub struct Repository {
    /// `https://…`, `ssh://…`, `user@host:path`, `file:///…` or an absolute path.
    pub url: String,
    /// User for HTTP. Without one a password goes out for `x-access-token`.
    pub username: String,
    /// Password or token for HTTP basic authentication.
    pub password: Secret<String>,
    /// Token for `Authorization: Bearer`; wins over the password.
    pub bearer_token: Secret<String>,
    /// Stands for user and password over HTTP, when it has an id: a token is asked for when one is needed.
    pub github_app: GitHubApp,
    /// The key of a service account of Google, JSON: a token is asked for when one is needed.
    pub google: Secret<String>,
    /// What buys tokens of Azure.
    pub azure: Azure,
    /// Private key in PEM or OpenSSH form.
    pub ssh_private_key: Secret<String>,
    /// Neither certificates nor host keys are verified.
    pub insecure: bool,
    /// Host keys are not verified.
    pub insecure_ignore_host_key: bool,
    /// Client certificate, PEM.
    pub tls_client_certificate: String,
    /// Its key, PEM.
    pub tls_client_key: Secret<String>,
    /// Trusted certificates, PEM, instead of the system's.
    pub certificate_authorities: String,
    /// Proxy URL for HTTP; it may hold credentials.
    pub proxy: Secret<String>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: String,
    /// Credentials go out with the first request instead of after a refusal.
    pub force_basic_auth: bool,
    /// Known host keys, in the format of `ssh_known_hosts`.
    pub known_hosts: String,
    /// Content kept in Git LFS is wanted: it is read in the place of what points to it.
    pub enable_lfs: bool,
    /// Submodules are wanted; one that is not wanted is an empty folder.
    pub submodules: bool,
    /// Commits of history to fetch; zero for all.
    pub depth: u32,
}

/// A GitHub App that may read a repository.
#[derive(Clone, Default)]
pub struct GitHubApp {
    /// Its id.
    pub id: i64,
    /// The id of its installation; looked for by the repository's owner when zero.
    pub installation: i64,
    /// Its private key, PEM.
    pub private_key: Secret<String>,
    /// The API of a GitHub Enterprise server; that of github.com when empty.
    pub base_url: String,
}

/// A service principal of Azure, or the identity of this process.
#[derive(Clone, Default)]
pub struct Azure {
    /// Whether the identity of this process opens the repository.
    pub workload: bool,
    /// The tenant of the principal.
    pub tenant: String,
    /// Its id.
    pub client: String,
    /// Its secret.
    pub client_secret: Secret<String>,
    /// Where tokens are asked for; at the public cloud when empty.
    pub authority: String,
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repository").field("url", &self.shown_url()).finish_non_exhaustive()
    }
}

impl Repository {
    /// The URL without credentials, for messages and metrics.
    pub fn shown_url(&self) -> String {
        Location::parse(&self.url).map_or_else(|_| "(invalid)".to_owned(), |location| location.shown)
    }
}

impl Repository {
    /// The repository at an address that this one's files name. Credentials go along to the same host and no other; what
    /// names a folder of this machine is taken only from a repository that is one itself. `authorities` gives the
    /// certificates trusted for another host.
    pub fn leading_to(&self, url: &str, authorities: impl FnOnce(&str) -> String) -> Result<Self, String> {
        modules::leading_to(self, url.to_owned(), authorities)
    }
}

/// A repository together with the credentials it is asked with. What one pair was told or allowed is never used for
/// another. Means nothing outside the process that made it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryId {
    url: String,
    credentials: [u8; 32],
}

impl RepositoryId {
    /// The URL without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for RepositoryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

/// A repository whose URL has been read.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) repository: Repository,
    pub(crate) location: Location,
    pub(crate) id: RepositoryId,
}

impl Access {
    /// `salt` is random for each process: the fingerprint tells nobody whether a guess at a password is right.
    pub(crate) fn new(repository: &Repository, salt: &[u8; 32]) -> Result<Self, GitError> {
        let location = Location::parse(&repository.url)?;
        let mut repository = repository.clone();
        if let Some((username, password)) = &location.user {
            if repository.username.is_empty() {
                repository.username.clone_from(username);
            }
            if repository.password.is_empty() {
                repository.password.clone_from(password);
            }
        }
        repository.url.clone_from(&location.shown);
        let credentials = fingerprint(&repository, salt);
        let id = RepositoryId { url: location.shown.clone(), credentials };
        Ok(Self { repository, location, id })
    }

    pub(crate) fn shown(&self) -> &str {
        &self.location.shown
    }

    /// The text with every credential of this repository taken out. Messages never hold one by construction; this
    /// guards against a server or program that says one back.
    pub(crate) fn scrub(&self, text: &str) -> String {
        const SHORTEST: usize = 6;
        let repository = &self.repository;
        let secrets = [
            &repository.password,
            &repository.bearer_token,
            &repository.ssh_private_key,
            &repository.tls_client_key,
            &repository.proxy,
            &repository.github_app.private_key,
            &repository.google,
            &repository.azure.client_secret,
        ];
        let mut text = text.to_owned();
        for secret in secrets
            .into_iter()
            .map(|secret| secret.reveal().as_str())
            .filter(|secret| secret.len() >= SHORTEST)
        {
            text = text.replace(secret, "***");
        }
        text
    }
}

fn fingerprint(repository: &Repository, salt: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt);
    for field in [
        repository.username.as_str(),
        repository.password.reveal(),
        repository.bearer_token.reveal(),
        repository.ssh_private_key.reveal(),
        repository.tls_client_certificate.as_str(),
        repository.tls_client_key.reveal(),
        repository.certificate_authorities.as_str(),
        repository.known_hosts.as_str(),
        repository.proxy.reveal(),
        repository.no_proxy.as_str(),
        repository.github_app.private_key.reveal(),
        repository.github_app.base_url.as_str(),
        repository.google.reveal(),
        repository.azure.tenant.as_str(),
        repository.azure.client.as_str(),
        repository.azure.client_secret.reveal(),
        repository.azure.authority.as_str(),
    ] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let switches = [
        repository.insecure,
        repository.insecure_ignore_host_key,
        repository.force_basic_auth,
        repository.enable_lfs,
        repository.submodules,
        repository.azure.workload,
    ];
    hash.update(switches.map(u8::from));
    hash.update(repository.depth.to_be_bytes());
    hash.update(repository.github_app.id.to_be_bytes());
    hash.update(repository.github_app.installation.to_be_bytes());
    hash.finalize().into()
}
