//! Applications that are to be refreshed: each waits once, at once or after a while that is drawn when many are concerned, so
//! that one push to a repository of thousands does not become one wave of renders.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use webhook::ApplicationKey;

/// What one application is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refresh {
    pub(super) application: ApplicationKey,
    /// What is hydrated is to be made anew, too.
    pub(super) hydrate: bool,
    /// When the push came in.
    pub(super) pushed: Timestamp,
}

/// The line of them.
#[derive(Default)]
pub(super) struct Refreshes {
    waiting: BTreeMap<ApplicationKey, (Instant, u64)>,
    order: BTreeMap<(Instant, u64), Refresh>,
    next: u64,
}

/// How long the refreshes of one push are spread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    pub(super) jitter: Duration,
    /// So many go at once all the same.
    pub(super) threshold: u64,
}

impl Spread {
    /// How long the application at that place, from 0, waits; `drawn` is between 0 and 1.
    pub(super) fn wait(self, place: usize, drawn: f64) -> Duration {
        let is_over = u64::try_from(place).is_ok_and(|place| place >= self.threshold);
        if is_over { self.jitter.mul_f64(drawn.clamp(0.0, 1.0)) } else { Duration::ZERO }
    }
}

impl Refreshes {
    /// Adds one. What waits already keeps the earlier time, and is hydrated if either asks for it.
    pub(super) fn put(&mut self, refresh: Refresh, due: Instant) {
        let mut place = (due, self.next);
        let mut refresh = refresh;
        if let Some(before) = self.waiting.get(&refresh.application).copied()
            && let Some(known) = self.order.remove(&before)
        {
            refresh.hydrate |= known.hydrate;
            refresh.pushed = refresh.pushed.min(known.pushed);
            place = place.min(before);
        }
        self.next += 1;
        self.waiting.insert(refresh.application.clone(), place);
        self.order.insert(place, refresh);
    }

    /// The next that is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<Refresh> {
        let first = self.order.first_entry().filter(|entry| entry.key().0 <= now)?;
        let refresh = first.remove();
        self.waiting.remove(&refresh.application);
        Some(refresh)
    }

    /// When there is one.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.order.keys().next().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refresh(name: &str, hydrate: bool, second: i64) -> Refresh {
        Refresh {
            application: ApplicationKey { namespace: "argocd".into(), name: name.into() },
            hydrate,
            pushed: Timestamp::from_second(second).expect("a time"),
        }
    }

    #[test]
    fn each_application_waits_once_and_as_long_as_the_first_push_says() {
        let (mut refreshes, now) = (Refreshes::default(), Instant::now());
        let at = |second: u64| now + Duration::from_secs(second);
        refreshes.put(refresh("a", true, 1), at(5));
        refreshes.put(refresh("b", false, 2), at(3));
        refreshes.put(refresh("a", false, 3), at(9));
        assert_eq!((refreshes.take(at(2)), refreshes.wake()), (None, Some(at(3))));
        assert_eq!(refreshes.take(at(5)), Some(refresh("b", false, 2)));
        assert_eq!(refreshes.take(at(5)), Some(refresh("a", true, 1)));
        assert_eq!((refreshes.take(at(99)), refreshes.wake()), (None, None));
        refreshes.put(refresh("a", false, 4), at(5));
        refreshes.put(refresh("a", true, 5), at(1));
        assert_eq!(refreshes.take(at(1)), Some(refresh("a", true, 4)));
    }

    #[test]
    fn only_what_is_beyond_the_threshold_is_spread() {
        let spread = Spread { jitter: Duration::from_secs(60), threshold: 2 };
        let waits = [0, 1, 2, 9].map(|place| spread.wait(place, 0.5).as_secs());
        assert_eq!(waits, [0, 0, 30, 30]);
        assert_eq!(Spread { threshold: 0, ..Spread::default() }.wait(9, 0.5), Duration::ZERO);
    }
}
