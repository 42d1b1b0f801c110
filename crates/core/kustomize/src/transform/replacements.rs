//! Replacements: a value of one object goes into fields of others.

use crate::error::{Error, Result, Within as _};
use crate::id::{Gvk, Id};
use crate::kustomization::{FieldOptions, Replacement, Source, Target};
use crate::node::{Content, Found, Kind, Node, find, indented_json, parse, split_field_path};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::select::Compiled;

/// Copies values.
#[derive(Debug)]
pub(crate) struct ReplacementTransformer {
    pub(crate) replacements: Vec<Replacement>,
}

const DEFAULT_PATH: &str = "metadata.name";

impl ReplacementTransformer {
    pub(crate) fn run(&self, resources: &mut Resources) -> Result<()> {
        for replacement in &self.replacements {
            let nothing = replacement.source.is_none() && replacement.source_value.is_none();
            let Some(targets) = replacement.targets.as_ref().filter(|_| !nothing) else {
                return Err(Error::invalid("replacements must specify a source and at least one target"));
            };
            let value = match (&replacement.source_value, &replacement.source) {
                (Some(_), Some(_)) => {
                    return Err(Error::invalid("value and resource selectors are mutually exclusive"));
                }
                (Some(value), None) => Node::plain(value.as_str()),
                (None, Some(source)) => source_value(resources, source)?,
                (None, None) => continue,
            };
            for target in targets {
                apply(resources, &value, target)?;
            }
        }
        resources.drop_empties();
        Ok(())
    }
}

/// The ids a replacement knows a resource by: the present one first, none of them without a namespace for sure.
fn ids(resource: &Resource) -> Result<Vec<Id>> {
    let gvk = resource.gvk();
    let current = Id {
        gvk: Gvk { group: gvk.group.to_owned(), version: gvk.version.to_owned(), kind: gvk.kind.to_owned() },
        name: resource.name().to_owned(),
        namespace: resource.namespace().to_owned(),
        cluster: false,
    };
    let mut ids = vec![current];
    ids.extend(resource.previous_ids()?);
    Ok(ids)
}

fn described(source: &Source) -> String {
    let mut text = source.id.to_string();
    if !source.field_path.is_empty() {
        text = format!("{text}:{}", source.field_path);
    }
    let options = &source.options;
    if !options.delimiter.is_empty() || options.create {
        text = format!("{text}:{}({}), create={}", options.delimiter, options.index, options.create);
    }
    text
}

fn source_value(resources: &Resources, source: &Source) -> Result<Node> {
    let mut found: Option<&Resource> = None;
    for resource in resources.list() {
        let wanted = source.id.gvk.kind.is_empty() || resource.node.get("kind").is_some();
        if wanted
            && ids(resource)?.iter().any(|id| id.is_selected_by(&source.id))
            && found.replace(resource).is_some()
        {
            return Err(Error::invalid(format!("multiple matches for selector {}", described(source))));
        }
    }
    let Some(resource) = found else {
        return Err(Error::invalid(format!("nothing selected by {}", described(source))));
    };
    let path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    let value = resource
        .node
        .lookup(&split_field_path(path))
        .within(|| "error looking up replacement source".to_owned())?
        .filter(|value| !value.is_nothing())
        .ok_or_else(|| {
            Error::invalid(format!("fieldPath `{path}` is missing for replacement source {}", source.id))
        })?;
    refined(value, &source.options)
}

/// The piece of a value the options ask for.
fn refined(value: &Node, options: &FieldOptions) -> Result<Node> {
    let mut value = value.clone();
    if options.delimiter.is_empty() {
        return Ok(value);
    }
    if value.kind() != Kind::Scalar {
        return Err(Error::invalid("delimiter option can only be used with scalar nodes"));
    }
    let text = value.text().to_owned();
    let piece =
        usize::try_from(options.index).ok().and_then(|index| text.split(&options.delimiter).nth(index));
    let piece = piece.ok_or_else(|| {
        Error::invalid(format!("options.index {} is out of bounds for value {text}", options.index))
    })?;
    value.content = Content::Scalar(piece.to_owned());
    Ok(value)
}

fn apply(resources: &mut Resources, value: &Node, target: &Target) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(Error::invalid("target must specify resources to select"));
    };
    let default = [DEFAULT_PATH.to_owned()];
    let paths = if target.field_paths.is_empty() { &default[..] } else { &target.field_paths };
    let doing = || "error creating target selector".to_owned();
    let select = select.compile().within(doing)?;
    let reject: Vec<Compiled> =
        target.reject.iter().map(|reject| reject.compile().within(doing)).collect::<Result<_>>()?;
    for resource in resources.list_mut() {
        if !is_selected(resource, &select, &reject)? {
            continue;
        }
        let create = target.options.create.then(|| value.kind());
        for path in paths {
            let id = resource.name().to_owned();
            copy_to(&mut resource.node, value, path, create, &target.options).within(|| {
                format!("replacement in {} {id}", resource.node.get("kind").map_or("", Node::text))
            })?;
            resource.settle();
        }
    }
    Ok(())
}

fn is_selected(resource: &Resource, select: &Compiled, reject: &[Compiled]) -> Result<bool> {
    let texts = |selector: &Compiled| {
        selector.annotations.matches(|name| resource.annotation(name))
            && selector.labels.matches(|name| resource.label(name))
    };
    if !texts(select) {
        return Ok(false);
    }
    let by_texts = |selector: &&Compiled| !(selector.annotations.is_empty() && selector.labels.is_empty());
    if reject.iter().filter(by_texts).any(texts) {
        return Ok(false);
    }
    let ids = ids(resource)?;
    let rejected =
        reject.iter().filter(|reject| !reject.empty).any(|reject| ids.iter().any(|id| reject.matches_id(id)));
    Ok(!rejected && ids.iter().any(|id| select.matches_id(id)))
}

fn copy_to(
    object: &mut Node,
    value: &Node,
    path: &str,
    create: Option<Kind>,
    options: &FieldOptions,
) -> Result<()> {
    let parts = split_field_path(path);
    if set_inside_text(object, value, &parts, create)? {
        return Ok(());
    }
    let problem = || {
        let verb = if create.is_some() { "find or create" } else { "find" };
        format!("unable to {verb} field {path:?} in replacement target")
    };
    let found = find(object, &parts, create).within(problem)?;
    if found.is_empty() {
        return Err(Error::invalid(problem()));
    }
    for place in found {
        if let Found::At(positions) = place
            && let Some(field) = object.at_mut(&positions)
        {
            set(field, value, options)?;
        }
    }
    Ok(())
}

fn set(field: &mut Node, value: &Node, options: &FieldOptions) -> Result<()> {
    if options.delimiter.is_empty() {
        put(field, value);
        return Ok(());
    }
    if field.kind() != Kind::Scalar {
        return Err(Error::invalid("delimiter option can only be used with scalar nodes"));
    }
    let text = field.text().to_owned();
    let mut pieces: Vec<&str> = text.split(&options.delimiter).collect();
    let piece = value.text_value();
    match usize::try_from(options.index) {
        Err(_) => pieces.insert(0, piece),
        Ok(index) if index >= pieces.len() => pieces.push(piece),
        Ok(index) => pieces[index] = piece,
    }
    field.set_text(pieces.join(&options.delimiter));
    Ok(())
}

/// A scalar keeps its tag and quotes and gets the text; anything else becomes the value.
fn put(field: &mut Node, value: &Node) {
    if field.kind() == Kind::Scalar {
        field.set_text(value.text().to_owned());
    } else {
        field.overwrite(value.clone());
    }
}

/// Sets a field of a document that is the text of a field. `false` when the path leads into no such document.
fn set_inside_text(object: &mut Node, value: &Node, parts: &[String], create: Option<Kind>) -> Result<bool> {
    if parts.len() < 2 {
        return Ok(false);
    }
    for end in 1..parts.len() {
        let Ok(Some(field)) = object.lookup(&parts[..end]) else { continue };
        if field.kind() != Kind::Scalar {
            continue;
        }
        let original = field.text().to_owned();
        let Ok(Some(mut inner)) = parse(&original) else { continue };
        let Ok(found) = find(&mut inner, &parts[end..], create) else { return Ok(false) };
        if found.is_empty() {
            return Ok(false);
        }
        for place in found {
            if let Found::At(positions) = place
                && let Some(field) = inner.at_mut(&positions)
            {
                put(field, value);
            }
        }
        let text = written_like(&inner, &original, &parts[..end])?;
        if let Some(field) = object.lookup_mut(&parts[..end])? {
            field.set_text(text);
        }
        return Ok(true);
    }
    Ok(false)
}

/// A document as JSON or YAML, as it was before.
fn written_like(document: &Node, original: &str, path: &[String]) -> Result<String> {
    if original.trim_start().starts_with(['{', '[']) {
        let value = document.to_value()?;
        let pretty = original.contains('\n') && original.contains("  ");
        return Ok(if pretty { indented_json(&value) } else { object::to_go_json(&value) });
    }
    let commented = original.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #"));
    if commented {
        return Err(Error::unsupported(format!(
            "replacement inside the text of {}: comments in it would be lost",
            path.join(".")
        )));
    }
    Ok(document.to_text().trim().to_owned())
}
