//! The server's certificate: the user's, else one that is made once and kept in `argocd-secret`.

use crate::{ApiServer, StartError};
use object::Secret;
use std::sync::{Arc, Weak};
use store::{SecretEntry, Store};
use tokio_util::task::AbortOnDropHandle;
use transport::{Identity, SelfSigned};

/// The first one that holds a certificate counts.
const SECRETS: [&str; 2] = ["argocd-server-tls", "argocd-secret"];

/// The certificate and key of a Secret, PEM.
type Pair = (Secret<Vec<u8>>, Secret<Vec<u8>>);

fn found(store: &Store) -> Option<Pair> {
    SECRETS.iter().filter_map(|name| store.secret(name)).find_map(|entry| pair(&entry))
}

fn pair(entry: &SecretEntry) -> Option<Pair> {
    let part = |key: &str| entry.data.get(key).filter(|value| !value.reveal().is_empty()).cloned();
    Some((part("tls.crt")?, part("tls.key")?))
}

/// The certificate there is, else one made now.
pub fn identity(server: &ApiServer) -> Result<Identity, StartError> {
    let identity = match found(&server.hub.store) {
        Some((certificate, key)) => Identity::from_pem(certificate.reveal(), key.reveal())?,
        None => made(server.hub.store.namespace())?.identity()?,
    };
    speaking(server, identity)
}

fn speaking(server: &ApiServer, identity: Identity) -> Result<Identity, StartError> {
    Ok(identity.speaking(server.hub.options.tls.protocols()?))
}

/// The same, and one that was made is kept: whoever has accepted it once should not be asked again.
pub async fn ensure_certificate(server: &ApiServer) -> Result<Identity, StartError> {
    let store = &server.hub.store;
    if found(store).is_some() {
        return identity(server);
    }
    let made = made(store.namespace())?;
    let values = [
        ("tls.crt".to_owned(), Some(Secret::new(made.certificate.clone().into_bytes()))),
        ("tls.key".to_owned(), Some(Secret::new(made.key.clone().into_bytes()))),
    ];
    match store.set_argocd_secret(&values).await {
        Ok(_) => tracing::info!("a certificate was made and kept in argocd-secret"),
        Err(error) => tracing::warn!(%error, "a certificate was made, and is lost at the next start"),
    }
    speaking(server, made.identity()?)
}

fn made(namespace: &str) -> Result<SelfSigned, StartError> {
    let within = |suffix: &str| format!("argocd-server.{namespace}{suffix}");
    let names = [
        "localhost".to_owned(),
        "argocd-server".to_owned(),
        within(""),
        within(".svc"),
        within(".svc.cluster.local"),
    ];
    Ok(SelfSigned::new(&names.each_ref().map(String::as_str))?)
}

/// Serves with a new certificate as soon as there is one, without a restart, for as long as the value lives.
pub fn follow_certificate(server: &ApiServer, identity: &Identity) -> AbortOnDropHandle<()> {
    let following = follow(Arc::downgrade(&server.hub), server.hub.store.clone(), identity.clone());
    AbortOnDropHandle::new(tokio::spawn(following))
}

async fn follow(hub: Weak<crate::hub::Hub>, store: Store, identity: Identity) {
    // What was there at the start may have changed since.
    let mut served = None;
    let mut follower = store.secrets().follow();
    loop {
        let now = found(&store);
        if let Some((certificate, key)) = now.as_ref().filter(|now| served.as_ref() != Some(*now)) {
            match identity.replace(certificate.reveal(), key.reveal()) {
                Ok(()) if served.is_some() => tracing::info!("the server's certificate was exchanged"),
                Ok(()) => {}
                Err(error) => {
                    tracing::error!(%error, "the new certificate cannot be used: the old one stays");
                }
            }
            served = now;
        }
        match follower.next().await {
            Some(Ok(_)) => {}
            Some(Err(_)) => follower = store.secrets().follow(),
            None => return,
        }
        if hub.strong_count() == 0 {
            return;
        }
    }
}
