//! What is planned from, where a test says nothing else.

use api::v1alpha1::SyncOperation;
use jiff::{SignedDuration, Timestamp};
use sync::{Input, KindFact, NamespaceFact};

/// Nothing to sync, to a namespace that is there, with every kind served and permitted.
pub fn input(operation: &SyncOperation) -> Input<'_> {
    Input {
        resources: Vec::new(),
        hooks: Vec::new(),
        operation,
        revision: "r",
        started_at: Timestamp::UNIX_EPOCH,
        namespace: "n",
        namespace_fact: NamespaceFact::NotAsked,
        managed_namespace_metadata: None,
        migration_manager: None,
        prune_confirmed: false,
        shared: Vec::new(),
        timeout: None,
        settle: SignedDuration::from_secs(2),
        recorded: &[],
        kinds: &|_| KindFact::Served { namespaced: true },
        permit: &|_, _| Ok(()),
    }
}
