//! Dates and durations. The time comes from outside.

use super::text;
use crate::functions::Line;
use crate::machine::Machine;
use crate::number::parse_int;
use crate::text::Text;
use crate::time::{self, Time, duration_text, parse_duration};
use crate::value::Value;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::rc::Rc;

pub(super) const LINES: &[Line] = &[
    ("now", "", |machine, _| Ok(Value::Time(Rc::new(now(machine))))),
    ("ago", "a", |machine, a| {
        let then = instant(machine, &a[0]);
        let since = machine.outside.now().as_nanosecond() - then.timestamp().as_nanosecond();
        let rounded = (since + if since < 0 { -500_000_000 } else { 500_000_000 }) / 1_000_000_000;
        Ok(duration_text(i64::try_from(rounded * 1_000_000_000).unwrap_or(i64::MAX)).into())
    }),
    ("date", "sa", |machine, a| Ok(formatted(machine, &text(a, 0), &a[1], "Local"))),
    ("date_in_zone", "sas", |machine, a| Ok(formatted(machine, &text(a, 0), &a[1], &text(a, 2).to_str()))),
    ("dateInZone", "sas", |machine, a| Ok(formatted(machine, &text(a, 0), &a[1], &text(a, 2).to_str()))),
    ("htmlDate", "a", |machine, a| Ok(formatted(machine, &"2006-01-02".into(), &a[0], "Local"))),
    ("htmlDateInZone", "as", |machine, a| {
        Ok(formatted(machine, &"2006-01-02".into(), &a[0], &text(a, 1).to_str()))
    }),
    ("date_modify", "st", |_, a| Ok(modified(a).unwrap_or_else(|_| a[1].clone()))),
    ("dateModify", "st", |_, a| Ok(modified(a).unwrap_or_else(|_| a[1].clone()))),
    ("must_date_modify", "st", |_, a| modified(a)),
    ("mustDateModify", "st", |_, a| modified(a)),
    ("duration", "a", |_, a| {
        let seconds = match &a[0] {
            Value::String(text) => parse_int(&text.to_str(), 10).unwrap_or(0),
            Value::Int64(seconds) => *seconds,
            _ => 0,
        };
        Ok(duration_text(seconds.wrapping_mul(1_000_000_000)).into())
    }),
    ("durationRound", "a", |machine, a| {
        let nanoseconds = match &a[0] {
            Value::String(text) => parse_duration(&text.to_str()).unwrap_or(0),
            Value::Int64(nanoseconds) => *nanoseconds,
            Value::Time(time) => {
                let since = machine.outside.now().as_nanosecond() - time.timestamp().as_nanosecond();
                i64::try_from(since).unwrap_or(i64::MAX)
            }
            _ => 0,
        };
        Ok(rounded(nanoseconds).into())
    }),
    ("toDate", "ss", |machine, a| {
        let time = Time::parse(&text(a, 0).to_str(), &text(a, 1).to_str(), &local(machine));
        Ok(Value::Time(Rc::new(time.unwrap_or_else(|_| Time::zero()))))
    }),
    ("mustToDate", "ss", |machine, a| {
        let time = Time::parse(&text(a, 0).to_str(), &text(a, 1).to_str(), &local(machine))?;
        Ok(Value::Time(Rc::new(time)))
    }),
    ("unixEpoch", "t", |_, a| match &a[0] {
        Value::Time(time) => Ok(time.timestamp().as_second().to_string().into()),
        _ => Ok(Value::Missing),
    }),
];

fn local(machine: &Machine<'_>) -> TimeZone {
    let name = machine.outside.time_zone();
    time::zone(name, name).unwrap_or(TimeZone::UTC)
}

fn now(machine: &Machine<'_>) -> Time {
    Time::new(machine.outside.now(), local(machine))
}

/// The time a value stands for; now when it stands for none.
fn instant(machine: &Machine<'_>, value: &Value) -> Time {
    let unix =
        |seconds: i64| Timestamp::from_second(seconds).map(|timestamp| Time::new(timestamp, local(machine)));
    match value {
        Value::Time(time) => time.as_ref().clone(),
        Value::Int(seconds) | Value::Int64(seconds) => unix(*seconds).unwrap_or_else(|_| now(machine)),
        Value::Int32(seconds) => unix(i64::from(*seconds)).unwrap_or_else(|_| now(machine)),
        _ => now(machine),
    }
}

fn formatted(machine: &Machine<'_>, layout: &Text, date: &Value, zone: &str) -> Value {
    let zone = time::zone(zone, machine.outside.time_zone()).unwrap_or(TimeZone::UTC);
    Value::text(instant(machine, date).in_zone(zone).format(&layout.to_str()))
}

fn modified(a: &[Value]) -> Result<Value, String> {
    let duration = parse_duration(&text(a, 0).to_str())?;
    match &a[1] {
        Value::Time(time) => Ok(Value::Time(Rc::new(time.plus(duration)))),
        other => Ok(other.clone()),
    }
}

/// The largest unit only: `3mo`, `5h`.
fn rounded(nanoseconds: i64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let units = [
        (SECOND * 3600 * 24 * 365, "y"),
        (SECOND * 3600 * 24 * 30, "mo"),
        (SECOND * 3600 * 24, "d"),
        (SECOND * 3600, "h"),
        (SECOND * 60, "m"),
        (SECOND, "s"),
    ];
    let total = nanoseconds.unsigned_abs();
    let found = units.iter().find(|(unit, _)| total > *unit);
    found.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", total / unit))
}
