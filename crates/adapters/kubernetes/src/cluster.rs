//! The handle to one cluster.

use crate::connect::{Connection, Impersonation, Limits, resolve, with_credentials};
use crate::discovery::Discovery;
use crate::error::Error;
use crate::meter::Meter;
use crate::request::Call;
use crate::sender::Sender;
use crate::shapes::Known;
use crate::throttle::Throttle;
use api::v1alpha1::ClusterConfig;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

/// One Kubernetes cluster. Cheap to clone; clones share connections, the throttle and what was discovered.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
    acting: Option<Arc<Impersonation>>,
}

pub(crate) struct Inner {
    pub(crate) sender: Sender,
    /// What it was made from, for connections to the same cluster with other credentials.
    config: kube::Config,
    pub(crate) server: String,
    pub(crate) namespace: String,
    pub(crate) limits: Limits,
    pub(crate) throttle: Throttle,
    pub(crate) meter: OnceLock<Arc<dyn Meter>>,
    pub(crate) discovered: RwLock<Option<Arc<Discovery>>>,
    /// Held while discovering, so that many who miss a kind ask once.
    pub(crate) discovering: tokio::sync::Mutex<()>,
    /// How kinds merge.
    pub(crate) shapes: Mutex<Known>,
}

/// What `/version` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerVersion {
    /// Major version: `1`.
    pub major: String,
    /// Minor version, as in `36`; providers add a `+`.
    pub minor: String,
    /// The full version: `v1.36.2`; providers add to it, as in `v1.30.4-eks-a18cd3a` and `v1.33.1+k3s1`.
    pub git_version: String,
}

impl ServerVersion {
    /// The numbers of the full version: `v1.30.4`. So users and charts see it, as in the original: with what a provider adds, it
    /// would be a pre-release to a chart that asks for `>= 1.28`. What is no version stays as it is.
    pub fn plain(&self) -> String {
        let text = self.git_version.trim();
        let numbers = text.strip_prefix('v').unwrap_or(text);
        let end = numbers.find(|sign: char| !(sign.is_ascii_digit() || sign == '.')).unwrap_or(numbers.len());
        let numbers = numbers.get(..end).unwrap_or_default().trim_end_matches('.');
        let fields = numbers.split('.').filter(|field| !field.is_empty()).count();
        if fields < 2 || fields != numbers.split('.').count() {
            return self.git_version.clone();
        }
        format!("v{numbers}")
    }
}

impl Cluster {
    /// Prepares to talk to a cluster. Reads files and runs credential commands, but sends nothing yet.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        // Installing twice is no failure: whoever was first chose the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::from_config(resolve(connection).await?, connection.limits.clone()).await
    }

    async fn from_config(config: kube::Config, limits: Limits) -> Result<Self, Error> {
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let sender = Sender::new(config.clone(), limits.answer_timeout).await;
        let inner = Inner {
            sender: sender.map_err(|reason| Error::Configuration { server: server.clone(), reason })?,
            server,
            namespace: config.default_namespace.clone(),
            config,
            throttle: Throttle::new(limits.qps, limits.burst),
            limits,
            meter: OnceLock::new(),
            discovered: RwLock::new(None),
            discovering: tokio::sync::Mutex::new(()),
            shapes: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner), acting: None })
    }

    /// The same cluster as it is registered: with the password, the token and the proxy of the registration in place of its
    /// own, where it names some. How its certificate is checked stays, as in the original.
    pub async fn registered_as(&self, registered: &ClusterConfig) -> Result<Self, Error> {
        match with_credentials(&self.inner.config, registered)? {
            None => Ok(self.clone()),
            Some(config) => Self::from_config(config, self.inner.limits.clone()).await,
        }
    }

    /// The same cluster, asked in somebody else's name. Connections and what was discovered are shared.
    #[must_use]
    pub fn acting_for(&self, who: Impersonation) -> Self {
        Self { inner: self.inner.clone(), acting: Some(Arc::new(who)) }
    }

    /// In whose name it is asked, where that is not the credentials' own.
    pub fn user(&self) -> Option<&str> {
        self.acting().map(|who| who.user.as_str())
    }

    pub(crate) fn acting(&self) -> Option<&Impersonation> {
        self.acting.as_deref()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Has every request from now on measured. The first meter stays.
    pub fn measure(&self, meter: Arc<dyn Meter>) {
        // Whoever came first counts for all who share the connection.
        let _ = self.inner.meter.set(meter);
    }

    /// Has requests measured by whoever measures those to another cluster, if anybody does.
    pub fn measure_as(&self, other: &Self) {
        if let Some(meter) = other.inner.meter.get() {
            self.measure(meter.clone());
        }
    }

    /// URL of the API server.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// The namespace of the kubeconfig's context or of the service account.
    pub fn default_namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// The server's version. Also the cheapest way to see whether it can be reached.
    pub async fn version(&self) -> Result<ServerVersion, Error> {
        self.fetch_json(&Call::get("get the server version".into(), "/version".into())).await
    }
}

#[cfg(test)]
mod tests {
    use super::ServerVersion;

    #[test]
    fn what_providers_add_to_a_version_is_left_out() {
        for (full, plain) in [
            ("v1.36.2", "v1.36.2"),
            ("v1.30.4-eks-a18cd3a", "v1.30.4"),
            ("v1.29.6-gke.1326000", "v1.29.6"),
            ("v1.33.1+k3s1", "v1.33.1"),
            ("v1.34.0-alpha.1", "v1.34.0"),
            ("1.27", "v1.27"),
            (" v1.27.x", "v1.27"),
            ("v1", "v1"),
            ("v1..2", "v1..2"),
            ("unknown", "unknown"),
            ("", ""),
        ] {
            let version = ServerVersion { git_version: full.into(), ..ServerVersion::default() };
            assert_eq!(version.plain(), plain, "{full:?}");
        }
    }
}
