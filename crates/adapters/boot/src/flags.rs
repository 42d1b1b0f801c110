//! The flags of each component, as one table; their values from the command line, the environment and
//! `argocd-cmd-params-cm`, in this order. A flag whose feature does not read it is accepted, and said so.

use crate::{duration, unused};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// One flag of one component: a line of `flags.tsv`.
#[derive(Clone, Copy, Debug)]
struct Flag {
    name: &'static str,
    short: &'static str,
    kind: &'static str,
    default: &'static str,
    env: &'static str,
    parameter: &'static str,
}

const TABLE: &str = include_str!("../flags.tsv");
/// Keys of `argocd-cmd-params-cm` that stand for a variable and no flag.
const PARAMETERS: &str = include_str!("../parameters.tsv");

/// Why a command line or the environment cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// The value does not read as the flag's type.
    #[error("{origin}: {value:?} is not a {kind}")]
    Value {
        /// The flag, variable or key the value came from.
        origin: String,
        /// The value.
        value: String,
        /// The type that was expected.
        kind: &'static str,
    },
    /// The flag stands last and wants a value.
    #[error("flag needs an argument: --{0}")]
    NoValue(String),
    /// A word that is no flag.
    #[error("unexpected argument {0:?}: a component takes flags only")]
    Argument(String),
}

/// The values a component was started with.
#[derive(Debug)]
pub struct Flags {
    component: &'static str,
    table: BTreeMap<&'static str, Flag>,
    given: BTreeMap<String, Given>,
    unknown: Vec<String>,
    /// What was said of variables that nothing reads.
    unused: Vec<String>,
    read: RefCell<BTreeSet<&'static str>>,
    help: bool,
}

#[derive(Clone, Debug)]
struct Given {
    values: Vec<String>,
    origin: String,
}

impl Flags {
    /// Reads the command line (without the program's name) and the environment.
    pub fn parse(
        component: &'static str,
        arguments: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, FlagError> {
        let table = table(component);
        let mut flags = Self {
            component,
            table,
            given: BTreeMap::new(),
            unknown: Vec::new(),
            unused: unused::variables(environment),
            read: RefCell::default(),
            help: false,
        };
        flags.read_environment(environment);
        flags.read_arguments(arguments)?;
        flags.check()?;
        Ok(flags)
    }

    /// Fills what neither the command line nor the environment said from `argocd-cmd-params-cm`.
    pub fn with_parameters(mut self, parameters: &BTreeMap<String, String>) -> Result<Self, FlagError> {
        for flag in self.table.values() {
            if let Some(value) = parameters.get(flag.parameter).filter(|_| !flag.parameter.is_empty()) {
                let origin = format!("argocd-cmd-params-cm {}", flag.parameter);
                self.given
                    .entry(flag.name.to_owned())
                    .or_insert_with(|| Given { values: vec![value.clone()], origin });
            }
        }
        self.check()?;
        Ok(self)
    }

    /// The environment with what `argocd-cmd-params-cm` says of variables that nobody set and no flag reads.
    pub fn environment(
        &self,
        environment: &BTreeMap<String, String>,
        parameters: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut all = environment.clone();
        for line in PARAMETERS.lines() {
            let mut columns = line.split('\t');
            if let (Some(component), Some(key), Some(variable)) =
                (columns.next(), columns.next(), columns.next())
                && component == self.component
                && let Some(value) = parameters.get(key)
                && all.get(variable).is_none_or(String::is_empty)
            {
                all.insert(variable.to_owned(), value.clone());
            }
        }
        all
    }

    /// The component the flags are of.
    pub fn component(&self) -> &'static str {
        self.component
    }

    /// Whether the user asked for help.
    pub fn help_asked(&self) -> bool {
        self.help
    }

    /// The help text: every flag with its type, variable and default.
    pub fn help(&self) -> String {
        let mut text = format!(
            "Run the {} component.\n\nUsage:\n  {} [flags]\n\nFlags:\n",
            self.component, self.component
        );
        for flag in self.table.values() {
            let short = if flag.short.is_empty() { "    ".into() } else { format!("-{}, ", flag.short) };
            let mut left = format!("  {short}--{}", flag.name);
            if flag.kind != "bool" {
                left.push_str(&format!(" {}", flag.kind));
            }
            let mut right = Vec::new();
            if !flag.env.is_empty() {
                right.push(format!("[${}]", flag.env));
            }
            if !flag.default.is_empty() && flag.default != "[]" {
                right.push(format!("(default {})", flag.default));
            }
            text.push_str(format!("{left:<58} {}", right.join(" ")).trim_end());
            text.push('\n');
        }
        text
    }

    /// A text.
    pub fn text(&self, name: &'static str) -> String {
        self.values(name).last().cloned().unwrap_or_default()
    }

    /// A switch.
    pub fn bool(&self, name: &'static str) -> bool {
        boolean(&self.text(name)).unwrap_or(false)
    }

    /// A whole number; of seconds, where the flag counts these and the variable may say `2m`.
    pub fn int(&self, name: &'static str) -> i64 {
        let text = self.text(name);
        let seconds = || duration::parse(&text).and_then(|value| i64::try_from(value.as_secs()).ok());
        text.parse().ok().or_else(seconds).unwrap_or(0)
    }

    /// A port number; out of range reads as the default.
    pub fn port(&self, name: &'static str) -> u16 {
        let default = self.table.get(name).and_then(|flag| flag.default.parse().ok()).unwrap_or(0);
        u16::try_from(self.int(name)).unwrap_or(default)
    }

    /// Where to listen: the flag of the host, and that of the port. A host that is no address means all.
    pub fn address(&self, host: &'static str, port: &'static str) -> SocketAddr {
        let all = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        SocketAddr::new(self.text(host).parse().unwrap_or(all), self.port(port))
    }

    /// A duration.
    pub fn duration(&self, name: &'static str) -> Duration {
        duration::parse(&self.text(name)).unwrap_or_default()
    }

    /// A list: commas and repetition both separate.
    pub fn list(&self, name: &'static str) -> Vec<String> {
        let split = self.table.get(name).is_none_or(|flag| flag.kind != "stringArray");
        self.values(name)
            .iter()
            .flat_map(|value| if split { value.split(',').collect() } else { vec![value.as_str()] })
            .map(|entry| entry.trim().trim_matches(['[', ']']).to_owned())
            .filter(|entry| !entry.is_empty())
            .collect()
    }

    /// Whether the user said anything about the flag.
    pub fn given(&self, name: &'static str) -> bool {
        self.read.borrow_mut().insert(name);
        self.given.contains_key(name)
    }

    /// One sentence for each thing the user said that has no effect: flags nobody asked for, flags no part of the
    /// component has read by now, and variables nothing reads. To be logged once the component is set up.
    pub fn warnings(&self) -> Vec<String> {
        let read = self.read.borrow();
        let unknown = self.unknown.iter().map(|name| format!("unknown flag --{name} is ignored"));
        let unread = self
            .given
            .iter()
            .filter(|(name, _)| !read.contains(name.as_str()))
            .map(|(name, given)| unused::flag(name, &given.origin));
        unknown.chain(unread).chain(self.unused.iter().cloned()).collect()
    }

    fn values(&self, name: &'static str) -> Vec<String> {
        self.read.borrow_mut().insert(name);
        if let Some(given) = self.given.get(name) {
            return given.values.clone();
        }
        let flag = self.table.get(name);
        assert!(flag.is_some(), "{} has no flag {name}: it is not in flags.tsv", self.component);
        flag.map(|flag| vec![flag.default.to_owned()]).unwrap_or_default()
    }

    fn read_environment(&mut self, environment: &BTreeMap<String, String>) {
        for flag in self.table.values() {
            // An empty variable is what a missing ConfigMap key gives in published manifests.
            let Some(value) = environment.get(flag.env).filter(|value| !value.is_empty()) else { continue };
            let given = Given { values: vec![value.clone()], origin: flag.env.to_owned() };
            self.given.insert(flag.name.to_owned(), given);
        }
    }

    fn read_arguments(&mut self, arguments: &[String]) -> Result<(), FlagError> {
        let mut said: BTreeSet<String> = BTreeSet::new();
        let mut rest = arguments.iter().peekable();
        while let Some(argument) = rest.next() {
            let (name, mut value) = match self.split(argument)? {
                Some(split) => split,
                None => {
                    self.help = true;
                    continue;
                }
            };
            let flag = self.table.get(name.as_str());
            if value.is_none() {
                value = match flag {
                    Some(flag) if flag.kind == "bool" => Some("true".to_owned()),
                    Some(_) => Some(rest.next().ok_or_else(|| FlagError::NoValue(name.clone()))?.clone()),
                    None => rest.next_if(|next| !next.starts_with('-')).cloned(),
                };
            }
            if flag.is_none() {
                self.unknown.push(name);
                continue;
            }
            let entry = self
                .given
                .entry(name.clone())
                .or_insert_with(|| Given { values: Vec::new(), origin: String::new() });
            if said.insert(name.clone()) {
                *entry = Given { values: Vec::new(), origin: format!("--{name}") };
            }
            entry.values.extend(value);
        }
        Ok(())
    }

    /// The flag's name and the value after `=`; nothing when help is asked for.
    fn split(&self, argument: &str) -> Result<Option<(String, Option<String>)>, FlagError> {
        if argument == "--help" || argument == "-h" {
            return Ok(None);
        }
        let (body, short) = match (argument.strip_prefix("--"), argument.strip_prefix('-')) {
            (Some(body), _) => (body, false),
            (None, Some(body)) => (body, true),
            (None, None) => return Err(FlagError::Argument(argument.to_owned())),
        };
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        let long = self.table.values().find(|flag| short && flag.short == name).map(|flag| flag.name);
        Ok(Some((long.unwrap_or(name).to_owned(), value)))
    }

    fn check(&self) -> Result<(), FlagError> {
        for (name, given) in &self.given {
            let Some(flag) = self.table.get(name.as_str()) else { continue };
            for value in &given.values {
                if !valid(flag.kind, value) {
                    let (origin, value) = (given.origin.clone(), value.clone());
                    return Err(FlagError::Value { origin, value, kind: flag.kind });
                }
            }
        }
        Ok(())
    }
}

fn table(component: &str) -> BTreeMap<&'static str, Flag> {
    TABLE
        .lines()
        .filter_map(|line| {
            let columns: Vec<&'static str> = line.split('\t').collect();
            let [of, name, short, kind, default, env, _range, parameter] = columns[..] else {
                unreachable!("flags.tsv: a line has eight columns: {line}")
            };
            (of == component).then_some((name, Flag { name, short, kind, default, env, parameter }))
        })
        .collect()
}

fn valid(kind: &str, value: &str) -> bool {
    match kind {
        "bool" => boolean(value).is_some(),
        "int" => value.parse::<i64>().is_ok(),
        // `timeout.reconciliation: 120s` reaches flags that are whole numbers of seconds.
        "seconds" => value.parse::<i64>().is_ok() || duration::parse(value).is_some(),
        "float" => value.parse::<f64>().is_ok(),
        "duration" => duration::parse(value).is_some() || value.parse::<u64>().is_ok(),
        _ => true,
    }
}

/// The forms Go's `strconv.ParseBool` takes.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{FlagError, Flags};
    use std::collections::BTreeMap;

    fn parse(component: &'static str, line: &str, environment: &[(&str, &str)]) -> Result<Flags, FlagError> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let environment: BTreeMap<String, String> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Flags::parse(component, &arguments, &environment)
    }

    #[test]
    fn the_command_line_beats_the_environment_and_that_the_configmap() {
        let parameters = BTreeMap::from([
            ("repo.server".to_owned(), "configured:1".to_owned()),
            ("redis.server".to_owned(), "redis:6379".to_owned()),
        ]);
        let environment = [("ARGOCD_SERVER_REPO_SERVER", "environment:1"), ("REDIS_SERVER", "")];
        let flags = parse("argocd-server", "--port 9 --insecure --loglevel=debug", &environment)
            .unwrap()
            .with_parameters(&parameters)
            .unwrap();
        assert_eq!(flags.text("repo-server"), "environment:1");
        assert_eq!(flags.text("redis"), "redis:6379");
        assert_eq!(flags.port("port"), 9);
        assert!(flags.bool("insecure"));
        assert_eq!(flags.text("loglevel"), "debug");
        assert_eq!(flags.text("logformat"), "json");
    }

    #[test]
    fn parameters_stand_for_variables_too() {
        let parameters = BTreeMap::from([
            ("redis.key.prefix".to_owned(), "configured".to_owned()),
            ("controller.k8s.client.qps".to_owned(), "9".to_owned()),
        ]);
        let flags = parse("argocd-server", "", &[]).unwrap();
        let environment = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
        let all = flags.environment(&environment, &parameters);
        assert_eq!(all.get("ARGOCD_REDIS_KEY_PREFIX").map(String::as_str), Some("configured"));
        assert_eq!(all.len(), 2, "another component's parameters are not ours: {all:?}");
        let said = BTreeMap::from([("ARGOCD_REDIS_KEY_PREFIX".to_owned(), "said".to_owned())]);
        assert_eq!(flags.environment(&said, &parameters), said);
    }

    #[test]
    fn seconds_may_be_durations() {
        let environment = [("ARGOCD_RECONCILIATION_TIMEOUT", "3m"), ("ARGOCD_RECONCILIATION_JITTER", "60s")];
        let flags = parse("argocd-application-controller", "--app-hard-resync 5", &environment).unwrap();
        let seconds = ["app-resync", "app-resync-jitter", "app-hard-resync"].map(|name| flags.int(name));
        assert_eq!(seconds, [180, 60, 5]);
    }

    #[test]
    fn what_published_manifests_say_is_accepted() {
        let line = "--staticassets /shared/app --disable-auth=false --application-namespaces=a,b --from-the-future x --older";
        let flags = parse("argocd-server", line, &[]).unwrap();
        assert_eq!(flags.list("application-namespaces"), ["a", "b"]);
        let warnings = flags.warnings();
        assert!(warnings.contains(&"unknown flag --from-the-future is ignored".to_owned()), "{warnings:?}");
        assert!(warnings.contains(&"unknown flag --older is ignored".to_owned()), "{warnings:?}");
        assert!(warnings.iter().any(|line| line.starts_with("--staticassets is accepted")), "{warnings:?}");
        assert!(!warnings.iter().any(|line| line.contains("application-namespaces")), "{warnings:?}");
    }

    #[test]
    fn wrong_values_name_where_they_came_from() {
        let error = parse("argocd-server", "", &[("ARGOCD_SERVER_DISABLE_AUTH", "perhaps")]).unwrap_err();
        assert_eq!(error.to_string(), "ARGOCD_SERVER_DISABLE_AUTH: \"perhaps\" is not a bool");
        let error = parse("argocd-repo-server", "--port many", &[]).unwrap_err();
        assert_eq!(error.to_string(), "--port: \"many\" is not a int");
        assert_eq!(
            parse("argocd-repo-server", "--port", &[]).unwrap_err(),
            FlagError::NoValue("port".into())
        );
        assert_eq!(
            parse("argocd-repo-server", "start", &[]).unwrap_err(),
            FlagError::Argument("start".into())
        );
    }
}
