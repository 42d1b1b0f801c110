//! How well the kinds of a cluster are known, and whether that is enough to go by.

use crate::status::KindState;
use jiff::Timestamp;
use kubernetes::ApiResource;
use object::GroupKind;
use std::collections::{BTreeMap, BTreeSet};

/// One kind, in one namespace or in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    pub(crate) kind: GroupKind,
    pub(crate) namespace: Option<String>,
}

#[derive(Default)]
pub(crate) struct Health {
    pub(crate) scopes: BTreeMap<Scope, KindState>,
    /// Those that were listed at least once since the index was emptied.
    pub(crate) listed: BTreeSet<Scope>,
    /// Those whose first list is under way and not answered.
    silent: BTreeSet<Scope>,
    /// Kinds of groups that could not be discovered, by group and version.
    pub(crate) groups: BTreeMap<(String, String), String>,
    pub(crate) connection_error: Option<String>,
    pub(crate) discovered: bool,
    /// When everything had been listed, silent kinds excepted; `None` while that is not so.
    pub(crate) last_sync: Option<Timestamp>,
    /// How often the index was emptied.
    pub(crate) epoch: u64,
    /// Everything is about to be forgotten: what watchers that still run say of their kinds does not count.
    pub(crate) stale: bool,
    pub(crate) resources: BTreeMap<GroupKind, ApiResource>,
}

impl Health {
    /// Every kind is yet to be listed: an empty index must never look like an empty cluster.
    pub(crate) fn forget(&mut self) {
        self.scopes.values_mut().for_each(|state| *state = KindState::Warming);
        self.listed.clear();
        self.silent.clear();
        self.last_sync = None;
        self.epoch += 1;
    }

    /// Records how well a kind is known; says whether that is news.
    pub(crate) fn set(&mut self, scope: &Scope, state: KindState) -> bool {
        if state == KindState::Synced {
            self.listed.insert(scope.clone());
        }
        self.silent.remove(scope);
        self.scopes.insert(scope.clone(), state.clone()) != Some(state)
    }

    /// Records that the first list of a kind is not answered; says whether that is news.
    pub(crate) fn fall_silent(&mut self, scope: &Scope) -> bool {
        let listing = !self.stale && self.scopes.get(scope) == Some(&KindState::Warming);
        listing && self.silent.insert(scope.clone())
    }

    /// Forgets a kind; says whether it was known.
    pub(crate) fn remove(&mut self, scope: &Scope) -> bool {
        self.listed.remove(scope);
        self.silent.remove(scope);
        self.scopes.remove(scope).is_some()
    }

    /// Whether the last kind has just been listed for the first time.
    pub(crate) fn complete(&mut self) -> bool {
        let complete = !self.is_waiting() && !self.stale && self.last_sync.is_none();
        if complete {
            self.last_sync = Some(Timestamp::now());
        }
        complete
    }

    /// Whether the cluster is known as far as everybody needs it.
    pub(crate) fn is_filled(&self) -> bool {
        self.discovered && !self.stale && (self.last_sync.is_some() || !self.is_waiting())
    }

    /// Whether the first list of one of these kinds is under way, answered or not.
    pub(crate) fn is_listing(&self, wanted: impl Fn(&GroupKind) -> bool) -> bool {
        self.warming().any(|scope| wanted(&scope.kind))
    }

    /// Whether the first list of a kind is under way, and goes on.
    fn is_waiting(&self) -> bool {
        self.warming().any(|scope| !self.silent.contains(scope))
    }

    /// What is listed for the first time.
    fn warming(&self) -> impl Iterator<Item = &Scope> {
        self.scopes.iter().filter(|(_, state)| **state == KindState::Warming).map(|(scope, _)| scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(kind: &str) -> Scope {
        Scope { kind: GroupKind::new("", kind), namespace: None }
    }

    fn listing(kinds: &[&str]) -> Health {
        let scopes = kinds.iter().map(|kind| (scope(kind), KindState::Warming)).collect();
        Health { scopes, discovered: true, ..Health::default() }
    }

    fn is_listing(health: &Health, name: &str) -> bool {
        health.is_listing(|kind| kind.kind == name)
    }

    #[test]
    fn at_first_every_kind_is_waited_for_that_answers() {
        let mut health = listing(&["Pod", "Widget"]);
        assert!(!health.is_filled());
        assert!(health.set(&scope("Pod"), KindState::Synced));
        assert!(!health.complete() && !health.is_filled());
        assert!(health.fall_silent(&scope("Widget")));
        assert!(health.complete() && health.is_filled());
        assert!(!health.complete(), "told once");
        assert!(is_listing(&health, "Widget") && !is_listing(&health, "Pod"));
    }

    #[test]
    fn a_silent_kind_that_is_listed_after_all_is_known() {
        let mut health = listing(&["Widget"]);
        assert!(health.fall_silent(&scope("Widget")));
        assert!(!health.fall_silent(&scope("Widget")), "no news");
        assert!(health.set(&scope("Widget"), KindState::Synced));
        assert!(!is_listing(&health, "Widget") && health.listed.contains(&scope("Widget")));
        assert!(!health.fall_silent(&scope("Widget")), "only the first list is waited for");
    }

    #[test]
    fn a_kind_that_appears_later_is_waited_for_by_its_users_only() {
        let mut health = listing(&["Pod"]);
        health.set(&scope("Pod"), KindState::Synced);
        assert!(health.complete());
        health.scopes.insert(scope("Widget"), KindState::Warming);
        assert!(health.is_filled() && is_listing(&health, "Widget"));
    }

    #[test]
    fn what_is_forgotten_is_waited_for_again_even_where_it_was_silent() {
        let mut health = listing(&["Pod", "Widget"]);
        health.set(&scope("Pod"), KindState::Synced);
        health.fall_silent(&scope("Widget"));
        assert!(health.complete());
        health.forget();
        assert!(!health.is_filled() && health.listed.is_empty());
        health.set(&scope("Pod"), KindState::Synced);
        assert!(!health.complete(), "the list began anew");
        health.stale = true;
        assert!(!health.fall_silent(&scope("Widget")), "its list is about to end");
    }
}
