//! Which kinds are watched at all.

use crate::reader::{Data, Problem, Reader, texts};
use glob_pattern::matches;
use serde_json::Value;

/// Kinds left out, and kinds kept to. Leaving out wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// Kinds never watched.
    pub exclusions: Vec<FilteredResource>,
    /// On a cluster that any of these names, only they are watched.
    pub inclusions: Vec<FilteredResource>,
}

/// Some kinds on some clusters; an empty list stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilteredResource {
    /// Globs of API groups.
    pub api_groups: Vec<String>,
    /// Kinds, or `*`.
    pub kinds: Vec<String>,
    /// Globs of cluster URLs.
    pub clusters: Vec<String>,
}

impl ResourceFilter {
    /// Reads `argocd-cm`. A list that cannot be read counts as empty and is told.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let mut list = |key| reader.yaml_list(key).iter().map(FilteredResource::new).collect();
        let filter =
            Self { exclusions: list("resource.exclusions"), inclusions: list("resource.inclusions") };
        (filter, reader.problems)
    }

    /// Whether a kind is left alone on a cluster.
    pub fn excludes(&self, group: &str, kind: &str, cluster: &str) -> bool {
        compiled_in(group, kind)
            || self.exclusions.iter().any(|filtered| filtered.matches(group, kind, cluster))
            || (self.inclusions.iter().any(|filtered| filtered.is_for(cluster))
                && !self.inclusions.iter().any(|filtered| filtered.matches(group, kind, cluster)))
    }
}

impl FilteredResource {
    fn new(entry: &Value) -> Self {
        Self {
            api_groups: texts(entry, "apiGroups"),
            kinds: texts(entry, "kinds"),
            clusters: texts(entry, "clusters"),
        }
    }

    fn matches(&self, group: &str, kind: &str, cluster: &str) -> bool {
        let kinds = &self.kinds;
        any(&self.api_groups, group)
            && (kinds.is_empty() || kinds.iter().any(|entry| entry == "*" || entry == kind))
            && self.is_for(cluster)
    }

    fn is_for(&self, cluster: &str) -> bool {
        any(&self.clusters, cluster)
    }
}

/// Whether a text is matched by any of some globs; none at all stand for all.
fn any(globs: &[String], text: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| matches(glob, text, &[]))
}

/// Kinds that change all the time and that nobody deploys.
fn compiled_in(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("events.k8s.io" | "metrics.k8s.io", _) | ("", "Event") | ("coordination.k8s.io", "Lease")
    )
}

#[cfg(test)]
mod tests {
    use super::ResourceFilter;

    fn filter(exclusions: &str, inclusions: &str) -> ResourceFilter {
        let data = [("resource.exclusions", exclusions), ("resource.inclusions", inclusions)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let (filter, problems) = ResourceFilter::parse(&data);
        assert_eq!(problems, []);
        filter
    }

    #[test]
    fn kinds_are_left_out_by_group_kind_and_cluster() {
        let filter = filter(
            "- apiGroups: ['*.cilium.io', cilium.io]\n  kinds: [CiliumIdentity]\n  clusters: ['https://192.*']\n- kinds: [Secret]\n",
            "",
        );
        assert!(filter.excludes("cilium.io", "CiliumIdentity", "https://192.168.0.1"));
        assert!(!filter.excludes("cilium.io", "CiliumIdentity", "https://10.0.0.1"));
        assert!(!filter.excludes("cilium.io", "CiliumNode", "https://192.168.0.1"));
        assert!(filter.excludes("", "Secret", "x"));
        assert!(filter.excludes("", "Event", "x"));
        assert!(filter.excludes("metrics.k8s.io", "PodMetrics", "x"));
        assert!(!filter.excludes("", "Pod", "x"));
    }

    #[test]
    fn inclusions_leave_out_the_rest_and_exclusions_win() {
        let filter = filter("- kinds: [ReplicaSet]", "- apiGroups: [apps]");
        assert!(!filter.excludes("apps", "Deployment", "x"));
        assert!(filter.excludes("apps", "ReplicaSet", "x"));
        assert!(filter.excludes("", "Pod", "x"));
    }

    #[test]
    fn inclusions_of_one_cluster_leave_the_others_alone() {
        let filter = filter("", "- apiGroups: [apps]\n  clusters: ['https://192.*']");
        assert!(filter.excludes("", "ConfigMap", "https://192.168.0.1"));
        assert!(!filter.excludes("apps", "Deployment", "https://192.168.0.1"));
        assert!(!filter.excludes("", "ConfigMap", "https://10.0.0.1"));
        assert!(filter.excludes("", "Event", "https://10.0.0.1"));
    }

    #[test]
    fn a_broken_list_is_told_and_leaves_the_other_alone() {
        let data = [("resource.exclusions", "kinds: [Pod"), ("resource.inclusions", "- kinds: [Pod]")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let (filter, problems) = ResourceFilter::parse(&data);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].key, "resource.exclusions");
        assert!(filter.excludes("apps", "Deployment", "x"));
    }
}
