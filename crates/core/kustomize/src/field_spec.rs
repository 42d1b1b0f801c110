//! Which fields of which kinds a transformer writes to, and writing to them.

use crate::error::{Error, Result, Within as _};
use crate::id::{Gvk, GvkRef};
use crate::node::{Content, Kind, Node, Tag, split_path};
use std::sync::Arc;

/// A path in objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    pub(crate) path: String,
    /// The path's parts; `name[]` is a list.
    pub(crate) parts: Arc<[String]>,
    pub(crate) create: bool,
}

impl FieldSpec {
    pub(crate) fn new(gvk: Gvk, path: impl Into<String>, create: bool) -> Self {
        let path = path.into();
        let parts = split_path(&path, '/').into();
        Self { gvk, path, parts, create }
    }
}

/// Field specifications in order.
pub(crate) type FieldSpecs = Vec<FieldSpec>;

/// Adds one unless it is there; refuses one that is there with another `create`.
pub(crate) fn merge_one(specs: &mut FieldSpecs, spec: FieldSpec) -> Result<()> {
    match specs.iter().find(|known| known.gvk.is_selected(&spec.gvk) && known.path == spec.path) {
        Some(known) if known.create != spec.create => Err(Error::invalid("conflicting fieldspecs")),
        Some(_) => Ok(()),
        None => {
            specs.push(spec);
            Ok(())
        }
    }
}

pub(crate) fn merge_all(specs: &mut FieldSpecs, others: &[FieldSpec]) -> Result<()> {
    others.iter().try_for_each(|spec| merge_one(specs, spec.clone()))
}

/// What is made where a path ends in nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) kind: Kind,
    pub(crate) tag: Tag,
}

/// Calls `set` on every place of an object the specification names.
pub(crate) fn apply(
    spec: &FieldSpec,
    object: &mut Node,
    made: Option<Made>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let text = |name: &str| object.get(name).map_or("", Node::text);
    if !GvkRef::new(text("apiVersion"), text("kind")).is_selected(&spec.gvk) {
        return Ok(());
    }
    let made = if spec.create { made } else { None };
    walk(object, &spec.parts, made, set).within(|| format!("considering field '{}' of object", spec.path))
}

fn walk(
    node: &mut Node,
    path: &[String],
    made: Option<Made>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let Some((part, rest)) = path.split_first() else { return set(node) };
    if node.is_null() {
        return Ok(());
    }
    match &mut node.content {
        Content::Sequence(items) => items.iter_mut().try_for_each(|item| walk(item, path, made, set)),
        Content::Mapping(_) => {
            let (name, list) = match part.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (part.as_str(), false),
            };
            if name.is_empty() {
                return Err(Error::invalid("cannot set or create an empty field name"));
            }
            field(node, name, list, rest, made, set)
        }
        Content::Scalar(_) => Err(Error::invalid("expected sequence or mapping node")),
    }
}

fn field(
    node: &mut Node,
    name: &str,
    list: bool,
    rest: &[String],
    made: Option<Made>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let here = match made {
        None => None,
        Some(_) if list => None,
        Some(made) if rest.is_empty() => Some(made),
        Some(_) => Some(Made { kind: Kind::Mapping, tag: Tag::Map }),
    };
    let found = match here {
        Some(here) => node.lookup_create(&[name], here.kind),
        None => node.lookup_mut(&[name]),
    };
    let Some(field) = found.within(|| format!("fieldName: {name}"))? else { return Ok(()) };
    // A null becomes what the path needs.
    let becomes =
        if list && here.is_none() { Some(Made { kind: Kind::Sequence, tag: Tag::None }) } else { here };
    if field.is_null()
        && let Some(made) = becomes
    {
        let mut new = Node::empty(made.kind);
        new.tag = made.tag;
        if made.kind == Kind::Scalar {
            new.content = Content::Scalar(field.text().to_owned());
        }
        new.style = field.style;
        field.overwrite(new);
    }
    walk(field, rest, made, set)
}
