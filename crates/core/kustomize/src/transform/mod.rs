//! The built-in transformers, ready to be run over resources.

mod images;
mod labels;
mod names;
mod namespace;
mod patches;
mod replacements;
mod replicas;
mod value_add;

pub(crate) use images::{ImageTransformer, split as split_image};
pub(crate) use labels::LabelTransformer;
pub(crate) use names::NameTransformer;
pub(crate) use namespace::{NamespaceTransformer, Subjects};
pub(crate) use patches::{JsonPatchTransformer, PatchTransformer, StrategicMergeTransformer};
pub(crate) use replacements::ReplacementTransformer;
pub(crate) use replicas::ReplicaTransformer;
pub(crate) use value_add::{ValueAddTransformer, ValueTarget};

use crate::error::Result;
use crate::generate;
use crate::origin::Origin;
use crate::resources::Resources;
use crate::schema::Schema;

/// One transformer.
#[derive(Debug)]
pub(crate) enum Transformer {
    Namespace(NamespaceTransformer),
    Name(NameTransformer),
    Labels(LabelTransformer),
    JsonPatch(JsonPatchTransformer),
    StrategicMerge(StrategicMergeTransformer),
    Patch(PatchTransformer),
    Replicas(ReplicaTransformer),
    Images(ImageTransformer),
    Replacements(ReplacementTransformer),
    ValueAdd(ValueAddTransformer),
    Hash,
    Several(Vec<Transformer>),
}

/// A transformer and where it was configured.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) transformer: Transformer,
    pub(crate) origin: Option<Origin>,
}

impl Transformer {
    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        match self {
            Self::Namespace(transformer) => transformer.run(resources, schema),
            Self::Name(transformer) => transformer.run(resources, schema),
            Self::Labels(transformer) => transformer.run(resources),
            Self::JsonPatch(transformer) => transformer.run(resources, schema),
            Self::StrategicMerge(transformer) => transformer.run(resources, schema),
            Self::Patch(transformer) => transformer.run(resources, schema),
            Self::Replicas(transformer) => transformer.run(resources, schema),
            Self::Images(transformer) => transformer.run(resources),
            Self::Replacements(transformer) => transformer.run(resources),
            Self::ValueAdd(transformer) => transformer.run(resources, schema),
            Self::Hash => add_hashes(resources, schema),
            Self::Several(transformers) => {
                transformers.iter().try_for_each(|transformer| transformer.run(resources, schema))
            }
        }
    }
}

/// Puts the hash of its content at the end of the name of all that want one.
pub(crate) fn add_hashes(resources: &mut Resources, schema: &Schema) -> Result<()> {
    for resource in resources.list_mut() {
        if resource.needs_hash() {
            let hash = generate::hash(resource)?;
            resource.store_previous_id(schema)?;
            let name = format!("{}-{hash}", resource.name());
            resource.set_name(&name)?;
        }
    }
    Ok(())
}

/// Runs transformers in order; what they emptied is dropped after each.
pub(crate) fn run_all(transformers: &[Configured], resources: &mut Resources, schema: &Schema) -> Result<()> {
    for Configured { transformer, origin } in transformers {
        transformer.run(resources, schema)?;
        if let Some(origin) = origin {
            for resource in resources.list_mut() {
                origin.note_transformation(resource)?;
            }
        }
        resources.drop_empties();
    }
    Ok(())
}
