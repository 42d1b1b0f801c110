//! How often applications are compared again without being told to.

use crate::reader::{Data, Problem, Reader};
use std::time::Duration;

/// The periods of refreshes nobody asked for; zero switches one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Compare again, rendering only what changed.
    pub refresh: Duration,
    /// Compare again, rendering everything.
    pub hard_refresh: Duration,
    /// Spread that is added to the first, so that not all applications come at once.
    pub jitter: Duration,
}

impl Default for Reconciliation {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(120),
            hard_refresh: Duration::ZERO,
            jitter: Duration::from_secs(60),
        }
    }
}

impl Reconciliation {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let default = Self::default();
        let settings = Self {
            refresh: reader.duration("timeout.reconciliation", default.refresh),
            hard_refresh: reader.duration("timeout.hard.reconciliation", default.hard_refresh),
            jitter: reader.duration("timeout.reconciliation.jitter", default.jitter),
        };
        (settings, reader.problems)
    }
}
