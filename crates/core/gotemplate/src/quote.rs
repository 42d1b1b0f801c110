//! Go's quoted strings: reading them, and writing them as `%q` does.

use crate::text::first_char;
use std::fmt::Write as _;

/// A string in double quotes, as `strconv.Quote` writes it.
pub(crate) fn quote(bytes: &[u8]) -> String {
    quote_with(bytes, '"', false)
}

/// A string in quotes; with `ascii`, everything beyond ASCII is escaped.
pub(crate) fn quote_with(bytes: &[u8], mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push(mark);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (character, width) = first_char(rest);
        if character == '\u{FFFD}' && width == 1 {
            let _ = write!(out, "\\x{:02x}", rest[0]);
        } else {
            escape(&mut out, character, mark, ascii);
        }
        rest = &rest[width..];
    }
    out.push(mark);
    out
}

fn escape(out: &mut String, character: char, mark: char, ascii: bool) {
    match character {
        _ if character == mark || character == '\\' => {
            out.push('\\');
            out.push(character);
        }
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ if if ascii { matches!(character, ' '..='~') } else { is_print(character) } => out.push(character),
        _ => {
            let code = u32::from(character);
            let _ = match code {
                0..=0x1F | 0x7F => write!(out, "\\x{code:02x}"),
                0..=0xFFFF => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Whether Go prints a character as it is. Unassigned code points are taken for printable, which Go does not.
pub(crate) fn is_print(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    // Spaces other than U+0020, formats, private use and surrogates are not printable.
    !(character.is_control()
        || character.is_whitespace()
        || matches!(u32::from(character),
            0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E
            | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFEFF | 0xFFF0..=0xFFFB | 0xFFFE | 0xFFFF
            | 0x1_3430..=0x1_343F | 0xE_0000..=0xE_00FF | 0xE_01F0..=0x10_FFFF))
}

/// Reads a string in `"` or backquotes. `None` when it is no Go string.
pub(crate) fn unquote(text: &str) -> Option<Vec<u8>> {
    if let Some(raw) = text.strip_prefix('`') {
        let raw = raw.strip_suffix('`')?;
        return Some(raw.bytes().filter(|&byte| byte != b'\r').collect());
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unquote_unit(rest, '"')?;
        unit.write(&mut out);
        rest = after;
    }
    Some(out)
}

/// Reads a character constant in single quotes.
pub(crate) fn unquote_char(text: &str) -> Option<u32> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let (unit, after) = unquote_unit(inner, '\'')?;
    if !after.is_empty() {
        return None;
    }
    Some(match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Char(character) => u32::from(character),
    })
}

enum Unit {
    Byte(u8),
    Char(char),
}

impl Unit {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => out.push(*byte),
            Self::Char(character) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

fn unquote_unit(text: &str, mark: char) -> Option<(Unit, &str)> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if first != '\\' {
        return (first != mark && first != '\n').then_some((Unit::Char(first), characters.as_str()));
    }
    let simple = |character| Some(Unit::Char(character));
    let escape = characters.next()?;
    let unit = match escape {
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        '\\' => simple('\\'),
        '\'' | '"' if escape == mark => simple(escape),
        'x' | 'u' | 'U' => {
            let digits = match escape {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let code = u32::from_str_radix(characters.as_str().get(..digits)?, 16).ok()?;
            characters = characters.as_str()[digits..].chars();
            if escape == 'x' {
                u8::try_from(code).ok().map(Unit::Byte)
            } else {
                char::from_u32(code).map(Unit::Char)
            }
        }
        '0'..='7' => {
            let tail = characters.as_str().get(..2)?;
            if !tail.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
                return None;
            }
            let code = u32::from_str_radix(tail, 8).ok()? + u32::from(escape).wrapping_sub(48) * 64;
            characters = characters.as_str()[2..].chars();
            u8::try_from(code).ok().map(Unit::Byte)
        }
        _ => None,
    }?;
    Some((unit, characters.as_str()))
}
