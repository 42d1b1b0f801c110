//! What deliveries know of the world around them.

use crate::gate;
use crate::services::slack::Threads;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Finds the certificates (PEM) that a host's certificate must be signed by, where somebody said so.
pub type Authorities = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// The world of one installation. Lives longer than a configuration.
#[derive(Clone)]
pub struct World {
    /// `argocd-tls-certs-cm`.
    pub authorities: Arc<Authorities>,
    /// Environment variables that are asked for: credentials and region of AWS.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Addresses that stand for others, by what a request's address starts with: for tests of services with one address
    /// for everybody.
    pub instead: BTreeMap<String, String>,
    /// Whether this process may send now: of several replicas one may.
    pub may_send: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Places of all services' exchanges.
    pub(crate) places: Arc<Semaphore>,
    /// Slack's threads, by channel and key.
    pub(crate) threads: Arc<Threads>,
}

impl World {
    /// A world without certificates of its own.
    pub fn new(environment: BTreeMap<String, String>) -> Self {
        Self {
            authorities: Arc::new(|_| None),
            environment: Arc::new(environment),
            instead: BTreeMap::new(),
            may_send: Arc::new(|| true),
            places: Arc::new(Semaphore::new(gate::OF_ALL)),
            threads: Arc::default(),
        }
    }

    /// Where a request for an address goes.
    pub(crate) fn reached(&self, address: &str) -> String {
        let mut address = address.to_owned();
        for (from, to) in &self.instead {
            if let Some(rest) = address.strip_prefix(from.as_str()) {
                address = format!("{to}{rest}");
            }
        }
        address
    }
}
