//! Go's regular expressions on Rust's: the syntax is RE2's, and classes such as `\d` mean ASCII only.

use regex::bytes::{Captures, Regex, RegexBuilder};

/// Largest repetition RE2 takes.
const MOST_REPEATS: usize = 1000;

/// Compiles a pattern; the message of an error begins as Go's does.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let complain = |what: &str| {
        // Go shows the part of the pattern it stumbled over.
        let part = match what {
            TRAILING => "",
            PERL => pattern.find("(?").map_or(pattern, |at| &pattern[at..pattern.len().min(at + 3)]),
            _ => pattern,
        };
        format!("error parsing regexp: {what}: `{part}`")
    };
    let translated = translate(pattern).map_err(|what| complain(&what))?;
    RegexBuilder::new(&translated)
        .size_limit(8 << 20)
        .nest_limit(200)
        .build()
        .map_err(|error| complain(reason(&error.to_string())))
}

const TRAILING: &str = "trailing backslash at end of expression";
const PERL: &str = "invalid or unsupported Perl syntax";

/// Go's word for what is wrong, as far as it can be told.
fn reason(message: &str) -> &'static str {
    let known = [
        ("unclosed group", "missing closing )"),
        ("unopened group", "unexpected )"),
        ("unclosed character class", "missing closing ]"),
        ("repetition operator missing expression", "missing argument to repetition operator"),
        ("look-around", PERL),
        ("backreferences", "invalid escape sequence"),
        ("unrecognized escape", "invalid escape sequence"),
        ("incomplete escape", TRAILING),
        ("invalid character class range", "invalid character class range"),
        ("repetition count", "invalid repeat count"),
        ("size limit", "expression too large"),
    ];
    known.iter().find(|(rust, _)| message.contains(rust)).map_or("invalid expression", |(_, go)| go)
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut class = false;
    while let Some(character) = rest.chars().next() {
        let tail = &rest[character.len_utf8()..];
        match character {
            '\\' => {
                rest = escape(tail, class, &mut out)?;
                continue;
            }
            '[' if class => {
                // Inside a class only `[:name:]` is special; a plain bracket stands for itself.
                if tail.starts_with(':') && tail.contains(":]") {
                    out.push('[');
                } else {
                    out.push_str("\\[");
                }
            }
            '[' => {
                class = true;
                out.push('[');
                let mut inner = tail;
                if let Some(after) = inner.strip_prefix('^') {
                    out.push('^');
                    inner = after;
                }
                if let Some(after) = inner.strip_prefix(']') {
                    out.push_str("\\]");
                    inner = after;
                }
                rest = inner;
                continue;
            }
            ']' if class => {
                // The end of a `[:name:]` is copied with its name.
                class = false;
                out.push(']');
            }
            '&' | '~' if class => {
                out.push('\\');
                out.push(character);
            }
            // After a class such as `\w`, and before another, a dash stands for itself.
            '-' if class && (tail.starts_with('-') || tail.starts_with('\\') && after_escape(&out)) => {
                out.push_str("\\-");
            }
            '(' if !class && tail.starts_with("?P=") => {
                return Err(PERL.into());
            }
            '{' if !class => {
                let (text, after) = repetition(tail)?;
                out.push_str(&text);
                rest = after;
                continue;
            }
            _ => out.push(character),
        }
        if class
            && character == '['
            && tail.starts_with(':')
            && let Some(end) = tail.find(":]")
        {
            out.push_str(&tail[..end + 2]);
            rest = &tail[end + 2..];
            continue;
        }
        rest = tail;
    }
    Ok(out)
}

/// Whether what was written last is a class such as `\w`, which cannot begin a range.
fn after_escape(out: &str) -> bool {
    ["0-9", "A-Za-z_", "\\r ", "]"].iter().any(|end| out.ends_with(end))
}

/// `{n,m}` is copied when it is a repetition; otherwise the brace stands for itself.
fn repetition(tail: &str) -> Result<(String, &str), String> {
    let Some((inner, after)) = tail.split_once('}') else { return Ok(("\\{".into(), tail)) };
    let (low, high) = inner.split_once(',').map_or((inner, None), |(low, high)| (low, Some(high)));
    let digits = |text: &str| !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(low) || high.is_some_and(|high| !high.is_empty() && !digits(high)) {
        return Ok(("\\{".into(), tail));
    }
    let number = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
    if number(low) > MOST_REPEATS || high.is_some_and(|high| !high.is_empty() && number(high) > MOST_REPEATS)
    {
        return Err("invalid repeat count".into());
    }
    Ok((format!("{{{inner}}}"), after))
}

/// What follows a backslash.
fn escape<'p>(tail: &'p str, class: bool, out: &mut String) -> Result<&'p str, String> {
    let Some(character) = tail.chars().next() else {
        return Err(TRAILING.into());
    };
    let after = &tail[character.len_utf8()..];
    match (character, class) {
        ('d', false) => out.push_str("[0-9]"),
        ('D', false) => out.push_str("[^0-9]"),
        ('s', false) => out.push_str("[\\t\\n\\x0C\\r ]"),
        ('S', false) => out.push_str("[^\\t\\n\\x0C\\r ]"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('W', false) => out.push_str("[^0-9A-Za-z_]"),
        ('d', true) => out.push_str("0-9"),
        ('s', true) => out.push_str("\\t\\n\\x0C\\r "),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('D', true) => out.push_str("[^0-9]"),
        ('S', true) => out.push_str("[^\\t\\n\\x0C\\r ]"),
        ('W', true) => out.push_str("[^0-9A-Za-z_]"),
        ('b', false) => out.push_str("(?-u:\\b)"),
        ('B', false) => out.push_str("(?-u:\\B)"),
        ('C', false) => out.push_str("(?s-u:.)"),
        ('Q', false) => {
            let (literal, after) = after.split_once("\\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(literal));
            return Ok(after);
        }
        ('z', false) => out.push_str("\\z"),
        ('A', false) => out.push_str("\\A"),
        ('a', _) => out.push_str("\\x07"),
        ('x' | 'p' | 'P' | 'f' | 'n' | 'r' | 't' | 'v', _) => {
            out.push('\\');
            out.push(character);
            // The braces of `\p{Greek}` and `\x{10FFFF}` are no repetition.
            if matches!(character, 'x' | 'p' | 'P')
                && let Some(end) = after.find('}').filter(|_| after.starts_with('{'))
            {
                out.push_str(&after[..=end]);
                return Ok(&after[end + 1..]);
            }
        }
        ('0'..='7', _) => {
            let digits: String = tail.chars().take(3).take_while(|c| matches!(c, '0'..='7')).collect();
            if character != '0' && digits.len() < 2 {
                return Err("invalid escape sequence".into());
            }
            let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
            out.push_str(&format!("\\x{{{code:X}}}"));
            return Ok(&tail[digits.len()..]);
        }
        _ if character.is_ascii_alphanumeric() => return Err("invalid escape sequence".into()),
        _ => out.push_str(&regex::escape(&character.to_string())),
    }
    Ok(after)
}

/// `ReplaceAllString`: `$1`, `${name}` and `$$` in the template, the longest name taken.
pub(crate) fn replace_all(regex: &Regex, text: &[u8], template: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut last = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        out.extend_from_slice(&text[last..whole.start()]);
        expand(&captures, template, &mut out);
        last = whole.end();
    }
    out.extend_from_slice(&text[last..]);
    out
}

fn expand(captures: &Captures<'_>, template: &[u8], out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(at) = rest.iter().position(|&byte| byte == b'$') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(b"$") {
            out.push(b'$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            out.push(b'$');
            continue;
        };
        rest = after;
        let group = match name.parse::<usize>() {
            Ok(number) => captures.get(number),
            Err(_) => captures.name(name),
        };
        out.extend_from_slice(group.map_or(b"".as_slice(), |group| group.as_bytes()));
    }
    out.extend_from_slice(rest);
}

fn reference(rest: &[u8]) -> Option<(&str, &[u8])> {
    let text = match std::str::from_utf8(rest) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).ok()?,
    };
    let (brace, inner) = text.strip_prefix('{').map_or((false, text), |inner| (true, inner));
    let length = inner.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(inner.len());
    let name = &inner[..length];
    if name.is_empty() || brace && !inner[length..].starts_with('}') {
        return None;
    }
    Some((name, &rest[length + 2 * usize::from(brace)..]))
}
