//! For which application a request is made. It is known to the task that makes it, and to nobody below.

use super::{Labels, named};
use api::v1alpha1::Application;
use kubernetes::Measured;
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use std::sync::Arc;

tokio::task_local! {
    static ASKER: Asker;
}

/// The application requests are made for.
#[derive(Clone, Debug)]
pub(crate) struct Asker(Arc<Owner>);

/// Shared by everything that is counted for one application: many figures, one name.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Owner {
    labels: Labels,
}

/// What a count of requests is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AppRequest {
    owner: Arc<Owner>,
    code: Option<u16>,
    verb: &'static str,
    plural: Box<str>,
    namespace: Box<str>,
    dry_run: bool,
}

impl Asker {
    /// An application, as the one requests to a destination are made for.
    pub(crate) fn new(application: &Application, server: &str) -> Self {
        let mut labels = named(application);
        labels.push(("server", server.to_owned()));
        Self(Arc::new(Owner { labels }))
    }

    pub(super) fn asks(&self, measured: &Measured<'_>) -> AppRequest {
        let path = kubernetes::resource(measured.path);
        AppRequest {
            owner: self.0.clone(),
            code: measured.code,
            verb: measured.verb,
            plural: path.map(|path| path.plural).unwrap_or_default().into(),
            namespace: path.map(|path| path.namespace).unwrap_or_default().into(),
            dry_run: measured.dry_run,
        }
    }
}

impl EncodeLabelSet for AppRequest {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        for label in &self.owner.labels {
            label.encode(encoder.encode_label())?;
        }
        let code = self.code.map_or_else(|| "<error>".to_owned(), |code| code.to_string());
        ("response_code", code).encode(encoder.encode_label())?;
        ("verb", self.verb).encode(encoder.encode_label())?;
        ("resource_kind", &*self.plural).encode(encoder.encode_label())?;
        ("resource_namespace", &*self.namespace).encode(encoder.encode_label())?;
        ("dry_run", self.dry_run.to_string()).encode(encoder.encode_label())
    }
}

/// Does something whose requests are made for an application.
pub(crate) async fn asked_by<T>(asker: Asker, work: impl Future<Output = T>) -> T {
    ASKER.scope(asker, work).await
}

pub(super) fn with_asker(work: impl FnOnce(&Asker)) {
    // Most requests are made for no single application.
    ASKER.try_with(work).unwrap_or_default();
}
