//! All places a path with wildcards leads to, made on the way where that is asked for.

use super::{
    Kind, Node,
    access::{element_node, index, is_element, kind_for, split_element},
    parse,
};
use crate::error::{Error, Result, Within as _};
use crate::select::go_regex;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The positions that lead to it.
    At(Vec<usize>),
    /// Inside a text that holds a document of its own: writing there changes nothing.
    Inside,
}

/// The places a path leads to.
pub(crate) fn find(node: &mut Node, path: &[String], create: Option<Kind>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    Search { create, prefix: Vec::new(), found: &mut found }.search(node, path)?;
    Ok(found)
}

impl Node {
    /// What lies at positions given by [`find`].
    pub(crate) fn at_mut(&mut self, positions: &[usize]) -> Option<&mut Self> {
        let mut node = self;
        for at in positions {
            node = match &mut node.content {
                super::Content::Scalar(_) => return None,
                super::Content::Sequence(items) => items.get_mut(*at)?,
                super::Content::Mapping(fields) => &mut fields.get_mut(*at)?.1,
            };
        }
        Some(node)
    }
}

struct Search<'found> {
    create: Option<Kind>,
    prefix: Vec<usize>,
    found: &'found mut Vec<Found>,
}

impl Search<'_> {
    fn search(&mut self, node: &mut Node, path: &[String]) -> Result<()> {
        let Some((part, rest)) = path.split_first() else {
            self.found.push(Found::At(self.prefix.clone()));
            return Ok(());
        };
        if let Some(at) = index(part).filter(|index| *index >= 0) {
            return self.index(node, at, rest);
        }
        if is_element(part) {
            return self.elements(node, part, rest);
        }
        if part == "*" {
            node.expect(Kind::Sequence)?;
            let count = node.items().len();
            return (0..count).try_for_each(|at| self.descend(node, at, rest));
        }
        self.field(node, part, rest)
    }

    fn descend(&mut self, node: &mut Node, at: usize, rest: &[String]) -> Result<()> {
        self.prefix.push(at);
        let child = match &mut node.content {
            super::Content::Scalar(_) => None,
            super::Content::Sequence(items) => items.get_mut(at),
            super::Content::Mapping(fields) => fields.get_mut(at).map(|(_, value)| value),
        };
        let result = child.map_or(Ok(()), |child| self.search(child, rest));
        self.prefix.pop();
        result
    }

    fn field(&mut self, node: &mut Node, name: &str, rest: &[String]) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        node.expect(Kind::Mapping)?;
        let at = match (node.position(name), self.create) {
            (Some(at), _) => at,
            (None, None) => return Ok(()),
            (None, Some(last)) => {
                let kind = kind_for(rest.first().map(String::as_str), last);
                node.set_field(name, Node::empty(kind))?;
                node.fields().len() - 1
            }
        };
        let value = &node.fields()[at].1;
        if value.kind() == Kind::Scalar && !rest.is_empty() {
            return self.inside(value.text(), rest);
        }
        self.descend(node, at, rest)
    }

    fn inside(&mut self, text: &str, rest: &[String]) -> Result<()> {
        let mut inner = parse(text)?.ok_or_else(|| {
            Error::invalid("wrong node kind: expected MappingNode but got an empty document")
        })?;
        let found = find(&mut inner, rest, self.create)?;
        self.found.extend(found.iter().map(|_| Found::Inside));
        Ok(())
    }

    fn index(&mut self, node: &mut Node, at: i64, rest: &[String]) -> Result<()> {
        node.expect(Kind::Sequence)?;
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        if let Some(last) = self.create
            && node.items().len() == at
        {
            node.append(Node::empty(kind_for(rest.first().map(String::as_str), last)))?;
        }
        let count = node.items().len();
        if count <= at {
            return Err(Error::invalid(format!("index {at} specified but only {count} elements found")));
        }
        self.descend(node, at, rest)
    }

    fn elements(&mut self, node: &mut Node, part: &str, rest: &[String]) -> Result<()> {
        let (name, wanted) = split_element(part)?;
        let regex = go_regex(wanted).within(|| format!("matching {part}"))?;
        node.expect(Kind::Sequence)?;
        let before = self.found.len();
        for _ in 0..2 {
            for at in 0..node.items().len() {
                let item = &node.items()[at];
                let text = if name.is_empty() { Some(item) } else { item.get(name) }.map(Node::to_text);
                if !text.is_some_and(|text| regex.is_match(text.trim())) {
                    continue;
                }
                if name.is_empty() {
                    let mut place = self.prefix.clone();
                    place.push(at);
                    self.found.push(Found::At(place));
                } else {
                    self.descend(node, at, rest)?;
                }
            }
            if self.create.is_none() || self.found.len() > before {
                return Ok(());
            }
            node.append(element_node(name, wanted))?;
        }
        Err(Error::invalid(format!("failed to create element for {part:?}: it does not match itself")))
    }
}
