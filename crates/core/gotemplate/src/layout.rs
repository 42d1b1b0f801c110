//! Go's time layouts: finding their elements, and reading a text by them.

/// The element a layout begins with, if any.
fn element_at(layout: &str) -> Option<&str> {
    // Longer elements first where one begins like another.
    const ORDER: [&str; 33] = [
        "January",
        "Jan",
        "Monday",
        "Mon",
        "MST",
        "2006",
        "002",
        "01",
        "02",
        "03",
        "04",
        "05",
        "06",
        "15",
        "__2",
        "_2",
        "PM",
        "pm",
        "-07:00:00",
        "-070000",
        "-07:00",
        "-0700",
        "-07",
        "Z07:00:00",
        "Z070000",
        "Z07:00",
        "Z0700",
        "Z07",
        "1",
        "2",
        "3",
        "4",
        "5",
    ];
    if layout.starts_with("_2006") {
        return None;
    }
    if layout.starts_with("Jan") && !layout.starts_with("January")
        || layout.starts_with("Mon") && !layout.starts_with("Monday")
    {
        let lower = layout[3..].chars().next().is_some_and(|character| character.is_ascii_lowercase());
        return (!lower).then(|| &layout[..3]);
    }
    if layout.starts_with(['.', ',']) {
        let digits = &layout[1..];
        let length = match digits.as_bytes().first() {
            Some(first @ (b'0' | b'9')) => digits.bytes().take_while(|byte| byte == first).count(),
            _ => 0,
        };
        let more = digits[length..].bytes().next().is_some_and(|byte| byte.is_ascii_digit());
        return (length > 0 && !more).then(|| &layout[..=length]);
    }
    ORDER.iter().find(|element| layout.starts_with(**element)).map(|element| &layout[..element.len()])
}

/// Text before the next element, the element, and what follows.
pub(crate) fn next_element(layout: &str) -> (&str, Option<&str>, &str) {
    for (at, _) in layout.char_indices() {
        if let Some(element) = element_at(&layout[at..]) {
            return (&layout[..at], Some(element), &layout[at + element.len()..]);
        }
    }
    (layout, None, "")
}

/// Fractional seconds: `.000` keeps zeros, `.999` drops them.
pub(crate) fn fraction(element: &str, nanosecond: u32) -> String {
    let digits = format!("{nanosecond:09}");
    let kept = &digits[..(element.len() - 1).min(9)];
    let kept = if element[1..].starts_with('9') { kept.trim_end_matches('0') } else { kept };
    if kept.is_empty() { String::new() } else { format!("{}{kept}", &element[..1]) }
}

/// What a text says of a time.
pub(crate) struct Parts {
    pub(crate) year: i16,
    pub(crate) month: i8,
    pub(crate) day: i8,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: i8,
    pub(crate) nanosecond: i32,
    /// Seconds east of UTC, when the text says.
    pub(crate) offset: Option<i32>,
}

struct Reader<'t> {
    rest: &'t str,
    parts: Parts,
    afternoon: Option<bool>,
    day_of_year: Option<i16>,
    problem: Option<&'static str>,
}

/// Reads a text by a layout, with Go's messages.
pub(crate) fn parse(layout: &str, text: &str) -> Result<Parts, String> {
    let parts =
        Parts { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0, offset: None };
    let mut reader = Reader { rest: text, parts, afternoon: None, day_of_year: None, problem: None };
    let quoted = |text: &str| crate::quote::quote(text.as_bytes());
    let mut pending = layout;
    loop {
        let (before, element, after) = next_element(pending);
        let remaining = reader.rest;
        let mismatch = |element: &str| {
            format!(
                "parsing time {} as {}: cannot parse {} as {}",
                quoted(text),
                quoted(layout),
                quoted(remaining),
                quoted(element)
            )
        };
        reader.rest = skip(reader.rest, before).ok_or_else(|| mismatch(before))?;
        let Some(element) = element else { break };
        let remaining = reader.rest;
        if reader.element(element, after).is_none() {
            if let Some(what) = reader.problem {
                return Err(format!("parsing time {}: {what} out of range", quoted(text)));
            }
            return Err(format!(
                "parsing time {} as {}: cannot parse {} as {}",
                quoted(text),
                quoted(layout),
                quoted(remaining),
                quoted(element)
            ));
        }
        pending = after;
    }
    if !reader.rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quoted(text), quoted(reader.rest)));
    }
    reader.finish().ok_or_else(|| format!("parsing time {}: day out of range", quoted(text)))
}

/// Spaces of the layout match any run of spaces.
fn skip<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (mut text, mut prefix) = (text, prefix);
    while let Some(character) = prefix.chars().next() {
        if character == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            prefix = prefix.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
            continue;
        }
        text = text.strip_prefix(character)?;
        prefix = &prefix[character.len_utf8()..];
    }
    Some(text)
}

impl Reader<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<i32> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let number = self.rest[..count].parse().ok();
        self.rest = &self.rest[count..];
        number
    }

    fn ranged(&mut self, least: usize, low: i32, high: i32, what: &'static str) -> Option<i8> {
        let number = self.digits(least, 2)?;
        if !(low..=high).contains(&number) {
            self.problem = Some(what);
            return None;
        }
        i8::try_from(number).ok()
    }

    fn name(&mut self, names: &[&str], short: bool) -> Option<usize> {
        let found = names.iter().position(|name| {
            let name = if short { &name[..3] } else { name };
            self.rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
        })?;
        let length = if short { 3 } else { names[found].len() };
        self.rest = &self.rest[length..];
        Some(found)
    }

    fn element(&mut self, element: &str, after: &str) -> Option<()> {
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
        const DAYS: [&str; 7] =
            ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
        match element {
            "2006" => self.parts.year = i16::try_from(self.digits(4, 4)?).ok()?,
            "06" => {
                let year = self.digits(2, 2)?;
                self.parts.year = i16::try_from(if year >= 69 { year + 1900 } else { year + 2000 }).ok()?;
            }
            "January" | "Jan" => {
                self.parts.month = i8::try_from(self.name(&MONTHS, element == "Jan")?).ok()? + 1;
            }
            "Monday" | "Mon" => drop(self.name(&DAYS, element == "Mon")?),
            "01" => self.parts.month = self.ranged(2, 1, 12, "month")?,
            "1" => self.parts.month = self.ranged(1, 1, 12, "month")?,
            "02" => self.parts.day = self.ranged(2, 0, 31, "day")?,
            "_2" | "2" => {
                if element == "_2" {
                    self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                }
                self.parts.day = self.ranged(1, 0, 31, "day")?;
            }
            "002" | "__2" => {
                self.rest = self.rest.trim_start_matches(' ');
                self.day_of_year = i16::try_from(self.digits(1, 3)?).ok();
            }
            "15" => self.parts.hour = self.ranged(2, 0, 23, "hour")?,
            "03" | "3" => self.parts.hour = self.ranged(element.len(), 0, 12, "hour")?,
            "04" | "4" => self.parts.minute = self.ranged(element.len(), 0, 59, "minute")?,
            "05" | "5" => {
                self.parts.second = self.ranged(element.len(), 0, 59, "second")?;
                // A fraction may follow even when the layout has none.
                let next = next_element(after);
                let expected = next.0.is_empty() && next.1.is_some_and(|next| next.starts_with(['.', ',']));
                let mut tail = self.rest.bytes();
                if !expected
                    && matches!(tail.next(), Some(b'.' | b','))
                    && tail.next().is_some_and(|b| b.is_ascii_digit())
                {
                    self.fraction(usize::MAX)?;
                }
            }
            "PM" | "pm" => {
                let word = self.rest.get(..2)?;
                self.afternoon = Some(match (element, word) {
                    ("PM", "PM") | ("pm", "pm") => true,
                    ("PM", "AM") | ("pm", "am") => false,
                    _ => return None,
                });
                self.rest = &self.rest[2..];
            }
            "MST" => self.zone_name()?,
            _ if element.starts_with(['.', ',']) => {
                if element[1..].starts_with('9') {
                    if self.rest.starts_with(['.', ','])
                        && self.rest[1..].starts_with(|c: char| c.is_ascii_digit())
                    {
                        self.fraction(usize::MAX)?;
                    }
                } else {
                    self.fraction(element.len() - 1)?;
                }
            }
            _ => self.offset(element)?,
        }
        Some(())
    }

    fn fraction(&mut self, digits: usize) -> Option<()> {
        let tail = self.rest.strip_prefix(['.', ','])?;
        let count = tail.bytes().take_while(u8::is_ascii_digit).count();
        if digits != usize::MAX && count < digits {
            return None;
        }
        let count = if digits == usize::MAX { count } else { digits };
        let text = &tail[..count];
        let padded = format!("{:0<9}", &text[..text.len().min(9)]);
        self.parts.nanosecond = padded.parse().ok()?;
        self.rest = &tail[count..];
        Some(())
    }

    fn zone_name(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix("UTC") {
            self.rest = rest;
            self.parts.offset = Some(0);
            return Some(());
        }
        let length = self.rest.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return None;
        }
        self.rest = &self.rest[length..];
        Some(())
    }

    fn offset(&mut self, element: &str) -> Option<()> {
        if element.starts_with('Z')
            && let Some(rest) = self.rest.strip_prefix('Z')
        {
            self.rest = rest;
            self.parts.offset = Some(0);
            return Some(());
        }
        let sign = match self.rest.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let colons = element.contains(':');
        let groups = element.bytes().filter(u8::is_ascii_digit).count() / 2;
        let mut seconds = 0;
        for (index, scale) in [3600, 60, 1].into_iter().take(groups).enumerate() {
            if colons && index > 0 {
                self.rest = self.rest.strip_prefix(':')?;
            }
            seconds += self.digits(2, 2)? * scale;
        }
        self.parts.offset = Some(sign * seconds);
        Some(())
    }

    fn finish(mut self) -> Option<Parts> {
        match self.afternoon {
            Some(true) if self.parts.hour < 12 => self.parts.hour += 12,
            Some(false) if self.parts.hour == 12 => self.parts.hour = 0,
            _ => {}
        }
        if let Some(day) = self.day_of_year {
            let first = jiff::civil::Date::new(self.parts.year, 1, 1).ok()?;
            let date = first.with().day_of_year(day).build().ok()?;
            (self.parts.month, self.parts.day) = (date.month(), date.day());
        }
        jiff::civil::Date::new(self.parts.year, self.parts.month, self.parts.day).ok()?;
        Some(self.parts)
    }
}
