//! Strategic merge as kyaml does it: maps by field, lists by the keys of the schema, other lists replaced.
//!
//! Every field of the destination is visited, also those the patch leaves alone: lists with keys lose repeated
//! elements, nulls without text vanish. That is the original's doing, and manifests depend on it.

use crate::error::{Error, Result};
use crate::node::{Content, Key, Kind, Node, wrong_kind};
use crate::schema::{At, Schema};

/// Where elements of a patch go that the destination does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Append,
    Prepend,
}

const DIRECTIVE: &str = "$patch";

/// Merges a patch into a destination. `false` when the patch says that the destination is to go.
pub(crate) fn merge(
    destination: &mut Node,
    patch: &mut Node,
    schema: &Schema,
    direction: Direction,
) -> Result<bool> {
    let walker = Walker { schema, direction };
    match walker.walk(Some(destination), Some(patch), None)? {
        Walked::Gone => Ok(false),
        Walked::Destination => Ok(true),
        Walked::Patch => {
            *destination = patch.clone();
            Ok(true)
        }
    }
}

/// Which node is the result; it was changed in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walked {
    Gone,
    Destination,
    Patch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

struct Walker<'a> {
    schema: &'a Schema,
    direction: Direction,
}

fn is_missing(node: Option<&Node>) -> bool {
    node.is_none_or(Node::is_null)
}

impl Walker<'_> {
    fn walk(
        &self,
        mut destination: Option<&mut Node>,
        mut patch: Option<&mut Node>,
        at: Option<At>,
    ) -> Result<Walked> {
        let (ours, theirs) = (destination.as_deref(), patch.as_deref());
        let at = match at {
            Some(at) => Some(at),
            None => self.named_schema(ours, theirs)?,
        };
        let first = ours.filter(|node| !node.is_null()).or(theirs.filter(|node| !node.is_null()));
        let kind = first.map_or(Kind::Mapping, Node::kind);
        for node in [ours, theirs].into_iter().flatten() {
            if !node.is_null() && node.kind() != kind {
                return Err(wrong_kind(kind, node));
            }
        }
        match kind {
            Kind::Mapping => self.walk_map(destination.as_deref_mut(), patch.as_deref_mut(), at.as_ref()),
            Kind::Sequence => match at.as_ref().and_then(|at| at.merge_keys().map(|keys| (at, keys))) {
                Some((at, keys)) => self.walk_list(destination, patch, at, keys),
                None if patch.is_some() => Ok(Walked::Patch),
                None => Ok(Walked::Destination),
            },
            Kind::Scalar if patch.is_some() => Ok(Walked::Patch),
            Kind::Scalar => Ok(Walked::Destination),
        }
    }

    /// An object that says its kind brings its own schema where none is known.
    fn named_schema(&self, destination: Option<&Node>, patch: Option<&Node>) -> Result<Option<At>> {
        for node in [destination, patch].into_iter().flatten() {
            let text =
                |name: &str| node.get(name).filter(|field| !field.is_nothing()).map_or("", Node::text_value);
            let (api_version, kind) = (text("apiVersion"), text("kind"));
            if api_version.is_empty() || kind.is_empty() {
                continue;
            }
            if let Some(at) = self.schema.of_kind(api_version, kind)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn walk_map(
        &self,
        destination: Option<&mut Node>,
        patch: Option<&mut Node>,
        at: Option<&At>,
    ) -> Result<Walked> {
        if is_missing(destination.as_deref()) {
            let Some(patch) = patch else {
                // A null that was written out stays, one without text goes.
                let stays = destination.is_some_and(|node| !node.text().is_empty());
                return Ok(if stays { Walked::Destination } else { Walked::Gone });
            };
            if matches!(map_directive(patch), Ok(Directive::Delete)) {
                return Ok(Walked::Gone);
            }
            return self.walk_with_itself(patch, at);
        }
        let (Some(destination), patch) = (destination, patch) else { return Ok(Walked::Gone) };
        let Some(patch) = patch else {
            self.fields(destination, None, at)?;
            return Ok(Walked::Destination);
        };
        if patch.is_null() {
            return Ok(Walked::Gone);
        }
        let says = patch.get(DIRECTIVE).is_some();
        let word = map_directive(patch)?;
        // What is merged with itself says the word on both sides.
        if says {
            destination.remove(DIRECTIVE);
        }
        match word {
            Directive::Delete => Ok(Walked::Gone),
            Directive::Replace => self.walk_with_itself(patch, at),
            Directive::Merge => {
                take_style(destination, patch);
                self.fields(destination, Some(patch), at)?;
                Ok(Walked::Destination)
            }
        }
    }

    /// What comes from the patch alone is merged with itself.
    fn walk_with_itself(&self, patch: &mut Node, at: Option<&At>) -> Result<Walked> {
        let mut destination = patch.clone();
        self.fields(&mut destination, Some(patch), at)?;
        *patch = destination;
        Ok(Walked::Patch)
    }

    fn fields(&self, destination: &mut Node, mut patch: Option<&mut Node>, at: Option<&At>) -> Result<()> {
        let mut names: Vec<String> = destination
            .fields()
            .iter()
            .chain(patch.as_deref().map_or(&[][..], Node::fields))
            .map(|(key, _)| key.text.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let beneath = at.and_then(|at| at.field(&name));
            let theirs = patch.as_deref_mut().and_then(|patch| patch.get_mut(&name));
            let walked = self.walk(destination.get_mut(&name), theirs, beneath)?;
            match walked {
                Walked::Gone => destination.remove(&name),
                Walked::Destination => {
                    if let Some(field) = destination.get_mut(&name) {
                        field.quote_if_ambiguous();
                    }
                }
                Walked::Patch => {
                    let found = patch
                        .as_deref()
                        .and_then(|patch| patch.fields().iter().find(|(key, _)| key.text == name));
                    if let Some((key, value)) = found {
                        let key = Key { text: name, tag: crate::node::Tag::None, style: key.style };
                        destination.set_field_with_key(key, value.clone())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn walk_list(
        &self,
        destination: Option<&mut Node>,
        patch: Option<&mut Node>,
        at: &At,
        keys: &[String],
    ) -> Result<Walked> {
        let (target, theirs, walked) = if is_missing(destination.as_deref()) {
            let Some(patch) = patch else { return Ok(Walked::Gone) };
            let copy = patch.clone();
            (patch, Some(copy), Walked::Patch)
        } else {
            let Some(destination) = destination else { return Ok(Walked::Gone) };
            match patch {
                None => (destination, None, Walked::Destination),
                Some(patch) if patch.is_null() => return Ok(Walked::Gone),
                Some(patch) => match list_directive(patch)? {
                    Some(Directive::Delete) => return Ok(Walked::Gone),
                    Some(Directive::Replace) => {
                        let copy = patch.clone();
                        (patch, Some(copy), Walked::Patch)
                    }
                    said => {
                        take_style(destination, patch);
                        // What is merged with itself says the word on both sides.
                        if said.is_some() {
                            without_directive(destination, "merge");
                        }
                        (destination, Some(patch.clone()), Walked::Destination)
                    }
                },
            }
        };
        let elements = Elements::new(target, theirs);
        let empty = [String::new()];
        let (keys, values) = if keys.is_empty() {
            (&empty[..], elements.primitive_values(self.direction))
        } else {
            (keys, elements.values(keys, self.direction))
        };
        let list = elements.merge(self, at, keys, values)?;
        target.content = Content::Sequence(list);
        Ok(walked)
    }
}

/// An empty destination is written as the patch is.
fn take_style(destination: &mut Node, patch: &Node) {
    if destination.fields().is_empty() && destination.items().is_empty() {
        destination.style = patch.style;
    }
}

fn directive(text: &str) -> Result<Directive> {
    match text {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(Error::invalid(format!("unknown patch strategy '{other}'"))),
    }
}

/// What a map says of itself; the word is taken out.
fn map_directive(patch: &mut Node) -> Result<Directive> {
    let Some(found) = patch.get(DIRECTIVE) else { return Ok(Directive::Merge) };
    let found = directive(found.text())?;
    patch.remove(DIRECTIVE);
    Ok(found)
}

/// What an element with nothing but the word says of its list, if one does; the element is taken out.
fn list_directive(patch: &mut Node) -> Result<Option<Directive>> {
    let found = patch.items().iter().find(|item| item.get(DIRECTIVE).is_some());
    let Some(text) = found.filter(|item| item.fields().len() == 1).and_then(|item| item.get(DIRECTIVE))
    else {
        return Ok(None);
    };
    let text = text.text().to_owned();
    let found = directive(&text)?;
    without_directive(patch, &text);
    Ok(Some(found))
}

fn without_directive(list: &mut Node, text: &str) {
    if let Content::Sequence(items) = &mut list.content {
        items.retain(|item| {
            !item.is_empty_mapping() && item.get(DIRECTIVE).is_none_or(|directive| directive.text() != text)
        });
    }
}

/// The elements of both lists. The lists are positions, so that an element in two lists is one element.
struct Elements {
    nodes: Vec<Node>,
    destination: Vec<usize>,
    patch: Option<Vec<usize>>,
}

impl Elements {
    fn new(destination: &mut Node, patch: Option<Node>) -> Self {
        let take = |content: &mut Content| match content {
            Content::Sequence(items) => std::mem::take(items),
            _ => Vec::new(),
        };
        let mut nodes = take(&mut destination.content);
        let ours: Vec<usize> = (0..nodes.len()).collect();
        let patch = patch.map(|mut patch| {
            let items = take(&mut patch.content);
            let positions = (nodes.len()..nodes.len() + items.len()).collect();
            nodes.extend(items);
            positions
        });
        Self { nodes, destination: ours, patch }
    }

    fn sources(&self, direction: Direction) -> Vec<&[usize]> {
        let ours = Some(self.destination.as_slice());
        let theirs = self.patch.as_deref();
        match direction {
            Direction::Prepend => [theirs, ours].into_iter().flatten().collect(),
            Direction::Append => [ours, theirs].into_iter().flatten().collect(),
        }
    }

    /// The values of the keys of all elements, each once.
    fn values(&self, keys: &[String], direction: Direction) -> Vec<Vec<String>> {
        let mut values: Vec<Vec<String>> = Vec::new();
        for source in self.sources(direction) {
            for at in source {
                let node = &self.nodes[*at];
                let of: Vec<String> = keys
                    .iter()
                    .map(|key| {
                        node.get(key).filter(|field| !field.is_nothing()).map_or("", Node::text).to_owned()
                    })
                    .collect();
                if !values.contains(&of) {
                    values.push(of);
                }
            }
        }
        values
    }

    fn primitive_values(&self, direction: Direction) -> Vec<Vec<String>> {
        let mut values: Vec<Vec<String>> = Vec::new();
        for source in self.sources(direction) {
            for at in source {
                let of = vec![self.nodes[*at].text().to_owned()];
                if !values.contains(&of) {
                    values.push(of);
                }
            }
        }
        values
    }

    fn merge(
        mut self,
        walker: &Walker<'_>,
        at: &At,
        keys: &[String],
        mut values: Vec<Vec<String>>,
    ) -> Result<Vec<Node>> {
        let beneath = at.elements();
        let mut merged: Vec<usize> = Vec::new();
        if keys.len() > 1 {
            merge_values(&mut values);
        }
        let mut valid_keys: Vec<String> = Vec::new();
        for of in &values {
            let (keys, of) = valid(&values, of, keys);
            let result = self.element(walker, beneath.as_ref(), &keys, &of)?;
            if let Some(result) = result {
                for (key, value) in keys.iter().zip(&of) {
                    self.give_key(result, key, value)?;
                }
                self.set(&mut merged, Some(result), &keys, &of)?;
            } else {
                let mut list = std::mem::take(&mut self.destination);
                for _ in &keys {
                    self.set(&mut list, None, &keys, &of)?;
                }
                self.destination = list;
            }
            valid_keys = keys;
        }
        if values.is_empty() {
            let list = self.destination.clone();
            return Ok(self.collect(&list));
        }
        let (mut into, from) = match walker.direction {
            Direction::Prepend => (merged, self.destination.clone()),
            Direction::Append => (self.destination.clone(), merged),
        };
        self.append(&mut into, &from, &valid_keys)?;
        Ok(self.collect(&into))
    }

    /// Merges the elements of both lists with these values; where the result is.
    fn element(
        &mut self,
        walker: &Walker<'_>,
        at: Option<&At>,
        keys: &[String],
        values: &[String],
    ) -> Result<Option<usize>> {
        let (keys, values) = valid(&[values.to_vec()], values, keys);
        let ours = self.find(&self.destination, &keys, &values)?;
        let theirs = self.patch.as_ref().map_or(Ok(None), |patch| self.find(patch, &keys, &values))?;
        let mut patch = theirs.map(|at| self.nodes[at].clone());
        let destination = ours.map(|at| &mut self.nodes[at]);
        let walked = walker.walk(destination, patch.as_mut(), at.cloned())?;
        if let (Some(theirs), Some(patch)) = (theirs, patch) {
            self.nodes[theirs] = patch;
        }
        let result = match walked {
            Walked::Gone => None,
            Walked::Destination => ours,
            Walked::Patch => theirs,
        };
        Ok(result.filter(|at| !self.nodes[*at].is_empty_mapping()))
    }

    fn find(&self, list: &[usize], keys: &[String], values: &[String]) -> Result<Option<usize>> {
        if keys.first().is_none_or(String::is_empty) {
            let value = values.first().map_or("", String::as_str);
            return Ok(list.iter().copied().find(|at| self.nodes[*at].text() == value));
        }
        if keys.len() != values.len() {
            return Ok(None);
        }
        Ok(list.iter().copied().find(|at| {
            let node = &self.nodes[*at];
            node.kind() == Kind::Mapping
                && keys.iter().zip(values).all(|(key, value)| {
                    node.fields().iter().any(|(name, field)| name.text == *key && field.text() == value)
                })
        }))
    }

    /// An element that does not say its key itself gets it.
    fn give_key(&mut self, at: usize, key: &str, value: &str) -> Result<()> {
        let node = &mut self.nodes[at];
        if value.is_empty() || node.get(key).is_some() {
            return Ok(());
        }
        if key.is_empty() {
            node.set_scalar(Node::plain(value))
        } else {
            node.set_field(key, Node::plain(value))
        }
    }

    /// Replaces the elements with these values by one, or removes them; adds it when there was none.
    fn set(
        &self,
        list: &mut Vec<usize>,
        element: Option<usize>,
        keys: &[String],
        values: &[String],
    ) -> Result<()> {
        let for_maps = keys.first().is_some_and(|key| !key.is_empty())
            && values.first().is_some_and(|value| !value.is_empty());
        let mut found = false;
        let mut result = Vec::with_capacity(list.len() + 1);
        for at in list.iter().copied() {
            let node = &self.nodes[at];
            if node.is_empty_mapping() {
                continue;
            }
            if node.kind() != Kind::Mapping && for_maps {
                result.push(at);
                continue;
            }
            if !has_values(node, keys, values)? {
                if !values.is_empty() {
                    result.push(at);
                }
                continue;
            }
            found = true;
            result.extend(element);
        }
        let element = element.filter(|at| !self.nodes[*at].is_null());
        if !found {
            result.extend(element);
        }
        *list = result;
        Ok(())
    }

    fn append(&self, into: &mut Vec<usize>, from: &[usize], keys: &[String]) -> Result<()> {
        for at in from.iter().copied() {
            let node = &self.nodes[at];
            if keys.first().is_none_or(String::is_empty) {
                self.set(into, Some(at), &[String::new()], &[node.text().to_owned()])?;
                continue;
            }
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                if node.is_null() {
                    into.push(at);
                    continue;
                }
                node.expect(Kind::Mapping)?;
                match node.get(key) {
                    None => into.push(at),
                    Some(value) => values.push(value.text().to_owned()),
                }
            }
            if keys.len() > 1 {
                self.set(into, None, keys, &values)?;
            }
            self.set(into, Some(at), keys, &values)?;
        }
        Ok(())
    }

    /// The elements at these positions; one that is there twice is copied.
    fn collect(self, list: &[usize]) -> Vec<Node> {
        let mut left = vec![0_usize; self.nodes.len()];
        list.iter().for_each(|at| left[*at] += 1);
        let mut nodes: Vec<Option<Node>> = self.nodes.into_iter().map(Some).collect();
        list.iter()
            .filter_map(|at| {
                left[*at] -= 1;
                if left[*at] == 0 { nodes[*at].take() } else { nodes[*at].clone() }
            })
            .collect()
    }
}

/// Whether the fields have these values; an empty value is any.
fn has_values(node: &Node, keys: &[String], values: &[String]) -> Result<bool> {
    let no_key = [String::new()];
    let keys = if keys.is_empty() { &no_key[..] } else { keys };
    let mut last = None;
    for (at, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(at) {
            last = Some(if key.is_empty() {
                node.expect(Kind::Scalar)?;
                !node.is_null() && node.text_value() == value
            } else {
                if !node.is_null() {
                    node.expect(Kind::Mapping)?;
                }
                node.fields()
                    .iter()
                    .find(|(name, _)| name.text == *key)
                    .is_some_and(|(_, field)| value.is_empty() || field.text() == value)
            });
        }
        if last != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keys that some element has, with the values of one element; all keys when no element has any.
fn valid(all: &[Vec<String>], values: &[String], keys: &[String]) -> (Vec<String>, Vec<String>) {
    let used: Vec<bool> = (0..keys.len())
        .map(|at| all.iter().any(|values| values.get(at).is_some_and(|value| !value.is_empty())))
        .collect();
    if !used.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    let pick = |texts: &[String]| -> Vec<String> {
        texts.iter().zip(&used).filter(|(_, used)| **used).map(|(text, _)| text.clone()).collect()
    };
    (pick(keys), pick(values))
}

/// Elements that agree where both say something are one element.
fn merge_values(values: &mut [Vec<String>]) {
    for first in 0..values.len() {
        for second in 0..values.len() {
            if let Some(both) = agreed(&values[first], &values[second]) {
                values[first].clone_from(&both);
                values[second] = both;
            }
        }
    }
}

fn agreed(left: &[String], right: &[String]) -> Option<Vec<String>> {
    let mut common = false;
    let mut both = Vec::with_capacity(left.len());
    for (left, right) in left.iter().zip(right) {
        if left == right {
            common = true;
        } else if !left.is_empty() && !right.is_empty() {
            return None;
        }
        both.push(if left.is_empty() { right.clone() } else { left.clone() });
    }
    common.then_some(both)
}
