//! `Chart.yaml`, read leniently as Go reads it: what is not known is passed over.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One who looks after a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Home page.
    pub url: String,
}

/// A chart that another needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// Its name; its alias once dependencies are processed.
    pub name: String,
    /// The versions that will do.
    pub version: String,
    /// Where it is to be had.
    pub repository: String,
    /// Paths of values, separated by commas: the first that is there decides.
    pub condition: String,
    /// Groups it belongs to.
    pub tags: Vec<String>,
    /// Whether it takes part.
    pub enabled: bool,
    /// Values its parent takes from it.
    pub import_values: Vec<Value>,
    /// Another name for it.
    pub alias: String,
}

/// What a chart says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// Home page.
    pub home: String,
    /// Where its sources are.
    pub sources: Vec<String>,
    /// Version.
    pub version: String,
    /// What it is.
    pub description: String,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who looks after it.
    pub maintainers: Vec<Maintainer>,
    /// A picture.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// As a dependency has it.
    pub condition: String,
    /// As a dependency has it.
    pub tags: String,
    /// Version of what it installs.
    pub app_version: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// The clusters it is for.
    pub kube_version: String,
    /// What it needs; `None` when the file does not say.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application` or `library`; empty means the former.
    pub kind: String,
}

/// Control characters go, other white space becomes a space.
fn sanitized(text: &str) -> String {
    text.chars()
        .filter_map(|character| match character {
            _ if character.is_whitespace() => Some(' '),
            _ if character.is_control() => None,
            _ => Some(character),
        })
        .collect()
}

/// A scalar where a text is wanted: Go's YAML reader turns numbers and booleans into their texts there.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

struct Fields<'v> {
    of: &'static str,
    members: &'v Map<String, Value>,
}

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        let exact = self.members.get(name);
        // encoding/json takes a name in any case when the exact one is not there.
        let value = exact.or_else(|| {
            let mut found = self.members.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next_back().map(|(_, value)| value)
        })?;
        (!value.is_null()).then_some(value)
    }

    fn wrong<T>(&self, name: &str, value: &Value, wanted: &str) -> Result<T, String> {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        Err(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go struct field {}.{name} of type {wanted}",
            self.of
        ))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(value) => scalar(value).map_or_else(|| self.wrong(name, value, "string"), Ok),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => self.wrong(name, other, "bool"),
        }
    }

    fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => self.wrong(name, other, "[]string"),
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let items = self.list(name)?.map_or([].as_slice(), Vec::as_slice);
        items.iter().map(|item| scalar(item).map_or_else(|| self.wrong(name, item, "string"), Ok)).collect()
    }

    fn text_map(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        match self.get(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(key, value)| match scalar(value) {
                    Some(text) => Ok((key.clone(), text)),
                    None => self.wrong(name, value, "string"),
                })
                .collect(),
            Some(other) => self.wrong(name, other, "map[string]string"),
        }
    }
}

impl Metadata {
    /// Reads `Chart.yaml`, or adds what `requirements.yaml` says.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<(), String> {
        let value = object::yaml::decode(text).map_err(|error| error.message)?;
        let members = match value {
            Value::Object(members) => members,
            Value::Null => return Ok(()),
            _ => return Err("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type chart.Metadata".into()),
        };
        let fields = Fields { of: "Metadata", members: &members };
        let set = |place: &mut String, name: &str| -> Result<(), String> {
            if fields.get(name).is_some() {
                *place = fields.text(name)?;
            }
            Ok(())
        };
        set(&mut self.name, "name")?;
        set(&mut self.home, "home")?;
        set(&mut self.version, "version")?;
        set(&mut self.description, "description")?;
        set(&mut self.icon, "icon")?;
        set(&mut self.api_version, "apiVersion")?;
        set(&mut self.condition, "condition")?;
        set(&mut self.tags, "tags")?;
        set(&mut self.app_version, "appVersion")?;
        set(&mut self.kube_version, "kubeVersion")?;
        set(&mut self.kind, "type")?;
        if fields.get("sources").is_some() {
            self.sources = fields.texts("sources")?;
        }
        if fields.get("keywords").is_some() {
            self.keywords = fields.texts("keywords")?;
        }
        if fields.get("annotations").is_some() {
            self.annotations = fields.text_map("annotations")?;
        }
        self.deprecated |= fields.flag("deprecated")?;
        if let Some(items) = fields.list("maintainers")? {
            self.maintainers = items.iter().map(maintainer).collect::<Result<_, _>>()?;
        }
        if let Some(items) = fields.list("dependencies")? {
            self.dependencies = Some(items.iter().map(dependency).collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Checks what Helm insists on.
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        let problem = |text: String| Err(format!("validation: {text}"));
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ]
        .into_iter()
        .chain(&mut self.sources)
        .chain(&mut self.keywords)
        {
            *text = sanitized(text);
        }
        if self.api_version.is_empty() {
            return problem("chart.metadata.apiVersion is required".into());
        }
        if self.name.is_empty() {
            return problem("chart.metadata.name is required".into());
        }
        if self.name == "." || self.name == ".." {
            return problem(format!("chart.metadata.name {:?} is not allowed", self.name));
        }
        if self.name.contains('/') {
            return problem(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return problem("chart.metadata.version is required".into());
        }
        if semver_range::Version::parse(&self.version).is_err() {
            return problem(format!("chart.metadata.version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return problem("chart.metadata.type must be application or library".into());
        }
        let mut seen = std::collections::BTreeSet::new();
        for dependency in self.dependencies.iter().flatten() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !dependency.alias.chars().all(plain) {
                let name = &dependency.name;
                return problem(format!("dependency {name:?} has disallowed characters in the alias"));
            }
            let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if !seen.insert(key) {
                return problem(format!("more than one dependency with name or alias {key:?}"));
            }
        }
        Ok(())
    }

    /// Whether the chart only lends its templates to others.
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }
}

fn maintainer(value: &Value) -> Result<Maintainer, String> {
    let Value::Object(members) = value else {
        return Err("validation: maintainers must not contain empty or null nodes".into());
    };
    let fields = Fields { of: "Maintainer", members };
    Ok(Maintainer {
        name: sanitized(&fields.text("name")?),
        email: sanitized(&fields.text("email")?),
        url: sanitized(&fields.text("url")?),
    })
}

fn dependency(value: &Value) -> Result<Dependency, String> {
    let Value::Object(members) = value else {
        return Err("validation: dependencies must not contain empty or null nodes".into());
    };
    let fields = Fields { of: "Dependency", members };
    Ok(Dependency {
        name: sanitized(&fields.text("name")?),
        version: sanitized(&fields.text("version")?),
        repository: sanitized(&fields.text("repository")?),
        condition: sanitized(&fields.text("condition")?),
        tags: fields.texts("tags")?.iter().map(|tag| sanitized(tag)).collect(),
        enabled: fields.flag("enabled")?,
        import_values: fields.list("import-values")?.cloned().unwrap_or_default(),
        alias: fields.text("alias")?,
    })
}
