//! Retries: what follows a failed attempt, when, and in which words.

use api::codes::OperationPhase::{Error, Failed, Running, Succeeded};
use api::v1alpha1::{Backoff, Operation, OperationState, RetryStrategy, SyncOperation};
use jiff::{SignedDuration, Timestamp};
use sync::{RetryDue, after_attempt, begin_retry, go_duration, kitchen, next_retry, retry_due};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn strategy(limit: i64, duration: &str, factor: Option<i64>, max_duration: &str) -> RetryStrategy {
    let backoff = Backoff { duration: duration.into(), factor, max_duration: max_duration.into() };
    RetryStrategy { limit, backoff: Some(backoff), refresh: false }
}

fn state(retry: RetryStrategy, retry_count: i64) -> OperationState {
    let sync = SyncOperation { revision: "abc".into(), ..SyncOperation::default() };
    let operation = Operation { sync: Some(sync), retry, ..Operation::default() };
    OperationState { operation, phase: "Running".into(), retry_count, ..OperationState::default() }
}

#[test]
fn words_are_the_recorded_ones() {
    let now = at("2026-01-01T09:16:02Z");
    let retry = strategy(2, "3s", Some(1), "3m0s");
    let first = after_attempt(&state(retry.clone(), 0), Failed, "boom", false, now);
    assert_eq!(first.message, "boom. Retrying attempt #1 at 9:16AM.");
    assert_eq!((first.phase, first.retry_count), (Running, 1));
    assert_eq!(first.retry_at, Some(at("2026-01-01T09:16:05Z")));
    let last = after_attempt(&state(retry.clone(), 2), Failed, "boom", false, now);
    assert_eq!((last.phase, last.message.as_str()), (Failed, "boom (retried 2 times)."));
    assert_eq!(last.retry_at, None);
    let stopped = after_attempt(&state(retry.clone(), 1), Failed, "Operation terminated", true, now);
    assert_eq!(
        (stopped.phase, stopped.message.as_str()),
        (Failed, "Operation terminated (retried 1 times).")
    );
    let well = after_attempt(&state(retry, 1), Succeeded, "successfully synced (all tasks run)", false, now);
    assert_eq!((well.phase, well.message.as_str()), (Succeeded, "successfully synced (all tasks run)"));
    let never = after_attempt(&state(RetryStrategy::default(), 0), Error, "boom", false, now);
    assert_eq!((never.phase, never.message.as_str()), (Error, "boom"));
    let endless = after_attempt(&state(strategy(-1, "", None, ""), 1000), Failed, "boom", false, now);
    assert_eq!(endless.retry_at, Some(at("2026-01-01T09:19:02Z")));
    let wrong = after_attempt(&state(strategy(5, "soon", None, ""), 0), Failed, "boom", false, now);
    assert_eq!(wrong.message, "boom (failed to retry: time: invalid duration \"soon\")");
}

#[test]
fn waits_grow_to_their_cap() {
    let now = at("2026-01-01T00:00:00Z");
    let seconds = |strategy: &RetryStrategy, count| {
        next_retry(strategy, now, count).expect("a time").as_second() - now.as_second()
    };
    let defaults = RetryStrategy::default();
    assert_eq!(
        [0, 1, 2, 3, 4, 5, 6, 60].map(|count| seconds(&defaults, count)),
        [5, 10, 20, 40, 80, 160, 180, 180]
    );
    let bare = strategy(5, "7", Some(3), "100");
    assert_eq!([0, 1, 2, 3].map(|count| seconds(&bare, count)), [7, 21, 63, 100]);
    let uncapped = strategy(5, "1s", Some(10), "0");
    assert_eq!(seconds(&uncapped, 4), 10_000);
}

#[test]
fn the_time_that_is_told_is_the_time_it_is_due() {
    let now = at("2026-01-01T00:00:00Z");
    let retry = strategy(5, "5s", Some(2), "3m");
    let ended = after_attempt(&state(retry.clone(), 1), Failed, "boom", false, now);
    let mut waiting = state(retry, ended.retry_count);
    waiting.finished_at = Some(now.into());
    let due = ended.retry_at.expect("another try");
    assert_eq!(retry_due(&waiting, now), RetryDue::At(due));
    assert_eq!(retry_due(&waiting, due), RetryDue::Now);
    waiting.phase = "Failed".into();
    assert_eq!(retry_due(&waiting, due), RetryDue::NotWaiting);
}

#[test]
fn the_next_try_starts_over() {
    let mut failed = state(RetryStrategy { refresh: true, ..RetryStrategy::default() }, 3);
    failed.finished_at = Some(at("2026-01-01T00:00:00Z").into());
    failed.sync_result = Some(api::v1alpha1::SyncOperationResult::default());
    let next = begin_retry(&failed);
    assert_eq!(next.message, "Retrying operation with latest revisions. Attempt #3");
    assert_eq!((next.finished_at, next.sync_result), (None, None));
    assert_eq!(next.operation.sync.expect("a sync").revision, "");
}

#[test]
fn durations_and_times_read_as_in_go() {
    let milliseconds = |text| go_duration(text).map(|duration: SignedDuration| duration.as_millis());
    assert_eq!(milliseconds("3m0s"), Some(180_000));
    assert_eq!(milliseconds("1h2m3.5s"), Some(3_723_500));
    assert_eq!(milliseconds("100ms"), Some(100));
    assert_eq!(milliseconds("-1.5h"), Some(-5_400_000));
    assert_eq!(milliseconds("30"), Some(30_000));
    for wrong in ["", "-", "s", "3x", "3 s", "1..5s", "3m0"] {
        assert_eq!(milliseconds(wrong), None, "{wrong:?}");
    }
    let told = [0, 1, 11, 12, 13, 23].map(|hour| kitchen(at(&format!("2026-01-01T{hour:02}:05:00Z"))));
    assert_eq!(told, ["12:05AM", "1:05AM", "11:05AM", "12:05PM", "1:05PM", "11:05PM"]);
}
