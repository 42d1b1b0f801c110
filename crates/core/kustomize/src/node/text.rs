//! Trees as YAML text, as yaml.v3 writes them with an indentation of two and compact lists.

use super::{Content, Key, Node, Scalar, Tag, resolve, style};
use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};

type Written = Result<(), libyaml_safer::Error>;

impl Node {
    /// One document.
    pub(crate) fn to_text(&self) -> String {
        if let Some(text) = self.simple_text() {
            return text;
        }
        let mut bytes = Vec::new();
        let mut emitter = Emitter::new();
        emitter.set_output_string(&mut bytes);
        emitter.set_unicode(true);
        emitter.set_indent(2);
        emitter.set_width(-1);
        // The events of a tree are always in order: writing to memory cannot fail.
        let written = document(&mut emitter, self);
        drop(emitter);
        debug_assert!(written.is_ok());
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if text.ends_with("\n...\n") {
            text.truncate(text.len() - "...\n".len());
        }
        text
    }

    /// Most scalars are a word.
    fn simple_text(&self) -> Option<String> {
        let Content::Scalar(text) = &self.content else { return None };
        let word = !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/'))
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if !word || self.style & (style::TAGGED | style::LITERAL | style::FOLDED) != 0 {
            return None;
        }
        let forced = self.tag == Tag::Str && resolve(text) != Scalar::Text;
        Some(match self.style {
            style if style & style::SINGLE_QUOTED != 0 => format!("'{text}'\n"),
            style if style & style::DOUBLE_QUOTED != 0 || forced => format!("\"{text}\"\n"),
            _ => format!("{text}\n"),
        })
    }
}

fn document(emitter: &mut Emitter<'_>, node: &Node) -> Written {
    emitter.emit(Event::stream_start(Encoding::Utf8))?;
    emitter.emit(Event::document_start(None, &[], true))?;
    write(emitter, node)?;
    emitter.emit(Event::document_end(true))?;
    emitter.emit(Event::stream_end())?;
    emitter.flush()
}

fn write(emitter: &mut Emitter<'_>, node: &Node) -> Written {
    let flow = node.style & style::FLOW != 0;
    match &node.content {
        Content::Scalar(text) => scalar(emitter, text, node.tag, node.style),
        Content::Sequence(items) => {
            let style = if flow { SequenceStyle::Flow } else { SequenceStyle::Block };
            emitter.emit(Event::sequence_start(None, None, true, style))?;
            items.iter().try_for_each(|item| write(emitter, item))?;
            emitter.emit(Event::sequence_end())
        }
        Content::Mapping(fields) => {
            let style = if flow { MappingStyle::Flow } else { MappingStyle::Block };
            emitter.emit(Event::mapping_start(None, None, true, style))?;
            for (Key { text, tag, style }, value) in fields {
                scalar(emitter, text, *tag, *style)?;
                write(emitter, value)?;
            }
            emitter.emit(Event::mapping_end())
        }
    }
}

fn scalar(emitter: &mut Emitter<'_>, text: &str, tag: Tag, written: u8) -> Written {
    let found = resolve(text).tag();
    let forced = tag == Tag::Str && written & (style::QUOTED | style::TAGGED) == 0 && found != Tag::Str;
    let style = match scalar_style(text, written) {
        ScalarStyle::Plain if forced => ScalarStyle::DoubleQuoted,
        style => style,
    };
    let explicit = tag.short().starts_with("!!")
        && (written & style::TAGGED != 0 || (tag != Tag::Str && found != tag && tag != Tag::Merge));
    if explicit {
        let tag = format!("tag:yaml.org,2002:{}", &tag.short()[2..]);
        return emitter.emit(Event::scalar(None, Some(&tag), text, false, false, style));
    }
    emitter.emit(Event::scalar(None, None, text, true, true, style))
}

/// How a text is written outside of `{}` and `[]`: as it was, and a plain one of several lines as a block.
pub(super) fn scalar_style(text: &str, written: u8) -> ScalarStyle {
    match written {
        written if written & style::DOUBLE_QUOTED != 0 => ScalarStyle::DoubleQuoted,
        written if written & style::SINGLE_QUOTED != 0 => ScalarStyle::SingleQuoted,
        written if written & style::LITERAL != 0 => ScalarStyle::Literal,
        written if written & style::FOLDED != 0 => ScalarStyle::Folded,
        _ if text.contains('\n') => ScalarStyle::Literal,
        _ => ScalarStyle::Plain,
    }
}
