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
