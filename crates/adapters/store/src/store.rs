//! The handle to the hub's objects.

use crate::error::StoreError;
use crate::namespaces::NamespaceFilter;
use crate::secret_data::SecretEntry;
use crate::settings::ConfigMapEntry;
use crate::watched::{Selectors, Source, Stored, Watched};
use api::Root;
use api::names::{PART_OF, PART_OF_VALUE, SECRET_TYPE};
use api::v1alpha1::{AppProject, Application, ApplicationSet};
use kubernetes::{ApiResource, Cluster};
use object::Object;
use serde::de::value::MapDeserializer;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Secrets that are read by name, whatever their labels.
const SECRETS: [&str; 8] = [
    "argocd-secret",
    "argocd-initial-admin-secret",
    "argocd-server-tls",
    "argocd-repo-server-tls",
    "argocd-dex-server-tls",
    "argocd-redis",
    "argocd-notifications-secret",
    "argocd-image-updater-secret",
];
/// ConfigMaps that are read by name, whatever their labels.
const CONFIG_MAPS: [&str; 8] = [
    "argocd-cm",
    "argocd-cmd-params-cm",
    "argocd-rbac-cm",
    "argocd-ssh-known-hosts-cm",
    "argocd-tls-certs-cm",
    "argocd-gpg-keys-cm",
    "argocd-notifications-cm",
    "argocd-appset-gpg-keys-cm",
];

/// In whose name the hub's objects are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managers {
    /// What users and the API write.
    pub server: String,
    /// Statuses of Applications.
    pub application_status: String,
}

impl Default for Managers {
    fn default() -> Self {
        Self { server: "argocd-server".into(), application_status: "argocd-application-controller".into() }
    }
}

/// What is watched.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The control plane's namespace.
    pub namespace: String,
    /// `--application-namespaces`.
    pub application_namespaces: Vec<String>,
    /// Whether ApplicationSets are watched: only their controller and the API need them.
    pub application_sets: bool,
    /// In whose name is written.
    pub managers: Managers,
}

impl StoreOptions {
    /// Only the control plane's namespace.
    pub fn new(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            application_namespaces: Vec::new(),
            application_sets: false,
            managers: Managers::default(),
        }
    }
}

/// The hub's objects. Cheap to clone.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) cluster: Cluster,
    pub(crate) namespaces: NamespaceFilter,
    pub(crate) managers: Managers,
    pub(crate) applications: Watched<Application>,
    pub(crate) projects: Watched<AppProject>,
    pub(crate) application_sets: Option<Watched<ApplicationSet>>,
    pub(crate) secrets: Watched<SecretEntry>,
    pub(crate) config_maps: Watched<ConfigMapEntry>,
}

impl Store {
    /// Starts to watch. Must be called within a tokio runtime; [`Store::ready`] waits for the first lists.
    pub fn start(cluster: Cluster, options: StoreOptions) -> Self {
        let (namespaces, unreadable) =
            NamespaceFilter::new(&options.namespace, &options.application_namespaces);
        for pattern in unreadable {
            tracing::warn!(pattern, "application namespace pattern cannot be read and permits nothing");
        }
        let control = options.namespace.clone();
        let everywhere = if namespaces.is_single() { control.clone() } else { String::new() };
        let applications = Watched::start(root_source(&cluster, &everywhere, &namespaces));
        let projects = Watched::start(root_source(&cluster, &control, &namespaces));
        let application_sets =
            options.application_sets.then(|| Watched::start(root_source(&cluster, &everywhere, &namespaces)));
        let secrets = Watched::start(Source {
            cluster: cluster.clone(),
            resource: core("Secret", "secrets"),
            namespace: control.clone(),
            selectors: Selectors::default(),
            keep: Box::new(|object| {
                object.label(SECRET_TYPE).is_some()
                    || object.label(PART_OF) == Some(PART_OF_VALUE)
                    || SECRETS.contains(&object.name())
            }),
            decode: SecretEntry::decode,
        });
        let config_maps = Watched::start(Source {
            cluster: cluster.clone(),
            resource: core("ConfigMap", "configmaps"),
            namespace: control,
            selectors: Selectors::default(),
            keep: Box::new(|object| {
                object.label(PART_OF) == Some(PART_OF_VALUE) || CONFIG_MAPS.contains(&object.name())
            }),
            decode: ConfigMapEntry::decode,
        });
        Self(Arc::new(Inner {
            cluster,
            namespaces,
            managers: options.managers,
            applications,
            projects,
            application_sets,
            secrets,
            config_maps,
        }))
    }

    /// Waits until everything has been listed once; an error as soon as one list failed.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.0.config_maps.ready().await?;
        self.0.secrets.ready().await?;
        self.0.projects.ready().await?;
        self.0.applications.ready().await?;
        if let Some(sets) = &self.0.application_sets {
            sets.ready().await?;
        }
        Ok(())
    }

    /// Stops watching.
    pub async fn stop(&self) {
        self.0.applications.stop().await;
        self.0.projects.stop().await;
        self.0.secrets.stop().await;
        self.0.config_maps.stop().await;
        if let Some(sets) = &self.0.application_sets {
            sets.stop().await;
        }
    }

    /// The hub's cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    /// The control plane's namespace.
    pub fn namespace(&self) -> &str {
        self.0.namespaces.control()
    }

    /// Where applications may live.
    pub fn namespaces(&self) -> &NamespaceFilter {
        &self.0.namespaces
    }

    /// Applications in permitted namespaces.
    pub fn applications(&self) -> &Watched<Application> {
        &self.0.applications
    }

    /// Projects.
    pub fn projects(&self) -> &Watched<AppProject> {
        &self.0.projects
    }

    /// ApplicationSets, if they are watched.
    pub fn application_sets(&self) -> Option<&Watched<ApplicationSet>> {
        self.0.application_sets.as_ref()
    }

    /// Secrets with settings and credentials.
    pub fn secrets(&self) -> &Watched<SecretEntry> {
        &self.0.secrets
    }

    /// ConfigMaps with settings.
    pub fn config_maps(&self) -> &Watched<ConfigMapEntry> {
        &self.0.config_maps
    }

    /// The data of a ConfigMap of the control plane; nothing when it is not there.
    pub fn config_map(&self, name: &str) -> BTreeMap<String, String> {
        let item = self.0.config_maps.get(self.namespace(), name);
        item.as_deref().and_then(Stored::value).map(|entry| entry.data.clone()).unwrap_or_default()
    }

    /// A Secret of the control plane.
    pub fn secret(&self, name: &str) -> Option<Arc<SecretEntry>> {
        self.0.secrets.get(self.namespace(), name)?.value().cloned()
    }
}

fn root_source<T: Root + Send + Sync + 'static>(
    cluster: &Cluster,
    namespace: &str,
    filter: &NamespaceFilter,
) -> Source<T> {
    let filter = filter.clone();
    Source {
        cluster: cluster.clone(),
        resource: root_resource::<T>(),
        namespace: namespace.to_owned(),
        selectors: Selectors::default(),
        keep: Box::new(move |object| filter.permits(object.namespace())),
        decode: |object: &Object| {
            let members = object.0.iter().map(|(name, value)| (name.as_str(), value));
            let read = T::deserialize(MapDeserializer::new(members));
            read.map_err(|error: serde_json::Error| error.to_string())
        },
    }
}

/// How the hub's own kinds are reached: they need no discovery, and so work while it fails.
pub(crate) fn root_resource<T: Root>() -> ApiResource {
    ApiResource {
        group: api::GROUP.into(),
        version: "v1alpha1".into(),
        kind: T::KIND.into(),
        plural: T::PLURAL.into(),
        namespaced: true,
        verbs: BTreeSet::new(),
        subresources: BTreeSet::new(),
    }
}

pub(crate) fn core(kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        ..ApiResource::default()
    }
}
