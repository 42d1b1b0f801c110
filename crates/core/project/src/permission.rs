//! The questions.

use crate::destination::{Cluster, Destination};
use crate::repository_url::normalized;
use api::k8s::meta_v1::GroupKind;
use api::v1alpha1::{AppProject, ApplicationDestination, ClusterResourceRestrictionItem};
use glob_pattern::{NamespacePattern, matches};
use object::{Object, ResourceKey};

/// Whether applications may take manifests from a repository.
pub fn permits_source(project: &AppProject, repository: &str) -> bool {
    let repository = normalized(repository);
    let mut permitted = false;
    for entry in &project.spec.source_repos {
        let (denies, pattern) = denial(entry);
        // `*` alone reaches everything; elsewhere it stops at a slash.
        let found = (!denies && entry == "*") || matches(&normalized(pattern), &repository, &['/']);
        if denies && found {
            return false;
        }
        permitted |= denies || found;
    }
    permitted
}

/// Whether objects may be put into a namespace of a cluster. `own_clusters` are the clusters that belong to
/// the project, asked when it permits no others.
pub fn permits_destination(
    project: &AppProject,
    destination: Destination<'_>,
    own_clusters: &[Cluster],
) -> bool {
    let mut permitted = false;
    for item in &project.spec.destinations {
        match place(item, destination) {
            Place::Denied => return false,
            Place::Permitted => permitted = true,
            Place::Elsewhere => {}
        }
    }
    let cluster = destination.cluster;
    let owned = || own_clusters.iter().any(|own| own.server == cluster.server || own.name == cluster.name);
    permitted && (!project.spec.permit_only_project_scoped_clusters || owned())
}

enum Place {
    Permitted,
    Denied,
    Elsewhere,
}

fn place(item: &ApplicationDestination, destination: Destination<'_>) -> Place {
    let Cluster { server, name } = destination.cluster;
    let named = !name.is_empty() && glob(&item.name, name);
    let served = !server.is_empty() && glob(&item.server, server);
    let spaced = glob(&item.namespace, destination.namespace);
    if (named || served) && spaced {
        return Place::Permitted;
    }
    let denies = |pattern: &str, matched: bool| !matched && denial(pattern).0;
    if denies(&item.name, named) || denies(&item.server, served) || denies(&item.namespace, spaced) {
        return Place::Denied;
    }
    Place::Elsewhere
}

/// A glob that `!` turns round.
fn glob(pattern: &str, text: &str) -> bool {
    match denial(pattern) {
        (true, pattern) => !matches(pattern, text, &[]),
        (false, pattern) => matches(pattern, text, &[]),
    }
}

fn denial(pattern: &str) -> (bool, &str) {
    match pattern.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    }
}

/// Whether objects of a kind, and of that name, may be deployed.
pub fn permits_kind(project: &AppProject, group: &str, kind: &str, name: &str, namespaced: bool) -> bool {
    let spec = &project.spec;
    if namespaced {
        let among =
            |list: &[GroupKind]| list.iter().any(|item| is_kind(&item.group, &item.kind, group, kind));
        let allowed =
            spec.namespace_resource_whitelist.is_empty() || among(&spec.namespace_resource_whitelist);
        return allowed && !among(&spec.namespace_resource_blacklist);
    }
    let among = |list: &[ClusterResourceRestrictionItem]| {
        list.iter().any(|item| {
            is_kind(&item.group, &item.kind, group, kind)
                && (item.name.is_empty() || matches(&item.name, name, &['/']))
        })
    };
    among(&spec.cluster_resource_whitelist) && !among(&spec.cluster_resource_blacklist)
}

fn is_kind(group_pattern: &str, kind_pattern: &str, group: &str, kind: &str) -> bool {
    matches(group_pattern, group, &['/']) && matches(kind_pattern, kind, &['/'])
}

/// Whether a live object on a cluster may be touched at all: seen as managed, changed, deleted.
pub fn permits_live(
    project: &AppProject,
    live: &Object,
    cluster: &Cluster,
    own_clusters: &[Cluster],
) -> bool {
    let namespace = live.namespace();
    permits_kind(project, live.group(), live.kind(), live.name(), !namespace.is_empty())
        && (namespace.is_empty()
            || permits_destination(project, Destination { cluster, namespace }, own_clusters))
}

/// Whether an application of a namespace may use the project. The control plane's own namespace always may.
pub fn permits_application_namespace(project: &AppProject, namespace: &str, control_plane: &str) -> bool {
    namespace.is_empty()
        || namespace == control_plane
        || project
            .spec
            .source_namespaces
            .iter()
            .any(|pattern| NamespacePattern::parse(pattern).is_ok_and(|pattern| pattern.matches(namespace)))
}

/// Whether an object no application manages is not worth telling. Empty parts of an entry stand for anything.
pub fn ignores_orphan(project: &AppProject, key: &ResourceKey) -> bool {
    // Every namespace has these, and nobody made them.
    let everywhere = match (key.group.as_str(), key.kind.as_str(), key.name.as_str()) {
        ("", "Service", "kubernetes") => key.namespace == "default",
        ("", "ServiceAccount", "default") | ("", "ConfigMap", "kube-root-ca.crt") => true,
        _ => false,
    };
    if everywhere {
        return true;
    }
    let is = |pattern: &str, text: &str| pattern.is_empty() || matches(pattern, text, &[]);
    project.spec.orphaned_resources.as_ref().is_some_and(|settings| {
        settings.ignore.iter().any(|item| {
            // The core group is written as nothing, so nothing cannot stand for any group.
            matches(&item.group, &key.group, &[]) && is(&item.kind, &key.kind) && is(&item.name, &key.name)
        })
    })
}
