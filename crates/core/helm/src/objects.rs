//! What templates see besides values: `.Chart`, `.Files`, `.Capabilities`, `.Release`.

use crate::chart::File;
use crate::error::Error;
use crate::metadata::{Dependency, Metadata};
use crate::options::{Options, default_api_versions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::{Element, List, Map, Object, Text, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

fn texts(items: &[String]) -> Value {
    if items.is_empty() {
        return List::nil(Element::String);
    }
    List::strings(items.iter().map(|item| Text::from(item.as_str())))
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    Map::any(entries.into_iter().map(|(key, value)| (Text::from(key), value)).collect())
}

/// Members that are empty are left out, as `omitempty` does.
fn filled(entries: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    entries.into_iter().filter(|(_, value)| value.truth()).collect()
}

/// A value with fields and a JSON form, made once.
struct Record {
    type_name: &'static str,
    pointer: bool,
    fields: Vec<(&'static str, Value)>,
    json: Vec<(&'static str, Value)>,
}

impl Object for Record {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        if self.pointer { "ptr" } else { "struct" }
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone())
    }

    fn json(&self) -> Value {
        map(self.json.clone())
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(self.json.clone())
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.clone()
    }
}

fn objects(items: Vec<Record>) -> Value {
    if items.is_empty() {
        return List::nil(Element::Any);
    }
    List::any(items.into_iter().map(|item| Value::Object(Rc::new(item))).collect())
}

fn dependency(dependency: &Dependency) -> Record {
    let imports = dependency.import_values.iter().map(Value::from_json).collect();
    let imports =
        if dependency.import_values.is_empty() { List::nil(Element::Any) } else { List::any(imports) };
    let text = |text: &str| Value::text(text);
    let mut json = vec![("name", text(&dependency.name))];
    json.extend(filled(vec![("version", text(&dependency.version))]));
    json.push(("repository", text(&dependency.repository)));
    json.extend(filled(vec![
        ("condition", text(&dependency.condition)),
        ("tags", texts(&dependency.tags)),
        ("enabled", dependency.enabled.into()),
        ("import-values", imports.clone()),
        ("alias", text(&dependency.alias)),
    ]));
    Record {
        type_name: "*chart.Dependency",
        pointer: true,
        fields: vec![
            ("Name", text(&dependency.name)),
            ("Version", text(&dependency.version)),
            ("Repository", text(&dependency.repository)),
            ("Condition", text(&dependency.condition)),
            ("Tags", texts(&dependency.tags)),
            ("Enabled", dependency.enabled.into()),
            ("ImportValues", imports),
            ("Alias", text(&dependency.alias)),
        ],
        json,
    }
}

/// `.Chart`
pub(crate) fn chart(metadata: &Metadata, root: bool) -> Value {
    let text = |text: &str| Value::text(text);
    let maintainers = || {
        let record = |maintainer: &crate::metadata::Maintainer| {
            let (name, email, url) = (&maintainer.name, &maintainer.email, &maintainer.url);
            Record {
                type_name: "*chart.Maintainer",
                pointer: true,
                fields: vec![("Name", text(name)), ("Email", text(email)), ("URL", text(url))],
                json: filled(vec![("name", text(name)), ("email", text(email)), ("url", text(url))]),
            }
        };
        objects(metadata.maintainers.iter().map(record).collect())
    };
    let dependencies = || objects(metadata.dependencies.iter().flatten().map(dependency).collect());
    let annotations = || {
        let entries = metadata.annotations.iter();
        gotemplate::string_map(entries.map(|(key, value)| (key.as_str().into(), value.as_str().into())))
    };
    let fields = vec![
        ("Name", text(&metadata.name)),
        ("Home", text(&metadata.home)),
        ("Sources", texts(&metadata.sources)),
        ("Version", text(&metadata.version)),
        ("Description", text(&metadata.description)),
        ("Keywords", texts(&metadata.keywords)),
        ("Maintainers", maintainers()),
        ("Icon", text(&metadata.icon)),
        ("APIVersion", text(&metadata.api_version)),
        ("Condition", text(&metadata.condition)),
        ("Tags", text(&metadata.tags)),
        ("AppVersion", text(&metadata.app_version)),
        ("Deprecated", metadata.deprecated.into()),
        ("Annotations", annotations()),
        ("KubeVersion", text(&metadata.kube_version)),
        ("Dependencies", dependencies()),
        ("Type", text(&metadata.kind)),
        ("IsRoot", root.into()),
    ];
    const NAMES: [&str; 17] = [
        "name",
        "home",
        "sources",
        "version",
        "description",
        "keywords",
        "maintainers",
        "icon",
        "apiVersion",
        "condition",
        "tags",
        "appVersion",
        "deprecated",
        "annotations",
        "kubeVersion",
        "dependencies",
        "type",
    ];
    let named = NAMES.into_iter().zip(fields.iter().map(|(_, value)| value.clone()));
    let mut json = filled(named.collect());
    json.push(("IsRoot", root.into()));
    Value::Object(Rc::new(Record {
        type_name: "struct { chart.Metadata; IsRoot bool }",
        pointer: false,
        fields,
        json,
    }))
}

/// `.Release`
pub(crate) fn release(options: &Options) -> Value {
    let release = &options.release;
    map(vec![
        ("Name", Value::text(release.name.as_str())),
        ("Namespace", Value::text(release.namespace.as_str())),
        ("IsUpgrade", release.upgrade.into()),
        ("IsInstall", (!release.upgrade).into()),
        ("Revision", Value::Int(release.revision)),
        ("Service", "Helm".into()),
    ])
}

/// `.Capabilities.APIVersions`
struct ApiVersions(Vec<String>);

impl Object for ApiVersions {
    fn type_name(&self) -> &'static str {
        "chartutil.VersionSet"
    }

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        if name != "Has" {
            return None;
        }
        Some(match arguments {
            [Value::String(wanted)] => {
                Ok(Value::Bool(self.0.iter().any(|version| version.as_bytes() == wanted.as_bytes())))
            }
            [other] => Err(format!("wrong type for value; expected string; got {}", other.type_name())),
            _ => Err(format!("wrong number of args for Has: want 1 got {}", arguments.len())),
        })
    }

    fn members(&self) -> Vec<(Value, Value)> {
        let indexed = self.0.iter().zip(0_i64..);
        indexed.map(|(version, index)| (Value::Int(index), Value::text(version.as_str()))).collect()
    }

    fn json(&self) -> Value {
        texts(&self.0)
    }
}

/// `.Capabilities.KubeVersion`
struct KubeVersion {
    version: String,
    major: String,
    minor: String,
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "chartutil.KubeVersion"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    fn call(&self, name: &str, _arguments: &[Value]) -> Option<Result<Value, String>> {
        matches!(name, "GitVersion" | "String").then(|| Ok(Value::text(self.version.as_str())))
    }

    fn shown(&self) -> Option<String> {
        Some(self.version.clone())
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::text(self.version.as_str())),
            ("Major", Value::text(self.major.as_str())),
            ("Minor", Value::text(self.minor.as_str())),
        ]
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(self.fields())
    }

    fn json(&self) -> Value {
        map(self.fields())
    }
}

/// `v1.31.0` and its parts from what users write as a cluster's version.
pub(crate) fn kube_version(text: &str) -> Result<[String; 3], Error> {
    let invalid = || {
        let reason = format!("could not parse {text:?} as version");
        Error::Values(format!("invalid kube version '{text}': {reason}"))
    };
    let trimmed = text.trim_start();
    let trimmed = trimmed.strip_prefix('v').unwrap_or(trimmed);
    let length = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let numbers = trimmed[..length].trim_end_matches('.');
    let parts: Vec<&str> = numbers.split('.').collect();
    let good = |part: &&str| {
        !part.is_empty() && (part.len() == 1 || !part.starts_with('0')) && part.parse::<u64>().is_ok()
    };
    if parts.len() < 2 || !parts.iter().all(good) {
        return Err(invalid());
    }
    Ok([format!("v{numbers}"), parts[0].to_owned(), parts[1].to_owned()])
}

/// `.Capabilities`
pub(crate) fn capabilities(options: &Options) -> Result<Value, Error> {
    let [version, major, minor] = kube_version(&options.kube_version)?;
    let mut versions: Vec<String> = default_api_versions().map(str::to_owned).collect();
    versions.extend(options.api_versions.iter().cloned());
    let helm = vec![
        ("Version", Value::text("v3.20.2")),
        ("GitCommit", "".into()),
        ("GitTreeState", "".into()),
        ("GoVersion", "".into()),
    ];
    let helm = Value::Object(Rc::new(Record {
        type_name: "version.BuildInfo",
        pointer: false,
        json: vec![("version", "v3.20.2".into())],
        fields: helm,
    }));
    let fields: Vec<(&'static str, Value)> = vec![
        ("KubeVersion", Value::Object(Rc::new(KubeVersion { version, major, minor }))),
        ("APIVersions", Value::Object(Rc::new(ApiVersions(versions)))),
        ("HelmVersion", helm),
    ];
    let json = fields.clone();
    Ok(Value::Object(Rc::new(Record { type_name: "*chartutil.Capabilities", pointer: true, fields, json })))
}

/// `.Files`
pub(crate) struct Files(BTreeMap<String, Text>);

impl Files {
    pub(crate) fn of(files: &[File]) -> Value {
        let entries = files.iter().map(|file| (file.name.clone(), Text::from(&*file.data)));
        Value::Object(Rc::new(Self(entries.collect())))
    }

    fn get(&self, name: &Text) -> Text {
        self.0.get(&*name.to_str()).cloned().unwrap_or_default()
    }

    fn glob(&self, pattern: &str) -> Self {
        let Ok(pattern) = glob_pattern::Pattern::parse(pattern, &['/']) else { return Self(self.0.clone()) };
        Self(
            self.0
                .iter()
                .filter(|(name, _)| pattern.matches(name))
                .map(|(n, t)| (n.clone(), t.clone()))
                .collect(),
        )
    }

    /// The files by the last part of their paths, as a YAML map.
    fn flattened(&self, content: impl Fn(&Text) -> Text) -> Value {
        let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let entries: BTreeMap<String, Text> =
            self.0.iter().map(|(name, text)| (base(name), content(text))).collect();
        let map = gotemplate::string_map(entries.into_iter().map(|(name, text)| (Text::from(name), text)));
        let yaml = gotemplate::to_tree(&map).map(|tree| object::yaml::encode(&tree)).unwrap_or_default();
        Value::text(yaml.strip_suffix('\n').unwrap_or(&yaml))
    }

    fn lines(&self, name: &Text) -> Value {
        let text = self.get(name);
        if text.is_empty() {
            return List::strings([]);
        }
        let bytes = text.as_bytes();
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        List::strings(bytes.split(|byte| *byte == b'\n').map(Text::from))
    }
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(
            self.0.get(name).map_or_else(|| Value::Bytes(Text::default()), |text| Value::Bytes(text.clone())),
        )
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let wanted = match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => 1,
            "AsConfig" | "AsSecrets" => 0,
            _ => return None,
        };
        if arguments.len() != wanted {
            let given = arguments.len();
            return Some(Err(format!("wrong number of args for {name}: want {wanted} got {given}")));
        }
        Some(Ok(match (name, arguments) {
            ("AsConfig", _) => self.flattened(Text::clone),
            ("AsSecrets", _) => self.flattened(|text| STANDARD.encode(text.as_bytes()).into()),
            ("Get", [Value::String(path)]) => Value::String(self.get(path)),
            ("GetBytes", [Value::String(path)]) => Value::Bytes(self.get(path)),
            ("Glob", [Value::String(pattern)]) => Value::Object(Rc::new(self.glob(&pattern.to_str()))),
            ("Lines", [Value::String(path)]) => self.lines(path),
            (_, arguments) => {
                let got = arguments.first().map_or_else(String::new, Value::type_name);
                return Some(Err(format!("wrong type for value; expected string; got {got}")));
            }
        }))
    }

    fn members(&self) -> Vec<(Value, Value)> {
        self.0.iter().map(|(name, text)| (Value::text(name.as_str()), Value::Bytes(text.clone()))).collect()
    }

    fn json(&self) -> Value {
        Map::any(
            self.0
                .iter()
                .map(|(name, text)| (Text::from(name.as_str()), Value::Bytes(text.clone())))
                .collect(),
        )
    }
}
