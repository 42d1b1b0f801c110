//! Proxy extensions: backends behind the API server's address, by `extension.config` and `extension.config.<name>`.

use crate::duration::go_duration;
use crate::reader::{Data, Problem, Reader, text};
use crate::references::{Lookup, resolve};
use object::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

const KEY: &str = "extension.config";

/// An extension's backends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// How long connecting may take.
    pub connect: Duration,
    /// How often an idle connection is probed.
    pub keep_alive: Duration,
    /// How long a connection is kept without use.
    pub idle: Duration,
    /// How many are kept without use.
    pub most_idle: usize,
    /// Where requests go.
    pub services: Vec<ExtensionService>,
}

/// A backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionService {
    /// Its address.
    pub url: Url,
    /// The cluster it is for, by name; empty for not said.
    pub cluster_name: String,
    /// The cluster it is for, by address; empty for not said.
    pub cluster_server: String,
    /// Headers each request gets.
    pub headers: Vec<(String, Secret<String>)>,
}

/// The extensions by name. One that is malformed is told, and leaves the others alone.
pub fn extensions(data: &Data, lookup: Lookup<'_>) -> (BTreeMap<String, Extension>, Vec<Problem>) {
    let mut reader = Reader::new(data);
    let mut found = BTreeMap::new();
    let keys: Vec<&String> = data.keys().filter(|key| key.starts_with(KEY)).collect();
    for key in keys {
        let Some(mut document) = reader.yaml(key) else { continue };
        let mut missing = Vec::new();
        resolve(&mut document, lookup, &mut missing);
        for reference in missing {
            reader.problem(key, format!("${reference} refers to nothing: the text itself is used"));
        }
        let listed: Vec<(String, Value)> = match key.strip_prefix(KEY).and_then(|rest| rest.strip_prefix('.'))
        {
            Some(name) => vec![(name.to_owned(), document)],
            None if key == KEY => {
                let all = document.get("extensions").and_then(Value::as_array).cloned().unwrap_or_default();
                all.into_iter()
                    .map(|entry| (text(&entry, "name"), entry.get("backend").cloned().unwrap_or_default()))
                    .collect()
            }
            None => continue,
        };
        for (name, backend) in listed {
            match extension(&name, &backend) {
                Ok(_) if found.contains_key(&name) => {
                    reader.problem(key, format!("duplicated extension found in the configs for {name:?}"));
                }
                Ok(extension) => {
                    found.insert(name, extension);
                }
                Err(reason) => reader.problem(key, reason),
            }
        }
    }
    (found, reader.problems)
}

fn extension(name: &str, backend: &Value) -> Result<Extension, String> {
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.is_empty() || !name.chars().all(is_safe) {
        return Err(
            "invalid extensions.name: only alphanumeric characters, hyphens, and underscores are allowed"
                .into(),
        );
    }
    let span = |member: &str, default: u64| match text(backend, member) {
        value if value.is_empty() => Ok(Duration::from_secs(default)),
        value => go_duration(&value).ok_or_else(|| format!("extension {name}: {member} is not a duration")),
    };
    let services = backend.get("services").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if services.is_empty() {
        return Err(format!("no backend service configured for extension {name}"));
    }
    let several = services.len() > 1;
    let idle = backend.get("maxIdleConnections").and_then(Value::as_u64).filter(|most| *most > 0);
    Ok(Extension {
        connect: span("connectionTimeout", 2)?,
        keep_alive: span("keepAlive", 15)?,
        idle: span("idleConnectionTimeout", 60)?,
        most_idle: usize::try_from(idle.unwrap_or(30)).unwrap_or(usize::MAX),
        services: services.iter().map(|entry| service(name, entry, several)).collect::<Result<_, _>>()?,
    })
}

fn service(name: &str, value: &Value, several: bool) -> Result<ExtensionService, String> {
    let address = text(value, "url");
    let url = Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| format!("extension {name}: its url is not an http or https address"))?;
    let cluster = value.get("cluster").cloned().unwrap_or_default();
    let (cluster_name, cluster_server) = (text(&cluster, "name"), text(&cluster, "server"));
    if (several || !cluster.is_null()) && cluster_name.is_empty() && cluster_server.is_empty() {
        return Err(format!(
            "extension {name}: of several services each needs cluster.name or cluster.server"
        ));
    }
    let headers = value.get("headers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let headers = headers.iter().map(|header| match (text(header, "name"), text(header, "value")) {
        (header, value) if !header.is_empty() && !value.is_empty() => Ok((header, Secret::new(value))),
        _ => Err(format!("extension {name}: a header needs name and value")),
    });
    Ok(ExtensionService { url, cluster_name, cluster_server, headers: headers.collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::extensions;

    fn read(pairs: &[(&str, &str)]) -> (Vec<String>, Vec<String>, String) {
        let data = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (found, problems) = extensions(&data, &|key| (key == "k").then(|| "hush".to_owned()));
        let shown = format!("{found:?}");
        (found.into_keys().collect(), problems.into_iter().map(|problem| problem.message).collect(), shown)
    }

    #[test]
    fn both_forms_are_read_and_secrets_stay_hidden() {
        let main = "extensions:\n- name: a\n  backend:\n    connectionTimeout: 3s\n    services:\n    - url: http://a.example\n      headers: [{name: X, value: $k}]\n";
        let own = "services: [{url: 'https://b.example', cluster: {name: c}}]";
        let (names, problems, shown) = read(&[("extension.config", main), ("extension.config.b", own)]);
        assert_eq!((names, problems), (vec!["a".to_owned(), "b".to_owned()], Vec::<String>::new()));
        assert!(shown.contains("connect: 3s") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn what_is_referred_to_is_in_no_message() {
        for config in
            ["services: [{url: $k}]", "{keepAlive: $k, services: [{url: 'http://a'}]}", "services: $k"]
        {
            let (names, problems, _) = read(&[("extension.config.a", config)]);
            assert!(names.is_empty() && problems.len() == 1, "{problems:?}");
            assert!(!problems[0].contains("hush"), "{problems:?}");
        }
    }

    #[test]
    fn a_malformed_one_leaves_the_others_alone() {
        let good = ("extension.config.good", "services: [{url: 'http://g.example'}]");
        for (name, config, words) in [
            ("x/y", "services: [{url: 'http://g.example'}]", "invalid extensions.name"),
            ("none", "services: []", "no backend service"),
            ("file", "services: [{url: 'file:///etc/passwd'}]", "not an http or https address"),
            ("two", "services: [{url: 'http://a'}, {url: 'http://b'}]", "cluster.name or cluster.server"),
            ("header", "services: [{url: 'http://a', headers: [{name: x}]}]", "name and value"),
            ("time", "{connectionTimeout: soon, services: [{url: 'http://a'}]}", "not a duration"),
        ] {
            let (names, problems, _) = read(&[good, (&format!("extension.config.{name}"), config)]);
            assert_eq!(names, ["good"], "{name}");
            assert!(problems.len() == 1 && problems[0].contains(words), "{problems:?}");
        }
    }
}
