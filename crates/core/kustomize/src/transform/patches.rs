//! Patches: strategic merge and JSON, for one resource or for all a selector selects.

use crate::error::{Error, Result, Within as _};
use crate::json_patch::{self, Operation};
use crate::kustomization::Patch;
use crate::loader::Loader;
use crate::node::Node;
use crate::read;
use crate::resource::{Resource, note};
use crate::resources::Resources;
use crate::schema::Schema;
use crate::select::Selector;
use serde_json::Value;

/// An entry of `patches`.
#[derive(Debug)]
pub(crate) struct PatchTransformer {
    strategic: Vec<Resource>,
    json: Vec<Operation>,
    target: Option<Selector>,
    source: String,
}

impl PatchTransformer {
    pub(crate) fn new(patch: &Patch, loader: &Loader<'_>) -> Result<Self> {
        let inline = patch.patch.trim();
        let (text, source) = match (inline.is_empty(), patch.path.is_empty()) {
            (true, true) => return Err(Error::invalid("must specify one of patch and path")),
            (false, false) => return Err(Error::invalid("patch and path can't be set at the same time")),
            (false, true) => (inline.as_bytes().to_vec(), format!("[patch: {inline:?}]")),
            (true, false) => {
                let path = &patch.path;
                let text =
                    loader.load(path).within(|| format!("failed to get the patch file from path({path})"))?;
                (text.to_vec(), format!("[path: {path:?}]"))
            }
        };
        let strategic = read::resources(&text);
        let json = std::str::from_utf8(&text).map_err(|_| Error::invalid("invalid UTF-8")).and_then(|text| {
            if text.is_empty() { Err(Error::invalid("empty")) } else { json_patch::decode(text) }
        });
        let (strategic, json) = match (strategic, json) {
            (Err(error), _) if error.is_final() => return Err(error),
            (Err(strategic), Err(json)) => {
                return Err(Error::invalid(format!(
                    "unable to parse SM or JSON patch from {source} (as a resource: {strategic}; as JSON: {json})"
                )));
            }
            (Ok(strategic), Ok(json)) if !strategic.is_empty() && !json.is_empty() => {
                return Err(Error::invalid(format!(
                    "illegally qualifies as both an SM and JSON patch: {source}"
                )));
            }
            (Ok(strategic), _) => (strategic, Vec::new()),
            (Err(_), Ok(json)) => (Vec::new(), json),
        };
        let mut strategic = strategic;
        for one in &mut strategic {
            if patch.allow_name_change {
                one.enable(note::ALLOW_NAME_CHANGE)?;
            }
            if patch.allow_kind_change {
                one.enable(note::ALLOW_KIND_CHANGE)?;
            }
        }
        Ok(Self { strategic, json, target: patch.target.clone(), source })
    }

    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        if !self.strategic.is_empty() {
            return self.merge(resources, schema);
        }
        if self.json.is_empty() {
            return Ok(());
        }
        let Some(target) = &self.target else {
            return Err(Error::invalid(format!("must specify a target for JSON patch {}", self.source)));
        };
        for at in resources.select(target, schema)? {
            let resource = &mut resources.list_mut()[at];
            resource.store_previous_id(schema)?;
            apply_json(resource, &self.json).within(|| format!("apply {}", self.source))?;
        }
        Ok(())
    }

    fn merge(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        if let Some(target) = &self.target {
            let [patch] = self.strategic.as_slice() else {
                return Err(Error::invalid(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` \
                     field: {}",
                    self.source
                )));
            };
            let selected = resources
                .select(target, schema)
                .within(|| "unable to find patch target in `resources`".to_owned())?;
            return resources.patch(&selected, patch, schema).within(|| format!("apply {}", self.source));
        }
        for patch in &self.strategic {
            let id = patch.original_id(schema)?;
            let at = resources
                .by_id(&id, schema)
                .within(|| format!("no resource matches strategic merge patch \"{id}\""))?;
            resources.list_mut()[at]
                .patch(patch.clone(), schema)
                .within(|| format!("apply {} to {id}", self.source))?;
        }
        Ok(())
    }
}

/// Applies a JSON patch; the notes of the build survive it.
fn apply_json(resource: &mut Resource, patch: &[Operation]) -> Result<()> {
    let is_note = |name: &str| {
        name.starts_with(note::PREFIX)
            || matches!(name, "config.kubernetes.io/path" | "config.kubernetes.io/index" | "config.k8s.io/id")
    };
    let notes: Vec<(String, String)> =
        resource.annotations().into_iter().filter(|(name, _)| is_note(name)).collect();
    let mut value = resource.node.to_value()?;
    json_patch::apply(&mut value, patch)?;
    if !matches!(value, Value::Object(_) | Value::Null) {
        return Err(Error::invalid("json: cannot unmarshal into Go value of type map[string]interface {}"));
    }
    resource.node = Node::from_go_json(&value);
    resource.shares = false;
    let mut annotations = resource.annotations();
    annotations.extend(notes);
    resource.set_annotations(&annotations)
}

/// An entry of `patchesJson6902`.
#[derive(Debug)]
pub(crate) struct JsonPatchTransformer {
    patch: Vec<Operation>,
    target: Selector,
}

impl JsonPatchTransformer {
    pub(crate) fn new(patch: &Patch, loader: &Loader<'_>) -> Result<Self> {
        let target = patch.target.clone().filter(|target| !target.id.name.is_empty());
        let target = target.ok_or_else(|| Error::invalid("must specify the target name"))?;
        let text = match (patch.path.as_str(), patch.patch.as_str()) {
            ("", "") => return Err(Error::invalid("empty file path and empty jsonOp")),
            ("", inline) => inline.to_owned(),
            (path, "") => {
                let text = String::from_utf8_lossy(&loader.load(path)?).into_owned();
                if text.is_empty() {
                    return Err(Error::invalid(format!("patch file '{path}' empty seems to be empty")));
                }
                text
            }
            _ => return Err(Error::invalid("must specify a file path or jsonOp, not both")),
        };
        let operations = json_patch::decode(&text).within(|| format!("decoding {text}"))?;
        if operations.is_empty() {
            return Err(Error::invalid(format!(
                "patch appears to be empty; file={}, JsonOp={text}",
                patch.path
            )));
        }
        Ok(Self { patch: operations, target })
    }

    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        for at in resources.select(&self.target, schema)? {
            apply_json(&mut resources.list_mut()[at], &self.patch)?;
        }
        Ok(())
    }
}

/// All of `patchesStrategicMerge`.
#[derive(Debug)]
pub(crate) struct StrategicMergeTransformer {
    patches: Vec<Resource>,
}

impl StrategicMergeTransformer {
    /// Each entry is a patch or the path of one.
    pub(crate) fn new(paths: &[String], inline: &str, loader: &Loader<'_>) -> Result<Self> {
        if paths.is_empty() && inline.is_empty() {
            return Err(Error::invalid("empty file path and empty patch content"));
        }
        let mut patches = Vec::new();
        for path in paths {
            match read::resources(path.as_bytes()) {
                Ok(found) => patches.extend(found),
                Err(_) => {
                    let text = loader.load(path)?;
                    patches.extend(read::resources(&text).map_err(|error| read::in_file(error, path))?);
                }
            }
        }
        if !inline.is_empty() {
            patches.extend(read::resources(inline.as_bytes())?);
        }
        if patches.is_empty() {
            return Err(Error::invalid(format!(
                "patch appears to be empty; files={paths:?}, Patch={inline}"
            )));
        }
        Ok(Self { patches })
    }

    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        for patch in &self.patches {
            let id = patch.original_id(schema)?;
            let at = resources.by_id(&id, schema)?;
            resources.patch(&[at], patch, schema).within(|| format!("apply patch to {id}"))?;
        }
        Ok(())
    }
}
