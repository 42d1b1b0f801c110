//! Finding, making and setting fields by path, with the rules of kyaml.

use super::{Content, Key, Kind, Node, resolve::is_yaml11_non_string, style};
use crate::error::{Error, Result};

/// `[name=value]` as a step of a path.
pub(super) fn split_element(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        Error::invalid("list path element must contain fieldName=fieldValue for element to match")
    })
}

pub(super) fn is_element(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// A number as Go's `Atoi` reads it.
pub(super) fn index(part: &str) -> Option<i64> {
    let digits = part.strip_prefix(['-', '+']).unwrap_or(part);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    part.parse().ok()
}

/// What a step must lead to for the next one to make sense.
pub(super) fn kind_for(next: Option<&str>, last: Kind) -> Kind {
    match next {
        None | Some("") => last,
        Some(next) if is_element(next) || index(next).is_some_and(|index| index >= 0) => Kind::Sequence,
        Some(_) => Kind::Mapping,
    }
}

/// A node is not of the kind a path needs.
pub(crate) fn wrong_kind(expected: Kind, node: &Node) -> Error {
    let found = node.kind();
    Error::invalid(format!(
        "wrong node kind: expected {} but got {}: node contents:\n{}",
        expected.name(),
        found.name(),
        node.to_text()
    ))
}

impl Node {
    /// Null or of this kind.
    pub(crate) fn expect(&self, kind: Kind) -> Result<()> {
        if self.is_null() || self.kind() == kind { Ok(()) } else { Err(wrong_kind(kind, self)) }
    }

    fn child(&self, at: usize) -> Option<&Self> {
        match &self.content {
            Content::Scalar(_) => None,
            Content::Sequence(items) => items.get(at),
            Content::Mapping(fields) => fields.get(at).map(|(_, value)| value),
        }
    }

    fn child_mut(&mut self, at: usize) -> Option<&mut Self> {
        match &mut self.content {
            Content::Scalar(_) => None,
            Content::Sequence(items) => items.get_mut(at),
            Content::Mapping(fields) => fields.get_mut(at).map(|(_, value)| value),
        }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|(key, _)| key.text == name)
    }

    /// Where one step leads; nothing when there is nothing.
    fn step(&self, part: &str) -> Result<Option<usize>> {
        if let Some(index) = index(part) {
            let at = usize::try_from(index)
                .map_err(|_| Error::invalid(format!("array index {index} cannot be negative")))?;
            self.expect(Kind::Sequence)?;
            return Ok((at < self.items().len()).then_some(at));
        }
        match part {
            "-" => {
                self.expect(Kind::Sequence)?;
                Ok(self.items().len().checked_sub(1))
            }
            "*" => Err(Error::invalid("wildcard is not supported in PathGetter")),
            _ if is_element(part) => {
                let (name, value) = split_element(part)?;
                self.expect(Kind::Sequence)?;
                Ok(self.element(name, value))
            }
            _ if self.is_null() => Ok(None),
            _ => {
                self.expect(Kind::Mapping)?;
                Ok(self.position(part))
            }
        }
    }

    /// The first element whose field, or which itself, is this text.
    fn element(&self, name: &str, value: &str) -> Option<usize> {
        self.items().iter().position(|item| {
            if name.is_empty() {
                item.text() == value
            } else {
                item.fields().iter().any(|(key, field)| key.text == name && field.text() == value)
            }
        })
    }

    /// What lies at a path.
    pub(crate) fn lookup(&self, path: &[impl AsRef<str>]) -> Result<Option<&Self>> {
        let mut node = self;
        for part in path.iter().map(|part| part.as_ref().trim()).filter(|part| !part.is_empty()) {
            match node.step(part)?.and_then(|at| node.child(at)) {
                Some(child) => node = child,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// The same, to be written to.
    pub(crate) fn lookup_mut(&mut self, path: &[impl AsRef<str>]) -> Result<Option<&mut Self>> {
        let mut node = self;
        for part in path.iter().map(|part| part.as_ref().trim()).filter(|part| !part.is_empty()) {
            match node.step(part)? {
                Some(at) => match node.child_mut(at) {
                    Some(child) => node = child,
                    None => return Ok(None),
                },
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// What lies at a path; what is missing is made. Nothing when a null is in the way.
    pub(crate) fn lookup_create(
        &mut self,
        path: &[impl AsRef<str>],
        last: Kind,
    ) -> Result<Option<&mut Self>> {
        let parts: Vec<&str> =
            path.iter().map(|part| part.as_ref().trim()).filter(|part| !part.is_empty()).collect();
        let mut node = self;
        for (number, part) in parts.iter().enumerate() {
            let at = match node.step(part)? {
                Some(at) => at,
                None if is_element(part) => {
                    let (name, value) = split_element(part)?;
                    node.append(element_node(name, value))?
                }
                None if node.is_null() || index(part).is_some() || *part == "-" => return Ok(None),
                None => {
                    let kind = kind_for(parts.get(number + 1).copied(), last);
                    node.push_field(Key::new(*part), Self::empty(kind));
                    node.fields().len() - 1
                }
            };
            match node.child_mut(at) {
                Some(child) => node = child,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// Adds an element at the end; where it is.
    pub(super) fn append(&mut self, element: Self) -> Result<usize> {
        self.expect(Kind::Sequence)?;
        match &mut self.content {
            Content::Sequence(items) => {
                items.push(element);
                Ok(items.len() - 1)
            }
            _ => {
                self.content = Content::Sequence(vec![element]);
                Ok(0)
            }
        }
    }

    /// Writes a scalar over this one; how it is quoted stays.
    pub(crate) fn set_scalar(&mut self, mut value: Self) -> Result<()> {
        self.expect(Kind::Scalar)?;
        if !value.is_null() {
            value.style = self.style;
            self.overwrite(value);
        }
        Ok(())
    }

    /// Sets a field; null removes it.
    pub(crate) fn set_field(&mut self, name: &str, value: Self) -> Result<()> {
        self.set_field_with_key(Key::new(name), value)
    }

    pub(crate) fn set_field_with_key(&mut self, key: Key, mut value: Self) -> Result<()> {
        if value.is_null() {
            self.expect(Kind::Mapping)?;
            self.remove(&key.text);
            return Ok(());
        }
        value.quote_if_ambiguous();
        if self.is_null() {
            return Ok(());
        }
        self.expect(Kind::Mapping)?;
        match self.get_mut(&key.text) {
            Some(field) => {
                value.style = field.style;
                field.overwrite(value);
            }
            None => self.push_field(key, value),
        }
        Ok(())
    }

    /// A string that YAML 1.1 reads as something else gets quotes.
    pub(crate) fn quote_if_ambiguous(&mut self) {
        if self.is_string() && self.style == style::PLAIN && is_yaml11_non_string(self.text()) {
            self.style = style::DOUBLE_QUOTED;
        }
    }
}

pub(super) fn element_node(name: &str, value: &str) -> Node {
    if name.is_empty() {
        return Node::plain(value);
    }
    let mut node = Node::mapping();
    node.push_field(Key::new(name), Node::plain(value));
    node
}

/// `a/b\/c` into its parts.
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut pieces = path.split(delimiter).peekable();
    let mut parts: Vec<String> = Vec::new();
    let first = pieces.next().unwrap_or_default();
    if !(first.is_empty() && pieces.peek().is_some()) {
        parts.push(first.to_owned());
    }
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// As [`split_path`] with dots, but those between brackets do not split.
pub(crate) fn split_field_path(path: &str) -> Vec<String> {
    let mut result = Vec::new();
    let mut parts = split_path(path, '.').into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut bracketed = part;
        for next in parts.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        if bracketed.contains('=') {
            result.push(bracketed);
        } else {
            result.push(bracketed.trim_matches(['[', ']']).to_owned());
        }
    }
    result
}
