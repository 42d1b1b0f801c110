//! What expressions and templates see: the application, the context, the Secret, and the functions of `time`, `strings`,
//! `repo` and `sync`. Both languages get the same functions.

use crate::secrets::SecretData;
use crate::state::Destination;
use expr::Value;
use expr::namespaces::{self, Lookup};
use expr::time::Zone;
use expr::value::{Function, Parameter};
use gotemplate::{Element, List, Map, Object, Text};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Answers about an application's repository; the error is what a template or a trigger sees.
#[derive(Clone)]
pub struct Repository {
    /// Message, author, date and tags of a revision, as [`commit`] makes them.
    pub commit: Arc<Lookup>,
    /// What kind of source the application has.
    pub details: Arc<Lookup>,
}

impl Repository {
    /// A repository nobody can ask: every question is answered with the reason.
    pub fn unreachable(reason: &'static str) -> Self {
        let lookup: Arc<Lookup> = Arc::new(move |_: &str| Err(reason.to_owned()));
        Self { commit: lookup.clone(), details: lookup }
    }

    /// The same repository, with a mark for whether it failed to answer.
    pub(crate) fn marked(&self) -> (Self, Silence) {
        let silence = Silence::default();
        let marking = |lookup: &Arc<Lookup>| -> Arc<Lookup> {
            let (lookup, silence) = (lookup.clone(), silence.clone());
            Arc::new(move |asked: &str| {
                lookup(asked).inspect_err(|_| silence.0.store(true, Ordering::Relaxed))
            })
        };
        (Self { commit: marking(&self.commit), details: marking(&self.details) }, silence)
    }
}

/// Whether a repository was asked and gave no answer: an error that says nothing of what was asked about.
#[derive(Clone, Debug, Default)]
pub struct Silence(Arc<AtomicBool>);

impl Silence {
    /// Whether that happened since this was asked last.
    pub(crate) fn taken(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// What `repo.GetCommitMetadata` gives.
pub fn commit(message: &str, author: &str, date: Option<Timestamp>, tags: &[String]) -> Value {
    let date = date.map_or_else(expr::time::Time::zero, expr::time::Time::at);
    Value::structure(
        "shared.CommitMetadata",
        [
            ("Message", Value::text(message)),
            ("Author", Value::text(author)),
            ("Date", Value::Time(date)),
            ("Tags", Value::list(tags.iter().map(|tag| Value::text(tag.as_str())).collect())),
        ],
    )
}

/// What the repo-server says of a chart, and what the application sets of it.
#[derive(Clone, Debug, Default)]
pub struct HelmDetails {
    /// The chart's name.
    pub name: String,
    /// Values files beside it.
    pub value_files: Vec<String>,
    /// Values by their names: name, value, and whether the value is taken for a text.
    pub parameters: Vec<(String, String, bool)>,
    /// The text of its values.
    pub values: String,
    /// Values out of files: name and path.
    pub file_parameters: Vec<(String, String)>,
    /// Values the application sets: name, value, and whether the value is taken for a text.
    pub overrides: Vec<(String, String, bool)>,
}

/// What kind of source an application has, with what is known of it.
#[derive(Clone, Debug, Default)]
pub struct AppDetails {
    /// `Helm`, `Kustomize`, `Directory`, `Plugin`.
    pub kind: String,
    /// Of a chart.
    pub helm: Option<HelmDetails>,
    /// Images of a kustomization.
    pub kustomize: Option<Vec<String>>,
    /// Whether it is a directory.
    pub directory: bool,
}

/// What `repo.GetAppDetails` gives.
pub fn details(details: &AppDetails) -> Value {
    let images =
        |images: &Vec<String>| Value::structure("apiclient.KustomizeAppSpec", [("Images", texts(images))]);
    let directory = Value::structure("apiclient.DirectoryAppSpec", []);
    Value::structure(
        "shared.AppDetail",
        [
            ("Type", Value::text(details.kind.as_str())),
            ("Helm", details.helm.as_ref().map_or(Value::Nil, HelmDetails::value)),
            ("Kustomize", details.kustomize.as_ref().map_or(Value::Nil, images)),
            ("Directory", if details.directory { directory } else { Value::Nil }),
        ],
    )
}

fn texts(texts: &[String]) -> Value {
    Value::list(texts.iter().map(|text| Value::text(text.as_str())).collect())
}

impl HelmDetails {
    fn value(&self) -> Value {
        let (overrides, parameters) = (self.overrides.clone(), self.parameters.clone());
        let value = by_name(move |name| {
            let mut both = overrides.iter().chain(&parameters);
            both.find(|(known, _, _)| known == name).map(|(_, value, _)| value.clone())
        });
        let files = self.file_parameters.clone();
        let path =
            by_name(move |name| files.iter().find(|(known, _)| known == name).map(|(_, path)| path.clone()));
        let file = |(name, path): &(String, String)| {
            let fields = [("Name", Value::text(name.as_str())), ("Path", Value::text(path.as_str()))];
            Value::structure("v1alpha1.HelmFileParameter", fields)
        };
        let fields = [
            ("Name", Value::text(self.name.as_str())),
            ("ValueFiles", texts(&self.value_files)),
            ("Parameters", parameters_of(&self.parameters)),
            ("Values", Value::text(self.values.as_str())),
            ("FileParameters", Value::list(self.file_parameters.iter().map(file).collect())),
        ];
        // Where the original has them, and where its documentation says they are.
        let members = [
            ("HelmAppSpec", Value::structure("apiclient.HelmAppSpec", fields.clone())),
            ("HelmParameterOverrides", parameters_of(&self.overrides)),
            ("GetParameterValueByName", value),
            ("GetFileParameterPathByName", path),
        ];
        Value::structure("shared.CustomHelmAppSpec", fields.into_iter().chain(members))
    }
}

fn parameters_of(parameters: &[(String, String, bool)]) -> Value {
    let each = |(name, value, force): &(String, String, bool)| {
        let (name, value) = (Value::text(name.as_str()), Value::text(value.as_str()));
        let fields = [("Name", name), ("Value", value), ("ForceString", Value::Bool(*force))];
        Value::structure("v1alpha1.HelmParameter", fields)
    };
    Value::list(parameters.iter().map(each).collect())
}

/// A function of a name; empty for one that is not known.
fn by_name(find: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Value {
    Value::Function(Function::new(&[Parameter::Text], move |arguments| {
        let found = match arguments {
            [Value::Text(name)] => find(name),
            _ => None,
        };
        Ok(Value::text(found.unwrap_or_default()))
    }))
}

/// Everything that is seen, before it is known in which language.
pub struct Variables<'v> {
    /// The application as Kubernetes has it.
    pub application: &'v serde_json::Value,
    /// Its project, when there is one.
    pub project: Option<&'v serde_json::Value>,
    /// `context` of the configuration.
    pub context: &'v BTreeMap<String, String>,
    /// The Secret, unless it is not to be seen.
    pub secrets: Option<&'v SecretData>,
    /// The application's repository.
    pub repository: &'v Repository,
    /// The time.
    pub now: Timestamp,
    /// The time of clocks on the wall.
    pub local: &'v Zone,
}

impl Variables<'_> {
    /// For expressions.
    pub fn for_triggers(&self) -> BTreeMap<String, Value> {
        self.common("")
    }

    fn common(&self, service: &str) -> BTreeMap<String, Value> {
        let context = self.context.iter().map(|(key, text)| (key.clone(), text.clone()));
        let kind = std::iter::once(("notificationType".to_owned(), service.to_owned()));
        let project = self.project.map_or_else(|| Value::map::<&str>([]), Value::from_json);
        let secrets = self.secrets.map(|secrets| {
            let value = |value: &object::Secret<Vec<u8>>| Value::Bytes(Arc::from(value.reveal().as_slice()));
            Value::map(secrets.iter().map(|(key, secret)| (key.clone(), value(secret))))
        });
        let mut variables: BTreeMap<String, Value> = [
            ("app", Value::from_json(self.application)),
            ("appProject", project),
            ("context", Value::texts(kind.chain(context))),
            ("time", namespaces::time(self.now, self.local)),
            ("strings", namespaces::strings()),
            ("repo", namespaces::repo(self.repository.commit.clone(), self.repository.details.clone())),
            ("sync", namespaces::sync()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        variables.extend(secrets.map(|secrets| ("secrets".to_owned(), secrets)));
        variables
    }

    /// For templates.
    pub(crate) fn for_template(&self, destination: &Destination) -> gotemplate::Value {
        let mut entries: BTreeMap<Text, gotemplate::Value> = self
            .common(&destination.service)
            .iter()
            .map(|(name, value)| (Text::from(name.as_str()), to_template(value)))
            .collect();
        entries.insert("serviceType".into(), destination.service.as_str().into());
        entries.insert("recipient".into(), destination.recipient.as_str().into());
        Map::any(entries)
    }
}

/// A function that templates reach by `call`.
struct Callable(expr::value::Function);

impl Object for Callable {
    fn type_name(&self) -> &str {
        "func"
    }

    fn kind(&self) -> &'static str {
        "func"
    }

    fn field(&self, _: &str) -> Option<gotemplate::Value> {
        None
    }

    fn call(&self, name: &str, arguments: &[gotemplate::Value]) -> Option<Result<gotemplate::Value, String>> {
        if !name.is_empty() {
            return None;
        }
        let arguments: Vec<_> = arguments.iter().map(from_template).collect();
        Some(self.0.call(&arguments).map(|value| to_template(&value)))
    }
}

/// A structure with fields.
struct Structure {
    name: &'static str,
    fields: BTreeMap<String, Value>,
}

impl Structure {
    /// Its fields without its methods.
    fn seen(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.fields.iter().filter(|(_, value)| !matches!(value, Value::Function(_)))
    }
}

impl Object for Structure {
    fn type_name(&self) -> &str {
        self.name
    }

    fn field(&self, name: &str) -> Option<gotemplate::Value> {
        self.fields.get(name).map(to_template)
    }

    fn call(&self, name: &str, arguments: &[gotemplate::Value]) -> Option<Result<gotemplate::Value, String>> {
        let Some(Value::Function(method)) = self.fields.get(name) else { return None };
        let arguments: Vec<_> = arguments.iter().map(from_template).collect();
        Some(method.call(&arguments).map(|value| to_template(&value)))
    }

    fn json(&self) -> gotemplate::Value {
        let fields = self.seen();
        Map::any(fields.map(|(name, value)| (Text::from(name.as_str()), to_template(value))).collect())
    }

    fn text(&self) -> Option<String> {
        let values: Vec<String> = self.seen().map(|(_, value)| value.to_string()).collect();
        Some(format!("{{{}}}", values.join(" ")))
    }
}

fn to_template(value: &Value) -> gotemplate::Value {
    use expr::value::{IntKind, Key, MapKind};
    match value {
        Value::Nil => gotemplate::Value::Nil,
        Value::Bool(truth) => gotemplate::Value::Bool(*truth),
        Value::Int(number, IntKind::Int64) => gotemplate::Value::Int64(*number),
        Value::Int(number, _) => gotemplate::Value::Int(*number),
        Value::Float(number) => gotemplate::Value::Float(*number),
        Value::Text(text) => gotemplate::Value::text(&**text),
        Value::Bytes(bytes) => gotemplate::Value::Bytes(Text::from(&**bytes)),
        Value::Duration(nanoseconds) => gotemplate::Value::Duration(*nanoseconds),
        Value::Zone(zone) => gotemplate::Value::text(zone.name()),
        Value::Time(time) => {
            let (seconds, nanoseconds) = time.instant();
            let nanoseconds = i32::try_from(nanoseconds).unwrap_or(0);
            let moment = Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH);
            gotemplate::Value::Time(Rc::new(gotemplate::Time::new(moment, time.zone().to_jiff())))
        }
        Value::List(list) => List::any(list.items().iter().map(to_template).collect()),
        Value::Function(function) => gotemplate::Value::Object(Rc::new(Callable(function.clone()))),
        Value::Map(map) => {
            let texts = map.entries().iter().filter_map(|(key, value)| match key {
                Key::Text(key) => Some((key, value)),
                _ => None,
            });
            match map.kind() {
                MapKind::Struct(name) => {
                    let fields = texts.map(|(key, value)| (key.to_string(), value.clone())).collect();
                    gotemplate::Value::Object(Rc::new(Structure { name, fields }))
                }
                kind => {
                    let texts = texts.map(|(key, value)| (Text::from(&**key), to_template(value)));
                    let element = if kind == MapKind::OnlyTexts { Element::String } else { Element::Any };
                    Map::of(element, None, texts.collect())
                }
            }
        }
    }
}

fn from_template(value: &gotemplate::Value) -> Value {
    use expr::value::IntKind;
    use gotemplate::Value as Template;
    match value {
        Template::Bool(truth) => Value::Bool(*truth),
        Template::Int(number) => Value::int(*number),
        Template::Int64(number) => Value::Int(*number, IntKind::Int64),
        Template::Int32(number) => Value::int(i64::from(*number)),
        Template::Uint8(number) => Value::int(i64::from(*number)),
        Template::Uint64(number) => Value::int(i64::try_from(*number).unwrap_or(i64::MAX)),
        Template::Float(number) => Value::Float(*number),
        Template::String(text) => Value::text(text.to_str().into_owned()),
        Template::Bytes(bytes) => Value::Bytes(Arc::from(bytes.as_bytes())),
        Template::Duration(nanoseconds) => Value::Duration(*nanoseconds),
        Template::Time(time) => Value::Time(expr::time::Time::at(time.timestamp())),
        Template::List(list) => Value::list(list.items.iter().map(from_template).collect()),
        Template::Map(map) => {
            let entries = map.entries();
            Value::map(entries.iter().map(|(key, value)| (key.to_str().into_owned(), from_template(value))))
        }
        Template::Missing | Template::Nil | Template::Complex(..) | Template::Object(_) => Value::Nil,
    }
}
