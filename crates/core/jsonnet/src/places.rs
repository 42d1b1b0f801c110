//! From the evaluator's spans to places people can find: file, line, columns.

use rsjsonnet_lang::span::{SourceId, SpanContext, SpanId, SpanManager};
use std::collections::HashMap;

/// The texts an evaluation reads, by the evaluator's number for them.
#[derive(Default)]
pub(crate) struct Places {
    sources: HashMap<SourceId, Source>,
}

struct Source {
    name: String,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
    /// The text, for columns that count characters.
    text: Vec<u8>,
}

impl Places {
    pub(crate) fn add(&mut self, id: SourceId, name: &str, text: &[u8]) {
        let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.sources.insert(id, Source { name: name.to_owned(), lines, text: text.to_vec() });
    }

    /// As go-jsonnet writes it: `file:line:from-to`, `file:(line:column)-(line:column)` over several lines.
    pub(crate) fn place(&self, span: SpanId, spans: &SpanManager) -> String {
        let (context, from, to) = spans.get_span(span);
        let SpanContext::Source(id) = spans.get_context(context);
        let Some(source) = self.sources.get(id) else { return "<std>".to_owned() };
        let name = &source.name;
        match (source.position(from), source.position(to)) {
            (from, to) if from == to => format!("{name}:{}:{}", from.0, from.1),
            (from, to) if from.0 == to.0 => format!("{name}:{}:{}-{}", from.0, from.1, to.1),
            (from, to) => format!("{name}:({}:{})-({}:{})", from.0, from.1, to.0, to.1),
        }
    }
}

impl Source {
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..at.min(self.text.len())).unwrap_or_default();
        (line, String::from_utf8_lossy(before).chars().count() + 1)
    }
}
