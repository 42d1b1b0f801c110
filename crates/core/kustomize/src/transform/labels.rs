//! Labels and annotations.

use crate::error::Result;
use crate::field_spec::{FieldSpecs, Made, apply};
use crate::node::{Kind, Node, Tag, new_share};
use crate::resources::Resources;
use std::collections::BTreeMap;

/// Puts texts into maps: labels, selectors or annotations.
#[derive(Debug)]
pub(crate) struct LabelTransformer {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) field_specs: FieldSpecs,
}

impl LabelTransformer {
    pub(crate) fn run(&self, resources: &mut Resources) -> Result<()> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        for resource in resources.list_mut() {
            for (name, text) in &self.pairs {
                // The original puts one and the same scalar into all places of an object.
                let share = new_share();
                let mut set = |node: &mut Node| {
                    node.set_field(name, Node::tagged(text.as_str(), Tag::Str).share(share))
                };
                let made = Some(Made { kind: Kind::Mapping, tag: Tag::Map });
                for spec in &self.field_specs {
                    apply(spec, &mut resource.node, made, &mut set)?;
                }
                resource.shares = true;
                resource.settle();
            }
        }
        Ok(())
    }
}
