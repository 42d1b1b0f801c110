//! From protobuf bytes to JSON text, field by field, without a value in between.

use super::codec;
use super::mask::{Fate, Fields};
use super::plan::{Codec, Element, Empty, Field, PlanId, Plans, Scalar, Shape, plans};
use super::protobuf::{MalformedMessage, Reader, Value};
use super::text;

/// How deep messages may nest. The types of the contract need less than thirty.
const MAX_DEPTH: u32 = 100;

const NONE: u32 = u32::MAX;

/// A part of the root message's bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

/// One field on the wire; the further ones with the same number are linked.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    wire: Wire,
    next: u32,
}

#[derive(Debug, Clone, Copy)]
enum Wire {
    Varint(u64),
    Bytes(Span),
}

/// First and last occurrence of a field.
#[derive(Debug, Clone, Copy)]
struct Chain {
    first: u32,
    last: u32,
}

/// Where one message's chains and occurrences begin in the encoder's stacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    chains: usize,
    occurrences: usize,
}

/// How the keys of the current object come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All, in the order of the Go struct.
    Plain,
    /// All, sorted: the original turned the answer into maps to pick fields from it.
    Sorted,
    /// Those that `fields` keeps, sorted.
    Filtered,
}

/// The entries of the object being written.
pub(super) struct Entries {
    begin: usize,
    starts: Vec<usize>,
    any: bool,
}

pub(super) struct Encoder<'r, 'o> {
    plans: &'static Plans,
    root: &'r [u8],
    pub(super) out: &'o mut Vec<u8>,
    fields: Option<&'o Fields>,
    pub(super) mode: Mode,
    path: String,
    depth: u32,
    chains: Vec<Chain>,
    occurrences: Vec<Occurrence>,
}

impl<'r, 'o> Encoder<'r, 'o> {
    pub(super) fn new(root: &'r [u8], out: &'o mut Vec<u8>) -> Self {
        Self {
            plans: plans(),
            root,
            out,
            fields: None,
            mode: Mode::Plain,
            path: String::new(),
            depth: 0,
            chains: Vec::new(),
            occurrences: Vec::new(),
        }
    }

    /// Keeps only what `fields` keeps; `path` is where the root message stands.
    pub(super) fn with_fields(mut self, fields: &'o Fields, path: &str) -> Self {
        self.fields = Some(fields);
        path.clone_into(&mut self.path);
        self.mode = Mode::Filtered;
        self
    }

    pub(super) fn root_span(&self) -> Span {
        Span { start: 0, end: self.root.len() }
    }

    pub(super) fn bytes(&self, span: Span) -> &'r [u8] {
        &self.root[span.start..span.end]
    }

    /// A message as whatever its codec makes of it.
    pub(super) fn message(&mut self, id: PlanId, span: Span) -> Result<(), MalformedMessage> {
        match self.plans.get(id).codec {
            Codec::Struct => self.object(id, span),
            Codec::Time => codec::put_time(self.out, self.bytes(span), false),
            Codec::MicroTime => codec::put_time(self.out, self.bytes(span), true),
            Codec::IntOrString => codec::put_int_or_string(self.out, self.bytes(span)),
            Codec::RawJson => {
                let sorted = self.mode != Mode::Plain;
                codec::put_raw_json(self.out, self.bytes(span), sorted)
            }
            Codec::PluginParameter => codec::put_plugin_parameter(self, id, span),
            Codec::ResourceOverride => codec::put_resource_override(self, id, span),
        }
    }

    fn object(&mut self, id: PlanId, span: Span) -> Result<(), MalformedMessage> {
        if self.depth == MAX_DEPTH {
            return Err(MalformedMessage::Depth);
        }
        self.depth += 1;
        self.out.push(b'{');
        let mut entries = self.begin();
        self.entries(id, span, &mut entries)?;
        self.finish(&entries);
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    pub(super) fn begin(&self) -> Entries {
        Entries { begin: self.out.len(), starts: Vec::new(), any: false }
    }

    /// The key of the next entry.
    pub(super) fn entry(&mut self, entries: &mut Entries, quoted_key: &[u8]) {
        if self.mode == Mode::Plain {
            if entries.any {
                self.out.push(b',');
            }
            entries.any = true;
        } else {
            entries.starts.push(self.out.len());
        }
        self.out.extend_from_slice(quoted_key);
    }

    /// Brings entries that are to be sorted into order. Comparing them whole compares their keys, which differ.
    pub(super) fn finish(&mut self, entries: &Entries) {
        if entries.starts.is_empty() {
            return;
        }
        let text = self.out.split_off(entries.begin);
        let ends = entries.starts.iter().skip(1).copied().chain([entries.begin + text.len()]);
        let mut parts: Vec<&[u8]> = entries
            .starts
            .iter()
            .zip(ends)
            .map(|(start, end)| &text[start - entries.begin..end - entries.begin])
            .collect();
        parts.sort_unstable();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(part);
        }
    }

    /// Steps into the value of a key; the answer, when there is one, is for `leave`.
    fn enter(&mut self, key: &str) -> Option<(Mode, usize)> {
        let before = (self.mode, self.path.len());
        if let (Mode::Filtered, Some(fields)) = (self.mode, self.fields) {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(key);
            match fields.fate(&self.path) {
                Fate::Dropped => {
                    self.path.truncate(before.1);
                    return None;
                }
                Fate::Filtered => {}
                Fate::Whole => self.mode = Mode::Sorted,
            }
        }
        Some(before)
    }

    fn leave(&mut self, before: (Mode, usize)) {
        self.mode = before.0;
        self.path.truncate(before.1);
    }

    /// Reads one message's fields into the stacks.
    pub(super) fn parse(&mut self, id: PlanId, span: Span) -> Result<Frame, MalformedMessage> {
        let plan = self.plans.get(id);
        let frame = Frame { chains: self.chains.len(), occurrences: self.occurrences.len() };
        self.chains.resize(frame.chains + plan.fields.len(), Chain { first: NONE, last: NONE });
        let mut reader = Reader::new(self.bytes(span));
        while let Some((number, value)) = reader.field()? {
            let Some(slot) = plan.slot(number) else { continue };
            let wire = match (value, &plan.fields[slot]) {
                (Value::Varint(value), Field { element: Element::Scalar(scalar), shape, .. })
                    if *shape != Shape::Map && !matches!(scalar, Scalar::String | Scalar::Bytes) =>
                {
                    Wire::Varint(value)
                }
                (Value::Bytes(bytes), field) if takes_bytes(field) => {
                    let end = span.end - reader.left();
                    Wire::Bytes(Span { start: end - bytes.len(), end })
                }
                _ => return Err(MalformedMessage::WireType(number)),
            };
            let index = u32::try_from(self.occurrences.len()).map_err(|_| MalformedMessage::Truncated)?;
            self.occurrences.push(Occurrence { wire, next: NONE });
            let chain = &mut self.chains[frame.chains + slot];
            if chain.first == NONE {
                chain.first = index;
            } else {
                self.occurrences[chain.last as usize].next = index;
            }
            chain.last = index;
        }
        Ok(frame)
    }

    /// Forgets what `parse` read.
    pub(super) fn forget(&mut self, frame: Frame) {
        self.chains.truncate(frame.chains);
        self.occurrences.truncate(frame.occurrences);
    }

    pub(super) fn is_present(&self, frame: Frame, slot: usize) -> bool {
        self.chains[frame.chains + slot].first != NONE
    }

    /// The last value of a number or boolean; 0 when there is none.
    pub(super) fn integer(&self, frame: Frame, slot: usize) -> u64 {
        match self.last(frame, slot) {
            Some(Wire::Varint(value)) => value,
            _ => 0,
        }
    }

    /// The last value of a string or of bytes; empty when there is none.
    pub(super) fn last_bytes(&self, frame: Frame, slot: usize) -> &'r [u8] {
        match self.last(frame, slot) {
            Some(Wire::Bytes(span)) => self.bytes(span),
            _ => &[],
        }
    }

    /// The messages of a list.
    pub(super) fn messages(&self, frame: Frame, slot: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut at = self.chains[frame.chains + slot].first;
        while let Some(occurrence) = self.occurrences.get(at as usize) {
            if let Wire::Bytes(span) = occurrence.wire {
                spans.push(span);
            }
            at = occurrence.next;
        }
        spans
    }

    fn last(&self, frame: Frame, slot: usize) -> Option<Wire> {
        let last = self.chains[frame.chains + slot].last;
        self.occurrences.get(last as usize).map(|occurrence| occurrence.wire)
    }

    /// Hands the message in a field on; one that came in several pieces is put together first, as protobuf demands.
    pub(super) fn with_message<T>(
        &mut self,
        frame: Frame,
        slot: usize,
        then: impl FnOnce(&mut Encoder<'_, '_>, Span) -> Result<T, MalformedMessage>,
    ) -> Result<T, MalformedMessage> {
        let Chain { first, last } = self.chains[frame.chains + slot];
        if first == last {
            let span = match self.last(frame, slot) {
                Some(Wire::Bytes(span)) => span,
                _ => Span::default(),
            };
            return then(self, span);
        }
        let mut merged = Vec::new();
        let mut at = first;
        while let Some(occurrence) = self.occurrences.get(at as usize) {
            if let Wire::Bytes(span) = occurrence.wire {
                merged.extend_from_slice(self.bytes(span));
            }
            at = occurrence.next;
        }
        let mut inner = Encoder {
            plans: self.plans,
            root: &merged,
            out: &mut *self.out,
            fields: self.fields,
            mode: self.mode,
            path: std::mem::take(&mut self.path),
            depth: self.depth,
            chains: Vec::new(),
            occurrences: Vec::new(),
        };
        let span = inner.root_span();
        let result = then(&mut inner, span);
        self.path = inner.path;
        result
    }

    /// The entries of a message, those of its inline fields among them.
    fn entries(&mut self, id: PlanId, span: Span, entries: &mut Entries) -> Result<(), MalformedMessage> {
        let frame = self.parse(id, span)?;
        let plan = self.plans.get(id);
        let mut oneof_written = None;
        for (slot, field) in plan.fields.iter().enumerate() {
            if let Some(oneof) = field.oneof {
                if oneof_written != Some(oneof) {
                    oneof_written = Some(oneof);
                    self.group(id, frame, oneof, entries)?;
                }
                continue;
            }
            match (field.empty, field.element) {
                (Empty::Never, _) => {}
                (Empty::Inline, Element::Message(inner)) => {
                    if self.is_present(frame, slot) || !field.pointer {
                        self.with_message(frame, slot, |encoder, span| {
                            encoder.entries(inner, span, entries)
                        })?;
                    }
                }
                _ => {
                    if self.is_written(field, frame, slot)?
                        && let Some(before) = self.enter(&field.key)
                    {
                        self.entry(entries, &field.quoted_key);
                        self.field_value(field, frame, slot)?;
                        self.leave(before);
                    }
                }
            }
        }
        self.forget(frame);
        Ok(())
    }

    /// A oneof: Go holds it as an interface whose value is a struct with the one member.
    fn group(
        &mut self,
        id: PlanId,
        frame: Frame,
        oneof: usize,
        entries: &mut Entries,
    ) -> Result<(), MalformedMessage> {
        let plan = self.plans.get(id);
        let Some(before) = self.enter(&plan.oneofs[oneof].key) else { return Ok(()) };
        self.entry(entries, &plan.oneofs[oneof].quoted_key);
        // The member that came last is the one that is set.
        let members = plan.fields.iter().enumerate().filter(|(_, field)| field.oneof == Some(oneof));
        let set = members
            .filter(|(slot, _)| self.is_present(frame, *slot))
            .max_by_key(|(slot, _)| self.chains[frame.chains + slot].last);
        if let Some((slot, field)) = set {
            self.out.push(b'{');
            let mut inner = self.begin();
            if let Some(before) = self.enter(&field.key) {
                self.entry(&mut inner, &field.quoted_key);
                self.field_value(field, frame, slot)?;
                self.leave(before);
            }
            self.finish(&inner);
            self.out.push(b'}');
        } else {
            self.out.extend_from_slice(b"null");
        }
        self.leave(before);
        Ok(())
    }

    /// Whether the field's key is in the JSON at all.
    fn is_written(&self, field: &Field, frame: Frame, slot: usize) -> Result<bool, MalformedMessage> {
        if field.empty == Empty::Always {
            return Ok(true);
        }
        if !self.is_present(frame, slot) {
            return Ok(false);
        }
        Ok(match (field.shape, field.element) {
            (Shape::Map, _) | (Shape::List, Element::Message(_)) => true,
            // Packed numbers may be present and none.
            (Shape::List, Element::Scalar(scalar)) => {
                matches!(scalar, Scalar::String | Scalar::Bytes) || self.has_packed(frame, slot)
            }
            (Shape::Single, Element::Scalar(Scalar::Bytes)) => !self.last_bytes(frame, slot).is_empty(),
            (Shape::Single, _) if field.pointer => true,
            (Shape::Single, Element::Scalar(Scalar::String)) => !self.last_bytes(frame, slot).is_empty(),
            (Shape::Single, Element::Scalar(_)) => self.integer(frame, slot) != 0,
            (Shape::Single, Element::Message(inner)) => match self.plans.get(inner).codec {
                Codec::Time | Codec::MicroTime => !codec::is_zero_time(self.last_bytes(frame, slot))?,
                _ => !self.last_bytes(frame, slot).is_empty(),
            },
        })
    }

    fn has_packed(&self, frame: Frame, slot: usize) -> bool {
        let mut at = self.chains[frame.chains + slot].first;
        while let Some(occurrence) = self.occurrences.get(at as usize) {
            match occurrence.wire {
                Wire::Bytes(span) if span.start == span.end => at = occurrence.next,
                _ => return true,
            }
        }
        false
    }

    /// The value of a field that is written, present or not.
    pub(super) fn field_value(
        &mut self,
        field: &Field,
        frame: Frame,
        slot: usize,
    ) -> Result<(), MalformedMessage> {
        let present = self.is_present(frame, slot);
        match (field.shape, field.element) {
            (Shape::Map, _) if present => self.map(field, frame, slot),
            (Shape::List, _) if present => self.list(field, frame, slot),
            (Shape::Map | Shape::List, _) => self.null(),
            (Shape::Single, Element::Scalar(Scalar::Bytes)) if !present => self.null(),
            (Shape::Single, _) if field.pointer && !present => self.null(),
            (Shape::Single, Element::Scalar(scalar)) => {
                let wire = self.last(frame, slot).unwrap_or(match scalar {
                    Scalar::String | Scalar::Bytes => Wire::Bytes(Span::default()),
                    _ => Wire::Varint(0),
                });
                self.scalar(scalar, wire);
                Ok(())
            }
            (Shape::Single, Element::Message(inner)) => {
                self.with_message(frame, slot, |encoder, span| encoder.message(inner, span))
            }
        }
    }

    pub(super) fn null(&mut self) -> Result<(), MalformedMessage> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn scalar(&mut self, scalar: Scalar, wire: Wire) {
        match (scalar, wire) {
            (Scalar::Bytes, Wire::Bytes(span)) => codec::put_base64(self.out, self.bytes(span)),
            (_, Wire::Bytes(span)) => text::put_string(self.out, self.bytes(span)),
            (Scalar::Bool, Wire::Varint(value)) => {
                self.out.extend_from_slice(if value == 0 { b"false" } else { b"true" });
            }
            (Scalar::Int32, Wire::Varint(value)) => codec::put_number(self.out, i64::from(value as i32)),
            (_, Wire::Varint(value)) => codec::put_number(self.out, value as i64),
        }
    }

    fn list(&mut self, field: &Field, frame: Frame, slot: usize) -> Result<(), MalformedMessage> {
        self.out.push(b'[');
        let begin = self.out.len();
        let mut at = self.chains[frame.chains + slot].first;
        while let Some(Occurrence { wire, next }) = self.occurrences.get(at as usize).copied() {
            at = next;
            match (field.element, wire) {
                (Element::Message(inner), Wire::Bytes(span)) => {
                    self.comma(begin);
                    self.message(inner, span)?;
                }
                (Element::Scalar(scalar), Wire::Bytes(span))
                    if !matches!(scalar, Scalar::String | Scalar::Bytes) =>
                {
                    let mut packed = Reader::new(self.bytes(span));
                    while !packed.is_empty() {
                        let value = packed.varint()?;
                        self.comma(begin);
                        self.scalar(scalar, Wire::Varint(value));
                    }
                }
                (Element::Scalar(scalar), wire) => {
                    self.comma(begin);
                    self.scalar(scalar, wire);
                }
                (Element::Message(_), Wire::Varint(_)) => {
                    return Err(MalformedMessage::WireType(field.number));
                }
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn comma(&mut self, begin: usize) {
        if self.out.len() > begin {
            self.out.push(b',');
        }
    }

    fn map(&mut self, field: &Field, frame: Frame, slot: usize) -> Result<(), MalformedMessage> {
        let mut pairs: Vec<(&'r [u8], Option<Wire>)> = Vec::new();
        let mut at = self.chains[frame.chains + slot].first;
        while let Some(Occurrence { wire, next }) = self.occurrences.get(at as usize).copied() {
            at = next;
            if let Wire::Bytes(span) = wire {
                pairs.push(self.pair(span)?);
            }
        }
        // The last of equal keys wins: a stable sort keeps them in order, from behind the first is kept.
        pairs.reverse();
        pairs.sort_by_key(|(key, _)| *key);
        pairs.dedup_by_key(|(key, _)| *key);
        self.out.push(b'{');
        let begin = self.out.len();
        for (key, value) in pairs {
            let Some(before) = self.enter(&String::from_utf8_lossy(key)) else { continue };
            self.comma(begin);
            text::put_string(self.out, key);
            self.out.push(b':');
            match (field.element, value) {
                (Element::Message(inner), value) => {
                    let span = match value {
                        Some(Wire::Bytes(span)) => span,
                        _ => Span::default(),
                    };
                    self.message(inner, span)?;
                }
                (Element::Scalar(Scalar::Bool), value) => {
                    let value = if let Some(Wire::Varint(value)) = value { value } else { 0 };
                    self.scalar(Scalar::Bool, Wire::Varint(value));
                }
                (Element::Scalar(scalar), value) => {
                    let span = if let Some(Wire::Bytes(span)) = value { span } else { Span::default() };
                    self.scalar(scalar, Wire::Bytes(span));
                }
            }
            self.leave(before);
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Key and value of a map's entry.
    fn pair(&self, span: Span) -> Result<(&'r [u8], Option<Wire>), MalformedMessage> {
        let mut reader = Reader::new(self.bytes(span));
        let mut key: &'r [u8] = &[];
        let mut value = None;
        while let Some((number, read)) = reader.field()? {
            match (number, read) {
                (1, Value::Bytes(bytes)) => key = bytes,
                (2, Value::Bytes(bytes)) => {
                    let end = span.end - reader.left();
                    value = Some(Wire::Bytes(Span { start: end - bytes.len(), end }));
                }
                (2, Value::Varint(number)) => value = Some(Wire::Varint(number)),
                (1 | 2, _) => return Err(MalformedMessage::WireType(number)),
                _ => {}
            }
        }
        Ok((key, value))
    }
}

/// Whether a length-delimited value is right for the field: messages, texts, map entries, packed numbers.
fn takes_bytes(field: &Field) -> bool {
    match (field.shape, field.element) {
        (Shape::Map | Shape::List, _) | (_, Element::Message(_)) => true,
        (Shape::Single, Element::Scalar(scalar)) => matches!(scalar, Scalar::String | Scalar::Bytes),
    }
}
