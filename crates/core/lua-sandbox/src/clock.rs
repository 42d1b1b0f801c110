//! `os.time` and `os.date` over the `now` of the run, in UTC as the original's containers are.

use crate::values::number;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use mlua::{Lua, Table, Value};

/// The part of `os` that is safe.
pub(crate) fn library(lua: &Lua, now: Timestamp) -> mlua::Result<Table> {
    let os = lua.create_table()?;
    os.set("time", lua.create_function(move |_, fields: Option<Table>| time(fields.as_ref(), now))?)?;
    let date =
        move |lua: &Lua, (format, at): (Option<String>, Option<f64>)| date(lua, format.as_deref(), at, now);
    os.set("date", lua.create_function(date)?)?;
    Ok(os)
}

#[expect(clippy::cast_precision_loss, reason = "Lua has no other numbers")]
fn time(fields: Option<&Table>, now: Timestamp) -> mlua::Result<f64> {
    let Some(fields) = fields else { return Ok(now.as_second() as f64) };
    let field = |name: &str, default: i64| whole(&fields.raw_get::<Value>(name)?, default);
    let (year, month, day) = (field("year", -1)?, field("month", -1)?, field("day", -1)?);
    let (hour, minute, second) = (field("hour", 12)?, field("min", 0)?, field("sec", 0)?);
    Ok((days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) as f64)
}

/// A field as a whole number small enough to calculate with.
fn whole(value: &Value, default: i64) -> mlua::Result<i64> {
    const LIMIT: f64 = 1.0e9;
    let field = match value {
        Value::Nil => return Ok(default),
        Value::String(text) => text.to_string_lossy().trim().parse().unwrap_or(f64::NAN),
        other => number(other).unwrap_or(f64::NAN),
    };
    if !(-LIMIT..=LIMIT).contains(&field) {
        return Err(mlua::Error::runtime("a field of os.time is not a number within range"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range, as just asked")]
    Ok(field.trunc() as i64)
}

/// Days since 1970-01-01 of the civil calendar; months and days beyond their range carry over.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    // Years start in March, so that the leap day is the last of one.
    let month = (month - 1).rem_euclid(12) + 1;
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date(lua: &Lua, format: Option<&str>, at: Option<f64>, now: Timestamp) -> mlua::Result<Value> {
    let at = match at {
        None => now,
        Some(seconds) => {
            #[expect(clippy::cast_possible_truncation, reason = "saturates; what is out of range is refused")]
            let seconds = seconds as i64;
            Timestamp::from_second(seconds).map_err(mlua::Error::external)?
        }
    };
    let at = at.to_zoned(TimeZone::UTC);
    let format = format.unwrap_or("%c").trim_start_matches('!');
    if format.starts_with("*t") {
        return Ok(Value::Table(fields(lua, &at)?));
    }
    Ok(Value::String(lua.create_string(formatted(&at, format))?))
}

fn fields(lua: &Lua, at: &Zoned) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("year", at.year())?;
    table.set("month", at.month())?;
    table.set("day", at.day())?;
    table.set("hour", at.hour())?;
    table.set("min", at.minute())?;
    table.set("sec", at.second())?;
    table.set("wday", at.weekday().to_sunday_one_offset())?;
    table.set("yday", 0)?;
    table.set("isdst", false)?;
    Ok(table)
}

fn formatted(at: &Zoned, format: &str) -> String {
    let mut text = String::with_capacity(format.len() + 16);
    let mut rest = format.chars();
    while let Some(letter) = rest.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match rest.next() {
            Some('%') | None => text.push('%'),
            Some(directive) => text.push_str(&part(at, directive)),
        }
    }
    text
}

fn part(at: &Zoned, directive: char) -> String {
    let format = match directive {
        'a' => "%a",
        'A' => "%A",
        'b' => "%b",
        'B' => "%B",
        'c' => "%d %b %y %H:%M UTC",
        'd' => "%d",
        'F' => "%Y-%m-%d",
        'H' => "%H",
        'I' => "%I",
        'm' => "%m",
        'M' => "%M",
        'p' => "%p",
        'P' => "%P",
        'S' => "%S",
        'w' => "%w",
        'x' => "%d/%m/%y",
        'X' => "%H:%M:%S",
        'y' => "%y",
        'Y' => "%Y",
        'z' => "+0000",
        'Z' => "UTC",
        other => return format!("%{other}"),
    };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::{days, formatted};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn days_are_counted_and_months_carry_over() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2000, 14, 1), days(2001, 2, 1));
        assert_eq!(days(2001, 3, 0), days(2001, 2, 28));
    }

    #[test]
    fn dates_are_written_as_scripts_ask_for_them() {
        let at: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        let at = at.to_zoned(TimeZone::UTC);
        assert_eq!(formatted(&at, "%Y-%m-%dT%XZ"), "2026-03-04T05:06:07Z");
        assert_eq!(formatted(&at, "%y%m%d%H%M 100%% %q %"), "2603040506 100% %q %");
    }
}
