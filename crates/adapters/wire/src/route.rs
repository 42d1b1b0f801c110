//! Which gRPC method an HTTP request means: the route table of the descriptors' HTTP bindings.

use std::sync::LazyLock;

use http::Method;
use prost_reflect::{DynamicMessage, Value};

use crate::transcode::plan::{option_message, pool, text_of};

/// What of the request the HTTP body holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing: all comes from path and query.
    None,
    /// The whole request; the query is not looked at.
    Whole,
    /// One field; the others come from path and query.
    Field(String),
}

/// One HTTP binding of a gRPC method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The service's full name, `application.ApplicationService`; `CommitService` has no package.
    pub service: String,
    /// The method's name.
    pub method: String,
    /// The HTTP verb.
    pub verb: Method,
    /// The path with `{field}`, `{a.b.c}` and `{rest=**}` for request fields.
    pub template: String,
    /// What the body holds.
    pub body: Body,
    /// Full name of the request message.
    pub request: String,
    /// Full name of the response message.
    pub response: String,
    /// The method takes a stream of requests.
    pub client_streaming: bool,
    /// The method answers with a stream.
    pub server_streaming: bool,
    /// Another method with the same binding took its place.
    pub deprecated: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// One part of the path, into this field.
    Field(String),
    /// All that is left of the path, possibly nothing.
    Rest(String),
}

impl Route {
    /// The path of the gRPC call, `/package.Service/Method`.
    #[must_use]
    pub fn grpc_path(&self) -> String {
        format!("/{}/{}", self.service, self.method)
    }

    /// The fields that the path sets, dotted.
    pub fn path_fields(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Field(field) | Segment::Rest(field) => Some(field.as_str()),
        })
    }

    /// Field and value of each variable when the parts of a path are those of this route.
    fn matches(&self, parts: &[&str]) -> Option<Vec<(&str, String)>> {
        let mut values = Vec::new();
        let mut parts = parts.iter();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => {
                    if parts.next()? != literal {
                        return None;
                    }
                }
                Segment::Field(field) => values.push((field.as_str(), (*parts.next()?).to_owned())),
                Segment::Rest(field) => {
                    let rest: Vec<&str> = parts.by_ref().copied().collect();
                    values.push((field.as_str(), rest.join("/")));
                }
            }
        }
        parts.next().is_none().then_some(values)
    }
}

/// All routes, in the order of the services' files.
#[must_use]
pub fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(read_routes);
    &ROUTES
}

/// What a verb and a path lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A route, and the values of its path variables by dotted field.
    Found(&'static Route, Vec<(&'static str, String)>),
    /// The path exists with another verb; which route that is.
    WrongVerb(&'static Route, Vec<(&'static str, String)>),
    /// No such path.
    NotFound,
}

/// Finds the route of a request; `path` as it was sent, still escaped.
#[must_use]
pub fn lookup(verb: &Method, path: &str) -> Lookup {
    // Ids of these are addresses; they stay escaped, so that their slashes do not separate, and the service
    // unescapes them.
    let raw = [
        "/api/v1/clusters/",
        "/api/v1/repositories/",
        "/api/v1/write-repositories/",
        "/api/v1/repocreds/",
        "/api/v1/write-repocreds/",
    ];
    let decoded;
    let path = if raw.iter().any(|prefix| path.starts_with(prefix)) {
        path
    } else {
        decoded = unescape(path);
        &decoded
    };
    let Some(path) = path.strip_prefix('/') else { return Lookup::NotFound };
    let parts: Vec<&str> = path.split('/').collect();
    // A last part that begins with its only colon would be a verb without a resource.
    if parts.last().is_some_and(|last| last.rfind(':') == Some(0)) {
        return Lookup::NotFound;
    }
    let mut wrong_verb = None;
    let mut deprecated = None;
    for route in routes() {
        let Some(values) = route.matches(&parts) else { continue };
        if route.verb != *verb {
            wrong_verb.get_or_insert((route, values));
        } else if route.deprecated {
            deprecated.get_or_insert((route, values));
        } else {
            return Lookup::Found(route, values);
        }
    }
    match (deprecated, wrong_verb) {
        (Some((route, values)), _) => Lookup::Found(route, values),
        (None, Some((route, values))) => Lookup::WrongVerb(route, values),
        (None, None) => Lookup::NotFound,
    }
}

/// A path without its percent escapes; what is not an escape stays.
fn unescape(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits
            .filter(|digits| byte == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn read_routes() -> Vec<Route> {
    let mut routes = Vec::new();
    for service in pool().services() {
        for method in service.methods() {
            let Some(rule) = option_message(&method.options(), "google.api.http") else { continue };
            let deprecated = method
                .method_descriptor_proto()
                .options
                .as_ref()
                .is_some_and(prost_reflect::prost_types::MethodOptions::deprecated);
            let mut rules = vec![rule];
            if let Some(more) =
                rules[0].get_field_by_name("additional_bindings").as_deref().and_then(Value::as_list)
            {
                let more: Vec<DynamicMessage> =
                    more.iter().filter_map(|rule| rule.as_message().cloned()).collect();
                rules.extend(more);
            }
            for rule in &rules {
                let Some((verb, template)) = pattern(rule) else { continue };
                routes.push(Route {
                    service: service.full_name().to_owned(),
                    method: method.name().to_owned(),
                    verb,
                    segments: segments(&template),
                    template,
                    body: match text_of(rule, "body").as_str() {
                        "" => Body::None,
                        "*" => Body::Whole,
                        field => Body::Field(field.to_owned()),
                    },
                    request: method.input().full_name().to_owned(),
                    response: method.output().full_name().to_owned(),
                    client_streaming: method.is_client_streaming(),
                    server_streaming: method.is_server_streaming(),
                    deprecated,
                });
            }
        }
    }
    routes
}

fn pattern(rule: &DynamicMessage) -> Option<(Method, String)> {
    [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ]
    .into_iter()
    .find(|(field, _)| rule.has_field_by_name(field))
    .map(|(field, verb)| (verb, text_of(rule, field)))
}

fn segments(template: &str) -> Vec<Segment> {
    let variable =
        |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).map(str::to_owned);
    template
        .trim_start_matches('/')
        .split('/')
        .map(|part| match variable(part) {
            None => Segment::Literal(part.to_owned()),
            Some(name) => match name.strip_suffix("=**") {
                Some(name) => Segment::Rest(name.to_owned()),
                None => Segment::Field(name),
            },
        })
        .collect()
}
