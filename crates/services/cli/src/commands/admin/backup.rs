//! What a backup is made of: the settings, registrations, projects, applications and application sets of one
//! installation, without what the cluster itself keeps of them.

use std::collections::{BTreeMap, BTreeSet};

use api::names::{MANAGED_BY, MANAGED_BY_VALUE, SECRET_TYPE};
use kubernetes::{ApiResource, ListOptions};
use object::{GroupVersionKind, Object};
use serde_json::{Map, Value};
use store::NamespaceFilter;

use super::hub::Hub;
use crate::command::{Flag, list};
use crate::session::Session;

const SETTINGS: [&str; 4] =
    ["argocd-cm", "argocd-rbac-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm"];
const OWN_SECRET: &str = "argocd-secret";
const PARAMETERS: &str = "argocd-cmd-params-cm";
const GROUP: &str = "argoproj.io";
/// Members of a repository in `argocd-cm` that name the Secret of a credential.
const REFERENCES: [&str; 5] = [
    "passwordSecret",
    "sshPrivateKeySecret",
    "usernameSecret",
    "tlsClientCertDataSecret",
    "tlsClientCertKeySecret",
];

/// Flags that say which namespaces belong to it.
pub(super) const NAMESPACES: &[Flag] = &[
    list("application-namespaces", "Namespaces with applications; by default as argocd-cmd-params-cm says"),
    list(
        "applicationset-namespaces",
        "Namespaces with application sets; by default as argocd-cmd-params-cm says",
    ),
];

/// The kinds of a backup, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    ConfigMap,
    Secret,
    Project,
    Application,
    ApplicationSet,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::ConfigMap, Self::Secret, Self::Project, Self::Application, Self::ApplicationSet];

    /// The kind of an object, if it is one of a backup.
    pub(super) fn of(object: &Object) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let gvk = kind.gvk();
            gvk.group == object.group() && gvk.kind == object.kind()
        })
    }

    pub(super) fn gvk(self) -> GroupVersionKind {
        match self {
            Self::ConfigMap => GroupVersionKind::new("", "v1", "ConfigMap"),
            Self::Secret => GroupVersionKind::new("", "v1", "Secret"),
            Self::Project => GroupVersionKind::new(GROUP, "v1alpha1", "AppProject"),
            Self::Application => GroupVersionKind::new(GROUP, "v1alpha1", "Application"),
            Self::ApplicationSet => GroupVersionKind::new(GROUP, "v1alpha1", "ApplicationSet"),
        }
    }

    /// The members that a backup restores.
    pub(super) fn content(self) -> &'static [&'static str] {
        match self {
            Self::ConfigMap | Self::Secret => &["data"],
            Self::Application => &["spec", "status"],
            Self::Project | Self::ApplicationSet => &["spec"],
        }
    }
}

/// An installation, and which namespaces belong to it.
pub(super) struct Installation {
    pub(super) hub: Hub,
    applications: NamespaceFilter,
    application_sets: NamespaceFilter,
    /// Secrets that `argocd-cm` names, as older versions kept credentials.
    referenced: BTreeSet<String>,
}

impl Installation {
    pub(super) async fn connect(session: &Session<'_>) -> Result<Self, String> {
        let hub = Hub::connect(session).await?;
        let parameters = hub.data("ConfigMap", PARAMETERS).await.unwrap_or_default();
        let namespaces = |flag: &str, key: &str| -> Result<NamespaceFilter, String> {
            let mut patterns = session.matches.list(flag).to_vec();
            if patterns.is_empty() {
                let text = parameters.get(key).map(String::as_str).unwrap_or_default();
                patterns = text.split(',').map(str::to_owned).collect();
            }
            let (namespaces, unreadable) = NamespaceFilter::new(&hub.namespace, &patterns);
            match unreadable.first() {
                Some(pattern) => Err(format!("--{flag}: {pattern} is no regular expression")),
                None => Ok(namespaces),
            }
        };
        let settings = hub.data("ConfigMap", SETTINGS[0]).await?;
        Ok(Self {
            applications: namespaces("application-namespaces", "application.namespaces")?,
            application_sets: namespaces("applicationset-namespaces", "applicationsetcontroller.namespaces")?,
            referenced: referenced(&settings)?,
            hub,
        })
    }

    /// How a kind is served; nothing where it is not.
    pub(super) async fn resource(&self, kind: Kind) -> Result<Option<ApiResource>, String> {
        match self.hub.cluster.resource(&kind.gvk()).await {
            Ok(resource) => Ok(Some(resource)),
            Err(error) if error.is_not_found() && kind == Kind::ApplicationSet => Ok(None),
            Err(error) => Err(error.message()),
        }
    }

    /// What belongs to the installation of a kind, by namespace and name.
    pub(super) async fn objects(&self, kind: Kind) -> Result<Vec<Object>, String> {
        let Some(resource) = self.resource(kind).await? else { return Ok(Vec::new()) };
        let everywhere = self.namespaces(kind).is_some_and(|namespaces| !namespaces.is_single());
        let namespace = if everywhere { "" } else { self.hub.namespace.as_str() };
        let listed = self.hub.cluster.list(&resource, namespace, &ListOptions::default()).await;
        let (mut objects, _) = listed.map_err(|error| error.message())?;
        objects.retain(|object| self.permits(kind, object.namespace()) && self.is_part(kind, object));
        objects.sort_by_key(|object| {
            let setting = SETTINGS.iter().position(|name| *name == object.name());
            (setting, object.namespace().to_owned(), object.name().to_owned())
        });
        Ok(objects)
    }

    /// Whether objects of a kind may be in a namespace.
    pub(super) fn permits(&self, kind: Kind, namespace: &str) -> bool {
        match self.namespaces(kind) {
            Some(namespaces) => namespaces.permits(namespace),
            None => namespace == self.hub.namespace,
        }
    }

    fn namespaces(&self, kind: Kind) -> Option<&NamespaceFilter> {
        match kind {
            Kind::Application => Some(&self.applications),
            Kind::ApplicationSet => Some(&self.application_sets),
            _ => None,
        }
    }

    fn is_part(&self, kind: Kind, object: &Object) -> bool {
        match kind {
            Kind::ConfigMap => SETTINGS.contains(&object.name()),
            Kind::Secret => {
                object.name() == OWN_SECRET
                    || self.referenced.contains(object.name())
                    || object.label(SECRET_TYPE).is_some()
                    || object.annotation(MANAGED_BY) == Some(MANAGED_BY_VALUE)
            }
            _ => true,
        }
    }
}

/// The Secrets that repositories in `argocd-cm` name.
fn referenced(settings: &BTreeMap<String, String>) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for key in ["repositories", "repository.credentials"] {
        let Some(text) = settings.get(key) else { continue };
        let entries: Vec<Value> = crate::manifests::objects(text.as_bytes())
            .map_err(|error| format!("argocd-cm: {key}: {error}"))?;
        let entries = entries.iter().filter_map(Value::as_array).flatten();
        let secrets =
            entries.flat_map(|entry| REFERENCES.iter().filter_map(|member| entry[member]["name"].as_str()));
        names.extend(secrets.map(str::to_owned));
    }
    Ok(names)
}

/// An object without what the cluster keeps of it.
pub(super) fn bare(object: &Object, own_namespace: &str) -> Value {
    let mut metadata = Map::new();
    for member in ["name", "labels", "annotations", "finalizers"] {
        if let Some(value) = object.at(&["metadata", member]).filter(|value| !value.is_null()) {
            metadata.insert(member.into(), value.clone());
        }
    }
    if object.namespace() != own_namespace {
        metadata.insert("namespace".into(), object.namespace().into());
    }
    let mut bare = object.0.clone();
    bare.insert("metadata".into(), metadata.into());
    bare.into()
}
