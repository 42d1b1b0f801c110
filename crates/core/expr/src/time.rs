//! Times, zones and durations as Go has them: what they are called, how they print, what layouts mean.

mod format;
mod methods;
mod parse;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

pub use format::format;
pub use parse::{parse, parse_in};

pub(crate) use methods::{duration_method, method_nature, time_method};

/// A moment and the zone it is told in.
#[derive(Clone, Debug)]
pub struct Time {
    seconds: i64,
    nanoseconds: i64,
    zone: Zone,
}

/// A time zone.
#[derive(Clone, Debug)]
pub enum Zone {
    /// UTC.
    Utc,
    /// Seconds east of Greenwich, with a name or none.
    Fixed(i64, Arc<str>),
    /// A place of the zone database.
    Place(Arc<str>, TimeZone),
}

/// A moment taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

pub(crate) const NANOSECONDS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Go's zero time, in seconds of Unix.
const ZERO: i64 = -62_135_596_800;

/// Layouts by the names Go gives them.
pub const LAYOUTS: [(&str, &str); 16] = [
    ("Layout", "01/02 03:04:05PM '06 -0700"),
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", RFC3339),
    ("RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"),
    ("Kitchen", "3:04PM"),
    ("Stamp", "Jan _2 15:04:05"),
    ("StampMilli", "Jan _2 15:04:05.000"),
    ("StampMicro", "Jan _2 15:04:05.000000"),
    ("StampNano", "Jan _2 15:04:05.000000000"),
];

/// The layout of most times in Kubernetes objects.
pub const RFC3339: &str = "2006-01-02T15:04:05Z07:00";

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
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(crate) fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).unwrap_or(&"")
}

pub(crate) fn weekday_name(day: i64) -> &'static str {
    usize::try_from(day).ok().and_then(|place| WEEKDAYS.get(place)).unwrap_or(&"")
}

impl Zone {
    /// The zone of that name; the empty one is UTC.
    pub fn find(name: &str) -> Result<Self, String> {
        match name {
            "" | "UTC" | "Local" => Ok(Self::Utc),
            _ if name.contains("..") || name.starts_with(['/', '\\']) => {
                Err("time: invalid location name".to_owned())
            }
            _ => match TimeZoneDatabase::bundled().get(name) {
                Ok(zone) => Ok(Self::Place(Arc::from(name), zone)),
                Err(_) => Err(format!("unknown time zone {name}")),
            },
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Fixed(_, name) | Self::Place(name, _) => name,
        }
    }

    /// The same for `jiff`.
    pub fn to_jiff(&self) -> TimeZone {
        match self {
            Self::Utc => TimeZone::UTC,
            Self::Fixed(seconds, _) => {
                let offset =
                    i32::try_from(*seconds).ok().and_then(|it| jiff::tz::Offset::from_seconds(it).ok());
                offset.map_or(TimeZone::UTC, TimeZone::fixed)
            }
            Self::Place(_, zone) => zone.clone(),
        }
    }

    /// Seconds east of Greenwich at a moment, and what the zone is called then.
    fn at(&self, seconds: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(offset, name) => (*offset, name.to_string()),
            Self::Place(_, zone) => {
                let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
                let info = zone.to_offset_info(moment);
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
            }
        }
    }

    /// The seconds of Unix at which clocks there show this, given as if they were seconds of Unix.
    fn seconds_of(&self, shown: i64) -> i64 {
        let guess = shown - self.at(shown).0;
        shown - self.at(guess).0
    }
}

impl Time {
    /// A moment, in UTC.
    pub fn at(moment: Timestamp) -> Self {
        Self::new(moment.as_second(), i64::from(moment.subsec_nanosecond()), Zone::Utc)
    }

    /// Go's zero time: the first day of the year 1.
    pub fn zero() -> Self {
        Self::new(ZERO, 0, Zone::Utc)
    }

    /// Nanoseconds may be any number.
    pub(crate) fn new(seconds: i64, nanoseconds: i64, zone: Zone) -> Self {
        let seconds = seconds.saturating_add(nanoseconds.div_euclid(NANOSECONDS));
        Self { seconds, nanoseconds: nanoseconds.rem_euclid(NANOSECONDS), zone }
    }

    /// What clocks in that zone show.
    pub(crate) fn from_civil(civil: Civil, nanoseconds: i64, zone: Zone) -> Self {
        let shown = civil.seconds();
        Self::new(zone.seconds_of(shown), nanoseconds, zone)
    }

    /// Seconds of Unix and nanoseconds.
    pub fn instant(&self) -> (i64, i64) {
        (self.seconds, self.nanoseconds)
    }

    /// Its zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The same moment in another zone.
    pub fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    pub(crate) fn add(&self, nanoseconds: i64) -> Self {
        let seconds = self.seconds.saturating_add(nanoseconds.div_euclid(NANOSECONDS));
        Self::new(seconds, self.nanoseconds + nanoseconds.rem_euclid(NANOSECONDS), self.zone.clone())
    }

    /// Nanoseconds since the other, held at the ends of the range.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanoseconds =
            seconds * i128::from(NANOSECONDS) + i128::from(self.nanoseconds) - i128::from(other.nanoseconds);
        let held = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        i64::try_from(held).unwrap_or(i64::MAX)
    }

    pub(crate) fn civil(&self) -> Civil {
        Civil::of(self.seconds.saturating_add(self.zone.at(self.seconds).0))
    }

    /// 0 is Sunday.
    pub(crate) fn weekday(&self) -> i64 {
        let shown = self.seconds.saturating_add(self.zone.at(self.seconds).0);
        (shown.div_euclid(DAY) + 4).rem_euclid(7)
    }

    pub(crate) fn day_of_year(&self) -> i64 {
        let civil = self.civil();
        days(civil.year, civil.month, civil.day) - days(civil.year, 1, 1) + 1
    }

    fn offset(&self) -> (i64, String) {
        self.zone.at(self.seconds)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&format(self, "2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

impl Civil {
    fn of(shown: i64) -> Self {
        let (day, second) = (shown.div_euclid(DAY), shown.rem_euclid(DAY));
        // Days since the first of March of the year 0, in eras of 400 years.
        let day = day + 719_468;
        let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: year + era * 400 + i64::from(month <= 2),
            month,
            day: day - (153 * shifted + 2) / 5 + 1,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// Any of the numbers may be out of its range and is carried over.
    fn seconds(self) -> i64 {
        let months = self.year.saturating_mul(12).saturating_add(self.month - 1);
        let day = days(months.div_euclid(12), months.rem_euclid(12) + 1, self.day);
        day.saturating_mul(DAY).saturating_add(self.hour * 3_600 + self.minute * 60 + self.second)
    }
}

/// Days since 1970.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year.clamp(-1_000_000_000, 1_000_000_000) - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * shifted + 2) / 5 + day - 1 - 719_468
}

fn days_in(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
    next - days(year, month, 1)
}

/// `1h30m0s`.
pub(crate) fn duration_text(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let decimal = |whole: u64, rest: u64, digits: usize, unit: &str| {
        let rest = format!("{rest:0digits$}");
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        format!("{whole}{point}{rest}{unit}")
    };
    let text = match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => decimal(total / 1_000, total % 1_000, 3, "µs"),
        1_000_000..1_000_000_000 => decimal(total / 1_000_000, total % 1_000_000, 6, "ms"),
        _ => {
            let (seconds, rest) = (total / 1_000_000_000, total % 1_000_000_000);
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            let seconds = decimal(seconds % 60, rest, 9, "s");
            match (hours, minutes) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    };
    format!("{sign}{text}")
}

/// `time.ParseDuration`.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", crate::text::quoted(text));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || whole.len() > 19 {
            return Err(invalid());
        }
        let end = after.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let scale: i128 = match unit {
            "" => return Err(format!("time: missing unit in duration {}", crate::text::quoted(text))),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            other => {
                let (unit, text) = (crate::text::quoted(other), crate::text::quoted(text));
                return Err(format!("time: unknown unit {unit} in duration {text}"));
            }
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let digits = &fraction[..fraction.len().min(18)];
        let part: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| invalid())? };
        let power = 10_i128.pow(u32::try_from(digits.len()).unwrap_or(0));
        total += whole * scale + part * scale / power;
        if total > i128::from(i64::MAX) + 1 {
            return Err(invalid());
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}
