//! Which of several replicas tells: the one that holds the Lease. Where leases may not be used, as in installations made for
//! the original, a process takes itself for the only one, and looks again whether it still has to.
//!
//! A holder that cannot renew stops beginning deliveries after [`PATIENCE`] and breaks off those under way after
//! [`LAST_WORDS`] more; nobody else may hold the lease before [`LEASE`] is over. Nothing is sent past the moment up to which
//! the lease is certain, whatever stood still meanwhile. Only who knows for certain that the holder is gone, by the [`Place`]
//! both ran in, waits for nothing.

mod place;

use boot::stop::Stop;
use jiff::Timestamp;
use kubernetes::{ApiResource, Cluster, Error, WriteOptions};
use object::Object;
use place::Place;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;
use tokio::time::Instant;

const NAME: &str = "argocd-notifications-controller";
/// After so long without a renewal somebody else may hold it.
const LEASE: Duration = Duration::from_secs(20);
/// Who cannot renew this long stops.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long deliveries under way may take when everything stops.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(8);
const RENEWAL: Duration = Duration::from_secs(2);
/// How often one who takes itself for the only one asks whether leases may be used by now.
const AGAIN: Duration = Duration::from_secs(60);

/// Up to when this process may send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Arc<Mutex<Option<Instant>>>);

impl Held {
    fn until(&self, moment: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment);
    }

    /// Whether the lease is still certain.
    pub(crate) fn at(&self, now: Instant) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now < until)
    }
}

pub(crate) struct Leadership {
    cluster: Cluster,
    namespace: String,
    identity: String,
    /// What identities of processes that ran here before begin with; nothing where another one runs here.
    before: Option<String>,
    /// Kept for as long as this process lives.
    _place: Option<Place>,
    held: Held,
}

/// How somebody leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// It holds the lease.
    Leased,
    /// Leases may not be used.
    Alone,
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
        let host = named.cloned().unwrap_or_else(host);
        let place = Place::taken(&format!("{NAME}/{}/{}", store.namespace(), store.cluster().server()));
        let before = place.as_ref().map(|place| format!("{}_{}_", host.trim(), place.name()));
        // Two processes of one machine have one name.
        let own: u64 = rand::random();
        let begins = before.clone().unwrap_or_else(|| format!("{}_", host.trim()));
        Self {
            cluster: store.cluster().clone(),
            namespace: store.namespace().to_owned(),
            identity: format!("{begins}{own:016x}"),
            before,
            _place: place,
            held: Held::default(),
        }
    }

    /// Up to when this process may send.
    pub(crate) fn held(&self) -> Held {
        self.held.clone()
    }

    /// Waits until this process leads; nothing when it is to stop instead.
    pub(crate) async fn won(&self, stop: &Stop) -> Option<Term> {
        let mut seen = Seen::default();
        let mut told = false;
        loop {
            if stop.is_asked() {
                return None;
            }
            let began = Instant::now();
            match self.take(&mut seen).await {
                Ok(true) => {
                    self.held.until(began + LEASE);
                    return Some(Term::Leased);
                }
                Ok(false) if !told => {
                    told = true;
                    tracing::info!(lease = NAME, "another replica leads; waiting");
                }
                Ok(false) => {}
                Err(error) if is_refused(&error) => {
                    tracing::warn!(
                        %error,
                        "leases cannot be used: run one replica only, or let the role get, create and update leases \
                         (coordination.k8s.io)"
                    );
                    return Some(Term::Alone);
                }
                Err(error) => tracing::warn!(%error, "the lease cannot be read"),
            }
            tokio::select! {
                () = stop.asked() => return None,
                () = tokio::time::sleep(RENEWAL) => {}
            }
        }
    }

    /// Comes back when this process no longer leads, or is to stop.
    pub(crate) async fn kept(&self, term: Term, stop: &Stop) {
        if term == Term::Alone && !self.alone(stop).await {
            return;
        }
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = stop.asked() => return,
                () = tokio::time::sleep(RENEWAL) => {}
            }
            let began = Instant::now();
            let give_up = renewed + PATIENCE;
            match tokio::time::timeout_at(give_up, self.take(&mut Seen::default())).await {
                Ok(Ok(true)) => {
                    renewed = began;
                    self.held.until(began + LEASE);
                }
                Ok(Ok(false)) => {
                    tracing::error!(lease = NAME, "another replica leads now");
                    return;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be renewed"),
                Err(_) => tracing::warn!("the lease cannot be renewed in time"),
            }
            if Instant::now() >= give_up && renewed + PATIENCE == give_up {
                tracing::error!(lease = NAME, "the lease could not be renewed: stepping down");
                return;
            }
        }
    }

    /// Leads without a lease until leases can be used: true once this process holds one, false when it is to end.
    async fn alone(&self, stop: &Stop) -> bool {
        loop {
            let began = Instant::now();
            self.held.until(began + AGAIN + LEASE);
            tokio::select! {
                () = stop.asked() => return false,
                () = tokio::time::sleep(AGAIN) => {}
            }
            let began = Instant::now();
            match tokio::time::timeout(PATIENCE, self.take(&mut Seen::default())).await {
                Ok(Ok(true)) => {
                    tracing::info!(lease = NAME, "leases can be used by now");
                    self.held.until(began + LEASE);
                    return true;
                }
                Ok(Ok(false)) => {
                    tracing::error!(lease = NAME, "another replica leads");
                    return false;
                }
                // Nothing is known of others: as before.
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    /// Lets go of the lease, so that the next one need not wait.
    pub(crate) async fn given_up(&self) {
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
        let is_gone = self.before.as_ref().is_some_and(|before| holder.starts_with(before));
        if !mine && !is_gone && !holder.is_empty() && !seen.is_over(&lease, &holder, Instant::now()) {
            return Ok(false);
        }
        let spec = match mine && !acquired.is_empty() {
            true => self.spec(&acquired, &now, transitions),
            false => self.spec(&now, &now, transitions + 1),
        };
        lease.0.insert("spec".to_owned(), spec);
        match self.cluster.replace(&resource(), &lease, &options).await {
            Ok(_) => Ok(true),
            // Whoever was first is seen at the next look; a holder's own renewal is tried again before it steps down.
            Err(error) if error.is_conflict() && !mine => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn spec(&self, acquired: &str, now: &str, transitions: i64) -> serde_json::Value {
        json!({
            "holderIdentity": self.identity, "leaseDurationSeconds": LEASE.as_secs(), "acquireTime": acquired,
            "renewTime": now, "leaseTransitions": transitions,
        })
    }
}

impl Seen {
    /// Whether the holder has not renewed for its whole time, by this process' own clock.
    fn is_over(&mut self, lease: &Object, holder: &str, now: Instant) -> bool {
        let text = format!("{holder} {}", lease.text_at(&["spec", "renewTime"]));
        let seconds = lease.int_at(&["spec", "leaseDurationSeconds"]).and_then(|it| u64::try_from(it).ok());
        let limit = seconds.map_or(LEASE, Duration::from_secs);
        if self.text != text {
            *self = Self { text, since: Some(now) };
        }
        self.since.is_some_and(|since| now.duration_since(since) > limit)
    }
}

/// Whether leases may not be used at all.
fn is_refused(error: &Error) -> bool {
    error.is_forbidden() || error.is_not_found()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The last delivery of one ends before the first of the next can begin, with time left for clocks that differ.
    #[test]
    fn terms_do_not_overlap() {
        assert!(PATIENCE + LAST_WORDS + RENEWAL < LEASE);
    }

    #[test]
    fn a_lease_is_certain_only_so_long() {
        let (held, now) = (Held::default(), Instant::now());
        assert!(!held.at(now));
        held.until(now + LEASE);
        assert!(held.at(now) && !held.at(now + LEASE));
    }

    #[test]
    fn a_holder_that_does_not_renew_loses_it_by_our_clock() {
        let lease = |renewed: &str| {
            Object::from_value(json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME},
                "spec": {"holderIdentity": "a", "renewTime": renewed, "leaseDurationSeconds": 20},
            }))
            .expect("a lease")
        };
        let (mut seen, began) = (Seen::default(), Instant::now());
        let mut is_over = |renewed: &str, second: u64| {
            seen.is_over(&lease(renewed), "a", began + Duration::from_secs(second))
        };
        assert!(!is_over("1", 0) && !is_over("1", 19));
        assert!(!is_over("2", 19), "it was renewed");
        assert!(!is_over("2", 38) && is_over("2", 40));
    }
}
