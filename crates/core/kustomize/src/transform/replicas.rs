//! Numbers of replicas.

use crate::error::{Error, Result};
use crate::field_spec::{FieldSpecs, Made, apply};
use crate::kustomization::Replica;
use crate::node::{Kind, Node, Tag};
use crate::resources::Resources;
use crate::schema::Schema;

/// Sets the replicas of what has one name.
#[derive(Debug)]
pub(crate) struct ReplicaTransformer {
    pub(crate) replica: Replica,
    pub(crate) field_specs: FieldSpecs,
}

impl ReplicaTransformer {
    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        let name = &self.replica.name;
        let mut found = false;
        for spec in &self.field_specs {
            let matching = resources
                .with_any_id(schema, name, |id| id.name == *name && id.gvk.is_selected(&spec.gvk))?;
            for at in matching {
                found = true;
                let resource = &mut resources.list_mut()[at];
                let made = Some(Made { kind: Kind::Scalar, tag: Tag::Int });
                apply(spec, &mut resource.node, made, &mut |node| {
                    node.set_scalar(Node::tagged(self.replica.count.to_string(), Tag::Int))
                })?;
                resource.settle();
            }
        }
        if found {
            return Ok(());
        }
        let kinds: Vec<String> = self.field_specs.iter().map(|spec| spec.gvk.to_string()).collect();
        Err(Error::invalid(format!(
            "resource with name {name} does not match a config with the following GVK [{}]",
            kinds.join(" ")
        )))
    }
}
