//! Base 64 and base 32, with Go's complaints about what is neither.

use super::text;
use crate::functions::Line;
use crate::value::Value;
use base64::Engine as _;

pub(super) const LINES: &[Line] = &[
    ("b64enc", "s", |machine, a| {
        machine.made(base64::engine::general_purpose::STANDARD.encode(text(a, 0).as_bytes()).into_bytes())
    }),
    ("b64dec", "s", |_, a| Ok(decoded(&BASE64, text(a, 0).as_bytes()))),
    ("b32enc", "s", |machine, a| machine.made(base32(text(a, 0).as_bytes()))),
    ("b32dec", "s", |_, a| Ok(decoded(&BASE32, text(a, 0).as_bytes()))),
];

/// How an encoding is read: its alphabet, bits per letter, letters per group.
struct Encoding {
    name: &'static str,
    alphabet: &'static [u8],
    bits: u32,
    group: usize,
    /// Letters that may be left in the last group.
    tails: &'static [usize],
}

const BASE64: Encoding = Encoding {
    name: "base64",
    alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    group: 4,
    tails: &[2, 3],
};

const BASE32: Encoding = Encoding {
    name: "base32",
    alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    bits: 5,
    group: 8,
    tails: &[2, 4, 5, 7],
};

fn decoded(encoding: &Encoding, bytes: &[u8]) -> Value {
    match decode(encoding, bytes) {
        Ok(out) => Value::text(out),
        Err(at) => Value::text(format!("illegal {} data at input byte {at}", encoding.name)),
    }
}

/// Base 64, as `DecodeString` reads it.
pub(super) fn from_base64(bytes: &[u8]) -> Result<Vec<u8>, String> {
    decode(&BASE64, bytes).map_err(|at| format!("illegal base64 data at input byte {at}"))
}

fn decode(encoding: &Encoding, bytes: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(bytes.len() * 3 / 4 + 3);
    let mut letters: Vec<(usize, u8)> =
        bytes.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    let padding_at = letters.iter().position(|(_, byte)| *byte == b'=');
    let padding = padding_at.map(|at| letters.split_off(at)).unwrap_or_default();
    let (mut buffer, mut filled) = (0_u32, 0);
    for &(at, byte) in &letters {
        let value = encoding.alphabet.iter().position(|&letter| letter == byte).ok_or(at)?;
        buffer = (buffer << encoding.bits) | u32::try_from(value).unwrap_or(0);
        filled += encoding.bits;
        if filled >= 8 {
            filled -= 8;
            out.push(u8::try_from((buffer >> filled) & 0xFF).unwrap_or(0));
            buffer &= (1 << filled) - 1;
        }
    }
    let tail = letters.len() % encoding.group;
    let wanted = if tail == 0 { 0 } else { encoding.group - tail };
    let first_padding = padding.first().map_or(bytes.len(), |(at, _)| *at);
    if tail != 0 && !encoding.tails.contains(&tail) || padding.len() < wanted && !padding.is_empty() {
        return Err(if padding.is_empty() {
            bytes.len() - tail.min(bytes.len())
        } else {
            bytes.len().min(first_padding + padding.len())
        });
    }
    if padding.len() < wanted {
        return Err(bytes.len() - tail);
    }
    if let Some((at, _)) = padding
        .iter()
        .enumerate()
        .find(|(index, (_, byte))| *index >= wanted || *byte != b'=')
        .map(|(_, letter)| letter)
    {
        return Err(*at);
    }
    Ok(out)
}

fn base32(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 8 / 5 + 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let number = u64::from_be_bytes(group);
        let letters = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let value = usize::try_from((number >> (35 - 5 * index)) & 31).unwrap_or(0);
            out.push(if index < letters { BASE32.alphabet[value] } else { b'=' });
        }
    }
    out
}
