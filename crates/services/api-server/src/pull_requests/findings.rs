//! What was found, and what it is called.

use crate::hub::Hub;
use api::v1alpha1::Application;
use hmac::{Hmac, KeyInit as _, Mac as _};
use preview::{Asked, Judgement};
use sha2::Sha256;
use std::sync::Arc;
use webhook::PullRequest;

/// What was found of one application.
pub(super) struct Finding {
    pub(super) application: Arc<Application>,
    pub(super) asked: Asked,
    pub(super) judgement: Judgement,
}

/// What an application is called: with its namespace where that is not the control plane's.
pub(super) fn context(hub: &Hub, application: &Application) -> String {
    let (namespace, name) = (&application.metadata.namespace, &application.metadata.name);
    if namespace.is_empty() || namespace == hub.store.namespace() {
        name.clone()
    } else {
        format!("{namespace}/{name}")
    }
}

/// The page of an application; empty when nobody said where pages are.
pub(super) fn page(hub: &Hub, application: &Application) -> String {
    let base = hub.snapshot().server.url.trim_end_matches('/').to_owned();
    if base.is_empty() {
        return base;
    }
    let namespace = hub.namespace_or_default(&application.metadata.namespace);
    format!("{base}/applications/{namespace}/{}", application.metadata.name)
}

/// What the comment of a request is found again by. Nobody else can make it for a request that has none yet, so the first
/// comment with it is ours.
pub(super) fn marker(hub: &Hub, pull: &PullRequest) -> String {
    let key = hub.store.secret("argocd-secret").map(|secret| secret.text("server.secretkey"));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.unwrap_or_default().as_bytes()).expect("any key length will do");
    mac.update(b"pull request\0");
    for part in [&pull.address, &pull.owner, &pull.repository] {
        mac.update(part.as_bytes());
        mac.update(b"\0");
    }
    mac.update(&pull.number.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("argocd-{digits}")
}
