//! Points in time as Go prints them, in the user's time zone, and ages as kubectl prints them.

use api::k8s::meta_v1::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// RFC 3339 in the user's zone.
pub(crate) fn local(timestamp: Timestamp) -> String {
    let text = timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    text.strip_suffix("+00:00").map(|utc| format!("{utc}Z")).unwrap_or(text)
}

/// Go's `Time.String`.
pub(crate) fn text(time: &Time) -> String {
    let Some(timestamp) = time.timestamp() else { return "0001-01-01 00:00:00 +0000 UTC".into() };
    timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}

/// As `text`; `<nil>` for a time that is not there.
pub(crate) fn optional(time: Option<&Time>) -> String {
    time.filter(|time| !time.is_zero()).map_or_else(|| "<nil>".into(), text)
}

/// How long ago, roughly: `5s`, `3m10s`, `2d`.
pub(crate) fn age(time: Option<&Time>, now: Timestamp) -> String {
    let Some(start) = time.and_then(Time::timestamp) else { return "<unknown>".into() };
    let seconds = now.as_second() - start.as_second();
    let minutes = seconds / 60;
    let hours = minutes / 60;
    let days = hours / 24;
    let two = |first: i64, unit: &str, rest: i64, small: &str| {
        if rest == 0 { format!("{first}{unit}") } else { format!("{first}{unit}{rest}{small}") }
    };
    match seconds {
        ..=-2 => "<invalid>".into(),
        -1 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2920 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 12 * MONTH;

/// A moment and how far it is from now, in words: `2026-01-02T03:04:05Z (4 seconds ago)`.
pub(crate) fn with_distance(seconds: i64, now: Timestamp) -> String {
    let Ok(moment) = Timestamp::from_second(seconds) else { return seconds.to_string() };
    format!("{} ({})", local(moment), distance(seconds, now.as_second()))
}

fn distance(moment: i64, now: i64) -> String {
    let (seconds, direction) = if moment > now { (moment - now, "from now") } else { (now - moment, "ago") };
    let several = |unit: i64, name: &str| format!("{} {name} {direction}", seconds / unit);
    let one = |name: &str| format!("1 {name} {direction}");
    match seconds {
        ..1 => "now".into(),
        1 => one("second"),
        2..MINUTE => several(1, "seconds"),
        MINUTE..120 => one("minute"),
        120..HOUR => several(MINUTE, "minutes"),
        HOUR..7200 => one("hour"),
        7200..DAY => several(HOUR, "hours"),
        _ if seconds < 2 * DAY => one("day"),
        _ if seconds < WEEK => several(DAY, "days"),
        _ if seconds < 2 * WEEK => one("week"),
        _ if seconds < MONTH => several(WEEK, "weeks"),
        _ if seconds < 2 * MONTH => one("month"),
        _ if seconds < YEAR => several(MONTH, "months"),
        _ if seconds < 18 * MONTH => one("year"),
        _ if seconds < 2 * YEAR => format!("2 years {direction}"),
        _ if seconds < 37 * YEAR => several(YEAR, "years"),
        _ => format!("a long while {direction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_the_largest_unit() {
        let cases = [
            (0, "now"),
            (1, "1 second ago"),
            (4, "4 seconds ago"),
            (90, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600 * 30, "1 day ago"),
            (DAY * 20, "2 weeks ago"),
            (YEAR * 3, "3 years ago"),
        ];
        for (seconds, text) in cases {
            assert_eq!(distance(1_000_000_000 - seconds, 1_000_000_000), text);
        }
        assert_eq!(distance(3599, 0), "59 minutes from now");
    }
}
