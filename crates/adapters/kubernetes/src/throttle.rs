//! How many requests a second this process sends to one cluster.

use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// A bucket of tokens: `burst` at once, then `rate` a second. Waiting requests are served in order.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: f64,
    burst: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Option<Instant>,
}

impl Throttle {
    /// A rate of zero or less means no limit.
    pub(crate) fn new(rate: f64, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Self { rate, burst, state: Mutex::new(State { tokens: burst, at: None }) }
    }

    /// Waits until a request may be sent.
    pub(crate) async fn pass(&self) {
        let wait = self.take(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a token, going into debt when there is none, and says how long to wait for it.
    fn take(&self, now: Instant) -> Duration {
        if self.rate <= 0.0 {
            return Duration::ZERO;
        }
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let elapsed = state.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        state.at = Some(now);
        state.tokens = (state.tokens + elapsed * self.rate).min(self.burst) - 1.0;
        if state.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-state.tokens / self.rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_keeps_the_rate() {
        let throttle = Throttle::new(10.0, 3);
        let start = Instant::now();
        let waits: Vec<_> = (0..5).map(|_| throttle.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        assert_eq!(throttle.take(start + Duration::from_secs(10)).as_millis(), 0);
    }

    #[test]
    fn no_rate_is_no_limit() {
        let throttle = Throttle::new(0.0, 1);
        let now = Instant::now();
        assert!((0..100).all(|_| throttle.take(now).is_zero()));
    }
}
