//! What a repo-server is set up with.

use crate::ask_pass::AskPass;
use crate::integrity::Keys;
use crate::plugins;
use crate::repository::Trust;
use boot::flags::Flags;
use evaluator::Program;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use transport::ProtocolNames;

/// Limits, times and folders.
#[derive(Clone)]
pub struct Options {
    /// Mirrors are kept here.
    pub cache_folder: PathBuf,
    /// A server certificate may lie here.
    pub tls_folder: PathBuf,
    /// Trusted certificates by host name (`argocd-tls-certs-cm`).
    pub tls_data: PathBuf,
    /// `ssh_known_hosts` lies here (`argocd-ssh-known-hosts-cm`).
    pub ssh_data: PathBuf,
    /// Versions of TLS and ciphers.
    pub tls: ProtocolNames,
    /// How renders are kept.
    pub keep_manifests: Duration,
    /// How long one may take.
    pub render_timeout: Duration,
    /// Renders at once; 0 for as many as there are processors.
    pub parallel_renders: usize,
    /// All files of a directory source together, in bytes.
    pub manifest_bytes: u64,
    /// Whether submodules are part of a tree.
    pub submodules: bool,
    /// Seals what is kept in a cache others can write to.
    pub cache_secret: Vec<u8>,
    /// Times and limits for git.
    pub git: git::Options,
    /// Times and limits for chart repositories.
    pub charts: charts::Options,
    /// Times and limits for registries.
    pub registries: oci::Options,
    /// What a chart may hold, unpacked.
    pub chart_limits: archive::Limits,
    /// What an artifact of a registry may hold, unpacked.
    pub artifact_limits: archive::Limits,
    /// Types of layers that may hold an artifact's content.
    pub layer_types: Vec<String>,
    /// Largest archive of files sent along with a request, in bytes.
    pub streamed_bytes: u64,
    /// What such an archive may hold.
    pub streamed_limits: archive::Limits,
    /// Whether folders that begin with a dot are listed.
    pub hidden_directories: bool,
    /// Where plugins are, and what they get.
    pub plugins: plugin::Options,
    /// Plugins get the files that `manifest-generate-paths` names, and no others.
    pub plugins_use_generate_paths: bool,
    /// Whether what projects demand of signatures is looked at (`ARGOCD_GPG_ENABLED`).
    pub verify_signatures: bool,
    /// The largest message, in bytes.
    pub message_limit: usize,
    /// Public keys (`argocd-gpg-keys-cm`).
    pub(crate) keys: Keys,
    /// Where plugins ask for a repository's credentials.
    pub(crate) ask_pass: AskPass,
    /// What evaluates Jsonnet.
    pub(crate) evaluator: Option<Program>,
}

impl Options {
    /// Where trusted certificates and host keys lie.
    pub(crate) fn trust(&self) -> Trust<'_> {
        Trust { tls_data: &self.tls_data, ssh_data: &self.ssh_data, submodules: self.submodules }
    }

    /// From flags and environment.
    pub fn from_flags(flags: &Flags, environment: &BTreeMap<String, String>) -> Self {
        let folder = |variable: &str, default: &str| {
            PathBuf::from(
                environment.get(variable).filter(|value| !value.is_empty()).map_or(default, String::as_str),
            )
        };
        let seconds = |variable: &str, default: u64| {
            let text = environment.get(variable).map_or("", |value| value.trim_end_matches('s'));
            Duration::from_secs(text.parse().unwrap_or(default))
        };
        let temporary = std::env::temp_dir().join("_argocd-rs-mirrors");
        let git = git::Options {
            refs_ttl: flags.duration("revision-cache-expiration"),
            fetch_timeout: seconds("ARGOCD_EXEC_TIMEOUT", 90),
            request_timeout: seconds("ARGOCD_GIT_REQUEST_TIMEOUT", 15),
            attempts: environment
                .get("ARGOCD_GIT_ATTEMPTS_COUNT")
                .and_then(|text| text.parse().ok())
                .unwrap_or(1),
            azure_workload: azure_workload(environment),
            ..git::Options::default()
        };
        Self {
            cache_folder: environment.get("ARGOCD_RS_MIRRORS").map_or(temporary, PathBuf::from),
            tls_folder: folder("ARGOCD_APP_CONF_PATH", "/app/config").join("reposerver/tls"),
            tls_data: folder("ARGOCD_TLS_DATA_PATH", "/app/config/tls"),
            ssh_data: folder("ARGOCD_SSH_DATA_PATH", "/app/config/ssh"),
            tls: ProtocolNames::from_flags(flags),
            keep_manifests: flags.duration("repo-cache-expiration"),
            // As long as the original's two commands may, one that gets what a chart needs and one that renders it.
            render_timeout: git.fetch_timeout * 2,
            parallel_renders: usize::try_from(flags.int("parallelismlimit")).unwrap_or(0),
            manifest_bytes: quantity(&flags.text("max-combined-directory-manifests-size")),
            submodules: environment.get("ARGOCD_GIT_MODULES_ENABLED").is_none_or(|value| value != "false"),
            cache_secret: cache_secret(environment),
            charts: charts::Options {
                index_bytes: quantity(&flags.text("helm-registry-max-index-size")),
                index_ttl: git.refs_ttl,
                timeout: git.fetch_timeout,
                ..charts::Options::default()
            },
            registries: oci::Options {
                layer_bytes: quantity(&flags.text("oci-manifest-max-extracted-size")),
                tags_ttl: git.refs_ttl,
                timeout: git.fetch_timeout,
            },
            chart_limits: unpacked(
                flags,
                "helm-manifest-max-extracted-size",
                "disable-helm-manifest-max-extracted-size",
            ),
            artifact_limits: unpacked(
                flags,
                "oci-manifest-max-extracted-size",
                "disable-oci-manifest-max-extracted-size",
            ),
            layer_types: flags.list("oci-layer-media-types"),
            streamed_bytes: quantity(&flags.text("streamed-manifest-max-tar-size")),
            streamed_limits: archive::Limits {
                bytes: quantity(&flags.text("streamed-manifest-max-extracted-size")),
                ..archive::Limits::default()
            },
            hidden_directories: flags.bool("include-hidden-directories"),
            plugins: plugins::options(flags, environment),
            plugins_use_generate_paths: flags.bool("plugin-use-manifest-generate-paths"),
            ask_pass: AskPass::new(environment),
            message_limit: boot::limit::message_limit(environment, wire::MESSAGE_LIMIT),
            verify_signatures: !environment
                .get("ARGOCD_GPG_ENABLED")
                .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "false" | "no")),
            keys: Keys::new(folder("ARGOCD_GPG_DATA_PATH", "/app/config/gpg/source")),
            evaluator: None,
            git,
        }
    }

    /// With children of a program that evaluate Jsonnet. Without them it is done in this process, where nothing ends what
    /// never does: for files of the user's own.
    #[must_use]
    pub fn with_evaluator(self, program: Program) -> Self {
        Self { evaluator: Some(program), ..self }
    }
}

/// The identity of this process on Azure, where it has one.
fn azure_workload(environment: &BTreeMap<String, String>) -> Option<git::AzureWorkload> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    Some(git::AzureWorkload {
        tenant: set("AZURE_TENANT_ID")?,
        client: set("AZURE_CLIENT_ID")?,
        token_file: set("AZURE_FEDERATED_TOKEN_FILE")?.into(),
        authority: set("AZURE_AUTHORITY_HOST").unwrap_or_default(),
    })
}

/// The secret that seals entries: what all repo-servers of an installation share already. Without one, entries
/// are good for this process only.
fn cache_secret(environment: &BTreeMap<String, String>) -> Vec<u8> {
    match environment.get("REDIS_PASSWORD").filter(|password| !password.is_empty()) {
        Some(password) => format!("argocd-rs manifest cache\0{password}").into_bytes(),
        None => rand::random::<[u8; 32]>().to_vec(),
    }
}

/// What may come out of an archive. Switching the limit off still leaves what memory is certain to hold.
fn unpacked(flags: &Flags, size: &'static str, off: &'static str) -> archive::Limits {
    const MOST: u64 = 4 << 30;
    let bytes = if flags.bool(off) { MOST } else { quantity(&flags.text(size)) };
    archive::Limits { bytes, ..archive::Limits::default() }
}

fn quantity(text: &str) -> u64 {
    match text.parse::<object::Quantity>() {
        // In range: the largest limit anybody writes is far below what a float holds exactly.
        Ok(quantity) => quantity.as_f64().max(0.0) as u64,
        Err(_) => render::Limits::default().manifest_bytes,
    }
}
