//! Reading a chart from a folder of a tree, or from an archive.

use crate::chart::{Chart, File, read_values};
use crate::error::Error;
use crate::ignore::Rules;
use crate::lock::Lock;
use crate::metadata::Metadata;
use crate::options::ValuesLimits;
use crate::packed;
use serde_json::Map;
use source_tree::{Kind, Tree, TreePath};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Charts inside charts: deeper is refused.
const DEEPEST: usize = 20;
/// Folders inside folders: deeper is refused.
const DEEPEST_FOLDER: usize = 64;
/// Largest file of a chart folder, as in Helm.
const LARGEST_FILE: usize = 5 << 20;

/// Reads the chart in a folder.
pub fn load(tree: &dyn Tree, folder: &TreePath) -> Result<Chart, Error> {
    let ignore = folder.child(".helmignore");
    let text = match tree.entry(&ignore)? {
        Some(entry) if entry.kind.is_file() => tree.read(&ignore)?,
        _ => bytes::Bytes::new(),
    };
    let rules = Rules::parse(&String::from_utf8_lossy(&text)).map_err(Error::Load)?;
    let mut files = Vec::new();
    collect(tree, folder, "", &rules, 0, &mut files)?;
    from_files(files, 0).map_err(Error::Load)
}

/// Reads a packed chart.
pub fn load_archive(packed: &[u8]) -> Result<Chart, Error> {
    from_files(packed::files(packed).map_err(Error::Load)?, 0).map_err(Error::Load)
}

fn collect(
    tree: &dyn Tree,
    folder: &TreePath,
    prefix: &str,
    rules: &Rules,
    depth: usize,
    files: &mut Vec<File>,
) -> Result<(), Error> {
    if depth > DEEPEST_FOLDER {
        return Err(Error::Load(format!("chart folder {prefix} is nested too deep")));
    }
    for listed in tree.list(folder)? {
        let path = folder.child(&listed.name);
        let name = if prefix.is_empty() { listed.name.clone() } else { format!("{prefix}/{}", listed.name) };
        let kind = match listed.kind {
            Kind::Link => tree.entry(&path)?.map(|entry| entry.kind),
            kind => Some(kind),
        };
        let Some(kind) = kind else {
            return Err(Error::Load(format!("error evaluating symlink {name}: no such file or directory")));
        };
        if rules.ignores(&name, kind == Kind::Directory) {
            continue;
        }
        if kind == Kind::Directory {
            collect(tree, &path, &name, rules, depth + 1, files)?;
            continue;
        }
        let data = packed::without_mark(tree.read(&path)?);
        if data.len() > LARGEST_FILE {
            let base = &listed.name;
            return Err(Error::Load(format!(
                "chart file {base:?} is larger than the maximum file size {LARGEST_FILE}"
            )));
        }
        files.push(File { name, data });
    }
    Ok(())
}

/// A chart from its files, wherever they come from.
fn from_files(files: Vec<File>, depth: usize) -> Result<Chart, String> {
    if depth > DEEPEST {
        return Err("charts are nested too deep".into());
    }
    let mut metadata = metadata(&files)?;
    let mut values = Map::new();
    let (mut schema, mut lock, mut templates, mut others) = (None, None, Vec::new(), Vec::new());
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => lock = Some(read_lock(&file)?),
            "values.yaml" => {
                values = read_values(&file.data, ValuesLimits::default())
                    .map_err(|error| format!("cannot load values.yaml: {error}"))?;
            }
            "values.schema.json" => schema = Some(file.data),
            "requirements.yaml" | "requirements.lock" => {
                if file.name.ends_with(".yaml") {
                    metadata
                        .read(&file.data)
                        .map_err(|error| format!("cannot load requirements.yaml: {error}"))?;
                } else {
                    lock = Some(read_lock(&file)?);
                }
                if metadata.api_version == "v1" {
                    others.push(file);
                }
            }
            name if name.starts_with("templates/") => templates.push(file),
            name if name.starts_with("charts/") && !name.ends_with(".prov") => {
                let inner = name["charts/".len()..].to_owned();
                let chart = inner.split('/').next().unwrap_or_default().to_owned();
                subcharts.entry(chart).or_default().push(File { name: inner, data: file.data });
            }
            _ => others.push(file),
        }
    }
    metadata.validate()?;
    let mut dependencies = Vec::new();
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let loaded = subchart(&name, files, &metadata.name, depth);
        let of = &metadata.name;
        dependencies
            .push(loaded.map_err(|error| format!("error unpacking subchart {name} in {of}: {error}"))?);
    }
    Ok(Chart {
        metadata,
        values: Arc::new(values),
        schema,
        lock,
        templates: templates.into(),
        files: others.into(),
        dependencies: dependencies.into(),
    })
}

fn read_lock(file: &File) -> Result<Arc<Lock>, String> {
    let lock = Lock::read(&file.data).map_err(|error| format!("cannot load {}: {error}", file.name))?;
    Ok(Arc::new(lock))
}

fn metadata(files: &[File]) -> Result<Metadata, String> {
    let Some(file) = files.iter().find(|file| file.name == "Chart.yaml") else {
        return Err("Chart.yaml file is missing".into());
    };
    let mut metadata = Metadata::default();
    metadata.read(&file.data).map_err(|error| format!("cannot load Chart.yaml: {error}"))?;
    if metadata.api_version.is_empty() {
        metadata.api_version = "v1".into();
    }
    Ok(metadata)
}

fn subchart(name: &str, files: Vec<File>, parent: &str, depth: usize) -> Result<Chart, String> {
    if name.ends_with(".tgz") {
        let Some(file) = files.first().filter(|file| file.name == name) else {
            return Err(format!("error unpacking subchart tar in {parent}: expected {name}"));
        };
        return from_files(packed::files(&file.data)?, depth + 1);
    }
    let inner = files.into_iter().filter_map(|file| {
        let (_, name) = file.name.split_once('/')?;
        Some(File { name: name.to_owned(), data: file.data.clone() })
    });
    from_files(inner.collect(), depth + 1)
}
