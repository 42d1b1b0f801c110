//! Another try after a failed one.

use api::codes::OperationPhase;
use api::k8s::meta_v1::Time;
use api::v1alpha1::{OperationState, RetryStrategy};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use object::GoDuration;

const DEFAULT_DURATION: SignedDuration = SignedDuration::from_secs(5);
const DEFAULT_MAX_DURATION: SignedDuration = SignedDuration::from_mins(3);
const DEFAULT_FACTOR: i64 = 2;

/// How an attempt that ended is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterAttempt {
    /// `Running` when another try follows.
    pub phase: OperationPhase,
    /// The attempt's message, and what follows.
    pub message: String,
    /// Tries so far, without the first.
    pub retry_count: i64,
    /// When the next try is due; nothing when the operation is over.
    pub retry_at: Option<Timestamp>,
}

/// Whether a waiting operation is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDue {
    /// Nothing waits: the operation runs, or is over.
    NotWaiting,
    /// Not before this time.
    At(Timestamp),
    /// Now.
    Now,
}

/// Decides what follows an attempt that ended with `phase` and `message`. What a user or a time limit ended is
/// not tried again. `state` is the operation's state while the attempt ran.
pub fn after_attempt(
    state: &OperationState,
    phase: OperationPhase,
    message: &str,
    terminated: bool,
    now: Timestamp,
) -> AfterAttempt {
    let strategy = &state.operation.retry;
    let over = |phase, message: String| AfterAttempt {
        phase,
        message,
        retry_count: state.retry_count,
        retry_at: None,
    };
    if !matches!(phase, OperationPhase::Failed | OperationPhase::Error) {
        return over(phase, message.to_owned());
    }
    let again = strategy.limit < 0 || state.retry_count < strategy.limit;
    if terminated || !again {
        let retried = match state.retry_count {
            0 => String::new(),
            count => format!(" (retried {count} times)."),
        };
        return over(phase, format!("{message}{retried}"));
    }
    match next_retry(strategy, now, state.retry_count) {
        Err(reason) => over(OperationPhase::Failed, format!("{message} (failed to retry: {reason})")),
        Ok(at) => {
            let retry_count = state.retry_count + 1;
            AfterAttempt {
                phase: OperationPhase::Running,
                message: format!("{message}. Retrying attempt #{retry_count} at {}.", kitchen(at)),
                retry_count,
                retry_at: Some(at),
            }
        }
    }
}

/// Whether an operation whose attempt failed is to be tried again now. It waits while its phase is `Running` and
/// it has an end time.
pub fn retry_due(state: &OperationState, now: Timestamp) -> RetryDue {
    let running = state.phase == OperationPhase::Running.as_str();
    let Some(finished) = state.finished_at.as_ref().and_then(Time::timestamp).filter(|_| running) else {
        return RetryDue::NotWaiting;
    };
    // The count was raised when the attempt ended.
    match next_retry(&state.operation.retry, finished, state.retry_count.saturating_sub(1)) {
        Ok(at) if now < at => RetryDue::At(at),
        _ => RetryDue::Now,
    }
}

/// The state with which the next attempt begins: the results of the one before are gone, and with
/// `retry.refresh` the revision as well.
pub fn begin_retry(state: &OperationState) -> OperationState {
    let mut state = state.clone();
    let mut latest = "";
    if state.operation.retry.refresh {
        latest = " with latest revisions";
        if let Some(sync) = &mut state.operation.sync {
            sync.revision = String::new();
            sync.revisions = Vec::new();
        }
    }
    state.message = format!("Retrying operation{latest}. Attempt #{}", state.retry_count);
    state.finished_at = None;
    state.sync_result = None;
    state
}

/// When an attempt that ended at `finished` is followed by the next, after `retry_count` tries.
pub fn next_retry(
    strategy: &RetryStrategy,
    finished: Timestamp,
    retry_count: i64,
) -> Result<Timestamp, String> {
    let backoff = strategy.backoff.clone().unwrap_or_default();
    let duration = duration_or(&backoff.duration, DEFAULT_DURATION)?;
    let most = duration_or(&backoff.max_duration, DEFAULT_MAX_DURATION)?;
    let factor = backoff.factor.unwrap_or(DEFAULT_FACTOR);
    let mut wait = duration;
    for _ in 0..retry_count.clamp(0, 64) {
        wait = i32::try_from(factor)
            .ok()
            .and_then(|factor| wait.checked_mul(factor))
            .unwrap_or(SignedDuration::MAX);
        if most.is_positive() && wait > most {
            break;
        }
    }
    if most.is_positive() && wait > most {
        wait = most;
    }
    finished.checked_add(wait).map_err(|error| error.to_string())
}

fn duration_or(text: &str, default: SignedDuration) -> Result<SignedDuration, String> {
    if text.is_empty() {
        Ok(default)
    } else {
        go_duration(text).ok_or_else(|| format!("time: invalid duration {text:?}"))
    }
}

/// Reads a duration as Go writes it (`1h2m3.5s`, `100ms`), or a bare number of seconds.
pub fn go_duration(text: &str) -> Option<SignedDuration> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(SignedDuration::from_secs(seconds));
    }
    text.parse().ok().map(|GoDuration(nanoseconds)| SignedDuration::from_nanos(nanoseconds))
}

/// `9:16AM`, in UTC.
pub fn kitchen(at: Timestamp) -> String {
    let time = at.to_zoned(TimeZone::UTC).time();
    let (hour, half) = match time.hour() {
        0 => (12, "AM"),
        hour @ 1..=11 => (hour, "AM"),
        12 => (12, "PM"),
        hour => (hour - 12, "PM"),
    };
    format!("{hour}:{:02}{half}", time.minute())
}
