//! URLs, taken apart and put together as Go's `net/url` does, and the few questions to the system.

use super::{map, text};
use crate::functions::Line;
use crate::text::Text;
use crate::value::{Map, Value};
use std::collections::BTreeMap;

pub(super) const LINES: &[Line] = &[
    ("urlParse", "s", |_, a| parse(&text(a, 0).to_str())),
    ("urlJoin", "m", |_, a| join(a)),
    ("env", "s", |machine, a| Ok(machine.outside.environment(&text(a, 0).to_str()).into())),
    ("expandenv", "s", |machine, a| {
        let whole = text(a, 0);
        let whole = whole.to_str();
        let mut out = String::new();
        let mut rest = &*whole;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let (name, after) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                Some(braced) => braced,
                None => {
                    let length = rest.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric()));
                    rest.split_at(length.unwrap_or(rest.len()))
                }
            };
            out.push_str(&machine.outside.environment(name));
            rest = after;
        }
        out.push_str(rest);
        machine.made(out.into_bytes())
    }),
    ("getHostByName", "s", |machine, a| {
        let name = text(a, 0);
        Ok(machine.outside.host_by_name(&name.to_str()).into())
    }),
];

/// Where in a URL a text stands: it decides what must be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    User,
    Host,
    Fragment,
}

fn escape(text: &[u8], part: Part) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || match part {
                Part::Path => {
                    matches!(
                        byte,
                        b'$' | b'&'
                            | b'+'
                            | b'/'
                            | b':'
                            | b'='
                            | b'@'
                            | b'!'
                            | b'\''
                            | b'('
                            | b')'
                            | b'*'
                            | b';'
                            | b','
                    ) && !matches!(byte, b'!' | b'\'' | b'(' | b')' | b'*')
                }
                Part::User => matches!(byte, b'$' | b'&' | b'+' | b'=' | b';' | b','),
                Part::Host => {
                    matches!(
                        byte,
                        b'!' | b'$'
                            | b'&'
                            | b'\''
                            | b'('
                            | b')'
                            | b'*'
                            | b'+'
                            | b','
                            | b';'
                            | b'='
                            | b':'
                            | b'['
                            | b']'
                            | b'<'
                            | b'>'
                            | b'"'
                    ) || byte >= 0x80
                }
                Part::Fragment => matches!(
                    byte,
                    b'$' | b'&'
                        | b'+'
                        | b'/'
                        | b':'
                        | b'='
                        | b'?'
                        | b'@'
                        | b'!'
                        | b'('
                        | b')'
                        | b'*'
                        | b';'
                        | b','
                ),
            };
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Result<Text, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'%' {
            out.push(byte);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(decoded) = decoded else {
            let shown = String::from_utf8_lossy(&rest[..rest.len().min(3)]).into_owned();
            return Err(format!("invalid URL escape {}", crate::quote::quote(shown.as_bytes())));
        };
        out.push(decoded);
        rest = &tail[2..];
    }
    Ok(Text::from(out))
}

fn scheme(url: &str) -> Result<(&str, &str), String> {
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((&url[..at], &url[at + 1..])),
            _ => break,
        }
    }
    Ok(("", url))
}

fn parse(whole: &str) -> Result<Value, String> {
    let complain =
        |why: String| format!("unable to parse url: parse {}: {why}", crate::quote::quote(whole.as_bytes()));
    if whole.bytes().any(|byte| byte < b' ' || byte == 0x7F) {
        return Err(complain("net/url: invalid control character in URL".into()));
    }
    let (before, fragment) = whole.split_once('#').unwrap_or((whole, ""));
    let (scheme, rest) = scheme(before).map_err(complain)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut entries: BTreeMap<Text, Value> = BTreeMap::new();
    let mut set = |key: &str, value: Value| drop(entries.insert(Text::from(key), value));
    set("scheme", scheme.to_ascii_lowercase().into());
    set("query", query.into());
    set("fragment", Value::String(unescape(fragment).map_err(complain)?));
    let (mut host, mut path, mut opaque, mut user) = ("", rest, "", String::new());
    if !scheme.is_empty() && !rest.starts_with('/') {
        (opaque, path) = (rest, "");
    } else if let Some(authority) = rest.strip_prefix("//") {
        let end = authority.find('/').unwrap_or(authority.len());
        (host, path) = authority.split_at(end);
        if let Some((userinfo, after)) = host.rsplit_once('@') {
            host = after;
            user = canonical_user(userinfo).map_err(complain)?;
        }
    } else if scheme.is_empty()
        && !rest.starts_with('/')
        && rest.split('/').next().is_some_and(|first| first.contains(':'))
    {
        return Err(complain("first path segment in URL cannot contain colon".into()));
    }
    let host = unescape(host).map_err(complain)?;
    set("hostname", Value::text(hostname(&host.to_str())));
    set("host", Value::String(host));
    set("path", Value::String(unescape(path).map_err(complain)?));
    set("opaque", opaque.into());
    set("userinfo", user.into());
    Ok(Map::any(entries))
}

fn hostname(host: &str) -> &str {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn canonical_user(userinfo: &str) -> Result<String, String> {
    let (name, password) =
        userinfo.split_once(':').map_or((userinfo, None), |(name, password)| (name, Some(password)));
    let mut out = escape(unescape(name)?.as_bytes(), Part::User);
    if let Some(password) = password {
        out.push(':');
        out.push_str(&escape(unescape(password)?.as_bytes(), Part::User));
    }
    Ok(out)
}

fn member(map: &Map, key: &str) -> Result<Text, String> {
    match map.get(key.as_bytes()) {
        None => Ok(Text::default()),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Missing | Value::Nil) => Err(super::lists::NIL_POINTER.into()),
        Some(other) => {
            Err(format!("unable to parse {key} key, must be of type string, but {} found", other.kind()))
        }
    }
}

fn join(a: &[Value]) -> Result<Value, String> {
    let Some(map) = map(a, 0) else { return Ok("".into()) };
    let (scheme, host, path) = (member(&map, "scheme")?, member(&map, "host")?, member(&map, "path")?);
    let (query, opaque) = (member(&map, "query")?, member(&map, "opaque")?);
    let (fragment, userinfo) = (member(&map, "fragment")?, member(&map, "userinfo")?);
    let mut out = Vec::new();
    if !scheme.is_empty() {
        out.extend_from_slice(scheme.as_bytes());
        out.push(b':');
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || !userinfo.is_empty() {
            if !host.is_empty() || !path.is_empty() || !userinfo.is_empty() {
                out.extend_from_slice(b"//");
            }
            if !userinfo.is_empty() {
                out.extend_from_slice(canonical_user(&userinfo.to_str())?.as_bytes());
                out.push(b'@');
            }
            out.extend_from_slice(escape(host.as_bytes(), Part::Host).as_bytes());
        }
        let escaped = escape(path.as_bytes(), Part::Path);
        if !escaped.is_empty() && !escaped.starts_with('/') && !host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && escaped.split('/').next().is_some_and(|first| first.contains(':')) {
            out.extend_from_slice(b"./");
        }
        out.extend_from_slice(escaped.as_bytes());
    } else {
        out.extend_from_slice(opaque.as_bytes());
    }
    if !query.is_empty() {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
    if !fragment.is_empty() {
        out.push(b'#');
        out.extend_from_slice(escape(fragment.as_bytes(), Part::Fragment).as_bytes());
    }
    Ok(Value::text(out))
}
