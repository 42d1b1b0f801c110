//! From YAML text to JSON values: documents, anchors, merges, limits, and the error texts of Go's library.

use super::resolve::{self, Scalar};
use base64::Engine as _;
use libyaml_safer::{ErrorKind, Event, EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::panic::AssertUnwindSafe;

/// How much input is taken. The defaults let the largest published manifests through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Documents in one text.
    pub documents: usize,
    /// Nesting of lists and maps, aliases followed.
    pub depth: usize,
    /// Values in one document, aliases expanded.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, documents: 100_000, depth: 256, nodes: 8_000_000 }
    }
}

/// One document that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The value, as JSON has it.
    pub value: Value,
    /// Line of the text the document begins at, from 1.
    pub line: usize,
}

/// Why a text could not be read. Prints as the original does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// The text Argo CD shows, `error converting YAML to JSON: yaml: line 4: …`. Its line counts from the
    /// start of the document, as in the original.
    pub message: String,
    /// Line in the whole text, from 1, where known.
    pub line: Option<usize>,
    /// Which document of the text, from 0.
    pub document: usize,
}

/// Reads the first document of a text; nothing in it reads as null.
pub fn decode(text: &[u8]) -> Result<Value, YamlError> {
    decode_within(text, &Limits::default())
}

/// The same with limits of one's own.
pub fn decode_within(text: &[u8], limits: &Limits) -> Result<Value, YamlError> {
    check_size(text, limits)?;
    document(text, limits).map_err(|problem| problem.at(1, 0))
}

/// Reads all documents of a text; empty ones are left out. Documents end where Kubernetes' own reader says:
/// at a line that starts with `---`.
pub fn decode_documents(text: &[u8], limits: &Limits) -> Result<Vec<Document>, YamlError> {
    check_size(text, limits)?;
    let mut documents = Vec::new();
    let mut start_line = 1;
    let mut start = 0;
    let mut position = 0;
    let mut index = 0;
    let mut finish = |range: &[u8], start_line: usize| -> Result<(), YamlError> {
        if index >= limits.documents {
            let message = format!("yaml: more than the limit of {} documents", limits.documents);
            return Err(YamlError { message, line: Some(start_line), document: index });
        }
        let value = document(range, limits).map_err(|problem| problem.at(start_line, index))?;
        if !value.is_null() {
            documents.push(Document { value, line: start_line });
        }
        index += 1;
        Ok(())
    };
    for (line, piece) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        let end = position + piece.len();
        if let Some(rest) = piece.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let message = format!("invalid Yaml document separator: {rest}");
                return Err(YamlError { message, line: Some(line), document: documents.len() });
            }
            if position > start {
                finish(&text[start..position], start_line)?;
                start = end;
                start_line = line + 1;
            }
        }
        position = end;
    }
    if position > start {
        finish(&text[start..position], start_line)?;
    }
    Ok(documents)
}

fn check_size(text: &[u8], limits: &Limits) -> Result<(), YamlError> {
    if text.len() <= limits.bytes {
        return Ok(());
    }
    let message = format!("yaml: text of {} bytes is larger than the limit of {}", text.len(), limits.bytes);
    Err(YamlError { message, line: None, document: 0 })
}

/// An error with its line in the document, from 1.
struct Problem {
    text: String,
    line: Option<usize>,
}

impl Problem {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), line: None }
    }

    fn at(self, start_line: usize, document: usize) -> YamlError {
        YamlError {
            message: format!("error converting YAML to JSON: {}", self.text),
            line: self.line.map(|line| start_line + line - 1),
            document,
        }
    }
}

fn document(text: &[u8], limits: &Limits) -> Result<Value, Problem> {
    // The event parser keeps a few assertions of its own. Text from outside must never end the process.
    std::panic::catch_unwind(AssertUnwindSafe(|| {
        let (nodes, root) = Composer::new(text, limits).compose()?;
        let Some(root) = root else { return Ok(Value::Null) };
        let converter = Converter { nodes: &nodes };
        converter.check_size(root, limits)?;
        converter.value(root)
    }))
    .unwrap_or_else(|_| Err(Problem::new("yaml: unknown problem parsing YAML content")))
}

type NodeId = usize;

struct Node {
    kind: NodeKind,
    line: usize,
    /// Values in it, aliases expanded, and how many of them come from aliases.
    size: u64,
    aliased: u64,
    height: usize,
}

enum NodeKind {
    Scalar {
        tag: Option<String>,
        text: String,
        plain: bool,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
    /// An alias to a node that is still open.
    Cycle(String),
}

struct Composer<'limits, 'text> {
    parser: Parser<Input<'text>>,
    nodes: Vec<Node>,
    /// A finished node, or nothing while it is open.
    anchors: BTreeMap<String, Option<NodeId>>,
    limits: &'limits Limits,
    /// Where the text ended when a line break had to be added to it.
    cut_at: Option<u64>,
    /// Whether the last line is only spaces, which count in a block only beyond its indentation.
    blank_end: bool,
}

/// The text with a line break after it.
type Input<'text> = std::io::Chain<&'text [u8], &'static [u8]>;

impl<'limits, 'text> Composer<'limits, 'text> {
    fn new(text: &'text [u8], limits: &'limits Limits) -> Self {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        // The event parser stumbles over a block scalar that ends with the text instead of a line break.
        let last_line = text.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let missing: &[u8] = if last_line.is_empty() { b"" } else { b"\n" };
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(text.chain(missing));
        let cut_at = (!last_line.is_empty()).then_some(text.len() as u64);
        let blank_end = last_line.iter().all(|byte| *byte == b' ');
        Self { parser, nodes: Vec::new(), anchors: BTreeMap::new(), limits, cut_at, blank_end }
    }

    fn compose(mut self) -> Result<(Vec<Node>, Option<NodeId>), Problem> {
        loop {
            let event = self.event()?;
            match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd => return Ok((self.nodes, None)),
                _ => {
                    let root = self.node(event, 0)?;
                    // What ends the document must read well too, as in the original.
                    self.event()?;
                    return Ok((self.nodes, Some(root)));
                }
            }
        }
    }

    fn event(&mut self) -> Result<Event, Problem> {
        self.parser.parse().map_err(|error| parse_problem(&error))
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<NodeId, Problem> {
        let line = event.start_mark.line as usize + 1;
        if depth > self.limits.depth {
            let text =
                format!("yaml: line {line}: nested deeper than the limit of {} levels", self.limits.depth);
            return Err(Problem { text, line: Some(line) });
        }
        let (anchor, kind) = match event.data {
            EventData::Scalar { anchor, tag, mut value, plain_implicit, style, .. } => {
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if block && self.cut_at.is_some_and(|end| event.end_mark.index >= end) {
                    self.drop_added_break(&mut value);
                }
                (anchor, NodeKind::Scalar { tag, text: value, plain: plain_implicit })
            }
            EventData::SequenceStart { anchor, .. } => {
                self.open(anchor.as_ref());
                let mut items = Vec::new();
                loop {
                    let event = self.event()?;
                    if event.data == EventData::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, depth + 1)?);
                }
                (anchor, NodeKind::Sequence(items))
            }
            EventData::MappingStart { anchor, .. } => {
                self.open(anchor.as_ref());
                let mut entries = Vec::new();
                loop {
                    let event = self.event()?;
                    if event.data == EventData::MappingEnd {
                        break;
                    }
                    let key = self.node(event, depth + 1)?;
                    let event = self.event()?;
                    entries.push((key, self.node(event, depth + 1)?));
                }
                (anchor, NodeKind::Mapping(entries))
            }
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(Some(node)) => (None, NodeKind::Alias(*node)),
                Some(None) => (None, NodeKind::Cycle(anchor)),
                None => {
                    return Err(Problem {
                        text: format!("yaml: unknown anchor '{anchor}' referenced"),
                        line: Some(line),
                    });
                }
            },
            _ => return Err(Problem::new("yaml: attempted to parse unknown event")),
        };
        let id = self.push(kind, line);
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(id));
        }
        Ok(id)
    }

    fn drop_added_break(&self, value: &mut String) {
        let counts = !self.blank_end || value.ends_with(" \n") || value.ends_with("\n\n");
        if counts && value.ends_with('\n') {
            value.pop();
        }
    }

    fn open(&mut self, anchor: Option<&String>) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.clone(), None);
        }
    }

    /// Adds a node, knowing what it grows to once its aliases are followed.
    fn push(&mut self, kind: NodeKind, line: usize) -> NodeId {
        let mut node = Node { kind: NodeKind::Cycle(String::new()), line, size: 1, aliased: 0, height: 0 };
        let mut take = |child: &Node, aliased: bool| {
            node.size = node.size.saturating_add(child.size);
            node.aliased = node.aliased.saturating_add(if aliased { child.size } else { child.aliased });
            node.height = node.height.max(child.height + 1);
        };
        match &kind {
            NodeKind::Scalar { .. } | NodeKind::Cycle(_) => {}
            NodeKind::Sequence(items) => items.iter().for_each(|item| take(&self.nodes[*item], false)),
            NodeKind::Mapping(entries) => {
                for (key, value) in entries {
                    take(&self.nodes[*key], false);
                    take(&self.nodes[*value], false);
                }
            }
            NodeKind::Alias(target) => take(&self.nodes[*target], true),
        }
        node.kind = kind;
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

/// The text and line goyaml.v2 gives for an error of its parser.
fn parse_problem(error: &libyaml_safer::Error) -> Problem {
    let scanner = error.kind() == ErrorKind::Scanner;
    let problem_line = error.problem_mark().map_or(0, |mark| mark.line);
    let context_line = error.context_mark().map_or(0, |mark| mark.line);
    let shown = if problem_line != 0 { problem_line + u64::from(scanner) } else { context_line };
    let place = if shown == 0 { String::new() } else { format!("line {shown}: ") };
    Problem {
        text: format!("yaml: {place}{}", error.problem()),
        line: error.problem_mark().map(|mark| mark.line as usize + 1),
    }
}

struct Converter<'nodes> {
    nodes: &'nodes [Node],
}

impl Converter<'_> {
    /// Refuses what aliases blow up, before anything is built. The share aliases may have is goyaml's.
    fn check_size(&self, root: NodeId, limits: &Limits) -> Result<(), Problem> {
        let node = &self.nodes[root];
        let share = match node.size {
            0..=400_000 => 0.99,
            size @ 400_001..4_000_000 => 0.99 - 0.89 * ((size - 400_000) as f64 / 3_600_000.0),
            _ => 0.10,
        };
        let excessive =
            node.aliased > 100 && node.size > 1000 && node.aliased as f64 / node.size as f64 > share;
        if excessive {
            return Err(Problem::new("yaml: document contains excessive aliasing"));
        }
        if node.size > limits.nodes as u64 {
            return Err(Problem::new(format!(
                "yaml: document holds more than the limit of {} values",
                limits.nodes
            )));
        }
        if node.height > limits.depth {
            return Err(Problem::new(format!(
                "yaml: nested deeper than the limit of {} levels",
                limits.depth
            )));
        }
        Ok(())
    }

    fn fail<T>(&self, id: NodeId, text: impl Into<String>) -> Result<T, Problem> {
        Err(Problem { text: text.into(), line: Some(self.nodes[id].line) })
    }

    fn value(&self, id: NodeId) -> Result<Value, Problem> {
        match &self.nodes[id].kind {
            NodeKind::Scalar { tag, text, plain } => {
                let (scalar, text) = self.scalar(id, tag.as_deref(), text, *plain)?;
                match scalar {
                    Scalar::Null => Ok(Value::Null),
                    Scalar::Bool(flag) => Ok(Value::Bool(flag)),
                    Scalar::Int(number) => Ok(Value::from(number)),
                    Scalar::Unsigned(number) => Ok(Value::from(number)),
                    Scalar::Float(number) => match resolve::float_value(number) {
                        Some(value) => Ok(value),
                        None => self.fail(id, format!("json: unsupported value: {}", go_special(number))),
                    },
                    Scalar::Timestamp | Scalar::Text | Scalar::Merge => Ok(Value::String(text)),
                }
            }
            NodeKind::Sequence(items) => {
                items.iter().map(|item| self.value(*item)).collect::<Result<_, _>>().map(Value::Array)
            }
            NodeKind::Mapping(entries) => {
                let mut members = Map::new();
                self.fill(entries, &mut members)?;
                Ok(Value::Object(members))
            }
            NodeKind::Alias(target) => self.value(*target),
            NodeKind::Cycle(anchor) => {
                self.fail(id, format!("yaml: anchor '{anchor}' value contains itself"))
            }
        }
    }

    /// Entries in order, a merge where it stands: later ones win, whichever they are (goyaml.v2).
    fn fill(&self, entries: &[(NodeId, NodeId)], members: &mut Map<String, Value>) -> Result<(), Problem> {
        for (key, value) in entries {
            if self.is_merge(*key) {
                self.merge(*value, members)?;
                continue;
            }
            let name = self.key(*key, *value)?;
            members.insert(name, self.value(*value)?);
        }
        Ok(())
    }

    fn is_merge(&self, id: NodeId) -> bool {
        let NodeKind::Scalar { tag, text, plain } = &self.nodes[id].kind else { return false };
        text == "<<"
            && (*plain
                || tag.as_deref().and_then(|tag| tag.strip_prefix(resolve::TAG_PREFIX)) == Some("merge"))
    }

    fn merge(&self, id: NodeId, members: &mut Map<String, Value>) -> Result<(), Problem> {
        match &self.nodes[id].kind {
            NodeKind::Mapping(entries) => self.fill(entries, members),
            NodeKind::Alias(target) => match &self.nodes[*target].kind {
                NodeKind::Mapping(entries) => self.fill(entries, members),
                _ => self.fail_merge(id),
            },
            NodeKind::Sequence(items) => {
                // Backwards, as earlier maps take precedence.
                for item in items.iter().rev() {
                    match &self.nodes[*item].kind {
                        NodeKind::Mapping(_) | NodeKind::Alias(_) => self.merge(*item, members)?,
                        _ => return self.fail_merge(id),
                    }
                }
                Ok(())
            }
            NodeKind::Cycle(anchor) => {
                self.fail(id, format!("yaml: anchor '{anchor}' value contains itself"))
            }
            NodeKind::Scalar { .. } => self.fail_merge(id),
        }
    }

    fn fail_merge<T>(&self, id: NodeId) -> Result<T, Problem> {
        self.fail(id, "yaml: map merge requires map or sequence of maps as the value")
    }

    /// A key as JSON must have it: text.
    fn key(&self, id: NodeId, value: NodeId) -> Result<String, Problem> {
        match &self.nodes[id].kind {
            NodeKind::Scalar { tag, text, plain } => {
                let (scalar, text) = self.scalar(id, tag.as_deref(), text, *plain)?;
                Ok(match scalar {
                    Scalar::Bool(flag) => flag.to_string(),
                    Scalar::Int(number) => number.to_string(),
                    Scalar::Unsigned(number) => {
                        let text = format!("unsupported map key of type: uint64, key: {number:#x}");
                        return self.fail(id, format!("{text}, value: {}", self.go_syntax(value)));
                    }
                    Scalar::Float(number) if number.is_nan() => ".nan".into(),
                    Scalar::Float(number) if number.is_infinite() => {
                        if number > 0.0 {
                            ".inf".into()
                        } else {
                            "-.inf".into()
                        }
                    }
                    Scalar::Float(number) => float_key(number),
                    Scalar::Null => {
                        let text = "unsupported map key of type: %!s(<nil>), key: <nil>";
                        return self.fail(id, format!("{text}, value: {}", self.go_syntax(value)));
                    }
                    Scalar::Timestamp | Scalar::Text | Scalar::Merge => text,
                })
            }
            NodeKind::Alias(target) => self.key(*target, value),
            NodeKind::Cycle(anchor) => {
                self.fail(id, format!("yaml: anchor '{anchor}' value contains itself"))
            }
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                // What is wrong inside is told first.
                self.value(id)?;
                self.fail(id, format!("yaml: invalid map key: {}", self.go_syntax(id)))
            }
        }
    }

    fn scalar(
        &self,
        id: NodeId,
        tag: Option<&str>,
        text: &str,
        plain: bool,
    ) -> Result<(Scalar, String), Problem> {
        match tag {
            None if plain => Ok((resolve::resolve_plain(text), text.to_owned())),
            None | Some("!") => Ok((Scalar::Text, text.to_owned())),
            Some(tag) if tag.strip_prefix(resolve::TAG_PREFIX) == Some("binary") => {
                let text: String =
                    text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
                match base64::engine::general_purpose::STANDARD.decode(text.as_bytes()) {
                    Ok(bytes) => Ok((Scalar::Text, String::from_utf8_lossy(&bytes).into_owned())),
                    Err(_) => self.fail(id, "yaml: !!binary value contains invalid base64 data"),
                }
            }
            Some(tag) => match resolve::resolve_tagged(tag, text) {
                Ok(scalar) => Ok((scalar, text.to_owned())),
                Err(message) => self.fail(id, format!("yaml: {message}")),
            },
        }
    }

    /// A value as Go's `%#v` prints it, for messages about keys; cut short, since it is only a hint.
    fn go_syntax(&self, id: NodeId) -> String {
        const LONGEST: usize = 200;
        let mut out = String::new();
        self.write_go_syntax(id, &mut out);
        if out.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
            out.truncate(end);
            out.push('…');
        }
        out
    }

    fn write_go_syntax(&self, id: NodeId, out: &mut String) {
        const STOP: usize = 400;
        if out.len() > STOP {
            return;
        }
        match &self.nodes[id].kind {
            NodeKind::Scalar { tag, text, plain } => match self.scalar(id, tag.as_deref(), text, *plain) {
                Ok((Scalar::Null, _)) => out.push_str("interface {}(nil)"),
                Ok((Scalar::Bool(flag), _)) => out.push_str(&flag.to_string()),
                Ok((Scalar::Int(number), _)) => out.push_str(&number.to_string()),
                Ok((Scalar::Unsigned(number), _)) => out.push_str(&format!("{number:#x}")),
                Ok((Scalar::Float(number), _)) => out.push_str(&crate::json::go_general_float(number)),
                Ok((_, text)) => out.push_str(&format!("{text:?}")),
                Err(_) => {}
            },
            NodeKind::Sequence(items) => {
                out.push_str("[]interface {}{");
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    self.write_go_syntax(*item, out);
                }
                out.push('}');
            }
            NodeKind::Mapping(entries) => {
                out.push_str("map[interface {}]interface {}{");
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    self.write_go_syntax(*key, out);
                    out.push(':');
                    self.write_go_syntax(*value, out);
                }
                out.push('}');
            }
            NodeKind::Alias(target) => self.write_go_syntax(*target, out),
            NodeKind::Cycle(_) => {}
        }
    }
}

fn go_special(number: f64) -> &'static str {
    match number {
        _ if number.is_nan() => "NaN",
        _ if number > 0.0 => "+Inf",
        _ => "-Inf",
    }
}

/// Go formats float keys with 32 bits.
fn float_key(number: f64) -> String {
    let (digits, exponent) = {
        let text = format!("{:e}", number as f32);
        match text.split_once('e') {
            Some((digits, exponent)) => (digits.to_owned(), exponent.parse::<i32>().unwrap_or(0)),
            None => (text, 0),
        }
    };
    if (-4..6).contains(&exponent) {
        return format!("{}", number as f32);
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}
