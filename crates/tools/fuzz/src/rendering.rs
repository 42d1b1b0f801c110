//! What renders: YAML, templates, charts, kustomizations, Jsonnet, archives.

use bytes::Bytes;
use gotemplate::{Functions, Map, MissingKey, Nowhere, Templates, Value};
use kustomize::Seams;
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::io::Write as _;

/// What templates may do here: enough for anything sensible, little enough for many runs a second.
fn limits() -> gotemplate::Limits {
    gotemplate::Limits { output: 1 << 20, steps: 100_000, depth: 60, stack: 2 << 20 }
}

/// What is read can be written, and reads as the same again.
pub(crate) fn yaml(data: &[u8]) {
    let limits = object::yaml::Limits { nodes: 100_000, ..object::yaml::Limits::default() };
    let Ok(documents) = object::yaml::decode_documents(data, &limits) else { return };
    for document in documents {
        let text = object::yaml::encode(&document.value);
        let again = object::yaml::decode(text.as_bytes());
        let again = again.unwrap_or_else(|error| panic!("{error}: what was written as {text:?}"));
        assert!(same(&again, &document.value), "{again} of {}, written as {text:?}", document.value);
        assert_eq!(object::yaml::encode(&again), text, "written again");
    }
}

/// Whether values are the same. A whole fraction is written as Go writes it, without a point, and reads as an integer.
fn same(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (one, other) {
        (Array(one), Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Object(one), Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        (Number(one), Number(other)) if one.is_f64() != other.is_f64() => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

pub(crate) fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if slow(&text) {
        return;
    }
    let mut templates = Templates::new(Functions::helm());
    if templates.parse("t", &text).is_err() {
        return;
    }
    let values =
        serde_json::json!({"a": 1, "b": "two", "l": [1, "x", null, [2]], "m": {"k": {"y": "é"}}, "f": 2.5});
    let data = Map::any(BTreeMap::from([("Values".into(), Value::from_json(&values))]));
    let _ = templates.execute("t", &data, &mut Nowhere, MissingKey::Zero, limits());
}

/// Functions that take their time whatever they are given: key stretching.
fn slow(text: &str) -> bool {
    ["derivePassword", "bcrypt", "htpasswd"].iter().any(|name| text.contains(name))
}

pub(crate) fn archive(data: &[u8]) {
    let limits = archive::Limits { bytes: 1 << 20, members: 1000 };
    let data = Bytes::copy_from_slice(data);
    for packed in [false, true] {
        let _ = archive::unpack(data.clone(), packed, limits);
        let _ = archive::unpack_folder(data.clone(), packed, limits, Some("x"));
    }
}

/// Takes an archive without compression as well, which says more to whoever changes its bytes.
pub(crate) fn chart_archive(data: &[u8]) {
    if let Ok(chart) = helm::load_archive(data) {
        render(&chart);
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let packed = packer.write_all(data).and_then(|()| packer.finish());
    if let Ok(chart) = helm::load_archive(&packed.expect("a vector takes all")) {
        render(&chart);
    }
}

fn render(chart: &helm::Chart) {
    let mut options = helm::Options::new("release", "namespace", "1.31.0");
    options.limits = limits();
    let _ = chart.render(&options, &mut Nowhere).map(|rendered| rendered.text());
}

/// Files in one text: each begins with a line `-- path --`.
fn files(data: &[u8]) -> Option<MemoryTree> {
    let text = String::from_utf8_lossy(data);
    let mut builder = MemoryTree::builder();
    let mut file: Option<(TreePath, String)> = None;
    for line in text.split_inclusive('\n') {
        let name = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (name, &mut file) {
            (Some(name), _) => {
                let next = TreePath::parse(name).ok()?;
                if let Some((path, text)) = file.replace((next, String::new())) {
                    builder = builder.file(path, text);
                }
            }
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    let (path, text) = file?;
    builder.file(path, text).build().ok()
}

pub(crate) fn chart(data: &[u8]) {
    if slow(&String::from_utf8_lossy(data)) {
        return;
    }
    let Some(tree) = files(data) else { return };
    if let Ok(chart) = helm::load(&tree, &TreePath::root()) {
        render(&chart);
    }
}

pub(crate) fn kustomization(data: &[u8]) {
    let Some(tree) = files(data) else { return };
    let mut options = kustomize::Options::default();
    options.limits.folders = 100;
    options.limits.resources = 1000;
    let built = kustomize::build(&tree, &TreePath::root(), &options, Seams::offline());
    let _ = built.map(|built| built.to_yaml());
}

pub(crate) fn jsonnet(data: &[u8]) {
    let Ok(tree) = MemoryTree::from_files([(TreePath::root().child("main.jsonnet"), data.to_vec())]) else {
        return;
    };
    let main = TreePath::root().child("main.jsonnet");
    let _ = jsonnet::evaluate(&tree, &main, &jsonnet::Parameters::default());
}

pub(crate) fn set(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut values = serde_json::Map::new();
    let _ = helm::parse_into(&text, &mut values);
    let _ = helm::parse_string_into(&text, &mut values);
    let _ = helm::parse_json_into(&text, &mut values);
}
