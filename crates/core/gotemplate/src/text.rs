//! Text as Go has it: bytes that are usually UTF-8 and need not be. Cheap to copy.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

/// An immutable string of bytes. Cutting a Go string can leave half a character behind, and binary files pass
/// through templates on their way to `b64enc`, so this is not a `str`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<[u8]>);

impl Text {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The characters; what is no UTF-8 becomes U+FFFD.
    pub fn to_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Arc::from(text.as_bytes()))
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Arc::from(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::from(bytes))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_str())
    }
}

/// The first character and its width in bytes; U+FFFD of width 1 where the bytes are no UTF-8, and width 0 at the end.
pub(crate) fn first_char(bytes: &[u8]) -> (char, usize) {
    let Some(&first) = bytes.first() else { return ('\u{FFFD}', 0) };
    if first < 0x80 {
        return (char::from(first), 1);
    }
    let width = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return ('\u{FFFD}', 1),
    };
    let parsed = bytes.get(..width).and_then(|part| std::str::from_utf8(part).ok());
    parsed.and_then(|part| part.chars().next()).map_or(('\u{FFFD}', 1), |character| (character, width))
}

/// The characters of a text with their widths, as Go ranges over a string.
pub(crate) fn chars(mut bytes: &[u8]) -> impl Iterator<Item = (char, usize)> + '_ {
    std::iter::from_fn(move || {
        let (character, width) = first_char(bytes);
        if width == 0 {
            return None;
        }
        bytes = bytes.get(width..).unwrap_or_default();
        Some((character, width))
    })
}

/// Number of characters, as Go counts runes.
pub(crate) fn char_count(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().count(),
        Err(_) => chars(bytes).count(),
    }
}

/// Where `needle` first lies in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = needle.split_first() else { return Some(0) };
    let mut at = 0;
    while let Some(step) = bytes.get(at..)?.iter().position(|&byte| byte == first) {
        let start = at + step;
        if bytes.get(start + 1..).is_some_and(|tail| tail.starts_with(rest)) {
            return Some(start);
        }
        at = start + 1;
    }
    None
}

/// Replaces every `from` by `to`. An empty `from` stands before every character and at the end, as in Go.
pub(crate) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    if from.is_empty() {
        let mut rest = bytes;
        for (_, width) in chars(bytes) {
            let (head, tail) = rest.split_at(width.min(rest.len()));
            out.extend_from_slice(to);
            out.extend_from_slice(head);
            rest = tail;
        }
        out.extend_from_slice(to);
        return out;
    }
    let mut rest = bytes;
    while let Some(at) = find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Splits at every `separator`; an empty one splits into characters. At most `limit` parts when given.
pub(crate) fn split(bytes: &[u8], separator: &[u8], limit: Option<usize>) -> Vec<Text> {
    let mut parts: Vec<Text> = Vec::new();
    let mut rest = bytes;
    let room = |parts: &Vec<Text>| limit.is_none_or(|limit| parts.len() + 1 < limit);
    if limit == Some(0) {
        return parts;
    }
    if separator.is_empty() {
        while !rest.is_empty() {
            if !room(&parts) {
                parts.push(Text::from(rest));
                break;
            }
            let (head, tail) = rest.split_at(first_char(rest).1.min(rest.len()));
            parts.push(Text::from(head));
            rest = tail;
        }
        return parts;
    }
    while room(&parts) {
        let Some(at) = find(rest, separator) else { break };
        parts.push(Text::from(&rest[..at]));
        rest = &rest[at + separator.len()..];
    }
    parts.push(Text::from(rest));
    parts
}
