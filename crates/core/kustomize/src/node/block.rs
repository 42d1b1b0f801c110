//! What a text is after it was written as a block scalar and read again. The original does that with every object before it
//! prints it, by a writer that puts one line too many into folded texts, and breaks on texts that begin with a tab: the
//! answers of go-yaml, which everybody has by now.

use crate::error::{Error, Result};
use std::borrow::Cow;

/// The text of a scalar written as `|`.
pub(crate) fn literal(text: &str) -> Result<&str> {
    // A block whose first line begins with a tab is written without saying how far it is indented, and cannot be read.
    if text.starts_with('\t') && is_block(text) {
        return Err(Error::invalid("yaml: found a tab character where an indentation space is expected"));
    }
    Ok(text)
}

/// The text of a scalar written as `>`.
pub(crate) fn folded(text: &str) -> Result<Cow<'_, str>> {
    if !is_block(text) {
        return Ok(Cow::Borrowed(text));
    }
    literal(text)?;
    let first = text.trim_start_matches('\n');
    // Lines are kept apart by an empty one between them, unless the text begins with a blank.
    let apart = !first.is_empty() && !is_indented(first);
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..text.len() - first.len()]);
    let mut rest = first;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
        let next = after.trim_start_matches('\n');
        let breaks = after.len() - next.len();
        out.push_str(line);
        let written = breaks + usize::from(breaks > 0 && apart && !is_indented(line));
        match (breaks, next.is_empty()) {
            // The end: one break is clipped to one, more are kept.
            (0 | 1, true) => out.push_str(after),
            (_, true) => out.extend(std::iter::repeat_n('\n', written)),
            (_, false) if is_indented(line) || is_indented(next) => {
                out.extend(std::iter::repeat_n('\n', written));
            }
            (_, false) if written == 1 => out.push(' '),
            (_, false) => out.extend(std::iter::repeat_n('\n', written - 1)),
        }
        rest = next;
    }
    Ok(Cow::Owned(out))
}

/// Whether a line is more indented than its block.
fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// Whether a text can be a block: what cannot is written in double quotes, which keep it.
fn is_block(text: &str) -> bool {
    let plain = |character: char| {
        matches!(character, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{fffd}')
            && !matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}')
    };
    !text.is_empty() && !text.ends_with(' ') && !text.contains(" \n") && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{Cow, folded, literal};

    /// As kustomize v5.8.1 prints them.
    #[test]
    fn folded_texts_get_the_lines_they_get_in_the_original() {
        for (text, expected) in [
            ("a b\n", "a b\n"),
            ("a\nb\n", "a\nb\n"),
            ("a\n  b\n", "a\n\n  b\n"),
            ("{\n\ttab\n{\n\ttab\n", "{\n\n\ttab\n{\n\n\ttab\n"),
            ("b c\n  ind\n  ind\n", "b c\n\n  ind\n  ind\n"),
            ("\n# h\n\n", "\n# h\n\n\n"),
            ("a\n\n", "a\n\n\n"),
            ("  in\na\nb\n", "  in\na b\n"),
            ("  in\na\n\nb\n\n", "  in\na\nb\n\n"),
            ("a \n  b\n", "a \n  b\n"),
            ("a\n  b ", "a\n  b "),
            ("a\n  \u{1f600}", "a\n  \u{1f600}"),
            ("a\n  b\r\n", "a\n  b\r\n"),
            ("", ""),
            ("\n\n", "\n\n"),
        ] {
            assert_eq!(folded(text).expect(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_block_that_begins_with_a_tab_cannot_be_read_again() {
        for text in ["\ta", "\ta\nb\n"] {
            for read in [literal(text).map(str::to_owned), folded(text).map(Cow::into_owned)] {
                assert!(read.expect_err(text).to_string().contains("found a tab character"));
            }
        }
        for text in ["\n\ta", "\ta ", "a\n\tb"] {
            assert_eq!(literal(text).expect(text), text);
        }
    }
}
