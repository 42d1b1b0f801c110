//! What is wrong with an expression, and where: the text is that of the original, with the line and a mark under it.

use std::fmt;

/// An expression that cannot be read or evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    snippet: String,
}

/// What is wrong at a place, before the place is looked up in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// Place in characters from the start.
    pub(crate) at: usize,
}

impl Failure {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), at }
    }

    pub(crate) fn bind(self, source: &str) -> ExprError {
        let (mut line, mut column, mut line_start) = (1, 0, 0);
        for (count, (position, character)) in source.char_indices().enumerate() {
            if count == self.at {
                break;
            }
            if character == '\n' {
                line += 1;
                column = 0;
                line_start = position + 1;
            } else {
                column += 1;
            }
        }
        let text = source[line_start..].split('\n').next().unwrap_or_default();
        let snippet = match text {
            "" => String::new(),
            text => format!("\n | {}\n | {}^", text.replace('\t', " "), ".".repeat(column)),
        };
        ExprError { message: self.message, line, column: column + 1, snippet }
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.snippet.is_empty() {
            return formatter.write_str(&self.message);
        }
        write!(formatter, "{} ({}:{}){}", self.message, self.line, self.column, self.snippet)
    }
}

impl std::error::Error for ExprError {}
