//! What each method of the public services wants of its caller, as the option `rights.wants` in `proto/` says. Lets nobody
//! in: the server asks in its own code, and tests hold the two together.

use std::fmt;
use std::sync::LazyLock;

use prost_reflect::{DynamicMessage, MethodDescriptor, ServiceDescriptor, Value};

use crate::transcode::plan::{enum_of, option_message, pool, text_of};

/// Where the files of the public services are.
const PUBLIC: &str = "server/";

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Whoever the policy permits all its rights.
    Permitted,
    /// Whoever has a session.
    LoggedIn,
    /// Anybody, with and without a session.
    Anybody,
    /// Nobody: the server does not answer it.
    Nobody,
    /// `proto/` does not say, or says what cannot be meant. There is no such method.
    Unsaid,
}

impl Caller {
    /// The word for it in the API's description.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::LoggedIn => "logged in",
            Self::Anybody => "anybody",
            Self::Nobody => "nobody",
            Self::Unsaid => "unsaid",
        }
    }
}

/// A right as a line of a policy grants it. Names in braces stand for what a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Resource, as in `applications`.
    pub resource: String,
    /// Action, as in `sync`.
    pub action: String,
    /// Object, as in `{project}/{name}`.
    pub object: String,
}

impl Right {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(", ").map(str::to_owned);
        let right = Self { resource: parts.next()?, action: parts.next()?, object: parts.next()? };
        parts.next().is_none().then_some(right)
    }

    /// The same with values in place of the names in braces. The error is a name that has no value.
    pub fn filled(&self, value: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        Ok(Self {
            resource: self.resource.clone(),
            action: with_values(&self.action, &value)?,
            object: with_values(&self.object, &value)?,
        })
    }
}

/// As a policy has it.
impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}, {}", self.resource, self.action, self.object)
    }
}

fn with_values(template: &str, value: &impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        text.push_str(before);
        text.push_str(&value(name).ok_or_else(|| name.to_owned())?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Rights that only some requests want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which requests, for people: what follows "when".
    pub when: String,
    /// The rights, all of them.
    pub all: Vec<Right>,
}

/// What a method wants of its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wants {
    /// The service's full name, `application.ApplicationService`.
    pub service: String,
    /// The method's name.
    pub method: String,
    /// Who may call it.
    pub caller: Caller,
    /// The rights that every request wants, all of them.
    pub all: Vec<Right>,
    /// What some requests want besides.
    pub also: Vec<Condition>,
    /// It refuses nobody, and leaves out what the caller has no right to.
    pub filtered: bool,
    /// What else people should know; empty where that is nothing.
    pub note: String,
    /// Kept for clients of before.
    pub deprecated: bool,
}

/// All methods of the public services, in the order of their files.
#[must_use]
pub fn methods() -> &'static [Wants] {
    static METHODS: LazyLock<Vec<Wants>> = LazyLock::new(|| {
        let public = pool().services().filter(|service| service.parent_file().name().starts_with(PUBLIC));
        public.flat_map(|service| of_service(&service)).collect()
    });
    &METHODS
}

/// What one method wants; nothing for what is no method of a public service.
#[must_use]
pub fn of(service: &str, method: &str) -> Option<&'static Wants> {
    methods().iter().find(|wants| wants.service == service && wants.method == method)
}

fn of_service(service: &ServiceDescriptor) -> Vec<Wants> {
    service.methods().map(|method| read(service.full_name(), &method)).collect()
}

fn read(service: &str, method: &MethodDescriptor) -> Wants {
    let mut wants = Wants {
        service: service.to_owned(),
        method: method.name().to_owned(),
        caller: Caller::Unsaid,
        all: Vec::new(),
        also: Vec::new(),
        filtered: false,
        note: String::new(),
        deprecated: method
            .method_descriptor_proto()
            .options
            .as_ref()
            .is_some_and(prost_reflect::prost_types::MethodOptions::deprecated),
    };
    let Some(said) = option_message(&method.options(), "rights.wants") else { return wants };
    let (Some(all), Some(also)) = (rights(&said), conditions(&said)) else { return wants };
    wants.caller = match (enum_of(Some(&said), "caller"), all.is_empty() && also.is_empty()) {
        (0, _) if !all.is_empty() => Caller::Permitted,
        (1, true) => Caller::LoggedIn,
        (2, true) => Caller::Anybody,
        (3, true) => Caller::Nobody,
        _ => Caller::Unsaid,
    };
    wants.all = all;
    wants.also = also;
    wants.filtered = said.get_field_by_name("filtered").is_some_and(|value| value.as_bool() == Some(true));
    wants.note = text_of(&said, "note");
    wants
}

/// The rights a message names; nothing when one of them is no right.
fn rights(message: &DynamicMessage) -> Option<Vec<Right>> {
    let all = message.get_field_by_name("all")?;
    all.as_list().unwrap_or_default().iter().map(|right| Right::parse(right.as_str()?)).collect()
}

fn conditions(said: &DynamicMessage) -> Option<Vec<Condition>> {
    let also = said.get_field_by_name("also")?;
    let condition = |value: &Value| {
        let condition = value.as_message()?;
        Some(Condition { when: text_of(condition, "when"), all: rights(condition)? })
    };
    also.as_list().unwrap_or_default().iter().map(condition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::routes;

    #[test]
    fn every_public_method_says_what_it_wants() {
        let unsaid: Vec<_> = methods().iter().filter(|wants| wants.caller == Caller::Unsaid).collect();
        assert!(unsaid.is_empty(), "{unsaid:?}");
        let unreachable: Vec<_> =
            routes().iter().filter(|route| of(&route.service, &route.method).is_none()).collect();
        assert!(unreachable.is_empty(), "{unreachable:?}");
        assert!(methods().len() > 100, "{}", methods().len());
    }

    #[test]
    fn what_is_said_is_read() {
        let sync = of("application.ApplicationService", "Sync").unwrap();
        let told = |rights: &[Right]| rights.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            told(&sync.all),
            ["applications, get, {project}/{name}", "applications, sync, {project}/{name}"]
        );
        assert_eq!(sync.also[0].when, "manifests are sent along");
        assert_eq!(told(&sync.also[0].all), ["applications, override, {project}/{name}"]);
        assert!(!sync.filtered && !sync.deprecated && sync.note.is_empty());
        let list = of("repository.RepositoryService", "List").unwrap();
        assert!(list.filtered && list.deprecated);
        assert_eq!(of("version.VersionService", "Version").unwrap().caller, Caller::Anybody);
        // What the services of the inside want is not said to anybody.
        assert_eq!(of("repository.RepoServerService", "ListRefs"), None);
    }

    #[test]
    fn values_stand_where_their_names_did() {
        let right = Right::parse("applications, action/{group}/{kind}/x, {project}/{name}").unwrap();
        let value = |name: &str| (name != "name").then(|| name.to_uppercase());
        assert_eq!(right.filled(value), Err("name".to_owned()));
        let filled = right.filled(|name| Some(name.to_uppercase())).unwrap();
        assert_eq!(filled.to_string(), "applications, action/GROUP/KIND/x, PROJECT/NAME");
        assert_eq!(Right::parse("applications, get"), None);
        assert_eq!(Right::parse("applications, get, a, allow"), None);
    }
}
