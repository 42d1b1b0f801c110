//! Which labels and annotations are shown, copied or hidden.

use crate::reader::{Data, Reader};

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
}
