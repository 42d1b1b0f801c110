//! How an application's objects are told from others.

use crate::reader::{Data, Problem, Reader};
use object::TrackingMethod;
use object::tracking::DEFAULT_LABEL_KEY;

/// Where an application's mark is on its objects, and what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// Annotation, label or both.
    pub method: TrackingMethod,
    /// The label.
    pub label_key: String,
    /// Keeps installations on one cluster apart; empty for none.
    pub installation_id: String,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: TrackingMethod::default(),
            label_key: DEFAULT_LABEL_KEY.to_owned(),
            installation_id: String::new(),
        }
    }
}

impl Tracking {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        const METHOD: &str = "application.resourceTrackingMethod";
        let mut reader = Reader::new(data);
        let word = reader.text(METHOD);
        let method = TrackingMethod::from_setting(word);
        if !word.is_empty() && word != method.as_str() {
            reader.problem(METHOD, format!("{word:?} is not annotation, label or annotation+label"));
        }
        let tracking = Self {
            method,
            label_key: reader.text_or("application.instanceLabelKey", DEFAULT_LABEL_KEY),
            installation_id: reader.text("installationID").to_owned(),
        };
        (tracking, reader.problems)
    }

    /// As marks are made with it.
    pub fn mark(&self) -> object::tracking::Tracking<'_> {
        object::tracking::Tracking {
            method: self.method,
            label_key: &self.label_key,
            installation_id: &self.installation_id,
        }
    }
}
