//! Go's `time.Time` and `time.Duration`: layouts, zones, methods.

use crate::text::Text;
use crate::value::Value;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use std::fmt;
use std::rc::Rc;

/// An instant in a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    zoned: Zoned,
    /// Go's zero time, January 1 of year 1.
    pub(crate) zero: bool,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Sunday => "Sunday",
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
    }
}

/// A zone by its name; `Local` is the given one. `None` when it is not known.
pub(crate) fn zone(name: &str, local: &str) -> Option<TimeZone> {
    match name {
        "" | "UTC" => Some(TimeZone::UTC),
        "Local" if local != "Local" => zone(local, local),
        _ => TimeZone::get(name).ok(),
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

impl Time {
    /// An instant in a zone.
    pub fn new(timestamp: Timestamp, zone: TimeZone) -> Self {
        Self { zoned: timestamp.to_zoned(zone), zero: false }
    }

    /// Go's zero time.
    pub(crate) fn zero() -> Self {
        let date = jiff::civil::date(1, 1, 1).at(0, 0, 0, 0);
        let zoned =
            date.to_zoned(TimeZone::UTC).unwrap_or_else(|_| Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC));
        Self { zoned, zero: true }
    }

    fn of(zoned: Zoned) -> Self {
        Self { zoned, zero: false }
    }

    /// The instant.
    pub fn timestamp(&self) -> Timestamp {
        self.zoned.timestamp()
    }

    /// The same instant in another zone.
    pub(crate) fn in_zone(&self, zone: TimeZone) -> Self {
        Self { zoned: self.zoned.with_time_zone(zone), zero: self.zero }
    }

    /// Later by so many nanoseconds.
    pub(crate) fn plus(&self, nanoseconds: i64) -> Self {
        self.zoned.checked_add(nanoseconds.nanoseconds()).map_or_else(|_| self.clone(), Self::of)
    }

    fn zone_name(&self) -> String {
        let info = self.zoned.time_zone().to_offset_info(self.zoned.timestamp());
        let name = info.abbreviation().to_owned();
        // A zone without a name of its own shows its offset.
        if name.is_empty() || name.starts_with(['+', '-']) {
            return offset(self.zoned.offset().seconds(), "-0700");
        }
        name
    }

    /// The text by a layout.
    pub(crate) fn format(&self, layout: &str) -> String {
        let mut out = String::with_capacity(layout.len() + 8);
        let mut rest = layout;
        while !rest.is_empty() {
            let (before, element, after) = crate::layout::next_element(rest);
            out.push_str(before);
            if let Some(element) = element {
                self.write(&mut out, element);
            }
            rest = after;
        }
        out
    }

    fn write(&self, out: &mut String, element: &str) {
        let time = &self.zoned;
        let (hour, month) = (time.hour(), MONTHS[usize::try_from(time.month() - 1).unwrap_or(0).min(11)]);
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let offset_seconds = time.offset().seconds();
        let text = match element {
            "2006" => format!("{:04}", time.year()),
            "06" => format!("{:02}", time.year().rem_euclid(100)),
            "January" => month.into(),
            "Jan" => month[..3].into(),
            "01" => format!("{:02}", time.month()),
            "1" => time.month().to_string(),
            "Monday" => weekday(time.weekday()).into(),
            "Mon" => weekday(time.weekday())[..3].into(),
            "2" => time.day().to_string(),
            "_2" => format!("{:>2}", time.day()),
            "02" => format!("{:02}", time.day()),
            "__2" => format!("{:>3}", time.day_of_year()),
            "002" => format!("{:03}", time.day_of_year()),
            "15" => format!("{hour:02}"),
            "3" => twelve.to_string(),
            "03" => format!("{twelve:02}"),
            "4" => time.minute().to_string(),
            "04" => format!("{:02}", time.minute()),
            "5" => time.second().to_string(),
            "05" => format!("{:02}", time.second()),
            "PM" => if hour >= 12 { "PM" } else { "AM" }.into(),
            "pm" => if hour >= 12 { "pm" } else { "am" }.into(),
            "MST" => self.zone_name(),
            _ if element.starts_with(['.', ',']) => {
                crate::layout::fraction(element, u32::try_from(time.subsec_nanosecond()).unwrap_or(0))
            }
            _ if element.starts_with('Z') && offset_seconds == 0 => "Z".into(),
            _ => offset(offset_seconds, element),
        };
        out.push_str(&text);
    }
}

/// An offset from UTC by its layout.
fn offset(seconds: i32, layout: &str) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.unsigned_abs();
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60);
    match layout.get(1..).unwrap_or_default() {
        "07:00" => format!("{sign}{hours:02}:{minutes:02}"),
        "07" => format!("{sign}{hours:02}"),
        "070000" => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
        "07:00:00" => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

fn text_argument(arguments: &[Value]) -> Result<String, String> {
    match arguments {
        [Value::String(text)] => Ok(text.to_str().into_owned()),
        _ => Err("wrong type for value; expected string".into()),
    }
}

fn integer_arguments<const N: usize>(arguments: &[Value]) -> Result<[i64; N], String> {
    let numbers: Vec<i64> =
        arguments.iter().filter_map(Value::integer).filter_map(|number| i64::try_from(number).ok()).collect();
    numbers.try_into().map_err(|_| "wrong type for value; expected int".to_owned())
}

/// A method of `time.Time`; `None` when there is none of that name.
/// A method of a time; `Local` is in the zone of that name.
pub(crate) fn method(
    time: &Rc<Time>,
    name: &str,
    arguments: &[Value],
    local: &str,
) -> Option<Result<Value, String>> {
    let zoned = &time.zoned;
    let int = |number: i64| Some(Ok(Value::Int(number)));
    let instant = |time: Time| Some(Ok(Value::Time(Rc::new(time))));
    match name {
        "Year" => int(zoned.year().into()),
        "Month" => Some(Ok(Value::text(MONTHS[usize::try_from(zoned.month() - 1).unwrap_or(0).min(11)]))),
        "Day" => int(zoned.day().into()),
        "Hour" => int(zoned.hour().into()),
        "Minute" => int(zoned.minute().into()),
        "Second" => int(zoned.second().into()),
        "Nanosecond" => int(zoned.subsec_nanosecond().into()),
        "YearDay" => int(zoned.day_of_year().into()),
        "Weekday" => Some(Ok(Value::text(weekday(zoned.weekday())))),
        "Unix" => Some(Ok(Value::Int64(zoned.timestamp().as_second()))),
        "UnixMilli" => Some(Ok(Value::Int64(zoned.timestamp().as_millisecond()))),
        "UnixMicro" => Some(Ok(Value::Int64(zoned.timestamp().as_microsecond()))),
        "UnixNano" => {
            let nanoseconds = i64::try_from(zoned.timestamp().as_nanosecond()).unwrap_or(0);
            Some(Ok(Value::Int64(nanoseconds)))
        }
        "IsZero" => Some(Ok(Value::Bool(time.zero))),
        "String" => Some(Ok(Value::text(time.to_string()))),
        "UTC" => instant(time.in_zone(TimeZone::UTC)),
        "Local" => instant(time.in_zone(zone(local, "UTC").unwrap_or(TimeZone::UTC))),
        "Format" => Some(text_argument(arguments).map(|layout| Value::text(time.format(&layout)))),
        "AddDate" => Some(
            integer_arguments::<3>(arguments)
                .map(|[years, months, days]| Value::Time(Rc::new(time.plus_date(years, months, days)))),
        ),
        "Add" => match arguments {
            [Value::Duration(duration)] => instant(time.plus(*duration)),
            _ => Some(Err("wrong type for value; expected time.Duration".into())),
        },
        "Sub" | "Before" | "After" | "Equal" => match arguments {
            [Value::Time(other)] => Some(Ok(compared(time, other, name))),
            _ => Some(Err("wrong type for value; expected time.Time".into())),
        },
        "Truncate" | "Round" => match arguments {
            [Value::Duration(_)] => instant(time.as_ref().clone()),
            _ => Some(Err("wrong type for value; expected time.Duration".into())),
        },
        _ => None,
    }
}

fn compared(time: &Time, other: &Time, name: &str) -> Value {
    let (left, right) = (time.timestamp(), other.timestamp());
    match name {
        "Before" => Value::Bool(left < right),
        "After" => Value::Bool(left > right),
        "Equal" => Value::Bool(left == right),
        _ => {
            let difference = left.as_nanosecond() - right.as_nanosecond();
            let clamped = difference.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            Value::Duration(i64::try_from(clamped).unwrap_or(0))
        }
    }
}

impl Time {
    /// Go's `AddDate`: what overflows a month runs into the next.
    fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.zoned.datetime();
        let months =
            i64::from(civil.year()) * 12 + i64::from(civil.month()) - 1 + years.saturating_mul(12) + months;
        let first = i16::try_from(months.div_euclid(12)).ok().and_then(|year| {
            let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
            jiff::civil::Date::new(year, month, 1).ok()
        });
        let moved = first.and_then(|first| {
            let days = days.checked_add(i64::from(civil.day()) - 1)?;
            let date = first.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
            date.to_datetime(civil.time()).to_zoned(self.zoned.time_zone().clone()).ok()
        });
        moved.map_or_else(|| self.clone(), Self::of)
    }

    /// Reads a text by a layout; what the text does not say of the zone is the given one.
    pub(crate) fn parse(layout: &str, text: &str, zone: &TimeZone) -> Result<Self, String> {
        let parts = crate::layout::parse(layout, text)?;
        let complain = || {
            let (text, layout) =
                (crate::quote::quote(text.as_bytes()), crate::quote::quote(layout.as_bytes()));
            format!("parsing time {text}: day out of range").replace(&layout, "")
        };
        let date = jiff::civil::Date::new(parts.year, parts.month, parts.day).map_err(|_| complain())?;
        let time = jiff::civil::Time::new(parts.hour, parts.minute, parts.second, parts.nanosecond)
            .map_err(|_| complain())?;
        let zone = match parts.offset {
            Some(0) => TimeZone::UTC,
            Some(seconds) => {
                let offset = jiff::tz::Offset::from_seconds(seconds).map_err(|_| complain())?;
                TimeZone::fixed(offset)
            }
            None => zone.clone(),
        };
        date.to_datetime(time).to_zoned(zone).map(Self::of).map_err(|_| complain())
    }
}

/// A duration as Go prints it: `1h2m3.5s`, `1.5ms`, `0s`.
pub(crate) fn duration_text(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    if total == 0 {
        return "0s".into();
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let decimal = |whole: u64, fraction: u64, digits: usize| {
        let text = format!("{fraction:0digits$}");
        let text = text.trim_end_matches('0');
        if text.is_empty() { whole.to_string() } else { format!("{whole}.{text}") }
    };
    if total < 1_000 {
        return format!("{sign}{total}ns");
    }
    if total < 1_000_000 {
        return format!("{sign}{}µs", decimal(total / 1_000, total % 1_000, 3));
    }
    if total < 1_000_000_000 {
        return format!("{sign}{}ms", decimal(total / 1_000_000, total % 1_000_000, 6));
    }
    let seconds = total / 1_000_000_000;
    let tail = decimal(seconds % 60, total % 1_000_000_000, 9);
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{sign}{tail}s"),
        (0, minutes) => format!("{sign}{minutes}m{tail}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{tail}s"),
    }
}

/// A method of `time.Duration`.
pub(crate) fn duration_method(nanoseconds: i64, name: &str) -> Option<Result<Value, String>> {
    let seconds = crate::number::float(nanoseconds) / 1e9;
    match name {
        "String" => Some(Ok(Value::text(duration_text(nanoseconds)))),
        "Seconds" => Some(Ok(Value::Float(seconds))),
        "Minutes" => Some(Ok(Value::Float(seconds / 60.0))),
        "Hours" => Some(Ok(Value::Float(seconds / 3600.0))),
        "Milliseconds" => Some(Ok(Value::Int64(nanoseconds / 1_000_000))),
        "Microseconds" => Some(Ok(Value::Int64(nanoseconds / 1_000))),
        "Nanoseconds" => Some(Ok(Value::Int64(nanoseconds))),
        _ => None,
    }
}

/// Reads a duration such as `-1h30m2.5s`.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let complain = || format!("time: invalid duration {}", crate::quote::quote(text.as_bytes()));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(complain());
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(length);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 40 {
            return Err(complain());
        }
        let length = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, after) = tail.split_at(length);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" => return Err(complain().replace("invalid", "missing unit in")),
            _ => return Err(complain()),
        };
        let digits = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<i128>() };
        let whole = digits(whole).map_err(|_| complain())?;
        let cut = &fraction[..fraction.len().min(12)];
        let power = 10_i128.pow(u32::try_from(cut.len()).unwrap_or(0));
        let part = digits(cut).map_err(|_| complain())? * scale / power;
        total = total.saturating_add(whole.saturating_mul(scale)).saturating_add(part);
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| complain())
}

/// A text for callers that print times.
pub(crate) fn json_text(time: &Time) -> Text {
    Text::from(time.format("2006-01-02T15:04:05.999999999Z07:00"))
}
