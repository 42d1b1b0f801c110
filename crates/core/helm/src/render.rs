//! A chart and what it is told become manifests.

use crate::chart::Chart;
use crate::coalesce;
use crate::dependencies::{self, Prepared};
use crate::error::Error;
use crate::manifests::{self, Manifest};
use crate::objects;
use crate::options::Options;
use crate::schema;
use crate::values_type::VALUES;
use gotemplate::{Functions, MESSAGE_END, MESSAGE_START, Map, MissingKey, Outside, Templates, Text, Value};
use semver_range::{Range, Version};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a chart renders to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// What lies in `crds/`: paths and texts, which may hold several documents.
    pub crds: Vec<(String, String)>,
    /// Manifests in the order they are installed in.
    pub manifests: Vec<Manifest>,
    /// Hooks, in the same order among themselves.
    pub hooks: Vec<Manifest>,
    /// The notes for the user.
    pub notes: String,
}

impl Rendered {
    /// All of it as `helm template` prints it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut add = |source: &str, text: &str| {
            out.push_str("---\n# Source: ");
            out.push_str(source);
            out.push('\n');
            out.push_str(text);
            out.push('\n');
        };
        for (source, text) in &self.crds {
            add(source, text);
        }
        for manifest in &self.manifests {
            add(&manifest.source, &manifest.text);
        }
        let mut text = out.trim().to_owned();
        text.push('\n');
        for hook in &self.hooks {
            text.push_str("---\n# Source: ");
            text.push_str(&hook.source);
            text.push('\n');
            text.push_str(&hook.text);
            text.push('\n');
        }
        text
    }
}

/// A template and what it is given.
struct Renderable {
    path: String,
    base: String,
    text: bytes::Bytes,
    data: Rc<Map>,
}

impl Chart {
    /// Renders the chart. The same chart, options and answers from outside give the same manifests.
    pub fn render(&self, options: &Options, outside: &mut dyn Outside) -> Result<Rendered, Error> {
        let (chart, files) = self.executed(options, outside)?;
        let mut rendered = Rendered::default();
        if !options.skip_crds {
            crds(&chart, &chart.name, &mut rendered.crds);
        }
        let (files, notes): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(path, _)| !path.ends_with("NOTES.txt"));
        let own_notes = format!("{}/templates/NOTES.txt", chart.name);
        rendered.notes =
            notes.into_iter().find(|(path, _)| *path == own_notes).map(|(_, text)| text).unwrap_or_default();
        (rendered.manifests, rendered.hooks) = manifests::sort(&files)?;
        if options.skip_tests {
            rendered.hooks.retain(|hook| !hook.is_test());
        }
        Ok(rendered)
    }

    /// Renders the chart's files and looks no further: paths and texts, by path. Notes are among them.
    pub fn render_files(
        &self,
        options: &Options,
        outside: &mut dyn Outside,
    ) -> Result<Vec<(String, String)>, Error> {
        self.executed(options, outside).map(|(_, files)| files)
    }

    fn executed(
        &self,
        options: &Options,
        outside: &mut dyn Outside,
    ) -> Result<(Prepared, Vec<(String, String)>), Error> {
        check_name(&options.release.name)?;
        let kind = &self.metadata.kind;
        if !matches!(kind.as_str(), "" | "application") {
            return Err(Error::NotInstallable { kind: kind.clone() });
        }
        dependencies::check(self)?;
        let given = options.user_values()?;
        let given = given.iter();
        let given =
            given.map(|(key, value)| (Text::from(key.as_str()), Value::from_json_with_integers(value)));
        let given = coalesce::of(given.collect());
        let mut chart = Prepared::of(self);
        dependencies::process(&mut chart, &given)?;
        let capabilities = objects::capabilities(options)?;
        let values = coalesce::values(&chart, Some(&given), false)?;
        coalesce::check_size(&values, options.values_limits.values)?;
        if !options.skip_schema_validation {
            schema::validate(&chart, &values)?;
        }
        check_kube_version(&chart, options)?;
        let mut files = execute(&chart, &values, &capabilities, options, outside)?;
        files.sort();
        Ok((chart, files))
    }
}

/// Names that Helm accepts, in its words.
fn check_name(name: &str) -> Result<(), Error> {
    const LONGEST: usize = 53;
    let good = |character: u8| character.is_ascii_lowercase() || character.is_ascii_digit();
    let part = |part: &str| {
        let ends = [part.bytes().next(), part.bytes().last()];
        ends.into_iter().all(|end| end.is_some_and(good))
            && part.bytes().all(|character| good(character) || character == b'-')
    };
    if name.len() <= LONGEST && name.split('.').all(part) {
        return Ok(());
    }
    Err(Error::Values(format!(
        "release name {name:?}: invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than {LONGEST}"
    )))
}

fn check_kube_version(chart: &Prepared, options: &Options) -> Result<(), Error> {
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let [version, ..] = objects::kube_version(&options.kube_version)?;
    match (Range::parse(wanted), Version::parse(&version)) {
        (Ok(range), Ok(parsed)) if range.contains(&parsed) => Ok(()),
        _ => Err(Error::KubeVersion { wanted: wanted.clone(), version }),
    }
}

fn crds(chart: &Prepared, path: &str, out: &mut Vec<(String, String)>) {
    for file in chart.files.iter() {
        let manifest = [".yaml", ".yml", ".json"].iter().any(|ending| file.name.ends_with(ending));
        if file.name.starts_with("crds/") && manifest {
            let text = String::from_utf8_lossy(&file.data).into_owned();
            out.push((format!("{path}/{}", file.name), text));
        }
    }
    for dependency in &chart.dependencies {
        crds(dependency, &path_of(dependency, path), out);
    }
}

/// Where a dependency lies: in the chart it was last taken in by, which may have another name now. `path` is that of the
/// chart whose dependency it is.
fn path_of(dependency: &Prepared, path: &str) -> String {
    let parent = dependency.parent.borrow();
    match path.rsplit_once('/') {
        Some((above, _)) => format!("{above}/{parent}/charts/{}", dependency.name),
        None => format!("{path}/charts/{}", dependency.name),
    }
}

/// Executes all templates: their paths and texts, partials left out.
fn execute(
    chart: &Prepared,
    values: &coalesce::Table,
    capabilities: &Value,
    options: &Options,
    outside: &mut dyn Outside,
) -> Result<Vec<(String, String)>, Error> {
    let shared = [("Release", objects::release(options)), ("Capabilities", capabilities.clone())];
    let root = Map::of(gotemplate::Element::Any, Some(&VALUES), values.entries().into_iter().collect());
    let mut renderables = Vec::new();
    collect(chart, &chart.name, true, &root, &shared, &mut renderables);
    // Charts that share a path share their templates: those of the last one are rendered.
    let by_path: BTreeMap<String, Renderable> =
        renderables.into_iter().map(|renderable| (renderable.path.clone(), renderable)).collect();
    let mut renderables: Vec<Renderable> = by_path.into_values().collect();
    // Partials of deeper folders first, so that those of higher ones win.
    let depth = |renderable: &Renderable| renderable.path.matches('/').count();
    renderables.sort_by(|left, right| (depth(right), &right.path).cmp(&(depth(left), &left.path)));
    let mut templates = Templates::new(Functions::helm());
    for renderable in &renderables {
        let text = String::from_utf8_lossy(&renderable.text);
        templates
            .parse(&renderable.path, &text)
            .map_err(|error| Error::Template(parse_message(&renderable.path, &error.to_string())))?;
    }
    let mut session = templates.session(outside, MissingKey::Zero, options.limits);
    let mut files = Vec::new();
    for renderable in renderables {
        let name = renderable.path.rsplit('/').next().unwrap_or_default();
        if name.starts_with('_') {
            continue;
        }
        let entries = [("Name", &renderable.path), ("BasePath", &renderable.base)];
        let entries: BTreeMap<Text, Value> =
            entries.into_iter().map(|(key, text)| (Text::from(key), Value::text(text.as_str()))).collect();
        let template = Map::of(gotemplate::Element::Any, Some(&VALUES), entries);
        renderable.data.insert(Text::from("Template"), template);
        let data = renderable.data.converted(Some(&VALUES));
        let text = session.execute(&renderable.path, &data).map_err(|error| match error {
            gotemplate::Error::Limit(message) => Error::Limit(without_middle(message)),
            other => Error::Template(execution_message(&other.to_string())),
        })?;
        let text = if text.contains("<no value>") { text.replace("<no value>", "") } else { text };
        files.push((renderable.path, text));
    }
    Ok(files)
}

/// What a chart's templates see, its dependencies' templates included.
fn collect(
    chart: &Prepared,
    path: &str,
    root: bool,
    values: &Value,
    shared: &[(&str, Value); 2],
    out: &mut Vec<Renderable>,
) -> Value {
    let mut entries: BTreeMap<Text, Value> =
        shared.iter().map(|(key, value)| (Text::from(*key), value.clone())).collect();
    entries.insert(Text::from("Chart"), objects::chart(&chart.metadata, root));
    entries.insert(Text::from("Files"), objects::Files::of(&chart.files));
    entries.insert(Text::from("Values"), values.clone());
    let mut subcharts = BTreeMap::new();
    for dependency in &chart.dependencies {
        let name = Text::from(dependency.name.as_str());
        let inner = match values {
            Value::Map(map) => map.get(name.as_bytes()),
            _ => None,
        };
        let inner = match inner {
            Some(Value::Map(inner)) => inner.converted(Some(&VALUES)),
            _ => Map::of(gotemplate::Element::Any, Some(&VALUES), BTreeMap::new()),
        };
        let path = path_of(dependency, path);
        let seen = collect(dependency, &path, false, &inner, shared, out);
        subcharts.insert(name, seen);
    }
    entries.insert(Text::from("Subcharts"), Map::any(subcharts));
    let data = Map::any(entries);
    let Value::Map(map) = &data else { return data };
    for template in chart.templates.iter() {
        let name = template.name.rsplit('/').next().unwrap_or_default();
        if chart.metadata.is_library() && !name.starts_with('_') {
            continue;
        }
        out.push(Renderable {
            path: format!("{path}/{}", template.name),
            base: format!("{path}/templates"),
            text: template.data.clone(),
            data: map.clone(),
        });
    }
    data
}

/// Helm's words for a template that cannot be read.
fn parse_message(path: &str, message: &str) -> String {
    let parts: Vec<&str> = message.split(": ").collect();
    match parts.as_slice() {
        [_, location, .., last] => format!("parse error at ({location}): {last}"),
        [_, last] => format!("parse error at ({last}): {last}"),
        _ => format!("parse error in ({path}): {message}"),
    }
}

/// A message of a limit with its cause at the end and where it began at the beginning: between them it may name each of a
/// thousand templates on the way.
fn without_middle(message: String) -> String {
    const ENDS: usize = 1024;
    if message.len() <= 3 * ENDS {
        return message;
    }
    let (first, last) =
        (message.floor_char_boundary(ENDS), message.floor_char_boundary(message.len() - ENDS));
    format!("{} … {}", &message[..first], &message[last..])
}

/// Helm's words for a template that failed: what `fail` and `required` said stands alone.
fn execution_message(message: &str) -> String {
    let mut parts = message.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return message.to_owned();
    };
    let inner = rest
        .find(MESSAGE_START)
        .map(|start| &rest[start + MESSAGE_START.len()..])
        .and_then(|tail| tail.rfind(MESSAGE_END).map(|end| &tail[..end]));
    match inner {
        Some(inner) => format!("execution error at ({location}): {inner}"),
        None => message.to_owned(),
    }
}
