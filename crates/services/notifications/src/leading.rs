//! Which of several replicas tells: the one that holds the Lease. Where leases may not be used, as in installations made for
//! the original, every process takes itself for the only one.

use boot::stop::Stop;
use jiff::Timestamp;
use kubernetes::{ApiResource, Cluster, Error, WriteOptions};
use object::Object;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Store;
use tokio::time::Instant;

const NAME: &str = "argocd-notifications-controller";
const LEASE_SECONDS: u64 = 15;
/// Who cannot renew this long stops, before anybody else may begin.
const PATIENCE: Duration = Duration::from_secs(10);
const RENEWAL: Duration = Duration::from_secs(3);

pub(crate) struct Leadership {
    cluster: Cluster,
    namespace: String,
    identity: String,
    /// Leases may not be used.
    alone: AtomicBool,
}

/// What was seen of the lease, and since when.
#[derive(Default)]
struct Seen {
    text: String,
    since: Option<Instant>,
}

impl Leadership {
    pub(crate) fn new(store: &Store, environment: &BTreeMap<String, String>) -> Self {
        let named = ["POD_NAME", "HOSTNAME"].iter().find_map(|name| environment.get(*name));
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            cluster: store.cluster().clone(),
            namespace: store.namespace().to_owned(),
            identity: named.cloned().unwrap_or_else(host).trim().to_owned(),
            alone: AtomicBool::new(false),
        }
    }

    /// Waits until this process leads; false when it is to stop instead.
    pub(crate) async fn won(&self, stop: &Stop) -> bool {
        let mut seen = Seen::default();
        let mut told = false;
        loop {
            if stop.is_asked() {
                return false;
            }
            match self.take(&mut seen).await {
                Ok(true) => return true,
                Ok(false) if !told => {
                    told = true;
                    tracing::info!(lease = NAME, "another replica leads; waiting");
                }
                Ok(false) => {}
                Err(error) if error.is_forbidden() || error.is_not_found() => {
                    tracing::warn!(%error, "no lease is used: run one replica only");
                    self.alone.store(true, Ordering::Relaxed);
                    return true;
                }
                Err(error) => tracing::warn!(%error, "the lease cannot be read"),
            }
            tokio::select! {
                () = stop.asked() => return false,
                () = tokio::time::sleep(RENEWAL) => {}
            }
        }
    }

    /// Comes back when this process no longer leads, or is to stop.
    pub(crate) async fn kept(&self, stop: &Stop) {
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = stop.asked() => return,
                () = tokio::time::sleep(RENEWAL) => {}
            }
            if self.alone.load(Ordering::Relaxed) {
                continue;
            }
            let taken = tokio::time::timeout(RENEWAL, self.take(&mut Seen::default())).await;
            match taken {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => {
                    tracing::error!(lease = NAME, "another replica leads now");
                    return;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be renewed"),
                Err(_) => tracing::warn!("the lease cannot be renewed in time"),
            }
            if renewed.elapsed() > PATIENCE {
                tracing::error!(lease = NAME, "the lease could not be renewed: stepping down");
                return;
            }
        }
    }

    /// Lets go of the lease, so that the next one need not wait.
    pub(crate) async fn given_up(&self) {
        if self.alone.load(Ordering::Relaxed) {
            return;
        }
        let released = async {
            let mut lease = self.cluster.get(&resource(), &self.namespace, NAME).await?;
            if lease.text_at(&["spec", "holderIdentity"]) != self.identity {
                return Ok(());
            }
            lease.0.insert("spec".to_owned(), json!({"holderIdentity": "", "leaseDurationSeconds": 1}));
            let options = WriteOptions::manager(NAME);
            self.cluster.replace(&resource(), &lease, &options).await.map(|_| ())
        };
        if let Err(error) = released.await as Result<(), Error> {
            tracing::debug!(%error, "the lease was not given back");
        }
    }

    /// Takes or renews the lease. False when somebody else holds it.
    async fn take(&self, seen: &mut Seen) -> Result<bool, Error> {
        let options = WriteOptions::manager(NAME);
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let Some(mut lease) = self.cluster.find(&resource(), &self.namespace, NAME).await? else {
            let object = Object::from_value(json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": NAME, "namespace": self.namespace},
                "spec": self.spec(&now, &now, 0),
            }))
            .map_err(|error| Error::Transport { action: "make a lease".into(), reason: error.to_string() })?;
            return match self.cluster.create(&resource(), &object, &options).await {
                Ok(_) => Ok(true),
                Err(error) if error.is_already_exists() => Ok(false),
                Err(error) => Err(error),
            };
        };
        let holder = lease.text_at(&["spec", "holderIdentity"]).to_owned();
        let transitions = lease.int_at(&["spec", "leaseTransitions"]).unwrap_or(0);
        let acquired = lease.text_at(&["spec", "acquireTime"]).to_owned();
        let mine = holder == self.identity;
        if !mine && !holder.is_empty() && !self.is_over(&lease, &holder, seen) {
            return Ok(false);
        }
        let spec = match mine && !acquired.is_empty() {
            true => self.spec(&acquired, &now, transitions),
            false => self.spec(&now, &now, transitions + 1),
        };
        lease.0.insert("spec".to_owned(), spec);
        match self.cluster.replace(&resource(), &lease, &options).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the holder has not renewed for its whole time, by this process' own clock.
    fn is_over(&self, lease: &Object, holder: &str, seen: &mut Seen) -> bool {
        let text = format!("{holder} {}", lease.text_at(&["spec", "renewTime"]));
        let seconds = lease.int_at(&["spec", "leaseDurationSeconds"]).and_then(|it| u64::try_from(it).ok());
        let limit = Duration::from_secs(seconds.unwrap_or(LEASE_SECONDS));
        if seen.text != text {
            *seen = Seen { text, since: Some(Instant::now()) };
        }
        seen.since.is_some_and(|since| since.elapsed() > limit)
    }

    fn spec(&self, acquired: &str, now: &str, transitions: i64) -> serde_json::Value {
        json!({
            "holderIdentity": self.identity, "leaseDurationSeconds": LEASE_SECONDS, "acquireTime": acquired,
            "renewTime": now, "leaseTransitions": transitions,
        })
    }
}

fn resource() -> ApiResource {
    ApiResource {
        group: "coordination.k8s.io".into(),
        version: "v1".into(),
        kind: "Lease".into(),
        plural: "leases".into(),
        namespaced: true,
        ..ApiResource::default()
    }
}
