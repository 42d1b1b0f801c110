//! `ValueAddTransformer`: a value set at, or put into the path held by, fields of selected objects.

use crate::error::{Error, Result};
use crate::node::{Kind, Node, split_path};
use crate::resources::Resources;
use crate::schema::Schema;
use crate::select::Selector;
use crate::transform::{NamespaceTransformer, Subjects};

/// Sets one value in many places.
#[derive(Debug)]
pub(crate) struct ValueAddTransformer {
    pub(crate) value: String,
    pub(crate) targets: Vec<ValueTarget>,
}

/// Where the value goes.
#[derive(Clone, Debug)]
pub(crate) struct ValueTarget {
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: String,
    /// Counted from 1; 0 replaces the text.
    pub(crate) path_position: i64,
}

impl ValueAddTransformer {
    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        let namespace = NamespaceTransformer {
            namespace: self.value.clone(),
            field_specs: Vec::new(),
            unset_only: false,
            subjects: Subjects::default(),
        };
        for target in &self.targets {
            let selected = match &target.selector {
                None => (0..resources.len()).collect(),
                Some(selector) => resources.select(selector, schema)?,
            };
            for at in selected {
                let resource = &mut resources.list_mut()[at];
                if target.field_path == "metadata/namespace" {
                    namespace.change(resource, schema)?;
                } else {
                    self.set(&mut resource.node, target)?;
                }
                resource.settle();
            }
        }
        resources.drop_empties();
        Ok(())
    }

    fn set(&self, object: &mut Node, target: &ValueTarget) -> Result<()> {
        let mut path = split_path(&target.field_path, '/');
        if target.field_path.starts_with('/') {
            path.insert(0, String::new());
        }
        let Some(field) = object.lookup_create(&path, Kind::Scalar)? else { return Ok(()) };
        field.expect(Kind::Scalar)?;
        let text = match usize::try_from(target.path_position) {
            Ok(0) => self.value.clone(),
            Ok(position) => with_part(field.text(), position - 1, &self.value),
            Err(_) => return Err(Error::invalid("value of FilePathPosition cannot be negative")),
        };
        field.set_scalar(Node::plain(text))
    }
}

/// A slash-separated path with one more part.
fn with_part(path: &str, position: usize, part: &str) -> String {
    if part.is_empty() {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.insert(position.min(parts.len()), part);
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}
