//! Reading a time by a layout.

use super::format::{Piece, next_piece};
use super::{Civil, MONTHS, NANOSECONDS, Time, WEEKDAYS, Zone, days_in};
use crate::text::quoted;

/// Reads a time; without a zone in the text it is in UTC.
pub fn parse(layout: &str, text: &str) -> Result<Time, String> {
    parse_in(layout, text, &Zone::Utc)
}

/// Reads a time; without a zone in the text it is in that one.
pub fn parse_in(layout: &str, text: &str, zone: &Zone) -> Result<Time, String> {
    let mut reader = Reader {
        layout,
        text,
        rest: text,
        civil: Civil { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 },
        nanoseconds: 0,
        day_of_year: None,
        afternoon: None,
        zone: None,
    };
    let mut pieces = layout;
    loop {
        let (before, piece, rest) = next_piece(pieces);
        reader.literal(before)?;
        let Some(piece) = piece else { break };
        reader.piece(piece, rest)?;
        pieces = rest;
    }
    if !reader.rest.is_empty() {
        let message = format!(": extra text: {}", quoted(reader.rest));
        return Err(reader.whole(&message));
    }
    reader.time(zone)
}

struct Reader<'a> {
    layout: &'a str,
    text: &'a str,
    rest: &'a str,
    civil: Civil,
    nanoseconds: i64,
    day_of_year: Option<i64>,
    afternoon: Option<bool>,
    zone: Option<Zone>,
}

impl Reader<'_> {
    fn whole(&self, message: &str) -> String {
        format!("parsing time {}{message}", quoted(self.text))
    }

    fn failure(&self, piece: &str) -> String {
        let (text, layout) = (quoted(self.text), quoted(self.layout));
        format!("parsing time {text} as {layout}: cannot parse {} as {}", quoted(self.rest), quoted(piece))
    }

    fn literal(&mut self, literal: &str) -> Result<(), String> {
        let mut expected = literal;
        while !expected.is_empty() {
            if expected.starts_with(' ') {
                if !self.rest.is_empty() && !self.rest.starts_with(' ') {
                    return Err(self.failure(expected));
                }
                expected = expected.trim_start_matches(' ');
                self.rest = self.rest.trim_start_matches(' ');
                continue;
            }
            let character = expected.chars().next().unwrap_or_default();
            match self.rest.strip_prefix(character) {
                Some(rest) => self.rest = rest,
                None => return Err(self.failure(expected)),
            }
            expected = &expected[character.len_utf8()..];
        }
        Ok(())
    }

    /// Between so many digits.
    fn digits(&mut self, least: usize, most: usize, piece: &str) -> Result<i64, String> {
        let length = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if length < least {
            return Err(self.failure(piece));
        }
        let (digits, rest) = self.rest.split_at(length);
        let number = digits.parse().map_err(|_| self.failure(piece))?;
        self.rest = rest;
        Ok(number)
    }

    fn ranged(
        &mut self,
        number: i64,
        range: std::ops::RangeInclusive<i64>,
        name: &str,
    ) -> Result<i64, String> {
        if range.contains(&number) { Ok(number) } else { Err(self.whole(&format!(": {name} out of range"))) }
    }

    fn name(&mut self, names: &[&str], length: Option<usize>, piece: &str) -> Result<i64, String> {
        for (place, name) in names.iter().enumerate() {
            let name = &name[..length.unwrap_or(name.len())];
            let start = self.rest.get(..name.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.rest = &self.rest[name.len()..];
                return Ok(i64::try_from(place).unwrap_or(0));
            }
        }
        Err(self.failure(piece))
    }

    fn piece(&mut self, piece: Piece, layout_rest: &str) -> Result<(), String> {
        match piece {
            Piece::LongMonth => self.civil.month = self.name(&MONTHS, None, "January")? + 1,
            Piece::Month => self.civil.month = self.name(&MONTHS, Some(3), "Jan")? + 1,
            Piece::NumberMonth | Piece::ZeroMonth => {
                let zero = piece == Piece::ZeroMonth;
                let month = self.digits(if zero { 2 } else { 1 }, 2, if zero { "01" } else { "1" })?;
                self.civil.month = self.ranged(month, 1..=12, "month")?;
            }
            Piece::LongWeekday => drop(self.name(&WEEKDAYS, None, "Monday")?),
            Piece::Weekday => drop(self.name(&WEEKDAYS, Some(3), "Mon")?),
            Piece::Day | Piece::SpaceDay | Piece::ZeroDay => {
                if piece == Piece::SpaceDay {
                    self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                }
                let least = if piece == Piece::ZeroDay { 2 } else { 1 };
                let name = match piece {
                    Piece::ZeroDay => "02",
                    Piece::SpaceDay => "_2",
                    _ => "2",
                };
                self.civil.day = self.digits(least, 2, name)?;
            }
            Piece::SpaceDayOfYear | Piece::ZeroDayOfYear => {
                self.rest = self.rest.trim_start_matches(' ');
                self.day_of_year = Some(self.digits(1, 3, "002")?);
            }
            Piece::Hour => {
                let hour = self.digits(1, 2, "15")?;
                self.civil.hour = self.ranged(hour, 0..=23, "hour")?;
            }
            Piece::Hour12 | Piece::ZeroHour12 => {
                let zero = piece == Piece::ZeroHour12;
                let hour = self.digits(if zero { 2 } else { 1 }, 2, if zero { "03" } else { "3" })?;
                self.civil.hour = self.ranged(hour, 0..=12, "hour")?;
            }
            Piece::Minute | Piece::ZeroMinute => {
                let zero = piece == Piece::ZeroMinute;
                let minute = self.digits(if zero { 2 } else { 1 }, 2, if zero { "04" } else { "4" })?;
                self.civil.minute = self.ranged(minute, 0..=59, "minute")?;
            }
            Piece::Second | Piece::ZeroSecond => {
                let zero = piece == Piece::ZeroSecond;
                let second = self.digits(if zero { 2 } else { 1 }, 2, if zero { "05" } else { "5" })?;
                self.civil.second = self.ranged(second, 0..=59, "second")?;
                self.unasked_fraction(layout_rest)?;
            }
            Piece::LongYear => self.civil.year = self.digits(4, 4, "2006")?,
            Piece::Year => {
                let year = self.digits(2, 2, "06")?;
                self.civil.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Piece::UpperHalf => self.half("AM", "PM")?,
            Piece::LowerHalf => self.half("am", "pm")?,
            Piece::ZoneName => self.zone_name()?,
            Piece::Offset { z, colon, seconds, short } => self.offset(z, colon, seconds, short)?,
            Piece::Fraction { digits, trimmed, .. } => self.fraction(digits, trimmed)?,
        }
        Ok(())
    }

    fn half(&mut self, morning: &str, afternoon: &str) -> Result<(), String> {
        let is_afternoon = self.rest.starts_with(afternoon);
        if !is_afternoon && !self.rest.starts_with(morning) {
            return Err(self.failure(afternoon));
        }
        self.afternoon = Some(is_afternoon);
        self.rest = &self.rest[2..];
        Ok(())
    }

    /// A fraction of a second is read even where the layout has none.
    fn unasked_fraction(&mut self, layout_rest: &str) -> Result<(), String> {
        let asked = matches!(next_piece(layout_rest), ("", Some(Piece::Fraction { .. }), _));
        let mut characters = self.rest.chars();
        let starts = matches!(characters.next(), Some('.' | ','));
        if asked || !starts || !characters.next().is_some_and(|it| it.is_ascii_digit()) {
            return Ok(());
        }
        let digits = self.rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        self.fraction(digits, false)
    }

    fn fraction(&mut self, digits: usize, trimmed: bool) -> Result<(), String> {
        if trimmed {
            let starts = self.rest.starts_with(['.', ',']);
            let length = self.rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
            if !starts || length == 0 {
                return Ok(());
            }
            return self.fraction(length, false);
        }
        let written = self.rest.get(1..=digits).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(written) = written.filter(|_| self.rest.starts_with(['.', ','])) else {
            return Err(self.failure(&format!(".{}", "0".repeat(digits))));
        };
        let nine = format!("{:0<9}", &written[..digits.min(9)]);
        self.nanoseconds = nine.parse().unwrap_or(0);
        self.rest = &self.rest[1 + digits..];
        Ok(())
    }

    fn zone_name(&mut self) -> Result<(), String> {
        if let Some(rest) = self.rest.strip_prefix("UTC") {
            self.rest = rest;
            self.zone = Some(Zone::Utc);
            return Ok(());
        }
        let length = self.rest.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return Err(self.failure("MST"));
        }
        let (name, rest) = self.rest.split_at(length);
        // An abbreviation alone says nothing of the offset.
        self.zone = Some(Zone::Fixed(0, name.into()));
        self.rest = rest;
        Ok(())
    }

    fn offset(&mut self, z: bool, colon: bool, seconds: bool, short: bool) -> Result<(), String> {
        if z && let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            self.zone = Some(Zone::Utc);
            return Ok(());
        }
        let piece = match (z, colon, seconds, short) {
            (true, true, false, _) => "Z07:00",
            (true, ..) => "Z0700",
            (false, true, false, _) => "-07:00",
            (false, _, _, true) => "-07",
            _ => "-0700",
        };
        let sign = match self.rest.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Err(self.failure(piece)),
        };
        let whole = self.rest;
        self.rest = &self.rest[1..];
        let mut total = self.digits(2, 2, piece)? * 3_600;
        for scale in [60, 1] {
            if scale == 60 && short || scale == 1 && !seconds {
                break;
            }
            if colon {
                match self.rest.strip_prefix(':') {
                    Some(rest) => self.rest = rest,
                    None => {
                        self.rest = whole;
                        return Err(self.failure(piece));
                    }
                }
            }
            total += self.digits(2, 2, piece)? * scale;
        }
        self.zone = Some(if total == 0 { Zone::Utc } else { Zone::Fixed(sign * total, "".into()) });
        Ok(())
    }

    fn time(mut self, zone: &Zone) -> Result<Time, String> {
        match self.afternoon {
            Some(true) if self.civil.hour < 12 => self.civil.hour += 12,
            Some(false) if self.civil.hour == 12 => self.civil.hour = 0,
            _ => {}
        }
        if let Some(day) = self.day_of_year {
            self.civil.month = 1;
            self.civil.day = day;
        } else if self.civil.day < 1 || self.civil.day > days_in(self.civil.year, self.civil.month) {
            return Err(self.whole(": day out of range"));
        }
        debug_assert!((0..NANOSECONDS).contains(&self.nanoseconds), "nine digits at most");
        let zone = self.zone.unwrap_or_else(|| zone.clone());
        Ok(Time::from_civil(self.civil, self.nanoseconds, zone))
    }
}
