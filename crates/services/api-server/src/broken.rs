//! What is registered or trusted and cannot be read: named in the log and by an event when it is found, and among the
//! settings for as long as it is there. Everything else counts all the same.

use crate::audit;
use crate::hub::Hub;
use crate::snapshot::Broken;
use api::Root;
use api::v1alpha1::AppProject;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::{GPG_KEYS, KNOWN_HOSTS, KNOWN_HOSTS_KEY, Register, Store, StoreError, TLS_CERTIFICATES};
use tokio_util::task::AbortOnDropHandle;
use trust::{Certificate, KnownHost};

/// Changes that come together are looked at once.
const TOGETHER: Duration = Duration::from_millis(200);

/// Lines, certificates and keys that nobody will be trusted by.
pub(crate) fn trusted(store: &Store) -> Vec<Broken> {
    let broken = |object, message| Broken { object, message };
    let mut found = Vec::new();
    let hosts = store.config_map(KNOWN_HOSTS).remove(KNOWN_HOSTS_KEY).unwrap_or_default();
    for (number, line) in (1..).zip(hosts.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let reason = match KnownHost::parse(line).map(|host| host.fingerprint()) {
            Some(Ok(_)) => continue,
            Some(Err(error)) => error.to_string(),
            None => "it lacks a host, a type or a key".to_owned(),
        };
        found.push(broken(KNOWN_HOSTS, format!("{KNOWN_HOSTS_KEY}: line {number}: {reason}")));
    }
    for (host, text) in store.config_map(TLS_CERTIFICATES) {
        let read = trust::certificates(&text);
        let reason = match read {
            Ok(blocks) if blocks.is_empty() => Some("there is no certificate in it".to_owned()),
            Ok(blocks) => {
                blocks.iter().find_map(|block| Certificate::parse(block).err()).map(|e| e.to_string())
            }
            Err(error) => Some(error.to_string()),
        };
        found.extend(reason.map(|reason| broken(TLS_CERTIFICATES, format!("{host}: {reason}"))));
    }
    for (id, text) in store.config_map(GPG_KEYS) {
        let reason = trust::public_keys(&text).err();
        found.extend(reason.map(|reason| broken(GPG_KEYS, format!("{id}: {reason}"))));
    }
    found
}

/// Clusters, repositories, credential templates and projects that cannot be read.
pub(crate) fn registered(hub: &Hub) -> Vec<StoreError> {
    let store = &hub.store;
    let clusters = store.clusters(true).into_iter().filter_map(Result::err);
    let repositories = store.repositories().into_iter().filter_map(Result::err);
    let pushed = store.registered_repositories(Register::Write).into_iter().filter_map(Result::err);
    let repositories = repositories.chain(pushed);
    let registers = [Register::Read, Register::Write].into_iter();
    let templates = registers.flat_map(|register| store.credential_templates(register));
    let templates = templates.filter_map(Result::err);
    let (projects, _) = store.projects().snapshot();
    let projects = projects.iter().filter_map(|stored| stored.valid(AppProject::KIND).err());
    let mut found: Vec<StoreError> = clusters.chain(repositories).chain(templates).chain(projects).collect();
    found.sort_by_key(ToString::to_string);
    found.dedup_by_key(|problem| problem.to_string());
    found
}

/// Tells of each once, for as long as the value lives.
pub(crate) fn follow(hub: &Arc<Hub>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(following(Arc::downgrade(hub), hub.store.clone())))
}

async fn following(hub: Weak<Hub>, store: Store) {
    let (mut secrets, mut projects) = (store.secrets().follow(), store.projects().follow());
    let mut told: BTreeSet<String> = BTreeSet::new();
    loop {
        {
            let Some(hub) = hub.upgrade() else { return };
            let now = registered(&hub);
            for error in now.iter().filter(|error| !told.contains(&error.to_string())) {
                tracing::warn!("{error}");
                audit::tell_of_unreadable(&hub, error).await;
            }
            told = now.iter().map(ToString::to_string).collect();
        }
        // One that has fallen behind begins again: all is looked at each time.
        tokio::select! {
            change = secrets.next() => match change {
                Some(Ok(_)) => {}
                Some(Err(_)) => secrets = store.secrets().follow(),
                None => return,
            },
            change = projects.next() => match change {
                Some(Ok(_)) => {}
                Some(Err(_)) => projects = store.projects().follow(),
                None => return,
            },
        }
        tokio::time::sleep(TOGETHER).await;
    }
}
