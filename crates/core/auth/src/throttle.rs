//! The login throttle: after a number of failures within a window a user name is not let in for a while,
//! whether or not such a user exists.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// Limits of the throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleOptions {
    /// Failures that block; 0 turns the throttle off.
    pub failures: u32,
    /// How long failures count, in seconds; 0 for ever.
    pub window_seconds: i64,
    /// How many user names are remembered.
    pub names: usize,
}

impl Default for ThrottleOptions {
    fn default() -> Self {
        Self { failures: 5, window_seconds: 300, names: 10_000 }
    }
}

/// Failures per user name.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    options: ThrottleOptions,
    failed: BTreeMap<String, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: i64,
}

impl Throttle {
    /// A throttle that remembers nothing yet.
    pub fn new(options: ThrottleOptions) -> Self {
        Self { options, failed: BTreeMap::new() }
    }

    /// Whether a login of this name may be tried.
    pub fn permits(&self, name: &str, now: Timestamp) -> bool {
        let limit = self.options.failures;
        limit == 0
            || self
                .failed
                .get(name)
                .is_none_or(|failures| !self.counts(*failures, now) || failures.count < limit)
    }

    /// Notes how a login went.
    pub fn note(&mut self, name: &str, succeeded: bool, now: Timestamp) {
        if succeeded {
            self.failed.remove(name);
            return;
        }
        if !self.failed.contains_key(name) {
            self.make_room(name, now);
        }
        let window = self.options.window_seconds;
        let failures =
            self.failed.entry(name.to_owned()).or_insert(Failures { count: 0, last: now.as_second() });
        if !within(window, failures.last, now) {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now.as_second();
    }

    fn counts(&self, failures: Failures, now: Timestamp) -> bool {
        within(self.options.window_seconds, failures.last, now)
    }

    /// Forgets what no longer counts, then the name with the fewest failures: a flood of new names must not
    /// push out one under attack (CVE-2024-21662).
    fn make_room(&mut self, newcomer: &str, now: Timestamp) {
        if self.failed.len() < self.options.names {
            return;
        }
        let window = self.options.window_seconds;
        self.failed.retain(|_, failures| within(window, failures.last, now));
        if self.failed.len() >= self.options.names {
            let weakest = self
                .failed
                .iter()
                .min_by_key(|(name, failures)| (failures.count, failures.last, name.as_str()));
            if let Some(name) = weakest.map(|(name, _)| name.clone())
                && name != newcomer
            {
                self.failed.remove(&name);
            }
        }
    }
}

/// Whether a failure is young enough to count.
fn within(window: i64, last: i64, now: Timestamp) -> bool {
    window == 0 || now.as_second().saturating_sub(last) < window
}

#[cfg(test)]
mod tests {
    use super::{Throttle, ThrottleOptions};
    use jiff::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn five_failures_block_until_the_window_has_passed() {
        let mut throttle = Throttle::default();
        for second in 0..5 {
            assert!(throttle.permits("admin", at(second)));
            throttle.note("admin", false, at(second));
        }
        assert!(!throttle.permits("admin", at(5)));
        assert!(throttle.permits("alice", at(5)));
        assert!(!throttle.permits("admin", at(303)));
        assert!(throttle.permits("admin", at(304)));
    }

    #[test]
    fn without_a_window_failures_never_age() {
        let options = ThrottleOptions { window_seconds: 0, failures: 2, ..ThrottleOptions::default() };
        let mut throttle = Throttle::new(options);
        throttle.note("admin", false, at(0));
        assert!(throttle.permits("admin", at(1_000_000)));
        throttle.note("admin", false, at(1_000_000));
        assert!(!throttle.permits("admin", at(9_000_000)));
    }

    #[test]
    fn a_success_forgets() {
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            throttle.note("admin", false, at(0));
        }
        throttle.note("admin", true, at(1));
        throttle.note("admin", false, at(2));
        assert!(throttle.permits("admin", at(3)));
    }

    #[test]
    fn cve_2024_21662_a_flood_of_names_does_not_free_the_one_under_attack() {
        let mut throttle = Throttle::new(ThrottleOptions { names: 10, ..ThrottleOptions::default() });
        for _ in 0..5 {
            throttle.note("admin", false, at(0));
        }
        for name in 0..1000 {
            throttle.note(&format!("user{name}"), false, at(1));
        }
        assert!(!throttle.permits("admin", at(2)));
    }
}
