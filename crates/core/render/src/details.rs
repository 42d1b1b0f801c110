//! What can be set on a source, shown to whoever edits an application: a chart's values files and parameters, a
//! kustomization's images.

use crate::value_files::ValueFiles;
use crate::{
    RenderError, Request, SourceType, application_path, plugins, source_type_among_plugins, with_overrides,
};
use api::v1alpha1::ApplicationSource;
use object::Object;
use serde_json::Value;
use source_tree::{Kind, Tree, TreeError, TreePath};
use std::collections::BTreeMap;

/// Folders of a chart that are looked into for values files.
const MOST_FOLDERS: usize = 10_000;

/// What is shown of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of a chart: files that may hold values, by path below the chart.
    pub value_files: Vec<String>,
    /// Of a chart: its `values.yaml` as it stands there.
    pub values: String,
    /// Of a chart: every value of `values.yaml` and the files that were chosen, by dotted path.
    pub parameters: BTreeMap<String, String>,
    /// Of a kustomization: the images of its containers, sorted.
    pub images: Vec<String>,
}

/// Looks at a source: its type, itself with the overrides that lie beside it, and what can be set.
pub fn details(
    tree: &dyn Tree,
    request: &Request<'_>,
) -> Result<(SourceType, ApplicationSource, Details), RenderError> {
    let path = application_path(tree, &request.source.path)?;
    let source = with_overrides(tree, &path, request.source, request.application_name)?;
    let claimed = || plugins::claim(&path, &source, request);
    let source_type = source_type_among_plugins(tree, &path, &source, request.enabled, claimed)?;
    let details = match source_type {
        SourceType::Helm => chart(tree, &path, &source, request)?,
        SourceType::Kustomize => {
            let built = crate::kustomizations::documents(tree, &path, source.kustomize.as_ref(), request)?;
            Details { images: images(&built), ..Details::default() }
        }
        SourceType::Directory | SourceType::Plugin => Details::default(),
    };
    Ok((source_type, source, details))
}

fn chart(
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSource,
    request: &Request<'_>,
) -> Result<Details, RenderError> {
    let mut details = Details::default();
    let mut looked_into = 0;
    find_value_files(tree, path, path, &mut looked_into, &mut details.value_files)?;
    let file = path.child("values.yaml");
    match tree.entry(&file) {
        Ok(Some(entry)) if entry.kind.is_file() => {
            details.values = String::from_utf8_lossy(&tree.read(&file)?).into_owned();
        }
        // A link that leads out shows nothing, as in the original.
        Ok(_) | Err(TreeError::OutOfBounds { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let helm = source.helm.as_ref();
    let chosen = helm.map_or(&[][..], |helm| helm.value_files.as_slice());
    let texts = ValueFiles::new(tree, path, request).read(chosen, true)?;
    let own = std::iter::once(("values.yaml", details.values.as_str()));
    let others = texts.iter().map(|file| (file.name.as_str(), file.text.as_str()));
    let mut parameters = BTreeMap::new();
    for (name, text) in own.chain(others) {
        let values = object::yaml::decode(text.as_bytes()).map_err(|error| RenderError::Parameters {
            path: path.to_string(),
            reason: format!("failed to parse values of {name}: {error}"),
        })?;
        flatten(&values, String::new(), &mut parameters);
    }
    details.parameters = parameters;
    Ok(details)
}

fn find_value_files(
    tree: &dyn Tree,
    root: &TreePath,
    folder: &TreePath,
    looked_into: &mut usize,
    found: &mut Vec<String>,
) -> Result<(), RenderError> {
    *looked_into += 1;
    if *looked_into > MOST_FOLDERS {
        return Ok(());
    }
    for entry in tree.list(folder)? {
        let path = folder.child(&entry.name);
        let name = entry.name.to_lowercase();
        if entry.kind == Kind::Directory {
            find_value_files(tree, root, &path, looked_into, found)?;
        } else if entry.name.contains("values") && (name.ends_with(".yaml") || name.ends_with(".yml")) {
            found.push(path.strip_prefix(root).unwrap_or(path.as_str()).to_owned());
        }
    }
    Ok(())
}

/// Every value under its path: `a.b[0].c`. What is empty has none.
fn flatten(value: &Value, path: String, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(member, inner, into);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, format!("{path}[{index}]"), into);
            }
        }
        // An empty file has no values.
        Value::Null if path.is_empty() => {}
        Value::Null => {
            into.insert(path, "<nil>".to_owned());
        }
        Value::Bool(flag) => {
            into.insert(path, flag.to_string());
        }
        Value::Number(number) => {
            // Go reads every number as a float, and prints it so.
            let float = number.as_f64().unwrap_or_default();
            into.insert(path, gotemplate::format_float(float, 'g', None));
        }
        Value::String(text) => {
            into.insert(path, text.clone());
        }
    }
}

fn images(objects: &[Object]) -> Vec<String> {
    let mut images = Vec::new();
    for object in objects {
        collect_images(&object.to_value(), &mut images);
    }
    images.sort_unstable();
    images
}

fn collect_images(value: &Value, images: &mut Vec<String>) {
    let Value::Object(members) = value else { return };
    for (name, member) in members {
        match member {
            Value::Array(items) if matches!(name.as_str(), "containers" | "initContainers") => {
                images.extend(items.iter().filter_map(|item| item["image"].as_str()).map(str::to_owned));
            }
            Value::Array(items) => items.iter().for_each(|item| collect_images(item, images)),
            Value::Object(_) => collect_images(member, images),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::flatten;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn values_have_dotted_paths_and_gos_spelling() {
        let mut found = BTreeMap::new();
        let values = json!({"a": {"b": [1, {"c": "x"}], "empty": {}}, "n": null, "big": 1_000_000, "f": 1.5, "t": true});
        flatten(&values, String::new(), &mut found);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("a.b[0]", "1"),
            ("a.b[1].c", "x"),
            ("big", "1e+06"),
            ("f", "1.5"),
            ("n", "<nil>"),
            ("t", "true"),
        ];
        assert_eq!(found, expected);
    }
}
