//! Slash-separated paths, and what sprig calls file paths, which are the same here.

use super::text;
use crate::functions::Line;
use crate::value::Value;

pub(super) const LINES: &[Line] = &[
    ("base", "s", |_, a| Ok(base(&text(a, 0).to_str()).into())),
    ("dir", "s", |_, a| Ok(dir(&text(a, 0).to_str()).into())),
    ("clean", "s", |_, a| Ok(clean(&text(a, 0).to_str()).into())),
    ("ext", "s", |_, a| Ok(ext(&text(a, 0).to_str()).into())),
    ("isAbs", "s", |_, a| Ok(Value::Bool(text(a, 0).as_bytes().starts_with(b"/")))),
    ("osBase", "s", |_, a| Ok(base(&text(a, 0).to_str()).into())),
    ("osDir", "s", |_, a| Ok(dir(&text(a, 0).to_str()).into())),
    ("osClean", "s", |_, a| Ok(clean(&text(a, 0).to_str()).into())),
    ("osExt", "s", |_, a| Ok(ext(&text(a, 0).to_str()).into())),
    ("osIsAbs", "s", |_, a| Ok(Value::Bool(text(a, 0).as_bytes().starts_with(b"/")))),
];

fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/".into() } else { trimmed.rsplit('/').next().unwrap_or(trimmed).to_owned() }
}

fn dir(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

fn ext(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rfind('.').map_or_else(String::new, |dot| name[dot..].to_owned())
}

fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}
