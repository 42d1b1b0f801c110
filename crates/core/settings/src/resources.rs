//! Which kinds are watched at all.

use crate::reader::{Data, Problem, Reader, text, texts};
use glob_pattern::matches;
use label_selector::Selector;
use serde_json::Value;

const SELECTORS: &str = "resource.selectors";

/// Kinds left out, and kinds kept to. Leaving out wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// Kinds never watched.
    pub exclusions: Vec<FilteredResource>,
    /// On a cluster that any of these names, only they are watched.
    pub inclusions: Vec<FilteredResource>,
    /// Kinds of which only objects with certain labels are watched.
    pub selectors: Vec<(FilteredResource, String)>,
    /// What could not be read of them. Nothing may be judged then: objects that are to be left alone might look like
    /// some that nobody wants any more.
    pub problem: Option<String>,
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
        let (exclusions, inclusions) = (list("resource.exclusions"), list("resource.inclusions"));
        let mut selectors = Vec::new();
        for entry in reader.yaml_list(SELECTORS) {
            let selector = text(&entry, "selector").trim().to_owned();
            match Selector::parse(&selector) {
                Ok(_) if selector.is_empty() => {}
                Ok(_) => selectors.push((FilteredResource::new(&entry), selector)),
                Err(reason) => {
                    reader.problem(
                        SELECTORS,
                        format!("error parsing resource selector {selector:?}: {reason}"),
                    );
                }
            }
        }
        let problem = reader.problems.first().map(|problem| format!("{}: {}", problem.key, problem.message));
        let filter = Self { exclusions, inclusions, selectors, problem };
        (filter, reader.problems)
    }

    /// Whether the same is watched by another one, problems aside.
    pub fn watches_as(&self, other: &Self) -> bool {
        (&self.exclusions, &self.inclusions, &self.selectors)
            == (&other.exclusions, &other.inclusions, &other.selectors)
    }

    /// The labels that objects of a kind must have to be watched on a cluster; empty for all of them.
    pub fn selector(&self, group: &str, kind: &str, cluster: &str) -> String {
        let asked = self.selectors.iter().filter(|(filtered, _)| filtered.matches(group, kind, cluster));
        asked.map(|(_, selector)| selector.as_str()).collect::<Vec<_>>().join(",")
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
    fn selectors_of_a_kind_are_all_asked_for_and_a_broken_one_is_told() {
        let selectors = "- {kinds: [ConfigMap], selector: 'team in (a, b)'}\n- {selector: ' watched '}\n- {kinds: [Pod], clusters: ['https://x'], selector: '!old'}\n- {selector: ''}\n- {selector: 'a in'}";
        let data = [("resource.selectors".to_owned(), selectors.to_owned())].into();
        let (filter, problems) = ResourceFilter::parse(&data);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].message.contains("error parsing resource selector \"a in\""), "{problems:?}");
        assert_eq!(filter.selector("", "ConfigMap", "https://y"), "team in (a, b),watched");
        assert_eq!(filter.selector("", "Pod", "https://x"), "watched,!old");
        assert_eq!(filter.selector("", "Pod", "https://y"), "watched");
    }

    #[test]
    fn a_broken_list_is_told_and_leaves_the_other_alone() {
        let data = [("resource.exclusions", "kinds: [Pod"), ("resource.inclusions", "- kinds: [Pod]")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let (filter, problems) = ResourceFilter::parse(&data);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].key, "resource.exclusions");
        assert!(filter.problem.as_ref().is_some_and(|problem| problem.starts_with("resource.exclusions: ")));
        assert!(filter.excludes("apps", "Deployment", "x"));
    }
}
