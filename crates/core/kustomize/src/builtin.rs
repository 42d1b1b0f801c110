//! The transformers a kustomization's own fields ask for, in the order the original runs them.

use crate::config::TransformerConfig;
use crate::error::{Error, Result, Within as _};
use crate::field_spec::{FieldSpec, merge_all, merge_one};
use crate::fields::Strictness;
use crate::id::Gvk;
use crate::kustomization::{self, Kustomization, Replacement, ReplacementField};
use crate::loader::Loader;
use crate::transform::{
    ImageTransformer, JsonPatchTransformer, LabelTransformer, NameTransformer, NamespaceTransformer,
    PatchTransformer, ReplacementTransformer, ReplicaTransformer, StrategicMergeTransformer, Subjects,
    Transformer,
};
use serde_json::Value;

/// Each with the name of its kind.
pub(crate) fn transformers(
    kustomization: &Kustomization,
    config: &TransformerConfig,
    loader: &Loader<'_>,
) -> Result<Vec<(&'static str, Transformer)>> {
    let mut all: Vec<(&'static str, Transformer)> = Vec::new();
    if !kustomization.patches_strategic_merge.is_empty() {
        let transformer = StrategicMergeTransformer::new(&kustomization.patches_strategic_merge, "", loader)
            .within(|| "trouble configuring builtin PatchStrategicMergeTransformer".to_owned())?;
        all.push(("PatchStrategicMergeTransformer", Transformer::StrategicMerge(transformer)));
    }
    for patch in &kustomization.patches {
        let transformer = PatchTransformer::new(patch, loader)
            .within(|| "trouble configuring builtin PatchTransformer".to_owned())?;
        all.push(("PatchTransformer", Transformer::Patch(transformer)));
    }
    if !kustomization.namespace.is_empty() {
        let transformer = NamespaceTransformer {
            namespace: kustomization.namespace.clone(),
            field_specs: config.namespace.clone(),
            unset_only: false,
            subjects: Subjects::default(),
        };
        all.push(("NamespaceTransformer", Transformer::Namespace(transformer)));
    }
    names(kustomization, config, &mut all);
    labels(kustomization, config, &mut all)?;
    for patch in &kustomization.patches_json6902 {
        let transformer = JsonPatchTransformer::new(patch, loader)
            .within(|| "trouble configuring builtin PatchJson6902Transformer".to_owned())?;
        all.push(("PatchJson6902Transformer", Transformer::JsonPatch(transformer)));
    }
    for replica in &kustomization.replicas {
        let transformer =
            ReplicaTransformer { replica: replica.clone(), field_specs: config.replicas.clone() };
        all.push(("ReplicaCountTransformer", Transformer::Replicas(transformer)));
    }
    for image in &kustomization.images {
        let transformer = ImageTransformer::new(image.clone(), config.images.clone());
        all.push(("ImageTagTransformer", Transformer::Images(transformer)));
    }
    if !kustomization.replacements.is_empty() {
        let replacements = replacements(&kustomization.replacements, loader)?;
        let transformer = ReplacementTransformer { replacements };
        all.push(("ReplacementTransformer", Transformer::Replacements(transformer)));
    }
    Ok(all)
}

fn names(
    kustomization: &Kustomization,
    config: &TransformerConfig,
    all: &mut Vec<(&'static str, Transformer)>,
) {
    if !kustomization.name_prefix.is_empty() {
        let transformer = NameTransformer {
            prefix: kustomization.name_prefix.clone(),
            suffix: String::new(),
            field_specs: config.name_prefix.clone(),
        };
        all.push(("PrefixTransformer", Transformer::Name(transformer)));
    }
    if !kustomization.name_suffix.is_empty() {
        let transformer = NameTransformer {
            prefix: String::new(),
            suffix: kustomization.name_suffix.clone(),
            field_specs: config.name_suffix.clone(),
        };
        all.push(("SuffixTransformer", Transformer::Name(transformer)));
    }
}

fn labels(
    kustomization: &Kustomization,
    config: &TransformerConfig,
    all: &mut Vec<(&'static str, Transformer)>,
) -> Result<()> {
    for label in &kustomization.labels {
        let mut field_specs = label.field_specs.clone();
        let doing = || "failed to merge labels".to_owned();
        merge_all(&mut field_specs, &config.labels).within(doing)?;
        if label.include_selectors {
            merge_all(&mut field_specs, &config.common_labels).within(doing)?;
        } else {
            if label.include_templates {
                merge_all(&mut field_specs, &config.template_labels)
                    .within(|| "failed to merge template fieldSpec".to_owned())?;
            }
            let metadata = FieldSpec::new(Gvk::default(), "metadata/labels", true);
            merge_one(&mut field_specs, metadata).within(doing)?;
        }
        let transformer = LabelTransformer { pairs: label.pairs.clone(), field_specs };
        all.push(("LabelTransformer", Transformer::Labels(transformer)));
    }
    if !kustomization.labels.is_empty() || !kustomization.common_labels.is_empty() {
        let transformer = LabelTransformer {
            pairs: kustomization.common_labels.clone(),
            field_specs: config.common_labels.clone(),
        };
        all.push(("LabelTransformer", Transformer::Labels(transformer)));
    }
    if !kustomization.common_annotations.is_empty() {
        let transformer = LabelTransformer {
            pairs: kustomization.common_annotations.clone(),
            field_specs: config.common_annotations.clone(),
        };
        all.push(("AnnotationsTransformer", Transformer::Labels(transformer)));
    }
    Ok(())
}

/// The replacements of all entries, those in files too.
pub(crate) fn replacements(entries: &[ReplacementField], loader: &Loader<'_>) -> Result<Vec<Replacement>> {
    let mut all = Vec::new();
    for entry in entries {
        let path = match entry {
            ReplacementField::Inline(replacement) => {
                all.push(Replacement::clone(replacement));
                continue;
            }
            ReplacementField::Path(path) => path,
        };
        let doing = || format!("replacements from {path}");
        let content = loader.load(path).within(doing)?;
        let value = object::yaml::decode(&content)
            .map_err(|error| Error::invalid(error.to_string()))
            .within(doing)?;
        match &value {
            Value::Array(items) => {
                for item in items {
                    all.push(kustomization::replacement(item, Strictness::Lenient).within(doing)?);
                }
            }
            Value::Object(_) => {
                all.push(kustomization::replacement(&value, Strictness::Lenient).within(doing)?);
            }
            _ => {
                return Err(Error::invalid(
                    "unsupported replacement type encountered within replacement path",
                )
                .within(doing()));
            }
        }
    }
    Ok(all)
}
