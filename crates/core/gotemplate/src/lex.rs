//! From the text of a template to tokens, with Go's own rules and messages.

use crate::quote;

/// Sorts of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A token. The message of an error token is the lexer's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
    pub(crate) text: &'t str,
    pub(crate) line: usize,
}

impl Token<'_> {
    /// The token as messages show it; no error token is asked.
    pub(crate) fn shown(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".into(),
            Kind::Block
            | Kind::Break
            | Kind::Continue
            | Kind::Dot
            | Kind::Define
            | Kind::Else
            | Kind::End
            | Kind::If
            | Kind::Nil
            | Kind::Range
            | Kind::Template
            | Kind::With => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let short: String = self.text.chars().take(10).collect();
                format!("{}...", quote::quote(short.as_bytes()))
            }
            _ => quote::quote(self.text.as_bytes()),
        }
    }
}

pub(crate) struct Lexer<'t> {
    input: &'t str,
    at: usize,
    start: usize,
    line: usize,
    start_line: usize,
    inside: bool,
    parens: usize,
    /// Why there are no more tokens.
    failure: Option<String>,
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_space(character: char) -> bool {
    SPACES.contains(&character)
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn has_left_trim(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 2 && bytes[0] == b'-' && is_space(char::from(bytes[1]))
}

fn has_right_trim(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 2 && is_space(char::from(bytes[0])) && bytes[1] == b'-'
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(input: &'t str) -> Self {
        Self { input, at: 0, start: 0, line: 1, start_line: 1, inside: false, parens: 0, failure: None }
    }

    /// The next token. After an error there is nothing but the end.
    pub(crate) fn next_token(&mut self) -> Token<'t> {
        if self.failure.is_some() {
            return Token { kind: Kind::Eof, at: self.at, text: "EOF", line: self.start_line };
        }
        if self.inside { self.inside_action() } else { self.text() }
    }

    fn rest(&self) -> &'t str {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    fn emit(&mut self, kind: Kind) -> Token<'t> {
        let text = self.input.get(self.start..self.at).unwrap_or_default();
        let token = Token { kind, at: self.start, text, line: self.start_line };
        self.start = self.at;
        self.start_line = self.line;
        token
    }

    /// Moves on without emitting; the lines in between are counted.
    fn skip(&mut self, length: usize) {
        let skipped = self.rest().get(..length).unwrap_or_default();
        self.line += skipped.matches('\n').count();
        self.at += skipped.len();
        self.start = self.at;
        self.start_line = self.line;
    }

    fn error(&mut self, message: String) -> Token<'t> {
        self.failure = Some(message);
        Token { kind: Kind::Error, at: self.start, text: "", line: self.start_line }
    }

    /// The message of the error token there was.
    pub(crate) fn failure(&self) -> &str {
        self.failure.as_deref().unwrap_or_default()
    }

    /// Moves past letters, digits and underscores.
    fn word(&mut self) {
        loop {
            let ascii = self.rest().bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric());
            self.at += ascii.count();
            if !self.peek().is_some_and(is_word) {
                return;
            }
            self.bump();
        }
    }

    fn text(&mut self) -> Token<'t> {
        loop {
            let rest = self.rest();
            let Some(length) = rest.find("{{") else {
                if rest.is_empty() {
                    return Token { kind: Kind::Eof, at: self.at, text: "EOF", line: self.start_line };
                }
                self.line += rest.matches('\n').count();
                self.at = self.input.len();
                return self.emit(Kind::Text);
            };
            if length > 0 {
                let text = &rest[..length];
                let kept = if has_left_trim(&rest[length + 2..]) {
                    text.trim_end_matches(SPACES).len()
                } else {
                    length
                };
                self.line += text[..kept].matches('\n').count();
                self.at += kept;
                let token = self.emit(Kind::Text);
                self.skip(length - kept);
                if !token.text.is_empty() {
                    return token;
                }
            }
            let trim = has_left_trim(&self.rest()[2..]);
            let after = if trim { 2 } else { 0 };
            if self.rest()[2..].get(after..).is_some_and(|inner| inner.starts_with("/*")) {
                self.skip(2 + after);
                if let Some(error) = self.comment() {
                    return error;
                }
                continue;
            }
            self.at += 2;
            let token = self.emit(Kind::LeftDelim);
            self.inside = true;
            self.parens = 0;
            self.skip(after);
            return token;
        }
    }

    /// Passes over a comment and its closing delimiter.
    fn comment(&mut self) -> Option<Token<'t>> {
        let rest = self.rest();
        let Some(end) = rest.get(2..).and_then(|inner| inner.find("*/")) else {
            return Some(self.error("unclosed comment".into()));
        };
        let after = &rest[end + 4..];
        let trim = has_right_trim(after) && after[2..].starts_with("}}");
        if !trim && !after.starts_with("}}") {
            return Some(self.error("comment ends before closing delimiter".into()));
        }
        self.skip(end + 4 + if trim { 4 } else { 2 });
        if trim {
            let rest = self.rest();
            self.skip(rest.len() - rest.trim_start_matches(SPACES).len());
        }
        None
    }

    fn at_right_delim(&self) -> (bool, bool) {
        let rest = self.rest();
        if has_right_trim(rest) && rest[2..].starts_with("}}") {
            return (true, true);
        }
        (rest.starts_with("}}"), false)
    }

    fn right_delim(&mut self) -> Token<'t> {
        let (_, trim) = self.at_right_delim();
        if trim {
            self.skip(2);
        }
        self.at += 2;
        let token = self.emit(Kind::RightDelim);
        if trim {
            let rest = self.rest();
            self.skip(rest.len() - rest.trim_start_matches(SPACES).len());
        }
        self.inside = false;
        token
    }

    fn inside_action(&mut self) -> Token<'t> {
        if self.at_right_delim().0 {
            return if self.parens == 0 {
                self.right_delim()
            } else {
                self.error("unclosed left paren".into())
            };
        }
        let Some(character) = self.peek() else { return self.error("unclosed action".into()) };
        if is_space(character) {
            return self.space();
        }
        if is_word(character) && !character.is_ascii_digit() {
            return self.identifier();
        }
        self.bump();
        match character {
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.bump() == Some('=') {
                    self.emit(Kind::Declare)
                } else {
                    self.error("expected :=".into())
                }
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_quoted(),
            '$' => self.field_or_variable(Kind::Variable),
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.field_or_variable(Kind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.at = self.start;
                self.number()
            }
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' if self.parens == 0 => self.error("unexpected right paren".into()),
            ')' => {
                self.parens -= 1;
                self.emit(Kind::RightParen)
            }
            '!'..='~' => self.emit(Kind::Char),
            other => self.error(format!("unrecognized character in action: {}", shown(other))),
        }
    }

    fn space(&mut self) -> Token<'t> {
        let mut spaces = 0;
        while self.peek().is_some_and(is_space) {
            self.bump();
            spaces += 1;
        }
        // The last space belongs to a trim marker that follows.
        if has_right_trim(&self.input[self.at - 1..]) && self.input[self.at + 1..].starts_with("}}") {
            self.at -= 1;
            if self.input.as_bytes().get(self.at) == Some(&b'\n') {
                self.line -= 1;
            }
            if spaces == 1 {
                return self.right_delim();
            }
        }
        self.emit(Kind::Space)
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(character) => is_space(character) || self.rest().starts_with("}}"),
        }
    }

    fn bad_character(&mut self) -> Token<'t> {
        let character = self.peek().unwrap_or('\u{FFFD}');
        self.error(format!("bad character {}", shown(character)))
    }

    fn identifier(&mut self) -> Token<'t> {
        self.word();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match &self.input[self.start..self.at] {
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "nil" => Kind::Nil,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind)
    }

    fn field_or_variable(&mut self, kind: Kind) -> Token<'t> {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Variable { kind } else { Kind::Dot });
        }
        self.word();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    fn quoted(&mut self, end: char, kind: Kind, message: &str) -> Token<'t> {
        loop {
            match self.bump() {
                Some('\\') => {
                    if matches!(self.bump(), None | Some('\n')) {
                        return self.error(message.into());
                    }
                }
                None | Some('\n') => return self.error(message.into()),
                Some(character) if character == end => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Token<'t> {
        loop {
            match self.bump() {
                None => return self.error("unterminated raw quoted string".into()),
                Some('`') => return self.emit(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token<'t> {
        if !self.scan_number() {
            let text = quote::quote(&self.input.as_bytes()[self.start..self.at]);
            return self.error(format!("bad number syntax: {text}"));
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || !self.input[..self.at].ends_with('i') {
                let text = quote::quote(&self.input.as_bytes()[self.start..self.at]);
                return self.error(format!("bad number syntax: {text}"));
            }
            return self.emit(Kind::Complex);
        }
        self.emit(Kind::Number)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|character| valid.contains(character));
        if found {
            self.bump();
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if digits.len() == 11 && self.accept("eE") {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        if digits.len() == 23 && self.accept("pP") {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_word) {
            self.bump();
            return false;
        }
        true
    }
}

/// A character as `%#U` shows it.
fn shown(character: char) -> String {
    let code = u32::from(character);
    if character.is_control() { format!("U+{code:04X}") } else { format!("U+{code:04X} '{character}'") }
}
