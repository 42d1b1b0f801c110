//! Which labels and annotations are shown, copied or hidden.

use crate::reader::{Data, Reader};
use glob_pattern::matches;
use std::collections::BTreeMap;

/// Lists of label and annotation keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceLabels {
    /// Labels shown as info items of the tree.
    pub shown: Vec<String>,
    /// Annotations masked on Secrets.
    pub masked_annotations: Vec<String>,
    /// Labels of nodes copied into the tree.
    pub node_labels: Vec<String>,
    /// Globs of an application's labels that its events carry.
    pub event_labels: Vec<String>,
    /// Globs of labels its events never carry.
    pub no_event_labels: Vec<String>,
}

impl ResourceLabels {
    /// Reads `argocd-cm`. Any text is a list: nothing can be wrong with it.
    pub fn parse(data: &Data) -> Self {
        let reader = Reader::new(data);
        Self {
            shown: reader.list("resource.customLabels"),
            masked_annotations: reader.list("resource.sensitive.mask.annotations"),
            node_labels: reader.list("application.allowedNodeLabels"),
            event_labels: reader.list("resource.includeEventLabelKeys"),
            no_event_labels: reader.list("resource.excludeEventLabelKeys"),
        }
    }

    /// Labels of an application's events: those of the application, and of its project what the application has not.
    pub fn of_events(
        &self,
        application: &BTreeMap<String, String>,
        project: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let named = |globs: &[String], key: &str| globs.iter().any(|glob| matches(glob, key, &[]));
        let mut labels = project.clone();
        labels.extend(application.clone());
        labels.retain(|key, _| named(&self.event_labels, key) && !named(&self.no_event_labels, key));
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_carry_the_labels_that_are_named_and_not_forbidden() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let data = map(&[
            ("resource.includeEventLabelKeys", "team, env*"),
            ("resource.excludeEventLabelKeys", "env-secret"),
        ]);
        let own = map(&[("team", "a"), ("env", "x"), ("env-secret", "y"), ("other", "z")]);
        let of_project = map(&[("team", "b"), ("env-stage", "p")]);
        assert_eq!(
            ResourceLabels::parse(&data).of_events(&own, &of_project),
            map(&[("team", "a"), ("env", "x"), ("env-stage", "p")])
        );
        assert_eq!(ResourceLabels::default().of_events(&own, &of_project), BTreeMap::new());
    }
}
