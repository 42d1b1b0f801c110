//! The methods that Go's times and durations have.

use super::{Civil, NANOSECONDS, Time, Zone, format};
use crate::nature::Nature;
use crate::value::{Function, IntKind, Parameter, Value, as_float};

/// A method's name, what it takes and what it gives.
type Method = (&'static str, &'static [Nature], Nature);

const NOTHING: &[Nature] = &[];
const TIME: &[Nature] = &[Nature::Time];
const DURATION: &[Nature] = &[Nature::Duration];

/// Methods of a time, with what they take and give.
static TIME_METHODS: [Method; 34] = [
    ("Add", DURATION, Nature::Time),
    ("AddDate", &[Nature::Int, Nature::Int, Nature::Int], Nature::Time),
    ("After", TIME, Nature::Bool),
    ("Before", TIME, Nature::Bool),
    ("Clock", NOTHING, Nature::Int),
    ("Compare", TIME, Nature::Int),
    ("Date", NOTHING, Nature::Int),
    ("Day", NOTHING, Nature::Int),
    ("Equal", TIME, Nature::Bool),
    ("Format", &[Nature::Text], Nature::Text),
    ("GoString", NOTHING, Nature::Text),
    ("Hour", NOTHING, Nature::Int),
    ("ISOWeek", NOTHING, Nature::Int),
    ("In", &[Nature::Zone], Nature::Time),
    ("IsDST", NOTHING, Nature::Bool),
    ("IsZero", NOTHING, Nature::Bool),
    ("Local", NOTHING, Nature::Time),
    ("Location", NOTHING, Nature::Zone),
    ("Minute", NOTHING, Nature::Int),
    ("Month", NOTHING, Nature::Month),
    ("Nanosecond", NOTHING, Nature::Int),
    ("Round", DURATION, Nature::Time),
    ("Second", NOTHING, Nature::Int),
    ("String", NOTHING, Nature::Text),
    ("Sub", TIME, Nature::Duration),
    ("Truncate", DURATION, Nature::Time),
    ("UTC", NOTHING, Nature::Time),
    ("Unix", NOTHING, Nature::Int),
    ("UnixMicro", NOTHING, Nature::Int),
    ("UnixMilli", NOTHING, Nature::Int),
    ("UnixNano", NOTHING, Nature::Int),
    ("Weekday", NOTHING, Nature::Weekday),
    ("Year", NOTHING, Nature::Int),
    ("YearDay", NOTHING, Nature::Int),
];

/// Methods of a duration.
static DURATION_METHODS: [Method; 10] = [
    ("Abs", NOTHING, Nature::Duration),
    ("Hours", NOTHING, Nature::Float),
    ("Microseconds", NOTHING, Nature::Int),
    ("Milliseconds", NOTHING, Nature::Int),
    ("Minutes", NOTHING, Nature::Float),
    ("Nanoseconds", NOTHING, Nature::Int),
    ("Round", DURATION, Nature::Duration),
    ("Seconds", NOTHING, Nature::Float),
    ("String", NOTHING, Nature::Text),
    ("Truncate", DURATION, Nature::Duration),
];

/// What is known of a method.
pub(crate) fn method_nature(of: &Nature, name: &str) -> Option<Nature> {
    static TEXT: Nature = Nature::Text;
    let methods = match of {
        Nature::Time => &TIME_METHODS[..],
        Nature::Duration => &DURATION_METHODS[..],
        Nature::Zone | Nature::Month | Nature::Weekday if name == "String" => {
            return Some(Nature::Method(NOTHING, &TEXT));
        }
        _ => return None,
    };
    methods
        .iter()
        .find(|(it, ..)| *it == name)
        .map(|(_, parameters, result)| Nature::Method(parameters, result))
}

fn no_arguments(value: Value) -> Value {
    Value::Function(Function::new(&[], move |_| Ok(value.clone())))
}

fn with_time(time: &Time, body: impl Fn(&Time, &Time) -> Value + Send + Sync + 'static) -> Value {
    let time = time.clone();
    Value::Function(Function::new(&[Parameter::Time], move |arguments| match arguments {
        [Value::Time(other)] => Ok(body(&time, other)),
        _ => Ok(Value::Nil),
    }))
}

fn with_duration(time: &Time, body: impl Fn(&Time, i64) -> Time + Send + Sync + 'static) -> Value {
    let time = time.clone();
    Value::Function(Function::new(&[Parameter::Duration], move |arguments| match arguments {
        [Value::Duration(duration)] => Ok(Value::Time(body(&time, *duration))),
        _ => Ok(Value::Nil),
    }))
}

/// A method bound to its time; `Local` is in that zone.
pub(crate) fn time_method(time: &Time, name: &str, local: &Zone) -> Option<Value> {
    let civil = time.civil();
    let (seconds, nanoseconds) = time.instant();
    let unix = |scale: i64| {
        let whole = seconds.saturating_mul(scale);
        Value::Int(whole.saturating_add(nanoseconds / (NANOSECONDS / scale)), IntKind::Int64)
    };
    Some(match name {
        "Add" => with_duration(time, Time::add),
        "Truncate" => with_duration(time, |time, step| time.add(-past(time, step))),
        "Round" => with_duration(time, |time, step| {
            if step <= 0 {
                return time.clone();
            }
            let past = past(time, step);
            time.add(if past + past < step { -past } else { step - past })
        }),
        "After" => with_time(time, |time, other| Value::Bool(time.instant() > other.instant())),
        "Before" => with_time(time, |time, other| Value::Bool(time.instant() < other.instant())),
        "Equal" => with_time(time, |time, other| Value::Bool(time.instant() == other.instant())),
        "Compare" => with_time(time, |time, other| Value::int(time.instant().cmp(&other.instant()) as i64)),
        "Sub" => with_time(time, |time, other| Value::Duration(time.since(other))),
        "AddDate" => add_date(time, civil),
        "Format" => {
            let time = time.clone();
            Value::Function(Function::new(&[Parameter::Text], move |arguments| match arguments {
                [Value::Text(layout)] => Ok(Value::text(format(&time, layout))),
                _ => Ok(Value::Nil),
            }))
        }
        "In" => {
            let time = time.clone();
            Value::Function(Function::new(&[Parameter::Zone], move |arguments| match arguments {
                [Value::Zone(zone)] => Ok(Value::Time(time.in_zone(zone.clone()))),
                _ => Ok(Value::Nil),
            }))
        }
        "String" | "GoString" => no_arguments(Value::text(time.to_string())),
        "UTC" => no_arguments(Value::Time(time.in_zone(Zone::Utc))),
        "Local" => no_arguments(Value::Time(time.in_zone(local.clone()))),
        "Location" => no_arguments(Value::Zone(time.zone().clone())),
        "IsZero" => no_arguments(Value::Bool(time.instant() == Time::zero().instant())),
        "IsDST" => no_arguments(Value::Bool(false)),
        "Unix" => no_arguments(unix(1)),
        "UnixMilli" => no_arguments(unix(1_000)),
        "UnixMicro" => no_arguments(unix(1_000_000)),
        "UnixNano" => no_arguments(unix(NANOSECONDS)),
        "Year" | "Date" => no_arguments(Value::int(civil.year)),
        "Month" => no_arguments(Value::Int(civil.month, IntKind::Month)),
        "Day" => no_arguments(Value::int(civil.day)),
        "Hour" | "Clock" => no_arguments(Value::int(civil.hour)),
        "Minute" => no_arguments(Value::int(civil.minute)),
        "Second" => no_arguments(Value::int(civil.second)),
        "Nanosecond" => no_arguments(Value::int(nanoseconds)),
        "YearDay" => no_arguments(Value::int(time.day_of_year())),
        "Weekday" => no_arguments(Value::Int(time.weekday(), IntKind::Weekday)),
        "ISOWeek" => no_arguments(Value::int(iso_year(time, civil))),
        _ => return None,
    })
}

/// How far a time is past the last whole step since the zero time.
fn past(time: &Time, step: i64) -> i64 {
    if step <= 0 {
        return 0;
    }
    let since = i128::from(time.instant().0 - Time::zero().instant().0) * i128::from(NANOSECONDS);
    let past = (since + i128::from(time.instant().1)).rem_euclid(i128::from(step));
    i64::try_from(past).unwrap_or(0)
}

fn add_date(time: &Time, civil: Civil) -> Value {
    let time = time.clone();
    let parameters = &[Parameter::Int, Parameter::Int, Parameter::Int];
    Value::Function(Function::new(parameters, move |arguments| match arguments {
        [Value::Int(years, _), Value::Int(months, _), Value::Int(days, _)] => {
            let (year, month) = (civil.year.saturating_add(*years), civil.month.saturating_add(*months));
            let day = civil.day.saturating_add(*days).clamp(-1_000_000_000, 1_000_000_000);
            let civil = Civil { year, month, day, ..civil };
            Ok(Value::Time(Time::from_civil(civil, time.instant().1, time.zone().clone())))
        }
        _ => Ok(Value::Nil),
    }))
}

/// The year that the week belongs to, by its Thursday.
fn iso_year(time: &Time, civil: Civil) -> i64 {
    let from_monday = (time.weekday() + 6) % 7;
    let thursday = Civil { day: civil.day + 3 - from_monday, ..civil };
    Civil::of(thursday.seconds()).year
}

/// A method bound to its duration.
pub(crate) fn duration_method(nanoseconds: i64, name: &str) -> Option<Value> {
    // As Go counts: whole units and the rest apart, which decides the last digit.
    let units = |unit: i64| {
        let (whole, rest) = (nanoseconds / unit, nanoseconds % unit);
        Value::Float(as_float(whole) + as_float(rest) / as_float(unit))
    };
    let steps = |body: fn(i64, i64) -> i64| {
        Value::Function(Function::new(&[Parameter::Duration], move |arguments| match arguments {
            [Value::Duration(step)] if *step > 0 => Ok(Value::Duration(body(nanoseconds, *step))),
            _ => Ok(Value::Duration(nanoseconds)),
        }))
    };
    Some(match name {
        "Hours" => no_arguments(units(3_600 * NANOSECONDS)),
        "Minutes" => no_arguments(units(60 * NANOSECONDS)),
        "Seconds" => no_arguments(units(NANOSECONDS)),
        "Milliseconds" => no_arguments(Value::Int(nanoseconds / 1_000_000, IntKind::Int64)),
        "Microseconds" => no_arguments(Value::Int(nanoseconds / 1_000, IntKind::Int64)),
        "Nanoseconds" => no_arguments(Value::Int(nanoseconds, IntKind::Int64)),
        "Abs" => no_arguments(Value::Duration(nanoseconds.saturating_abs())),
        "String" => no_arguments(Value::text(super::duration_text(nanoseconds))),
        "Truncate" => steps(|duration, step| duration - duration % step),
        "Round" => steps(|duration, step| {
            let rest = duration % step;
            let away = rest.unsigned_abs() * 2 >= step.unsigned_abs();
            match (away, duration < 0) {
                (false, _) => duration - rest,
                (true, false) => (duration - rest).saturating_add(step),
                (true, true) => (duration - rest).saturating_sub(step),
            }
        }),
        _ => return None,
    })
}
