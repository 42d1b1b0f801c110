//! What a project has beyond its own spec.

use crate::destination::Cluster;
use api::k8s::meta_v1::{LabelSelector, LabelSelectorRequirement};
use api::v1alpha1::{AppProject, ApplicationDestination};

/// The project with what global projects give it, and with the repositories and clusters that belong to it.
/// Each of its clusters comes with the namespaces it is limited to; none, no limit.
pub fn effective(
    project: &AppProject,
    global: &[&AppProject],
    own_repositories: &[String],
    own_clusters: &[(Cluster, Vec<String>)],
) -> AppProject {
    let mut effective = project.clone();
    let spec = &mut effective.spec;
    spec.source_repos.extend_from_slice(own_repositories);
    for (cluster, namespaces) in own_clusters {
        let all = ["*".to_owned()];
        let namespaces = if namespaces.is_empty() { &all[..] } else { namespaces };
        spec.destinations.extend(namespaces.iter().map(|namespace| ApplicationDestination {
            server: cluster.server.clone(),
            namespace: namespace.clone(),
            name: String::new(),
        }));
    }
    for global in global {
        let given = &global.spec;
        spec.cluster_resource_whitelist.extend_from_slice(&given.cluster_resource_whitelist);
        spec.cluster_resource_blacklist.extend_from_slice(&given.cluster_resource_blacklist);
        spec.namespace_resource_whitelist.extend_from_slice(&given.namespace_resource_whitelist);
        spec.namespace_resource_blacklist.extend_from_slice(&given.namespace_resource_blacklist);
        spec.sync_windows.extend_from_slice(&given.sync_windows);
        spec.source_repos.extend_from_slice(&given.source_repos);
        spec.destinations.extend_from_slice(&given.destinations);
        spec.destination_service_accounts.extend_from_slice(&given.destination_service_accounts);
    }
    effective
}

/// Whether a project inherits: its labels are selected. An empty selector selects all.
pub fn selects(selector: &LabelSelector, project: &AppProject) -> bool {
    let labels = &project.metadata.labels;
    let holds = |requirement: &LabelSelectorRequirement| {
        let value = labels.get(&requirement.key);
        let among = || value.is_some_and(|value| requirement.values.contains(value));
        match requirement.operator.as_str() {
            "In" => among(),
            "NotIn" => !among(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    };
    selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && selector.match_expressions.iter().all(holds)
}
