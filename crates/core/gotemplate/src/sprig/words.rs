//! Words: case, wrapping, initials, random letters.

use super::{count, int, text};
use crate::functions::Line;
use crate::machine::Machine;
use crate::text::Text;
use crate::value::Value;

pub(super) const LINES: &[Line] = &[
    ("title", "s", |_, a| Ok(Value::text(title(&text(a, 0))))),
    ("untitle", "s", |_, a| Ok(Value::text(untitle(&text(a, 0))))),
    ("nospace", "s", |_, a| {
        let whole = text(a, 0);
        // Only what loses something is taken for single bytes.
        if !latin(&whole).any(space) {
            return Ok(Value::String(whole));
        }
        Ok(Value::text(latin(&whole).filter(|c| !space(*c)).collect::<String>()))
    }),
    ("initials", "s", |_, a| Ok(Value::text(initials(&text(a, 0))))),
    ("swapcase", "s", |_, a| Ok(Value::text(swapcase(&text(a, 0))))),
    ("shuffle", "s", |machine, a| shuffle(machine, &text(a, 0))),
    ("snakecase", "s", |_, a| Ok(Value::text(separated(&text(a, 0), '_')))),
    ("kebabcase", "s", |_, a| Ok(Value::text(separated(&text(a, 0), '-')))),
    ("camelcase", "s", |_, a| Ok(Value::text(pascal(&text(a, 0))))),
    ("wrap", "is", |machine, a| wrap(machine, int(a, 0), b"\n", &text(a, 1), false)),
    ("wrapWith", "iss", |machine, a| wrap(machine, int(a, 0), text(a, 1).as_bytes(), &text(a, 2), true)),
    ("randAlphaNum", "i", |machine, a| {
        random(machine, int(a, 0), b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }),
    ("randAlpha", "i", |machine, a| {
        random(machine, int(a, 0), b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    }),
    ("randNumeric", "i", |machine, a| random(machine, int(a, 0), b"0123456789")),
    ("randAscii", "i", |machine, a| {
        let alphabet: Vec<u8> = (b' '..=b'~').collect();
        random(machine, int(a, 0), &alphabet)
    }),
];

fn random(machine: &mut Machine<'_>, length: i64, alphabet: &[u8]) -> Result<Value, String> {
    machine.grow(count(length).saturating_mul(16))?;
    let mut randomness = machine.randomness();
    let drawn = randomness.text(count(length), alphabet);
    match randomness.failure {
        Some(failure) => Err(failure),
        None => Ok(Value::String(drawn)),
    }
}

/// One character for one, as Go maps cases.
pub(super) fn to_upper(character: char) -> char {
    single(character, character.to_uppercase())
}

pub(super) fn to_lower(character: char) -> char {
    single(character, character.to_lowercase())
}

fn single(character: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(character) } else { character }
}

fn space(character: char) -> bool {
    character.is_whitespace()
}

/// The bytes taken for characters, as some of sprig's helpers do.
fn latin(whole: &Text) -> impl Iterator<Item = char> + '_ {
    whole.as_bytes().iter().map(|&byte| char::from(byte))
}

fn title(whole: &Text) -> String {
    let mut boundary = true;
    let each = |character: char| {
        let mapped = if boundary { to_upper(character) } else { character };
        boundary = if character.is_ascii() {
            !(character.is_ascii_alphanumeric() || character == '_')
        } else {
            !character.is_alphanumeric() && character.is_whitespace()
        };
        mapped
    };
    whole.to_str().chars().map(each).collect()
}

fn untitle(whole: &Text) -> String {
    let mut start = true;
    let each = |character: char| {
        if space(character) {
            start = true;
            return character;
        }
        if std::mem::take(&mut start) { to_lower(character) } else { character }
    };
    whole.to_str().chars().map(each).collect()
}

fn initials(whole: &Text) -> String {
    let mut gap = true;
    let keep = |character: &char| {
        if space(*character) {
            gap = true;
            return false;
        }
        std::mem::take(&mut gap)
    };
    latin(whole).filter(keep).collect()
}

fn swapcase(whole: &Text) -> String {
    let mut gap = true;
    let each = |character: char| {
        if character.is_uppercase() {
            gap = false;
            to_lower(character)
        } else if character.is_lowercase() {
            gap = false;
            to_upper(character)
        } else {
            gap = space(character);
            character
        }
    };
    whole.to_str().chars().map(each).collect()
}

fn shuffle(machine: &mut Machine<'_>, whole: &Text) -> Result<Value, String> {
    let mut characters: Vec<char> = whole.to_str().chars().collect();
    machine.items(characters.len())?;
    let mut randomness = machine.randomness();
    for index in (1..characters.len()).rev() {
        let other = randomness.below(u64::try_from(index).unwrap_or(0) + 1);
        characters.swap(index, usize::try_from(other).unwrap_or(0).min(index));
    }
    match randomness.failure {
        Some(failure) => Err(failure),
        None => Ok(Value::text(characters.into_iter().collect::<String>())),
    }
}

fn connector(character: char) -> bool {
    matches!(character, '-' | '_') || space(character)
}

/// `FooBar` of `foo_bar`.
fn pascal(whole: &Text) -> String {
    let text = whole.to_str();
    let mut characters = text.chars();
    let mut out = String::new();
    let mut current = None;
    let mut first_upper = false;
    for character in characters.by_ref() {
        if !connector(character) {
            first_upper = character.is_uppercase();
            current = Some(to_upper(character));
            break;
        }
        out.push(character);
    }
    let Some(mut current) = current else {
        // As the original has it, a text of nothing but connectors ends in its last one twice.
        out.extend(whole.to_str().chars().next_back());
        return out;
    };
    for next in characters {
        let before = current;
        current = next;
        if connector(next) && connector(before) {
            out.push(before);
            continue;
        }
        if connector(before) {
            first_upper = next.is_uppercase();
            current = to_upper(next);
        } else {
            if first_upper {
                if next.is_uppercase() {
                    current = to_lower(next);
                } else {
                    first_upper = false;
                }
            }
            out.push(before);
        }
    }
    out.push(current);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn alphabet(character: char) -> bool {
    character.is_alphabetic()
}

fn punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        && !matches!(character, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
        || matches!(character, '\u{A1}' | '\u{A7}' | '\u{AB}' | '\u{B6}' | '\u{B7}' | '\u{BB}' | '\u{BF}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}' | '\u{3001}'..='\u{3003}')
}

/// The next run of characters of one sort.
fn next_word(text: &str) -> (Word, &str, &str) {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return (Word::None, "", "") };
    let run = |from: usize, same: fn(char) -> bool| {
        from + text[from..].find(|character| !same(character)).unwrap_or(text.len() - from)
    };
    let width = first.len_utf8();
    let (word, end) = match first {
        _ if connector(first) => (Word::Connector, run(width, connector)),
        _ if punctuation(first) => (Word::Punctuation, run(width, punctuation)),
        _ if first.is_uppercase() => (Word::Upper, upper_end(text, width)),
        _ if alphabet(first) => {
            (Word::Alphabet, run(width, |character| alphabet(character) && !character.is_uppercase()))
        }
        _ if first.is_numeric() => (Word::Number, run(width, char::is_numeric)),
        _ => {
            (Word::Other, run(width, |c| !(connector(c) || alphabet(c) || c.is_numeric() || punctuation(c))))
        }
    };
    (word, &text[..end], &text[end..])
}

/// Where a word that begins with a capital ends: `HTTPServer` is `HTTP` and `Server`.
fn upper_end(text: &str, width: usize) -> usize {
    let Some(second) = text[width..].chars().next() else { return width };
    if second.is_uppercase() {
        let mut end = width;
        let mut last = width;
        for character in text[width..].chars() {
            if !character.is_uppercase() {
                return if alphabet(character) { end - last } else { end };
            }
            last = character.len_utf8();
            end += last;
        }
        return end;
    }
    if alphabet(second) {
        let tail = &text[width..];
        return width + tail.find(|c: char| !alphabet(c) || c.is_uppercase()).unwrap_or(tail.len());
    }
    width
}

fn push_lower(out: &mut String, kind: Word, word: &str, mark: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
        return;
    }
    for character in word.chars() {
        out.push(if connector(character) { mark } else { to_lower(character) });
    }
}

/// `foo_bar` of `FooBar`, with any mark between.
fn separated(whole: &Text, mark: char) -> String {
    let text = whole.to_str();
    let mut out = String::new();
    let (mut kind, mut word, mut rest) = next_word(&text);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, mark);
        }
        let (before, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match before {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, mark);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::None | Word::Punctuation | Word::Connector) {
                    out.push(mark);
                }
            }
            Word::Connector => push_lower(&mut out, before, last, mark),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    out.push(mark);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Word::Alphabet {
                    push_lower(&mut out, Word::Number, number, mark);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(mark);
                    }
                    continue;
                }
                out.push(mark);
                push_lower(&mut out, Word::Number, number, mark);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, mark);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::None | Word::Connector | Word::Punctuation) {
                    out.push(mark);
                }
            }
        }
    }
    push_lower(&mut out, kind, word, mark);
    out
}

fn wrap(
    machine: &mut Machine<'_>,
    width: i64,
    separator: &[u8],
    whole: &Text,
    cut_words: bool,
) -> Result<Value, String> {
    let separator = if separator.is_empty() { b"\n".as_slice() } else { separator };
    let width = count(width.max(1));
    let bytes = whole.as_bytes();
    machine.grow(bytes.len().saturating_add((bytes.len() / width).saturating_mul(separator.len())))?;
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut offset = 0;
    while bytes.len() - offset > width {
        if bytes[offset] == b' ' {
            offset += 1;
            continue;
        }
        let window = &bytes[offset..=offset + width];
        if let Some(at) = window.iter().rposition(|&byte| byte == b' ') {
            out.extend_from_slice(&bytes[offset..offset + at]);
            out.extend_from_slice(separator);
            offset += at + 1;
        } else if cut_words {
            out.extend_from_slice(&bytes[offset..offset + width]);
            out.extend_from_slice(separator);
            offset += width;
        } else {
            let tail = &bytes[offset + width..];
            let Some(at) = tail.iter().position(|&byte| byte == b' ') else { break };
            out.extend_from_slice(&bytes[offset..offset + width + at]);
            out.extend_from_slice(separator);
            offset += width + at + 1;
        }
    }
    out.extend_from_slice(&bytes[offset..]);
    Ok(Value::text(out))
}
