//! YAML as a tree that remembers how each scalar was written: what a field becomes in the end depends on the tag and
//! the quotes it had when something else is written into it.
//!
//! A scalar that one transformer put in several places of an object is one scalar in the original: writing to one
//! place writes to all. Such scalars carry the same `shared` number; see [`Node::settle`].

mod access;
mod block;
mod matcher;
mod parse;
mod resolve;
mod text;
mod value;

pub(crate) use access::{split_field_path, split_path, wrong_kind};
pub(crate) use matcher::{Found, find};
pub(crate) use parse::parse;
pub(crate) use resolve::{Scalar, resolve};
pub(crate) use value::{general_float, indented_json};

use std::sync::atomic::{AtomicU32, Ordering};

/// What a node is tagged as; `None` is no tag at all, read from the text when needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    None,
    Str,
    Int,
    Float,
    Bool,
    Null,
    Timestamp,
    Binary,
    Merge,
    Map,
    Seq,
    Other,
}

impl Tag {
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::None | Self::Other => "",
            Self::Str => "!!str",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Bool => "!!bool",
            Self::Null => "!!null",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Map => "!!map",
            Self::Seq => "!!seq",
        }
    }
}

/// How a node was written, as bits.
pub(crate) mod style {
    pub(crate) const PLAIN: u8 = 0;
    pub(crate) const TAGGED: u8 = 1;
    pub(crate) const DOUBLE_QUOTED: u8 = 2;
    pub(crate) const SINGLE_QUOTED: u8 = 4;
    pub(crate) const LITERAL: u8 = 8;
    pub(crate) const FOLDED: u8 = 16;
    pub(crate) const FLOW: u8 = 32;
    pub(crate) const QUOTED: u8 = DOUBLE_QUOTED | SINGLE_QUOTED | LITERAL | FOLDED;
}

/// The three shapes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Sequence,
    Mapping,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "ScalarNode",
            Self::Sequence => "SequenceNode",
            Self::Mapping => "MappingNode",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// The name of a field, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) tag: Tag,
    pub(crate) style: u8,
}

impl Key {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), tag: Tag::None, style: style::PLAIN }
    }
}

/// One node with everything beneath it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) tag: Tag,
    pub(crate) style: u8,
    /// Nodes of one object with the same number, not 0, are one node.
    shared: u32,
    /// When it was last written to, for shared nodes; 0 for not since they last agreed.
    written: u32,
}

/// A copy is shared with nothing.
impl Clone for Node {
    fn clone(&self) -> Self {
        Self { content: self.content.clone(), tag: self.tag, style: self.style, shared: 0, written: 0 }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content && self.tag == other.tag && self.style == other.style
    }
}

/// Only the order of the numbers matters, and only among writes to one object.
static WRITES: AtomicU32 = AtomicU32::new(1);

/// A number for nodes that are to be one.
pub(crate) fn new_share() -> u32 {
    WRITES.fetch_add(1, Ordering::Relaxed).max(1)
}

impl Node {
    fn with(content: Content, tag: Tag, style: u8) -> Self {
        Self { content, tag, style, shared: 0, written: 0 }
    }

    /// A scalar whose type is read from its text.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::with(Content::Scalar(text.into()), Tag::None, style::PLAIN)
    }

    /// A string.
    pub(crate) fn string(text: impl Into<String>) -> Self {
        let text = text.into();
        let style = if text.contains('\n') { style::LITERAL } else { style::PLAIN };
        Self::with(Content::Scalar(text), Tag::Str, style)
    }

    /// A string in single quotes, as annotations and labels are set.
    pub(crate) fn quoted(text: impl Into<String>) -> Self {
        Self::with(Content::Scalar(text.into()), Tag::Str, style::SINGLE_QUOTED)
    }

    pub(crate) fn tagged(text: impl Into<String>, tag: Tag) -> Self {
        Self::with(Content::Scalar(text.into()), tag, style::PLAIN)
    }

    pub(crate) fn mapping() -> Self {
        Self::with(Content::Mapping(Vec::new()), Tag::None, style::PLAIN)
    }

    pub(crate) fn sequence(items: Vec<Self>) -> Self {
        Self::with(Content::Sequence(items), Tag::None, style::PLAIN)
    }

    pub(crate) fn empty(kind: Kind) -> Self {
        let content = match kind {
            Kind::Scalar => Content::Scalar(String::new()),
            Kind::Sequence => Content::Sequence(Vec::new()),
            Kind::Mapping => Content::Mapping(Vec::new()),
        };
        Self::with(content, Tag::None, style::PLAIN)
    }

    pub(crate) fn share(mut self, share: u32) -> Self {
        self.shared = share;
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.content {
            Content::Scalar(_) => Kind::Scalar,
            Content::Sequence(_) => Kind::Sequence,
            Content::Mapping(_) => Kind::Mapping,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    pub(crate) fn is_empty_mapping(&self) -> bool {
        self.is_null() || matches!(&self.content, Content::Mapping(fields) if fields.is_empty())
    }

    /// Null, or a list or map with nothing in it.
    pub(crate) fn is_nothing(&self) -> bool {
        self.is_empty_mapping() || matches!(&self.content, Content::Sequence(items) if items.is_empty())
    }

    /// The text of a scalar; nothing for others.
    pub(crate) fn text(&self) -> &str {
        match &self.content {
            Content::Scalar(text) => text,
            _ => "",
        }
    }

    /// The text of a scalar that is not null.
    pub(crate) fn text_value(&self) -> &str {
        if self.is_null() { "" } else { self.text() }
    }

    /// Whether it is a string, as far as its tag says.
    pub(crate) fn is_string(&self) -> bool {
        self.kind() == Kind::Scalar && matches!(self.tag, Tag::Str | Tag::None)
    }

    pub(crate) fn fields(&self) -> &[(Key, Self)] {
        match &self.content {
            Content::Mapping(fields) => fields,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Self] {
        match &self.content {
            Content::Sequence(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.content {
            Content::Sequence(items) => items,
            _ => &mut [],
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.fields().iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match &mut self.content {
            Content::Mapping(fields) => {
                fields.iter_mut().find(|(key, _)| key.text == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Removes a field; the first one of that name.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Content::Mapping(fields) = &mut self.content
            && let Some(at) = fields.iter().position(|(key, _)| key.text == name)
        {
            fields.remove(at);
        }
    }

    pub(crate) fn push_field(&mut self, key: Key, value: Self) {
        if self.is_null() {
            *self = Self::mapping();
        }
        if let Content::Mapping(fields) = &mut self.content {
            fields.push((key, value));
        }
    }

    /// Puts another content in this place. What shares it is written too, once they are settled.
    pub(crate) fn overwrite(&mut self, new: Self) {
        self.content = new.content;
        self.tag = new.tag;
        self.style = new.style;
        self.touch();
    }

    /// Writes only the text of a scalar.
    pub(crate) fn set_text(&mut self, text: String) {
        self.content = Content::Scalar(text);
        self.touch();
    }

    fn touch(&mut self) {
        if self.shared != 0 {
            self.written = WRITES.fetch_add(1, Ordering::Relaxed).max(1);
        }
    }

    /// Makes shared nodes agree on what was written last.
    pub(crate) fn settle(&mut self) {
        let mut latest: Vec<(u32, u32, Self)> = Vec::new();
        self.collect_written(&mut latest);
        if !latest.is_empty() {
            self.spread(&latest);
        }
    }

    fn collect_written(&self, latest: &mut Vec<(u32, u32, Self)>) {
        if self.shared != 0 && self.written != 0 {
            match latest.iter_mut().find(|(share, ..)| *share == self.shared) {
                Some((_, written, node)) if *written < self.written => {
                    *written = self.written;
                    *node = self.clone();
                }
                Some(_) => {}
                None => latest.push((self.shared, self.written, self.clone())),
            }
        }
        match &self.content {
            Content::Scalar(_) => {}
            Content::Sequence(items) => items.iter().for_each(|item| item.collect_written(latest)),
            Content::Mapping(fields) => {
                fields.iter().for_each(|(_, value)| value.collect_written(latest));
            }
        }
    }

    fn spread(&mut self, latest: &[(u32, u32, Self)]) {
        if self.shared != 0 {
            self.written = 0;
            if let Some((_, _, node)) = latest.iter().find(|(share, ..)| *share == self.shared) {
                self.content = node.content.clone();
                self.tag = node.tag;
                self.style = node.style;
            }
        }
        match &mut self.content {
            Content::Scalar(_) => {}
            Content::Sequence(items) => items.iter_mut().for_each(|item| item.spread(latest)),
            Content::Mapping(fields) => fields.iter_mut().for_each(|(_, value)| value.spread(latest)),
        }
    }
}
