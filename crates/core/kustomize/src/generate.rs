//! Config maps and secrets from literals, files and environment files, and the hash at the end of their names.

use crate::error::{Error, Result, Within as _};
use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::loader::Loader;
use crate::node::{Kind, Node, Tag};
use crate::resource::{Resource, note};
use base64::Engine as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The two kinds that are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    ConfigMap,
    Secret,
}

impl Generated {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// The options of one generator with those of the kustomization beneath.
pub(crate) fn with_global(
    local: Option<GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> Option<GeneratorOptions> {
    let Some(global) = global else { return local };
    let mut options = local.unwrap_or_default();
    let fill = |local: &mut Option<BTreeMap<String, String>>, global: &Option<BTreeMap<String, String>>| {
        for (name, text) in global.iter().flatten() {
            local.get_or_insert_default().entry(name.clone()).or_insert_with(|| text.clone());
        }
    };
    fill(&mut options.labels, &global.labels);
    fill(&mut options.annotations, &global.annotations);
    options.disable_name_suffix_hash |= global.disable_name_suffix_hash;
    options.immutable |= global.immutable;
    Some(options)
}

/// Makes one.
pub(crate) fn generate(what: Generated, args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Resource> {
    if args.name.is_empty() {
        return Err(Error::invalid("a configmap must have a name"));
    }
    let mut node = Node::mapping();
    node.set_field("apiVersion", Node::string("v1"))?;
    node.set_field("kind", Node::string(what.kind()))?;
    let mut metadata = Node::mapping();
    metadata.set_field("name", Node::string(&args.name))?;
    if !args.namespace.is_empty() {
        metadata.set_field("namespace", Node::string(&args.namespace))?;
    }
    node.set_field("metadata", metadata)?;
    if what == Generated::Secret {
        let of_type = if args.secret_type.is_empty() { "Opaque" } else { &args.secret_type };
        node.set_field("type", Node::string(of_type))?;
        node.lookup_create(&["data"], Kind::Mapping)?;
    }
    for (key, content) in data(args, loader)? {
        let (field, text) = match (what, String::from_utf8(content)) {
            (Generated::ConfigMap, Ok(text)) => ("data", text),
            (Generated::ConfigMap, Err(error)) => ("binaryData", base64_lines(error.as_bytes())),
            (Generated::Secret, Ok(text)) => ("data", base64_lines(text.as_bytes())),
            (Generated::Secret, Err(error)) => ("data", base64_lines(error.as_bytes())),
        };
        if let Some(map) = node.lookup_create(&[field], Kind::Mapping)? {
            map.set_field(&key, Node::string(text))?;
        }
    }
    let mut resource = Resource::new(node);
    if let Some(options) = &args.options {
        for (name, text) in options.labels.iter().flatten() {
            resource.set_label(name, text)?;
        }
        for (name, text) in options.annotations.iter().flatten() {
            resource.annotate(name, text)?;
        }
        if options.immutable {
            resource.node.set_field("immutable", Node::tagged("true", Tag::Bool))?;
        }
    }
    if args.options.as_ref().is_none_or(|options| !options.disable_name_suffix_hash) {
        resource.enable(note::NEEDS_HASH)?;
    }
    resource.set_behavior(&args.behavior)?;
    Ok(resource)
}

fn data(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<BTreeMap<String, Vec<u8>>> {
    let name = &args.name;
    let mut data = BTreeMap::new();
    let mut add = |key: String, content: Vec<u8>| {
        if data.contains_key(&key) {
            return Err(Error::invalid(format!("configmap {name} illegally repeats the key `{key}`")));
        }
        data.insert(key, content);
        Ok(())
    };
    for path in &args.envs {
        let content = loader
            .load(path)
            .within(|| format!("env source files: [{}]", args.envs.join(" ")))
            .within(|| "loading KV pairs".to_owned())?;
        for (key, value) in env_lines(&content)? {
            add(key, value.into_bytes())?;
        }
    }
    for literal in &args.literals {
        let (key, value) = literal.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
            Error::invalid(format!(
                "loading KV pairs: literal sources [{}]: invalid literal source {literal}, expected key=value",
                args.literals.join(" ")
            ))
        })?;
        add(key.to_owned(), without_quotes(value).as_bytes().to_vec())?;
    }
    for source in &args.files {
        let doing = || format!("loading KV pairs: file sources: [{}]", args.files.join(" "));
        let (key, path) = file_source(source).within(doing)?;
        let content = loader.load(&path).within(doing)?;
        add(key, content.to_vec())?;
    }
    Ok(data)
}

/// The lines of an environment file that name something.
fn env_lines(content: &[u8]) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    for (number, line) in lines.into_iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| Error::invalid(format!("line {number} has invalid utf8 bytes")))?;
        let line = if number == 0 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(pairs)
}

fn without_quotes(text: &str) -> &str {
    let quoted = |quote: char| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    if quoted('"') || quoted('\'') { &text[1..text.len() - 1] } else { text }
}

/// `[key=]path`.
fn file_source(source: &str) -> Result<(String, String)> {
    match source.split('=').collect::<Vec<_>>().as_slice() {
        [path] => {
            let base = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            Ok((base.to_owned(), (*path).to_owned()))
        }
        ["", path] => {
            Err(Error::invalid(format!("missing key name for file path {path:?} in source {source:?}")))
        }
        [key, ""] => {
            Err(Error::invalid(format!("missing file path for key name {key:?} in source {source:?}")))
        }
        [key, path] => Ok(((*key).to_owned(), (*path).to_owned())),
        _ => Err(Error::invalid(format!("source {source:?} key name or file path contains '='"))),
    }
}

/// Base64 in lines of 70, each ended when there is more than one.
fn base64_lines(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    // A text of exactly one line counts as two.
    if text.len() / LINE == 0 {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    for line in text.as_bytes().chunks(LINE) {
        lines.push_str(std::str::from_utf8(line).unwrap_or_default());
        lines.push('\n');
    }
    lines
}

/// The hash the original puts at the end of a name.
pub(crate) fn hash(resource: &Resource) -> Result<String> {
    let node = &resource.node;
    let mut members = Map::new();
    let value = |field: &str| -> Result<Value> {
        match node.get(field) {
            None => Ok(Value::String(String::new())),
            Some(node) if node.kind() == Kind::Scalar => Ok(Value::String(node.text().to_owned())),
            Some(node) => node.to_value(),
        }
    };
    let optional = match resource.kind() {
        "ConfigMap" => "binaryData",
        "Secret" => {
            members.insert("type".to_owned(), value("type")?);
            "stringData"
        }
        kind => {
            return Err(Error::unsupported(format!(
                "hash of {kind} {}: only config maps and secrets have a hash in their name",
                resource.name()
            )));
        }
    };
    members.insert("kind".to_owned(), resource.kind().into());
    // The original looks for a field that is called `metadata/name`.
    members.insert("name".to_owned(), "".into());
    members.insert("data".to_owned(), value("data")?);
    if let extra @ Value::Object(_) = value(optional)? {
        members.insert(optional.to_owned(), extra);
    }
    let digest = Sha256::digest(object::object_to_go_json(&members));
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    Ok(hex
        .chars()
        .map(|digit| match digit {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            other => other,
        })
        .collect())
}
