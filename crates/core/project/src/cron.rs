//! Schedules of five fields, as `robfig/cron` reads them: minute, hour, day of month, month, day of week.
//! When both days are given, either will do.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

/// Nothing is looked for further ahead; a schedule like 30 February never comes.
const YEARS_AHEAD: i16 = 5;

/// When something begins, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Days {
    of_month: u64,
    of_week: u64,
    /// `*` and `?` do not count as given.
    of_month_open: bool,
    of_week_open: bool,
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// Not five fields.
    #[error("expected exactly 5 fields, found {}: [{}]", .0.len(), .0.join(" "))]
    Fields(Vec<String>),
    /// Nothing at all.
    #[error("empty spec string")]
    Empty,
    /// A word such as `@daily`.
    #[error("parser does not accept descriptors: {0}")]
    Descriptor(String),
    /// A part that is no number or range.
    #[error("failed to parse int from {0}")]
    Number(String),
    /// A range that is turned round, outside its field, or with a step of nothing.
    #[error("{0}")]
    Range(String),
}

struct Field {
    low: u64,
    high: u64,
    names: &'static [&'static str],
}

const MINUTES: Field = Field { low: 0, high: 59, names: &[] };
const HOURS: Field = Field { low: 0, high: 23, names: &[] };
const DAYS_OF_MONTH: Field = Field { low: 1, high: 31, names: &[] };
const MONTHS: Field = Field {
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: Field =
    Field { low: 0, high: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads a schedule.
    pub fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        if text.is_empty() {
            return Err(InvalidSchedule::Empty);
        }
        if text.starts_with('@') {
            return Err(InvalidSchedule::Descriptor(text.into()));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, of_month, months, of_week] = fields[..] else {
            return Err(InvalidSchedule::Fields(fields.iter().map(|field| (*field).to_owned()).collect()));
        };
        let (minutes, _) = MINUTES.read(minutes)?;
        let (hours, _) = HOURS.read(hours)?;
        let (of_month, of_month_open) = DAYS_OF_MONTH.read(of_month)?;
        let (months, _) = MONTHS.read(months)?;
        let (of_week, of_week_open) = DAYS_OF_WEEK.read(of_week)?;
        Ok(Self { minutes, hours, days: Days { of_month, of_week, of_month_open, of_week_open }, months })
    }

    /// The first beginning after what a clock shows.
    pub fn next_after(&self, start: DateTime) -> Option<DateTime> {
        let last_year = start.year().checked_add(YEARS_AHEAD)?;
        let mut date = start.date();
        while date.year() <= last_year {
            if !has(self.months, date.month()) {
                date = date.first_of_month().checked_add(1.month()).ok()?;
                continue;
            }
            let found = self.days.include(date).then(|| self.times(date).find(|time| *time > start));
            if let Some(found) = found.flatten() {
                return Some(found);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn times(&self, date: Date) -> impl Iterator<Item = DateTime> {
        let hours = (0..24_i8).filter(|hour| has(self.hours, *hour));
        hours.flat_map(move |hour| {
            (0..60_i8)
                .filter(|minute| has(self.minutes, *minute))
                .map(move |minute| date.at(hour, minute, 0, 0))
        })
    }
}

impl Days {
    fn include(&self, date: Date) -> bool {
        let of_month = has(self.of_month, date.day());
        let of_week = has(self.of_week, date.weekday().to_sunday_zero_offset());
        if self.of_month_open || self.of_week_open { of_month && of_week } else { of_month || of_week }
    }
}

fn has(set: u64, member: i8) -> bool {
    u32::try_from(member).is_ok_and(|member| set.checked_shr(member).is_some_and(|rest| rest & 1 == 1))
}

impl Field {
    /// The set of a field, and whether it was left open.
    fn read(&self, text: &str) -> Result<(u64, bool), InvalidSchedule> {
        let (mut set, mut open) = (0, false);
        for part in text.split(',') {
            let (bits, star) = self.part(part)?;
            set |= bits;
            open |= star;
        }
        Ok((set, open))
    }

    fn part(&self, part: &str) -> Result<(u64, bool), InvalidSchedule> {
        let range = |why: String| InvalidSchedule::Range(why);
        let (span, step) = match part.split_once('/') {
            Some((_, step)) if step.contains('/') => return Err(range(format!("too many slashes: {part}"))),
            Some((span, step)) => (span, Some(number(step)?)),
            None => (part, None),
        };
        let star = matches!(span, "*" | "?");
        let (low, mut high) = match span.split_once('-') {
            _ if star => (self.low, self.high),
            Some((_, high)) if high.contains('-') => {
                return Err(range(format!("too many hyphens: {part}")));
            }
            Some((low, high)) => (self.value(low)?, self.value(high)?),
            None => {
                let only = self.value(span)?;
                (only, only)
            }
        };
        // `5/15` counts from 5 to the end.
        if step.is_some() && !star && !span.contains('-') {
            high = self.high;
        }
        if low < self.low {
            return Err(range(format!("beginning of range ({low}) below minimum ({}): {part}", self.low)));
        }
        if high > self.high {
            return Err(range(format!("end of range ({high}) above maximum ({}): {part}", self.high)));
        }
        if low > high {
            return Err(range(format!("beginning of range ({low}) beyond end of range ({high}): {part}")));
        }
        let every = step.unwrap_or(1);
        if every == 0 {
            return Err(range(format!("step of range should be a positive number: {part}")));
        }
        let members = (low..=high).filter(|member| (member - low) % every == 0);
        // With a step, even a star says which days are meant.
        Ok((members.fold(0, |set, member| set | 1 << member), star && every == 1))
    }

    fn value(&self, text: &str) -> Result<u64, InvalidSchedule> {
        let name = text.to_lowercase();
        match self.names.iter().position(|known| *known == name) {
            Some(index) => Ok(self.low + index as u64),
            None => number(text),
        }
    }
}

fn number(text: &str) -> Result<u64, InvalidSchedule> {
    text.parse().map_err(|_| InvalidSchedule::Number(text.into()))
}
