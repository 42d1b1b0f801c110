//! JSON strings and embedded JSON as Go's `encoding/json` writes and reads them.

use std::borrow::Cow;

use super::scan::{self, SyntaxError};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a JSON string. Invalid UTF-8 becomes the replacement character, HTML's special characters are escaped.
pub(crate) fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        put_escaped(out, chunk.valid());
        for _ in 0..chunk.invalid().len() {
            out.extend_from_slice(br"\ufffd");
        }
    }
    out.push(b'"');
}

fn put_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let short = match byte {
            b'"' => Some(b'"'),
            b'\\' => Some(b'\\'),
            0x08 => Some(b'b'),
            0x0c => Some(b'f'),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            _ => None,
        };
        if let Some(letter) = short {
            out.extend_from_slice(&bytes[plain_from..at]);
            out.extend_from_slice(&[b'\\', letter]);
            at += 1;
        } else if byte < 0x20 || matches!(byte, b'<' | b'>' | b'&') {
            out.extend_from_slice(&bytes[plain_from..at]);
            put_code(out, byte);
            at += 1;
        } else if let Some(last) = line_separator(&bytes[at..]) {
            out.extend_from_slice(&bytes[plain_from..at]);
            out.extend_from_slice(br"\u202");
            out.push(last);
            at += 3;
        } else {
            at += 1;
            continue;
        }
        plain_from = at;
    }
    out.extend_from_slice(&bytes[plain_from..]);
}

fn put_code(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(br"\u00");
    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// `8` or `9` when the bytes begin with U+2028 or U+2029, which JavaScript takes for line ends.
fn line_separator(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [0xe2, 0x80, last @ (0xa8 | 0xa9), ..] => Some(b'8' + (last - 0xa8)),
        _ => None,
    }
}

/// Appends JSON text without its white space, escaped as strings are.
pub(crate) fn put_raw(out: &mut Vec<u8>, json: &[u8]) -> Result<(), SyntaxError> {
    let end = scan::value_end(json)?;
    let tail = &json[end..];
    if let Some(&character) = tail.iter().find(|byte| !byte.is_ascii_whitespace()) {
        return Err(SyntaxError::Character { character, context: "after top-level value" });
    }
    let mut in_string = false;
    let mut at = 0;
    while at < end {
        let byte = json[at];
        match byte {
            b'<' | b'>' | b'&' => put_code(out, byte),
            b' ' | b'\t' | b'\r' | b'\n' if !in_string => {}
            b'\\' => {
                // An escape is two bytes at least, so that an escaped quote does not end the string.
                out.extend_from_slice(&json[at..(at + 2).min(end)]);
                at += 1;
            }
            _ => {
                if byte == b'"' {
                    in_string = !in_string;
                }
                if let Some(last) = line_separator(&json[at..end]) {
                    out.extend_from_slice(br"\u202");
                    out.push(last);
                    at += 2;
                } else {
                    out.push(byte);
                }
            }
        }
        at += 1;
    }
    Ok(())
}

/// The text that a valid JSON string (with its quotes) stands for. Lone surrogates and invalid UTF-8 become the
/// replacement character.
pub(crate) fn unquote(quoted: &[u8]) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains(&b'\\') {
        return String::from_utf8_lossy(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(&byte) = inner.get(at) {
        at += 1;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let letter = inner.get(at).copied().unwrap_or(b'\\');
        at += 1;
        match letter {
            b'b' => text.push(0x08),
            b'f' => text.push(0x0c),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let high = code_unit(inner, at);
                at += 4;
                let low = if inner.get(at..at + 2) == Some(br"\u") { code_unit(inner, at + 2) } else { 0 };
                let units = [high, low];
                let pair = char::decode_utf16(units).next().and_then(Result::ok);
                if pair.is_some_and(|character| character > '\u{ffff}') {
                    at += 6;
                }
                let mut buffer = [0; 4];
                let character = pair.unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            }
            other => text.push(other),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&text).into_owned())
}

fn code_unit(text: &[u8], at: usize) -> u16 {
    let digits = text.get(at..at + 4).unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}
