//! The `kustomize:` fields of an Application's source: the original runs `kustomize edit` for each before it builds;
//! here the kustomization is edited in memory.

use crate::error::{Error, Result, Within as _};
use crate::fields::Strictness;
use crate::kustomization::{self, FILE_NAMES, Image, Kustomization, Label, Replica};
use crate::transform::split_image;
use crate::{Built, Options, Seams, build_with};
use api::v1alpha1::ApplicationSourceKustomize;
use source_tree::{Tree, TreePath};
use std::collections::BTreeMap;

/// Builds the kustomization in a folder with the fields of a source. `environment` holds what `$NAME` in images,
/// labels and annotations stands for.
pub fn build(
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSourceKustomize,
    environment: &BTreeMap<String, String>,
    options: &Options,
    seams: Seams<'_>,
) -> Result<Built, Error> {
    build_with(tree, path, options, seams, |text, place| {
        let mut kustomization = Kustomization::read_unchecked(text)?;
        edit(&mut kustomization, tree, path, source, environment)?;
        kustomization.checked(place)
    })
}

fn edit(
    kustomization: &mut Kustomization,
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSourceKustomize,
    environment: &BTreeMap<String, String>,
) -> Result<()> {
    if !source.name_prefix.is_empty() {
        kustomization.name_prefix.clone_from(&source.name_prefix);
    }
    if !source.name_suffix.is_empty() {
        kustomization.name_suffix.clone_from(&source.name_suffix);
    }
    if !source.images.is_empty() {
        let images: Vec<String> = source.images.iter().map(|image| expanded(image, environment)).collect();
        set_images(kustomization, &images).within(|| "edit set image".to_owned())?;
    }
    if !source.replicas.is_empty() {
        set_replicas(kustomization, source)?;
    }
    if !source.common_labels.is_empty() {
        add_labels(kustomization, source, environment).within(|| "edit add label".to_owned())?;
    }
    for (name, text) in &source.common_annotations {
        let text =
            if source.common_annotations_envsubst { expanded(text, environment) } else { text.clone() };
        let force = source.force_common_annotations;
        put(&mut kustomization.common_annotations, name, &text, force, "annotation")?;
    }
    if !source.namespace.is_empty() {
        kustomization.namespace.clone_from(&source.namespace);
    }
    for patch in &source.patches {
        let value = serde_json::to_value(patch)
            .map_err(|error| Error::invalid(format!("patches of the source: {error}")))?;
        let patch =
            kustomization::patch(&value, Strictness::Strict).within(|| "patches of the source".to_owned())?;
        kustomization.patches.push(patch);
    }
    add_components(kustomization, tree, path, source)
}

fn put(map: &mut BTreeMap<String, String>, name: &str, text: &str, force: bool, kind: &str) -> Result<()> {
    // The command line reads `name:text`, the name up to the first colon.
    let argument = format!("{name}:{text}");
    let (name, text) = argument.split_once(':').unwrap_or((&argument, ""));
    if name.is_empty() {
        return Err(Error::invalid(format!(
            "invalid {kind}: '{argument}' (need k:v pair where v may be quoted)"
        )));
    }
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if map.contains_key(name) && !force {
        return Err(Error::invalid(format!(
            "{kind} {name} already in kustomization file. Use --force to override."
        )));
    }
    map.insert(name.to_owned(), text.to_owned());
    Ok(())
}

fn add_labels(
    kustomization: &mut Kustomization,
    source: &ApplicationSourceKustomize,
    environment: &BTreeMap<String, String>,
) -> Result<()> {
    if source.label_include_templates && !source.label_without_selector {
        return Err(Error::invalid(
            "--without-selector flag must be specified for --include-templates to work",
        ));
    }
    for (name, text) in &source.common_labels {
        let text = expanded(text, environment);
        let force = source.force_common_labels;
        if !source.label_without_selector {
            put(&mut kustomization.common_labels, name, &text, force, "label")?;
            continue;
        }
        let templates = source.label_include_templates;
        let alike = |label: &&mut Label| !label.include_selectors && label.include_templates == templates;
        match kustomization.labels.iter_mut().find(alike) {
            Some(label) => put(&mut label.pairs, name, &text, force, "label")?,
            None => {
                let mut label = Label { include_templates: templates, ..Label::default() };
                put(&mut label.pairs, name, &text, force, "label")?;
                kustomization.labels.push(label);
            }
        }
    }
    Ok(())
}

const KEEP: &str = "*";

fn set_images(kustomization: &mut Kustomization, arguments: &[String]) -> Result<()> {
    let mut images: BTreeMap<String, Image> = BTreeMap::new();
    for argument in arguments {
        let (key, value) = match argument.split_once('=') {
            Some((key, value)) => (key, value),
            None => ("", argument.as_str()),
        };
        let (name, tag, digest) = split_image(value);
        if name == argument {
            return Err(Error::invalid(format!(
                "invalid format of image {argument:?}, use <image>=<newimage>:<newtag>, <image>=<newimage>@<digest>, \
                 <image>=<newimage>, <image>:<newtag> or <image>@<digest>"
            )));
        }
        let (name, new_name) = if key.is_empty() { (name, "") } else { (key, name) };
        let image = Image {
            name: name.to_owned(),
            new_name: new_name.to_owned(),
            new_tag: tag.to_owned(),
            digest: digest.to_owned(),
            tag_suffix: String::new(),
        };
        images.insert(image.name.clone(), image);
    }
    for known in std::mem::take(&mut kustomization.images) {
        match images.get_mut(&known.name) {
            Some(image) => {
                keep(&mut image.new_name, &known.new_name);
                keep(&mut image.new_tag, &known.new_tag);
                keep(&mut image.digest, &known.digest);
            }
            None => {
                images.insert(known.name.clone(), known);
            }
        }
    }
    for image in images.values_mut() {
        keep(&mut image.new_name, "");
        keep(&mut image.new_tag, "");
        keep(&mut image.digest, "");
    }
    kustomization.images = images.into_values().collect();
    Ok(())
}

/// An asterisk stands for what was there.
fn keep(text: &mut String, before: &str) {
    if text == KEEP {
        before.clone_into(text);
    }
}

fn set_replicas(kustomization: &mut Kustomization, source: &ApplicationSourceKustomize) -> Result<()> {
    let mut replicas: BTreeMap<String, Replica> = BTreeMap::new();
    for replica in &source.replicas {
        let name = &replica.name;
        if name.contains('=') {
            return Err(Error::invalid(
                "invalid format of replica, use the following format: <name>=<count>",
            ));
        }
        let count = replica_count(&serde_json::to_value(&replica.count).unwrap_or_default())?;
        replicas.insert(name.clone(), Replica { name: name.clone(), count });
    }
    for known in std::mem::take(&mut kustomization.replicas) {
        replicas.entry(known.name.clone()).or_insert(known);
    }
    kustomization.replicas = replicas.into_values().collect();
    Ok(())
}

fn replica_count(count: &serde_json::Value) -> Result<i64> {
    match count {
        serde_json::Value::String(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("expected integer value for count. Received: {text}"))),
        other => Ok(other.as_i64().unwrap_or_default()),
    }
}

fn add_components(
    kustomization: &mut Kustomization,
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSourceKustomize,
) -> Result<()> {
    for component in &source.components {
        let missing = source.ignore_missing_components && !is_component(tree, path, component)?;
        if !missing && !kustomization.components.contains(component) {
            kustomization.components.push(component.clone());
        }
    }
    Ok(())
}

/// Whether a kustomization file lies where a component is expected.
fn is_component(tree: &dyn Tree, path: &TreePath, component: &str) -> Result<bool> {
    let Ok(folder) = path.join(component) else { return Ok(false) };
    for name in FILE_NAMES {
        if tree.entry(&folder.child(name))?.is_some_and(|entry| entry.kind.is_file()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `$NAME` and `${NAME}` replaced, `$$` for a dollar, as Go's `os.Expand` does.
fn expanded(text: &str, environment: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        if after.is_empty() {
            break;
        }
        result.push_str(&rest[..at]);
        let (name, length) = shell_name(after);
        if name == "$" || (name.is_empty() && length == 0) {
            result.push('$');
        } else {
            result.push_str(environment.get(name).map_or("", String::as_str));
        }
        rest = &after[length..];
    }
    result.push_str(rest);
    result
}

/// The name after a dollar, and how much of the text it takes. No name but some length is bad syntax.
fn shell_name(text: &str) -> (&str, usize) {
    let special = |byte: u8| matches!(byte, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9');
    let bytes = text.as_bytes();
    if bytes[0] == b'{' {
        if bytes.len() > 2 && special(bytes[1]) && bytes[2] == b'}' {
            return (&text[1..2], 3);
        }
        return match text.find('}') {
            Some(1) => ("", 2),
            Some(end) => (&text[1..end], end + 1),
            None => ("", 1),
        };
    }
    if special(bytes[0]) {
        return (&text[..1], 1);
    }
    let length = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    (&text[..length], length)
}
