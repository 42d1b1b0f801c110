//! From text to trees: anchors replaced by copies, merge keys resolved, sizes limited.

use super::{Content, Key, Node, Scalar, Tag, resolve, style};
use crate::error::{Error, Result};
use libyaml_safer::{ErrorKind, Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};
use std::collections::HashMap;
use std::io::Read as _;
use std::panic::AssertUnwindSafe;

/// Nesting of lists and maps.
const DEEPEST: usize = 256;
/// Nodes of one document, anchors replaced.
const MOST_NODES: usize = 8_000_000;

/// The first document of a text; nothing when there is none.
pub(crate) fn parse(text: &str) -> Result<Option<Node>> {
    // The event parser keeps a few assertions of its own. Text from outside must never end the process.
    std::panic::catch_unwind(AssertUnwindSafe(|| Composer::new(text).document()))
        .unwrap_or_else(|_| Err(malformed("unknown problem parsing YAML content")))
}

fn malformed(problem: impl std::fmt::Display) -> Error {
    Error::invalid(format!("MalformedYAMLError: yaml: {problem}"))
}

type Input<'text> = std::io::Chain<&'text [u8], &'static [u8]>;

struct Composer<'text> {
    parser: Parser<Input<'text>>,
    /// A finished node, or nothing while it is open.
    anchors: HashMap<String, Option<Node>>,
    nodes: usize,
    /// How many of them come from aliases.
    aliased: usize,
    /// Where the text ended when a line break had to be added to it.
    cut_at: Option<u64>,
}

impl<'text> Composer<'text> {
    fn new(text: &'text str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes();
        // The event parser stumbles over a block scalar that ends with the text instead of a line break.
        let missing: &'static [u8] = if text.ends_with(b"\n") { b"" } else { b"\n" };
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(text.chain(missing));
        let cut_at = (!missing.is_empty()).then_some(text.len() as u64);
        Self { parser, anchors: HashMap::new(), nodes: 0, aliased: 0, cut_at }
    }

    fn document(mut self) -> Result<Option<Node>> {
        loop {
            let event = self.event()?;
            match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd => return Ok(None),
                _ => {
                    let root = self.node(event, 0)?;
                    // What ends the document must read well too, as in the original.
                    self.event()?;
                    return Ok(Some(root));
                }
            }
        }
    }

    fn event(&mut self) -> Result<Event> {
        self.parser.parse().map_err(|error| problem(&error))
    }

    fn count(&mut self, nodes: usize) -> Result<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MOST_NODES {
            return Err(Error::limit(format!(
                "yaml: document holds more than the limit of {MOST_NODES} values"
            )));
        }
        Ok(())
    }

    /// Counts what an alias stands for. The share of a document that aliases may have is that of the original's reader.
    fn count_aliased(&mut self, nodes: usize) -> Result<()> {
        self.count(nodes)?;
        self.aliased = self.aliased.saturating_add(nodes);
        let share = match self.nodes {
            0..=400_000 => 0.99,
            all @ 400_001..4_000_000 => 0.99 - 0.89 * ((all - 400_000) as f64 / 3_600_000.0),
            _ => 0.10,
        };
        if self.aliased > 100 && self.nodes > 1000 && self.aliased as f64 / self.nodes as f64 > share {
            return Err(malformed("document contains excessive aliasing"));
        }
        Ok(())
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node> {
        if depth > DEEPEST {
            return Err(Error::limit(format!("yaml: nested deeper than the limit of {DEEPEST} levels")));
        }
        self.count(1)?;
        let (anchor, node) = match event.data {
            EventData::Scalar { anchor, tag, mut value, style, .. } => {
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if block
                    && self.cut_at.is_some_and(|end| event.end_mark.index >= end)
                    && value.ends_with('\n')
                {
                    value.pop();
                }
                (anchor, scalar(tag.as_deref(), value, style))
            }
            EventData::SequenceStart { anchor, style, .. } => {
                self.open(anchor.as_ref());
                let mut items = Vec::new();
                loop {
                    let event = self.event()?;
                    if event.data == EventData::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, depth + 1)?);
                }
                let flow = if style == SequenceStyle::Flow { style::FLOW } else { style::PLAIN };
                (anchor, Node::with(Content::Sequence(items), Tag::Seq, flow))
            }
            EventData::MappingStart { anchor, style, .. } => {
                self.open(anchor.as_ref());
                let fields = self.fields(depth)?;
                let flow = if style == MappingStyle::Flow { style::FLOW } else { style::PLAIN };
                (anchor, Node::with(Content::Mapping(fields), Tag::Map, flow))
            }
            EventData::Alias { anchor } => {
                let node = match self.anchors.get(&anchor) {
                    Some(Some(node)) => node.clone(),
                    Some(None) => return Err(malformed(format!("anchor '{anchor}' value contains itself"))),
                    None => return Err(malformed(format!("unknown anchor '{anchor}' referenced"))),
                };
                self.count_aliased(size(&node))?;
                (None, node)
            }
            _ => return Err(malformed("attempted to parse unknown event")),
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Ok(node)
    }

    fn open(&mut self, anchor: Option<&String>) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.clone(), None);
        }
    }

    /// The fields of a map; its own come before and win over those of a merge.
    fn fields(&mut self, depth: usize) -> Result<Vec<(Key, Node)>> {
        let mut fields: Vec<(Key, Node)> = Vec::new();
        let mut merge: Option<Node> = None;
        loop {
            let event = self.event()?;
            if event.data == EventData::MappingEnd {
                break;
            }
            let key = self.node(event, depth + 1)?;
            let event = self.event()?;
            let value = self.node(event, depth + 1)?;
            if key.tag == Tag::Merge {
                if merge.replace(value).is_some() {
                    return Err(Error::invalid("duplicate merge key"));
                }
                continue;
            }
            let Content::Scalar(text) = key.content else {
                return Err(Error::invalid("yaml: invalid map key"));
            };
            fields.push((Key { text, tag: key.tag, style: key.style }, value));
        }
        if let Some(merge) = merge {
            let mut merged: Vec<(Key, Node)> = Vec::new();
            for source in merge_sources(merge)? {
                for (key, value) in source {
                    match merged.iter_mut().find(|(known, _)| known.text == key.text) {
                        Some(known) => *known = (key, value),
                        None => merged.push((key, value)),
                    }
                }
            }
            merged.retain(|(key, _)| !fields.iter().any(|(own, _)| own.text == key.text));
            fields.append(&mut merged);
        }
        Ok(fields)
    }
}

/// The maps to merge; later ones win.
fn merge_sources(merge: Node) -> Result<Vec<Vec<(Key, Node)>>> {
    match merge.content {
        Content::Mapping(fields) => Ok(vec![fields]),
        Content::Sequence(items) => {
            let mut sources = Vec::new();
            for item in items.into_iter().rev() {
                match item.content {
                    Content::Mapping(fields) => sources.push(fields),
                    Content::Sequence(_) => {
                        return Err(Error::invalid("invalid map merge: received a nested sequence"));
                    }
                    Content::Scalar(_) => {
                        return Err(Error::invalid("invalid map merge: received alias for a non-map value"));
                    }
                }
            }
            Ok(sources)
        }
        Content::Scalar(_) => Err(Error::invalid("map merge requires map or sequence of maps as the value")),
    }
}

fn size(node: &Node) -> usize {
    match &node.content {
        Content::Scalar(_) => 1,
        Content::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Content::Mapping(fields) => 1 + fields.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
    }
}

fn scalar(tag: Option<&str>, text: String, written: ScalarStyle) -> Node {
    let mut style = match written {
        ScalarStyle::DoubleQuoted => style::DOUBLE_QUOTED,
        ScalarStyle::SingleQuoted => style::SINGLE_QUOTED,
        ScalarStyle::Literal => style::LITERAL,
        ScalarStyle::Folded => style::FOLDED,
        _ => style::PLAIN,
    };
    let tag = match tag {
        Some(tag) if tag != "!" => {
            style |= style::TAGGED;
            match tag.strip_prefix("tag:yaml.org,2002:") {
                Some("str") => Tag::Str,
                Some("int") => Tag::Int,
                Some("float") => Tag::Float,
                Some("bool") => Tag::Bool,
                Some("null") => Tag::Null,
                Some("timestamp") => Tag::Timestamp,
                Some("binary") => Tag::Binary,
                Some("merge") => Tag::Merge,
                _ => Tag::Other,
            }
        }
        _ if style != style::PLAIN => Tag::Str,
        _ if text == "<<" => Tag::Merge,
        _ => match resolve(&text) {
            Scalar::Text => Tag::Str,
            other => other.tag(),
        },
    };
    Node::with(Content::Scalar(text), tag, style)
}

/// The text and line yaml.v3 gives for an error of its parser.
fn problem(error: &libyaml_safer::Error) -> Error {
    let scanner = u64::from(error.kind() == ErrorKind::Scanner);
    let line = |mark: Option<libyaml_safer::Mark>| mark.map_or(0, |mark| mark.line);
    let shown = match (line(error.context_mark()), line(error.problem_mark())) {
        (0, 0) => 0,
        (0, problem) => problem + scanner,
        (context, _) => context + scanner,
    };
    let place = if shown == 0 { String::new() } else { format!("line {shown}: ") };
    malformed(format!("{place}{}", error.problem()))
}
