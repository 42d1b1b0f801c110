//! Group, version and kind; the id of a resource; their orders and their texts.

use std::cmp::Ordering;
use std::fmt;

/// Namespace recorded for what has none.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";
const DEFAULT_NAMESPACE: &str = "default";

/// Group, version and kind; empty fields select anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Gvk {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
}

/// The same, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GvkRef<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
}

/// `apps/v1` into group and version.
pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl Gvk {
    pub(crate) fn of_kind(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    pub(crate) fn borrowed(&self) -> GvkRef<'_> {
        GvkRef { group: &self.group, version: &self.version, kind: &self.kind }
    }

    pub(crate) fn is_selected(&self, selector: &Self) -> bool {
        self.borrowed().is_selected(selector)
    }
}

impl<'a> GvkRef<'a> {
    pub(crate) fn new(api_version: &'a str, kind: &'a str) -> Self {
        let (group, version) = split_api_version(api_version);
        Self { group, version, kind }
    }

    pub(crate) fn is_selected(self, selector: &Gvk) -> bool {
        (selector.group.is_empty() || selector.group == self.group)
            && (selector.version.is_empty() || selector.version == self.version)
            && (selector.kind.is_empty() || selector.kind == self.kind)
    }

    fn sort_text(self) -> String {
        let or = |text: &'a str, none: &'static str| {
            if text.is_empty() { none.to_owned() } else { text.to_owned() }
        };
        format!("{}_{}_{}", or(self.group, "~G"), or(self.version, "~V"), or(self.kind, "~K"))
    }

    /// The order of field specifications.
    pub(crate) fn order(self, other: Self) -> Ordering {
        rank(self.kind).cmp(&rank(other.kind)).then_with(|| self.sort_text().cmp(&other.sort_text()))
    }
}

impl fmt::Display for GvkRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn or<'t>(text: &'t str, none: &'t str) -> &'t str {
            if text.is_empty() { none } else { text }
        }
        write!(
            formatter,
            "{}.{}.{}",
            or(self.kind, "[noKind]"),
            or(self.version, "[noVer]"),
            or(self.group, "[noGrp]")
        )
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrowed().fmt(formatter)
    }
}

/// Kinds that come first, in this order.
pub(crate) const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
/// Kinds that come last, in this order.
pub(crate) const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

fn rank(kind: &str) -> i32 {
    rank_in(kind, &FIRST, &LAST)
}

/// Before all others below zero, after them above.
pub(crate) fn rank_in(kind: &str, first: &[impl AsRef<str>], last: &[impl AsRef<str>]) -> i32 {
    fn position<T: AsRef<str>>(list: &[T], kind: &str) -> Option<i32> {
        list.iter().rposition(|one| one.as_ref() == kind).and_then(|at| i32::try_from(at).ok())
    }
    match (position(last, kind), position(first, kind)) {
        (Some(at), _) => 1 + at,
        (None, Some(at)) => at - i32::try_from(first.len()).unwrap_or(i32::MAX),
        (None, None) => 0,
    }
}

/// What a resource is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Whether the kind is known to have no namespace.
    pub(crate) cluster: bool,
}

impl Id {
    pub(crate) fn effective_namespace(&self) -> &str {
        effective_namespace(&self.namespace, self.cluster)
    }

    /// The same resource: the empty and the `default` namespace are one.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace() && self.names_the_same(other)
    }

    /// The same kind and name, whatever the namespace.
    pub(crate) fn names_the_same(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    pub(crate) fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.effective_namespace() == self.effective_namespace())
            && self.gvk.is_selected(&selector.gvk)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.gvk == Gvk::default() && self.name.is_empty() && self.namespace.is_empty()
    }
}

pub(crate) fn effective_namespace(namespace: &str, cluster: bool) -> &str {
    match namespace {
        _ if cluster => NO_NAMESPACE,
        "" => DEFAULT_NAMESPACE,
        other => other,
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(formatter, "{}/{name}.{namespace}", self.gvk)
    }
}
