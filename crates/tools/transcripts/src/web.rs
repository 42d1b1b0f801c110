//! gRPC-web exchanges: bodies as hexadecimal numbers, and as the frames and fields they hold.

use regex::Regex;
use std::sync::LazyLock;

use crate::compare::{Mismatch, compare_responses};
use crate::exchange::Response;
use crate::normal::Replacements;

/// A frame begins with its flags and its length.
const PREFIX: usize = 5;
/// The flag of the frame that holds the trailers.
const TRAILERS: u8 = 0x80;
/// As much of a text as is shown.
const SHOWN: usize = 200;
const DEPTH: usize = 32;

/// The bytes of a recorded body.
#[must_use]
pub fn unhex(body: &str) -> Vec<u8> {
    let line = body.lines().find_map(|line| line.strip_prefix("hex: ")).unwrap_or_default().trim();
    let digit = |at: usize| line.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..line.len()).step_by(2).map_while(digit).collect()
}

/// The first difference of a gRPC-web exchange. `address` is where our repositories are and where the
/// recorder's were: their length is in the bytes around them.
///
/// # Errors
/// The first difference.
pub fn compare_frames(
    recorded: &Response,
    answered: &Response,
    bytes: &[u8],
    address: (&str, &str),
    replacements: &Replacements,
) -> Result<(), Mismatch> {
    let without = |response: &Response| Response { body: String::new(), ..response.clone() };
    compare_responses(&without(recorded), &without(answered), replacements)?;
    if recorded.body.starts_with("hex: ") {
        let (one, other) = (unhex(&recorded.body), bytes);
        return if one == other {
            Ok(())
        } else {
            Err(Mismatch { part: "frames", recorded: shown(&one), answered: shown(other) })
        };
    }
    let text = recorded.body.split_once("decoded:\n").map_or("", |(_, text)| text);
    let ours = decoded(&rewritten(bytes, address)).replace(address.1, "<repo>");
    let (one, other) = (shape(text, replacements), shape(&ours, replacements));
    if one == other { Ok(()) } else { Err(Mismatch { part: "frames", recorded: one, answered: other }) }
}

fn shown(bytes: &[u8]) -> String {
    format!("{}\n{}", decoded(bytes), String::from_utf8_lossy(bytes))
}

/// The decoded text without what differs from run to run: lengths, versions, and who wrote which field.
fn shape(text: &str, replacements: &Replacements) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let pairs = [
            (r#"(?s) *field 12 bytes\(\d+\) "\n.argocd\.argoproj\.io/hydrate[^"]*"\n"#, ""),
            (r"(message|bytes)\(\d+\)", "$1"),
            (r"(frame flag 0x00) length \d+", "$1"),
            (r#"(field 6 bytes) "\d+""#, "$1 \"<rv>\""),
            (r"(field 7 varint) \d+", "$1 <n>"),
        ];
        pairs.map(|(pattern, by)| (Regex::new(pattern).expect("the patterns compile"), by)).to_vec()
    });
    let text =
        PATTERNS.iter().fold(text.to_owned(), |text, (regex, by)| regex.replace_all(&text, *by).into_owned());
    let mut left_out: Option<usize> = None;
    let kept = text.lines().filter(|line| {
        let indent = line.len() - line.trim_start().len();
        let field = line.trim_start().starts_with("field ");
        if left_out.is_some_and(|outer| !field || indent > outer) {
            return false;
        }
        left_out = (line.trim() == "field 17 message").then_some(indent);
        left_out.is_none()
    });
    replacements.normal(&kept.collect::<Vec<_>>().join("\n")).trim_end().to_owned()
}

/// Frames and their fields as the recorder wrote them down, without descriptors.
#[must_use]
pub fn decoded(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while bytes.len() >= PREFIX {
        let (prefix, rest) = bytes.split_at(PREFIX);
        let length = usize::try_from(u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]));
        let length = length.unwrap_or(usize::MAX);
        text.push_str(&format!("frame flag 0x{:02x} length {length}\n", prefix[0]));
        let Some(payload) = rest.get(..length) else {
            text.push_str("  (not decodable)\n");
            break;
        };
        if prefix[0] & TRAILERS != 0 {
            let lines = String::from_utf8_lossy(payload).replace("\r\n", "\\r\\n");
            text.push_str(&format!("  trailers: '{lines}'\n"));
        } else {
            match fields(payload) {
                Some(fields) => write(&fields, 1, &mut text),
                None => text.push_str("  (not decodable)\n"),
            }
        }
        bytes = &rest[length..];
    }
    text
}

enum Value<'b> {
    Varint(u64),
    Fixed(&'b [u8]),
    Bytes(&'b [u8]),
}

/// The fields of a message, when the bytes are one.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let mut take = |count: usize| {
            let (taken, rest) = bytes.split_at_checked(count)?;
            bytes = rest;
            Some(taken)
        };
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => Value::Fixed(take(8)?),
            5 => Value::Fixed(take(4)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (taken, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Value::Bytes(taken)
            }
            _ => return None,
        };
        if tag >> 3 == 0 {
            return None;
        }
        found.push((tag >> 3, value));
    }
    Some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Whether bytes are shown as a text: mostly letters, and nothing that is no text at all.
fn readable(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let letters = text.chars().filter(|letter| !letter.is_control()).count();
    letters * 2 >= text.chars().count()
}

fn write(fields_found: &[(u64, Value<'_>)], depth: usize, into: &mut String) {
    let indent = "  ".repeat(depth);
    for (number, value) in fields_found {
        match value {
            Value::Varint(value) => into.push_str(&format!("{indent}field {number} varint {value}\n")),
            Value::Fixed(bytes) => into.push_str(&format!("{indent}field {number} fixed {bytes:02x?}\n")),
            Value::Bytes(bytes) => {
                let length = bytes.len();
                let inner = if readable(bytes) || depth > DEPTH { None } else { fields(bytes) };
                match inner {
                    Some(inner) => {
                        into.push_str(&format!("{indent}field {number} message({length})\n"));
                        write(&inner, depth + 1, into);
                    }
                    None => {
                        let text: String = String::from_utf8_lossy(bytes).chars().take(SHOWN).collect();
                        into.push_str(&format!("{indent}field {number} bytes({length}) \"{text}\"\n"));
                    }
                }
            }
        }
    }
}

/// Frames with the second text of the pair in place of the first, every length as it then is.
fn rewritten(mut bytes: &[u8], address: (&str, &str)) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some((prefix, rest)) = bytes.split_at_checked(PREFIX) {
        let length = usize::try_from(u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]));
        let length = length.unwrap_or(usize::MAX);
        let Some(payload) = rest.get(..length) else { break };
        let payload = if prefix[0] & TRAILERS == 0 { message(payload, address, 0) } else { payload.to_vec() };
        whole.push(prefix[0]);
        whole.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
        whole.extend_from_slice(&payload);
        bytes = &rest[length..];
    }
    whole.extend_from_slice(bytes);
    whole
}

fn message(bytes: &[u8], address: (&str, &str), depth: usize) -> Vec<u8> {
    let (ours, theirs) = address;
    let holds = bytes.windows(ours.len().max(1)).any(|window| window == ours.as_bytes());
    if !holds || depth > DEPTH {
        return bytes.to_vec();
    }
    let Some(found) = fields(bytes) else {
        return String::from_utf8_lossy(bytes).replace(ours, theirs).into_bytes();
    };
    let mut whole = Vec::new();
    for (number, value) in found {
        let mut put = |kind: u64| put_varint(number << 3 | kind, &mut whole);
        match value {
            Value::Varint(value) => {
                put(0);
                put_varint(value, &mut whole);
            }
            Value::Fixed(fixed) => {
                put(if fixed.len() == 8 { 1 } else { 5 });
                whole.extend_from_slice(fixed);
            }
            Value::Bytes(inner) => {
                put(2);
                let inner = message(inner, address, depth + 1);
                put_varint(inner.len() as u64, &mut whole);
                whole.extend_from_slice(&inner);
            }
        }
    }
    whole
}

fn put_varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    into.push(u8::try_from(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_decoded_as_they_were_recorded() {
        let hex = "hex: 00000000100a0e76332e362e302b756e6b6e6f776e8000000010677270632d7374617475733a20300d0a\ndecoded:\n";
        let text = "frame flag 0x00 length 16\n  field 1 bytes(14) \"v3.6.0+unknown\"\nframe flag 0x80 length 16\n  trailers: 'grpc-status: 0\\r\\n'\n";
        assert_eq!(decoded(&unhex(hex)), text);
    }

    #[test]
    fn a_longer_address_makes_what_is_around_it_longer() {
        let inner = [&[0x0a, 3][..], b"abc"].concat();
        let outer = [&[0, 0, 0, 0, 7, 0x0a, 5][..], &inner].concat();
        let longer = rewritten(&outer, ("abc", "abcdef"));
        assert_eq!(longer, [&[0, 0, 0, 0, 10, 0x0a, 8, 0x0a, 6][..], b"abcdef"].concat());
    }
}
