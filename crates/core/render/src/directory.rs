//! Directory sources: every manifest file of a folder, several documents in a file, lists unpacked.

use crate::{RenderError, Request};
use api::v1alpha1::{ApplicationSourceDirectory, ApplicationSourceJsonnet, JsonnetVar};
use glob_pattern::Pattern;
use jsonnet::{Parameters, Variable};
use object::Object;
use object::yaml;
use serde_json::Value;
use source_tree::{Kind, Tree, TreePath};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A file with this in it is left out.
const SKIP_MARK: &[u8] = b"+argocd:skip-file-rendering";
/// Folders within folders.
const DEEPEST: usize = 100;

/// All objects of a folder, in the order of their paths.
pub(crate) fn documents(
    tree: &dyn Tree,
    path: &TreePath,
    options: &ApplicationSourceDirectory,
    request: &Request<'_>,
) -> Result<Vec<Object>, RenderError> {
    let limits = request.limits;
    let jsonnet = parameters(path, &options.jsonnet, request)?;
    let include = pattern("include", &options.include)?;
    let exclude = pattern("exclude", &options.exclude)?;
    let mut files = Vec::new();
    collect(tree, path, options.recurse, 0, &mut files)?;
    let mut bytes = 0;
    let mut objects = Vec::new();
    for file in files {
        let Some(relative) = file.strip_prefix(path) else { continue };
        let Some(format) = format(relative, options.disable_extension_filter) else { continue };
        if exclude.as_ref().is_some_and(|pattern| pattern.matches(relative))
            || include.as_ref().is_some_and(|pattern| !pattern.matches(relative))
        {
            continue;
        }
        let text = tree.read(&file)?;
        let text = decoded(&text);
        if contains(&text, SKIP_MARK) {
            continue;
        }
        if let Format::Jsonnet = format {
            // With directories switched off, only what needs no evaluation is read.
            if request.enabled.get("Directory") != Some(&false) {
                evaluate(tree, &file, &jsonnet, request, &mut objects)?;
            }
        } else {
            bytes += text.len() as u64;
        }
        if limits.manifest_bytes > 0 && bytes > limits.manifest_bytes {
            let (path, limit) = (path.as_str().to_owned(), limits.manifest_bytes);
            return Err(RenderError::TooMuch { path, what: "the manifest files", limit });
        }
        match format {
            Format::Yaml => read_yaml(&file, &text, &mut objects)?,
            Format::Json => read_json(&file, &text, &mut objects)?,
            Format::Jsonnet => {}
        }
        if objects.len() > limits.objects {
            let (path, limit) = (path.as_str().to_owned(), limits.objects as u64);
            return Err(RenderError::TooMuch { path, what: "the objects", limit });
        }
    }
    Ok(objects)
}

fn pattern(field: &'static str, text: &str) -> Result<Option<Pattern>, RenderError> {
    if text.is_empty() {
        return Ok(None);
    }
    // The original's globs cross `/` here: `*.yaml` also means the files of folders below.
    let parsed = Pattern::parse(text, &[]);
    parsed.map(Some).map_err(|error| RenderError::Pattern {
        field,
        pattern: text.to_owned(),
        reason: error.to_string(),
    })
}

/// Files below a folder, in the order of a walk: names sorted, a folder's files where the folder's name stands.
fn collect(
    tree: &dyn Tree,
    folder: &TreePath,
    recurse: bool,
    depth: usize,
    files: &mut Vec<TreePath>,
) -> Result<(), RenderError> {
    if depth > DEEPEST {
        let path = folder.as_str().to_owned();
        return Err(RenderError::TooMuch { path, what: "the folders within folders", limit: DEEPEST as u64 });
    }
    for entry in tree.list(folder)? {
        let path = folder.child(&entry.name);
        match entry.kind {
            Kind::Directory if recurse => collect(tree, &path, recurse, depth + 1, files)?,
            Kind::Directory => {}
            Kind::File | Kind::Executable => files.push(path),
            // A link to a file is that file; one to a folder is not walked, as in the original. One that leads
            // out of the tree is refused whatever its name.
            Kind::Link => {
                if tree.entry(&path)?.is_some_and(|target| target.kind.is_file()) {
                    files.push(path);
                }
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Format {
    Yaml,
    Json,
    Jsonnet,
}

fn format(path: &str, any_extension: bool) -> Option<Format> {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("yaml" | "yml") => Some(Format::Yaml),
        Some("json") => Some(Format::Json),
        Some("jsonnet") => Some(Format::Jsonnet),
        _ => any_extension.then_some(Format::Yaml),
    }
}

/// The source's variables with the build environment put in, and its libraries as they are searched: what was named
/// last comes first, the application's own folder at the end.
fn parameters(
    path: &TreePath,
    options: &ApplicationSourceJsonnet,
    request: &Request<'_>,
) -> Result<Parameters, RenderError> {
    let variables = |given: &[JsonnetVar]| -> BTreeMap<String, Variable> {
        let value = |variable: &JsonnetVar| {
            let text = request.environment.substitute(&variable.value);
            if variable.code { Variable::Code(text) } else { Variable::Text(text) }
        };
        given.iter().map(|variable| (variable.name.clone(), value(variable))).collect()
    };
    let mut libraries = Vec::new();
    for library in options.libs.iter().rev() {
        // Relative to the repository, not to the application.
        libraries.push(TreePath::root().resolve(library)?);
    }
    libraries.push(path.clone());
    Ok(Parameters { external: variables(&options.ext_vars), top_level: variables(&options.tlas), libraries })
}

/// A Jsonnet file gives one object, or a list of them.
fn evaluate(
    tree: &dyn Tree,
    path: &TreePath,
    parameters: &Parameters,
    request: &Request<'_>,
    objects: &mut Vec<Object>,
) -> Result<(), RenderError> {
    let file = || path.file_name().unwrap_or_default().to_owned();
    let evaluated = request.outside.evaluate(tree, path, parameters);
    let text = evaluated.map_err(|error| RenderError::Jsonnet { file: file(), error })?;
    let value: Value = serde_json::from_str(&text).map_err(|error| failed(path, error.to_string()))?;
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    for value in values {
        add(value, objects).map_err(|reason| RenderError::Generated { file: file(), reason })?;
    }
    Ok(())
}

fn read_json(path: &TreePath, text: &[u8], objects: &mut Vec<Object>) -> Result<(), RenderError> {
    let failed = |reason: String| failed(path, reason);
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
    let Some(first) = documents.next() else { return Err(failed("EOF".into())) };
    let value = first.map_err(|error| failed(error.to_string()))?;
    if documents.next().is_some() {
        let name = path.file_name().unwrap_or_default();
        let reason =
            format!("Found multiple objects in {name:?}. Only single objects are allowed in JSON files.");
        return Err(RenderError::File { path: path.as_str().to_owned(), reason });
    }
    add(value, objects).map_err(failed)
}

/// A YAML file may hold anything. It is an error when some of its documents are objects and others are broken,
/// and when it looks like a manifest; else it is something that happens to lie there, and is left out.
fn read_yaml(path: &TreePath, text: &[u8], objects: &mut Vec<Object>) -> Result<(), RenderError> {
    let before = objects.len();
    let problem = match yaml::decode_documents(text, &yaml::Limits::default()) {
        Ok(documents) => documents.into_iter().find_map(|document| {
            let line = document.line;
            add(document.value, objects)
                .err()
                .map(|reason| format!("failed to unmarshal manifest: {reason} (document at line {line})"))
        }),
        Err(error) => {
            let place = error.line.filter(|_| error.document > 0);
            let place = place.map_or_else(String::new, |line| format!(" (line {line} of the file)"));
            Some(format!("failed to unmarshal manifest: {error}{place}"))
        }
    };
    let Some(reason) = problem else { return Ok(()) };
    let marks: [&[u8]; 3] = [b"apiVersion:", b"kind:", b"metadata:"];
    if objects.len() > before || marks.iter().all(|mark| contains(text, mark)) {
        return Err(failed(path, reason));
    }
    objects.truncate(before);
    Ok(())
}

/// Adds a document's objects: a list's are its items.
pub(crate) fn add(value: Value, objects: &mut Vec<Object>) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    let object = Object::from_value(value).map_err(|error| error.to_string())?;
    let Some(items) = object.list_items() else {
        // `items: null` is a list of nothing.
        let empty_list = object.kind().ends_with("List") && object.0.get("items").is_some_and(Value::is_null);
        if !empty_list {
            objects.push(object);
        }
        return Ok(());
    };
    for item in items {
        objects.push(
            Object::from_value(item.clone())
                .map_err(|error| format!("item of {}: {error}", object.kind()))?,
        );
    }
    Ok(())
}

fn failed(path: &TreePath, reason: String) -> RenderError {
    RenderError::Manifest {
        file: path.file_name().unwrap_or_default().to_owned(),
        path: path.as_str().to_owned(),
        reason,
    }
}

/// A file as UTF-8: what marks itself as UTF-16 is read as that, and the mark goes.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    let units = |of: fn([u8; 2]) -> u16, text: &[u8]| {
        let units = text.chunks(2).map(|pair| match pair {
            [first, second] => of([*first, *second]),
            _ => 0xfffd,
        });
        let text = char::decode_utf16(units).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER));
        Cow::Owned(text.collect::<String>().into_bytes())
    };
    match text {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => units(u16::from_be_bytes, rest),
        text => Cow::Borrowed(text),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
