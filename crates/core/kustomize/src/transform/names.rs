//! Name prefixes and suffixes.

use crate::error::Result;
use crate::field_spec::{FieldSpecs, Made, apply};
use crate::id::Gvk;
use crate::node::{Kind, Node, Tag};
use crate::resources::Resources;
use crate::schema::Schema;

/// Puts a text before or after names.
#[derive(Debug)]
pub(crate) struct NameTransformer {
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    pub(crate) field_specs: FieldSpecs,
}

/// Kinds whose names mean something elsewhere.
fn keeps_name(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io")
}

impl NameTransformer {
    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        for resource in resources.list_mut() {
            let id = resource.original_id(schema)?;
            if keeps_name(&id.gvk) {
                continue;
            }
            for spec in self.field_specs.iter().filter(|spec| id.gvk.is_selected(&spec.gvk)) {
                if spec.path == "metadata/name" {
                    resource.add_prefix(&self.prefix)?;
                    resource.add_suffix(&self.suffix)?;
                    if !self.prefix.is_empty() || !self.suffix.is_empty() {
                        resource.store_previous_id(schema)?;
                    }
                }
                let made = Some(Made { kind: Kind::Scalar, tag: Tag::Str });
                apply(spec, &mut resource.node, made, &mut |node| {
                    let text = format!("{}{}{}", self.prefix, node.text(), self.suffix);
                    node.set_scalar(Node::plain(text))
                })?;
                resource.settle();
            }
        }
        Ok(())
    }
}
