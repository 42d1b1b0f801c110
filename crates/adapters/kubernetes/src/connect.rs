//! How a cluster is reached: where it is, who asks, and how fast.

use crate::error::Error;
use crate::proxy;
use api::v1alpha1::ClusterConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{
    AuthInfo, Cluster as ClusterEntry, Context, ExecConfig, ExecInteractiveMode, KubeConfigOptions,
    Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext, NamedExtension,
};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where the address and the credentials of a cluster come from.
#[derive(Clone)]
pub enum Access {
    /// A kubeconfig file, or what `KUBECONFIG` and the home directory give; its current context unless named.
    Kubeconfig {
        /// The file; `None` for the usual places.
        path: Option<PathBuf>,
        /// The context; `None` for the current one.
        context: Option<String>,
    },
    /// The service account of the pod this runs in.
    InCluster,
    /// A cluster as Argo CD's users register it.
    Server {
        /// URL of the API server.
        server: String,
        /// Credentials and TLS options.
        config: Box<ClusterConfig>,
    },
}

/// Who requests are made for, when not for the owner of the credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Impersonation {
    /// User name, as `system:serviceaccount:<namespace>:<name>`.
    pub user: String,
    /// Groups.
    pub groups: Vec<String>,
}

/// How fast and how patiently requests are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Requests a second in the long run; zero for no limit.
    pub qps: f64,
    /// Requests that may be sent at once.
    pub burst: u32,
    /// How often a request is sent again after a passing failure.
    pub retries: u32,
    /// First wait between two tries; it doubles each time.
    pub backoff: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer may take to begin, and how long it may pause once it has.
    pub answer_timeout: Duration,
}

/// What the original's client uses when nothing is configured.
impl Default for Limits {
    fn default() -> Self {
        Self {
            qps: 50.0,
            burst: 100,
            retries: 4,
            backoff: Duration::from_millis(100),
            connect_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(60),
        }
    }
}

/// Everything needed to talk to one cluster.
#[derive(Clone)]
pub struct Connection {
    /// Address and credentials.
    pub access: Access,
    /// Who to act for.
    pub impersonate: Option<Impersonation>,
    /// Speed and patience.
    pub limits: Limits,
}

impl Connection {
    /// With the usual limits, acting for the owner of the credentials.
    pub fn new(access: Access) -> Self {
        Self { access, impersonate: None, limits: Limits::default() }
    }
}

/// Reads the configuration into what the HTTP client takes.
pub(crate) async fn resolve(connection: &Connection) -> Result<kube::Config, Error> {
    let mut config = match &connection.access {
        Access::Kubeconfig { path, context } => {
            let place = path.as_ref().map_or_else(|| "kubeconfig".into(), |path| path.display().to_string());
            let failed = |error: kube::config::KubeconfigError| Error::Configuration {
                server: place.clone(),
                reason: chain(&error),
            };
            let kubeconfig = match path {
                Some(path) => Kubeconfig::read_from(path).map_err(failed)?,
                None => Kubeconfig::read().map_err(failed)?,
            };
            let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
            let explicit = explicit_proxy(&kubeconfig, context.as_deref());
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(failed)?;
            with_proxy(config, explicit.as_deref())?
        }
        Access::InCluster => kube::Config::incluster().map_err(|error| Error::Configuration {
            server: "the cluster this runs in".into(),
            reason: chain(&error),
        })?,
        Access::Server { server, config } => {
            let failed = |error: kube::config::KubeconfigError| Error::Configuration {
                server: server.clone(),
                reason: chain(&error),
            };
            let kubeconfig = as_kubeconfig(server, config)?;
            let resolved = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .map_err(failed)?;
            with_proxy(resolved, Some(config.proxy_url.as_str()).filter(|url| !url.is_empty()))?
        }
    };
    config.connect_timeout = Some(connection.limits.connect_timeout);
    config.read_timeout = None;
    config.default_retry = false;
    if let Some(impersonate) = &connection.impersonate {
        config.auth_info.impersonate = Some(impersonate.user.clone());
        config.auth_info.impersonate_groups =
            (!impersonate.groups.is_empty()).then(|| impersonate.groups.clone());
    }
    Ok(config)
}

/// The configuration of a cluster with other credentials and another proxy, or nothing where none are named. The own
/// certificate of the client goes as well: the server would look at it first.
pub(crate) fn with_credentials(
    own: &kube::Config,
    registered: &ClusterConfig,
) -> Result<Option<kube::Config>, Error> {
    let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    let named = [&registered.username, &registered.password, &registered.bearer_token];
    let named = named.iter().any(|value| !value.is_empty());
    if !named && registered.proxy_url.is_empty() && !registered.disable_compression {
        return Ok(None);
    }
    let mut config = own.clone();
    if named {
        config.auth_info = AuthInfo {
            username: text(&registered.username),
            password: text(&registered.password).map(Into::into),
            token: text(&registered.bearer_token).map(Into::into),
            ..AuthInfo::default()
        };
    }
    config.disable_compression |= registered.disable_compression;
    match text(&registered.proxy_url) {
        None => Ok(Some(config)),
        explicit => with_proxy(config, explicit.as_deref()).map(Some),
    }
}

fn explicit_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let name = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|context| context.name == name)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|cluster| cluster.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone().filter(|url| !url.is_empty())
}

fn with_proxy(mut config: kube::Config, explicit: Option<&str>) -> Result<kube::Config, Error> {
    let server = config.cluster_url.to_string();
    let proxy = explicit.map(str::to_owned).or_else(|| proxy::from_environment(&server));
    config.proxy_url =
        match proxy {
            // A proxy URL may hold a password: the message must not repeat it.
            Some(url) => Some(url.parse().map_err(|_| Error::Configuration {
                server,
                reason: "the proxy URL cannot be read".into(),
            })?),
            None => None,
        };
    Ok(config)
}

/// A registered cluster, written as the kubeconfig that means the same.
fn as_kubeconfig(server: &str, config: &ClusterConfig) -> Result<Kubeconfig, Error> {
    let tls = &config.tls_client_config;
    let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    let encoded = |bytes: &[u8]| (!bytes.is_empty()).then(|| STANDARD.encode(bytes));
    if tls.insecure && !tls.ca_data.is_empty() {
        return Err(Error::Configuration {
            server: server.into(),
            reason: "specifying a root certificates file with the insecure flag is not allowed".into(),
        });
    }
    let cluster = ClusterEntry {
        server: Some(server.to_owned()),
        insecure_skip_tls_verify: Some(tls.insecure),
        certificate_authority_data: encoded(&tls.ca_data),
        tls_server_name: text(&tls.server_name),
        disable_compression: Some(config.disable_compression),
        extensions: for_program(config),
        ..ClusterEntry::default()
    };
    let program = exec(config);
    // A program's credentials are the only ones.
    let own = |value: &str| text(value).filter(|_| program.is_none());
    let user = AuthInfo {
        username: own(&config.username),
        password: own(&config.password).map(Into::into),
        token: own(&config.bearer_token).map(Into::into),
        client_certificate_data: encoded(&tls.cert_data),
        client_key_data: encoded(&tls.key_data).map(Into::into),
        exec: program,
        ..AuthInfo::default()
    };
    let name = "cluster".to_owned();
    Ok(Kubeconfig {
        clusters: vec![NamedCluster {
            name: name.clone(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: name.clone(),
            auth_info: Some(user),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: name.clone(),
            context: Some(Context { cluster: name.clone(), user: Some(name.clone()), ..Context::default() }),
            ..NamedContext::default()
        }],
        current_context: Some(name),
        ..Kubeconfig::default()
    })
}

/// What the program is told of its cluster beside the address.
fn for_program(config: &ClusterConfig) -> Option<Vec<NamedExtension>> {
    let raw = config.exec_provider_config.as_ref()?.config.as_ref()?;
    let extension = serde_json::to_value(raw).ok().filter(|value| !value.is_null())?;
    Some(vec![NamedExtension { name: "client.authentication.k8s.io/exec".into(), extension }])
}

/// The command that prints credentials: the user's own, or ours for AWS.
fn exec(config: &ClusterConfig) -> Option<ExecConfig> {
    if let Some(aws) = &config.aws_auth_config {
        let mut args = vec!["aws".to_owned(), "--cluster-name".to_owned(), aws.cluster_name.clone()];
        for (flag, value) in [("--role-arn", &aws.role_arn), ("--profile", &aws.profile)] {
            if !value.is_empty() {
                args.extend([flag.to_owned(), value.clone()]);
            }
        }
        return Some(ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1beta1".into()),
            command: Some("argocd-k8s-auth".into()),
            args: Some(args),
            interactive_mode: Some(ExecInteractiveMode::Never),
            ..ExecConfig::default()
        });
    }
    let provider = config.exec_provider_config.as_ref()?;
    let variable = |(name, value): (&String, &String)| {
        HashMap::from([("name".into(), name.clone()), ("value".into(), value.clone())])
    };
    Some(ExecConfig {
        api_version: (!provider.api_version.is_empty()).then(|| provider.api_version.clone()),
        command: Some(provider.command.clone()),
        args: Some(provider.args.clone()),
        env: Some(provider.env.iter().map(variable).collect()),
        install_hint: (!provider.install_hint.is_empty()).then(|| provider.install_hint.clone()),
        interactive_mode: Some(ExecInteractiveMode::Never),
        provide_cluster_info: provider.provide_cluster_info,
        ..ExecConfig::default()
    })
}

/// An error with its causes, which is where TLS and DNS failures say what they are.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let next = cause.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = cause.source();
    }
    text
}
