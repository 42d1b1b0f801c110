//! Go's regular expressions on Rust's: the syntax is RE2's, and classes such as `\d` mean ASCII only.

use go_regexp::{PERL, TRAILING, translate};
use regex::bytes::{Captures, Regex, RegexBuilder};

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
