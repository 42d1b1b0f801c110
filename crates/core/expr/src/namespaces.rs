//! What Argo CD's notifications give to every expression besides the application: `time`, `strings`, `repo` and `sync`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::builtins::as_text;
use crate::time::{LAYOUTS, Time, Zone};
use crate::value::{Function, Key, Parameter, Value};

/// `time`: `Now`, in that zone, `Parse`, durations and layouts.
pub fn time(now: Timestamp, local: &Zone) -> Value {
    let now = Time::at(now).in_zone(local.clone());
    let now = Function::new(&[], move |_| Ok(Value::Time(now.clone())));
    let parse = Function::new(&[Parameter::Text], |arguments| {
        let text = arguments.first().map_or(Ok(""), as_text)?;
        crate::builtins::parse_rfc3339(text).map(Value::Time)
    });
    let durations = [
        ("Nanosecond", 1),
        ("Microsecond", 1_000),
        ("Millisecond", 1_000_000),
        ("Second", 1_000_000_000),
        ("Minute", 60_000_000_000),
        ("Hour", 3_600_000_000_000),
    ];
    let functions = [("Now", Value::Function(now)), ("Parse", Value::Function(parse))];
    let durations = durations.map(|(name, nanoseconds)| (name, Value::Duration(nanoseconds)));
    let layouts = LAYOUTS.map(|(name, layout)| (name, Value::text(layout)));
    Value::map(functions.into_iter().chain(durations).chain(layouts))
}

/// `strings`: `ReplaceAll`, `ToUpper`, `ToLower`.
pub fn strings() -> Value {
    use crate::builtins::{to_lower, to_upper};
    let replace =
        Function::new(&[Parameter::Text, Parameter::Text, Parameter::Text], |arguments| match arguments {
            [Value::Text(text), Value::Text(old), Value::Text(new)] => {
                let found = if old.is_empty() { text.len() + 1 } else { text.matches(&**old).count() };
                match found.checked_mul(new.len()) {
                    Some(grown) if grown <= LONGEST => Ok(Value::text(text.replace(&**old, new))),
                    _ => Err("memory budget exceeded".to_owned()),
                }
            }
            _ => Ok(Value::Nil),
        });
    let each = |map: fn(char) -> char| {
        Value::Function(Function::new(&[Parameter::Text], move |arguments| {
            let text = arguments.first().map_or(Ok(""), as_text)?;
            Ok(Value::text(text.chars().map(map).collect::<String>()))
        }))
    };
    Value::map([
        ("ReplaceAll", Value::Function(replace)),
        ("ToUpper", each(to_upper)),
        ("ToLower", each(to_lower)),
    ])
}

/// Longest text that a function may make.
const LONGEST: usize = 16 << 20;

/// Asks for something about a revision or an application; the error is what a template or a trigger sees.
pub type Lookup = dyn Fn(&str) -> Result<Value, String> + Send + Sync;

/// `repo`: what an address says, and what the repository does. `commit` gets a revision, `details` an empty text.
pub fn repo(commit: Arc<Lookup>, details: Arc<Lookup>) -> Value {
    let text = |body: fn(&str) -> Result<String, String>| {
        Value::Function(Function::new(&[Parameter::Text], move |arguments| {
            body(arguments.first().map_or(Ok(""), as_text)?).map(Value::text)
        }))
    };
    let commit = Function::new(&[Parameter::Text], move |arguments| {
        commit(arguments.first().map_or(Ok(""), as_text)?)
    });
    let details = Function::new(&[], move |_| details(""));
    Value::map([
        ("RepoURLToHTTPS", text(|url| Ok(Address::parse(url)?.to_https()))),
        ("FullNameByRepoURL", text(|url| Ok(Address::parse(url)?.full_name()))),
        ("QueryEscape", text(|text| Ok(query_escaped(text)))),
        ("GetCommitMetadata", Value::Function(commit)),
        ("GetAppDetails", Value::Function(details)),
    ])
}

/// `sync`: `GetInfoItem`, a named item of the operation's information.
pub fn sync() -> Value {
    let item = Function::new(&[Parameter::Map, Parameter::Text], |arguments| match arguments {
        [application, Value::Text(name)] => Ok(info_item(application, name)),
        _ => Ok(Value::text("")),
    });
    Value::map([("GetInfoItem", Value::Function(item))])
}

fn member(value: &Value, name: &str) -> Value {
    match value {
        Value::Map(map) => map.entries.get(&Key::Text(Arc::from(name))).cloned().unwrap_or(Value::Nil),
        _ => Value::Nil,
    }
}

fn info_item(application: &Value, name: &str) -> Value {
    let state = member(&member(application, "status"), "operationState");
    let items = member(&member(&state, "operation"), "info");
    let found =
        items.items().unwrap_or_default().iter().find(|item| member(item, "name").equals(&Value::text(name)));
    found.map_or(Value::text(""), |item| member(item, "value"))
}

/// A Git address in any of its forms.
struct Address {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

impl Address {
    fn parse(url: &str) -> Result<Self, String> {
        let split = |scheme: &str, rest: &str| {
            let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
            let end = rest.find('/').unwrap_or(rest.len());
            let host = rest[..end].rsplit('@').next().unwrap_or_default();
            Self {
                scheme: scheme.to_owned(),
                host: host.to_owned(),
                path: rest[end..].to_owned(),
                query: query.to_owned(),
            }
        };
        if url.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err(format!(
                "parse {}: net/url: invalid control character in URL",
                crate::text::quoted(url)
            ));
        }
        let schemes = ["ssh", "git", "git+ssh", "http", "https", "ftp", "ftps", "rsync", "file"];
        if let Some((scheme, rest)) = url.split_once("://")
            && schemes.contains(&scheme)
        {
            return Ok(split(scheme, rest));
        }
        // `user@host:path`.
        if let Some((host, path)) = url.split_once(':')
            && !host.is_empty()
            && !host.contains('/')
        {
            let host = host.rsplit('@').next().unwrap_or_default();
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            return Ok(Self {
                scheme: "ssh".to_owned(),
                host: host.to_owned(),
                path: path.to_owned(),
                query: query.to_owned(),
            });
        }
        Ok(Self {
            scheme: "file".to_owned(),
            host: String::new(),
            path: url.to_owned(),
            query: String::new(),
        })
    }

    fn to_https(&self) -> String {
        debug_assert!(!self.scheme.is_empty(), "every form has a scheme");
        let slash = if self.path.is_empty() || self.path.starts_with('/') { "" } else { "/" };
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        format!("https://{}{slash}{}{query}", self.host, self.path)
    }

    fn full_name(&self) -> String {
        let path = self.path.strip_suffix(".git").unwrap_or(&self.path);
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if parts.len() >= 2 { parts[..2].join("/") } else { path.to_owned() }
    }
}

fn query_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            it if it.is_ascii_alphanumeric() => escaped.push(char::from(it)),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}
