//! Text to tokens, one at a time: what is wrong further on is only told when the parser gets there.

use std::collections::VecDeque;

use crate::error::Failure;
use crate::text::quoted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Identifier,
    Number,
    String,
    Bytes,
    Operator,
    Bracket,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) text: String,
    /// The value of a bytes literal.
    pub(crate) bytes: Vec<u8>,
    /// Place in characters from the start.
    pub(crate) at: usize,
}

impl Token {
    pub(crate) fn is(&self, kind: TokenKind, text: &str) -> bool {
        self.kind == kind && self.text == text
    }

    pub(crate) fn is_operator(&self, text: &str) -> bool {
        self.is(TokenKind::Operator, text)
    }

    pub(crate) fn is_bracket(&self, text: &str) -> bool {
        self.is(TokenKind::Bracket, text)
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.kind {
            TokenKind::End => "EOF",
            TokenKind::Identifier => "Identifier",
            TokenKind::Number => "Number",
            TokenKind::String => "String",
            TokenKind::Bytes => "Bytes",
            TokenKind::Operator => "Operator",
            TokenKind::Bracket => "Bracket",
        };
        match self.text.as_str() {
            "" => formatter.write_str(name),
            text => write!(formatter, "{name}({})", quoted(text)),
        }
    }
}

pub(crate) struct Lexer {
    source: Vec<char>,
    start: usize,
    end: usize,
    ready: VecDeque<Token>,
}

/// Letters, `_`, `$` and digits of any script.
fn is_name(character: Option<char>) -> bool {
    character.is_some_and(|it| is_letter(it) || it.is_numeric())
}

fn is_letter(character: char) -> bool {
    matches!(character, '_' | '$') || character.is_alphabetic()
}

/// Whether a word can stand after a dot.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(is_letter) && text.chars().all(|character| is_name(Some(character)))
}

impl Lexer {
    pub(crate) fn new(source: &str) -> Self {
        Self { source: source.chars().collect(), start: 0, end: 0, ready: VecDeque::new() }
    }

    /// The next token; the last one again and again at the end.
    pub(crate) fn next_token(&mut self) -> Result<Token, Failure> {
        while self.ready.is_empty() {
            self.scan()?;
        }
        Ok(self.ready.pop_front().unwrap_or_else(|| self.end_token()))
    }

    fn end_token(&self) -> Token {
        Token { kind: TokenKind::End, text: String::new(), bytes: Vec::new(), at: self.end.saturating_sub(1) }
    }

    fn peek(&self) -> Option<char> {
        self.source.get(self.end).copied()
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.peek();
        self.end += usize::from(character.is_some());
        character
    }

    fn accept(&mut self, options: &str) -> bool {
        let accepted = self.peek().is_some_and(|character| options.contains(character));
        self.end += usize::from(accepted);
        accepted
    }

    fn accept_all(&mut self, options: &str) {
        while self.accept(options) {}
    }

    fn word(&self) -> String {
        self.source[self.start..self.end].iter().collect()
    }

    fn emit(&mut self, kind: TokenKind) {
        let text = self.word();
        self.emit_text(kind, text);
    }

    fn emit_text(&mut self, kind: TokenKind, text: String) {
        self.ready.push_back(Token { kind, text, bytes: Vec::new(), at: self.start });
        self.start = self.end;
    }

    /// At the character just read; at the end, one further.
    fn failure(&self, at_end: bool, message: impl Into<String>) -> Failure {
        Failure::new((self.end + usize::from(at_end)).saturating_sub(1), message)
    }

    fn scan(&mut self) -> Result<(), Failure> {
        let Some(first) = self.advance() else {
            let token = self.end_token();
            self.ready.push_back(token);
            return Ok(());
        };
        match first {
            it if it.is_whitespace() => self.start = self.end,
            '\'' | '"' => {
                let text = self.string(first, false)?;
                self.emit_text(TokenKind::String, text.text());
            }
            '`' => self.raw_string()?,
            'b' | 'B' if matches!(self.peek(), Some('\'' | '"')) => {
                let quote = self.advance().unwrap_or(first);
                let text = self.string(quote, true)?;
                // In a bytes literal a character below 256 that was escaped stands for one byte.
                let at = self.start;
                self.emit_text(TokenKind::Bytes, String::new());
                if let Some(token) = self.ready.back_mut() {
                    token.bytes = text.bytes;
                    token.at = at;
                }
            }
            '0'..='9' => {
                self.end -= 1;
                self.number()?;
            }
            '?' => {
                self.accept(".?");
                self.emit(TokenKind::Operator);
            }
            '/' => self.slash()?,
            '#' => self.pointer(),
            '|' => {
                self.accept("|");
                self.emit(TokenKind::Operator);
            }
            ':' => {
                self.accept(":");
                self.emit(TokenKind::Operator);
            }
            '(' | '[' | '{' | ')' | ']' | '}' => self.emit(TokenKind::Bracket),
            ',' | ';' | '%' | '+' | '-' | '^' => self.emit(TokenKind::Operator),
            '&' | '!' | '=' | '*' | '<' | '>' => {
                self.accept("&=*");
                self.emit(TokenKind::Operator);
            }
            '.' if self.peek().is_some_and(|it| it.is_ascii_digit()) => {
                self.end -= 1;
                self.number()?;
            }
            '.' => {
                self.accept(".");
                self.emit(TokenKind::Operator);
            }
            it if is_name(Some(it)) => self.identifier(),
            other => {
                let shown = format!("unrecognized character: U+{:04X} '{other}'", u32::from(other));
                return Err(self.failure(false, shown));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Failure> {
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
        self.accept_all(digits);
        let integer_end = self.end;
        if self.accept(".") {
            // `1..2` is a range.
            if self.peek() == Some('.') {
                self.end = integer_end;
                self.emit(TokenKind::Number);
                return Ok(());
            }
            self.accept_all(digits);
        }
        if self.accept("eE") {
            self.accept("+-");
            self.accept_all(digits);
        }
        if is_name(self.peek()) {
            self.end += 1;
            return Err(self.failure(false, format!("bad number syntax: {}", quoted(&self.word()))));
        }
        self.emit(TokenKind::Number);
        Ok(())
    }

    fn identifier(&mut self) {
        while is_name(self.peek()) {
            self.end += 1;
        }
        match self.word().as_str() {
            "not" => {
                self.emit(TokenKind::Operator);
                self.accept_all(" ");
                self.start = self.end;
                while is_name(self.peek()) {
                    self.end += 1;
                }
                match self.word().as_str() {
                    "in" | "matches" | "contains" | "startsWith" | "endsWith" => {
                        self.emit(TokenKind::Operator);
                    }
                    _ => self.end = self.start,
                }
            }
            "in" | "or" | "and" | "matches" | "contains" | "startsWith" | "endsWith" | "let" | "if"
            | "else" => {
                self.emit(TokenKind::Operator);
            }
            _ => self.emit(TokenKind::Identifier),
        }
    }

    fn slash(&mut self) -> Result<(), Failure> {
        if self.accept("/") {
            while self.advance().is_some_and(|character| character != '\n') {}
            self.start = self.end;
        } else if self.accept("*") {
            loop {
                match self.advance() {
                    None => return Err(self.failure(true, "unclosed comment")),
                    Some('*') if self.accept("/") => break,
                    Some(_) => {}
                }
            }
            self.start = self.end;
        } else {
            self.emit(TokenKind::Operator);
        }
        Ok(())
    }

    fn pointer(&mut self) {
        self.accept("#");
        self.emit(TokenKind::Operator);
        while is_name(self.peek()) {
            self.end += 1;
        }
        if self.end > self.start {
            self.emit(TokenKind::Identifier);
        }
    }

    fn raw_string(&mut self) -> Result<(), Failure> {
        let mut text = String::new();
        loop {
            match self.advance() {
                None => return Err(self.failure(true, "literal not terminated")),
                Some('`') if self.accept("`") => text.push('`'),
                Some('`') => break,
                Some(character) => text.push(character),
            }
        }
        self.emit_text(TokenKind::String, text);
        Ok(())
    }

    fn string(&mut self, quote: char, as_bytes: bool) -> Result<Literal, Failure> {
        let mut literal = Literal { bytes: Vec::new(), problem: None };
        loop {
            match self.advance() {
                None => return Err(self.failure(true, "literal not terminated")),
                Some('\n') => return Err(self.failure(false, "literal not terminated")),
                Some('\\') => self.escape(quote, as_bytes, &mut literal)?,
                // Line ends are one character, however they were written.
                Some('\r') => literal.push('\n'),
                Some(character) if character == quote => {
                    return match literal.problem {
                        Some(problem) => Err(self.failure(false, problem)),
                        None => Ok(literal),
                    };
                }
                Some(character) => literal.push(character),
            }
        }
    }

    fn escape(&mut self, quote: char, as_bytes: bool, literal: &mut Literal) -> Result<(), Failure> {
        let Some(kind) = self.advance() else { return Err(self.failure(true, "invalid char escape")) };
        let simple = match kind {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' => Some('\\'),
            it if it == quote => Some(quote),
            _ => None,
        };
        if let Some(character) = simple {
            literal.push(character);
            return Ok(());
        }
        let value = match kind {
            '0'..='7' => {
                self.end -= 1;
                self.digits(8, 3)?
            }
            'x' => self.digits(16, 2)?,
            'u' if self.peek() == Some('{') => self.braced()?,
            'u' => self.digits(16, 4)?,
            'U' => self.digits(16, 8)?,
            _ => return Err(self.failure(false, "invalid char escape")),
        };
        let unreadable =
            matches!(kind, '4'..='7') || value > 0x0010_ffff || as_bytes && matches!(kind, 'u' | 'U');
        if unreadable {
            literal.problem.get_or_insert("unable to unescape string");
        } else if as_bytes {
            literal.bytes.push(u8::try_from(value).unwrap_or(u8::MAX));
        } else {
            literal.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(())
    }

    fn digits(&mut self, base: u32, count: usize) -> Result<u32, Failure> {
        let mut value: u32 = 0;
        for _ in 0..count {
            match self.peek().and_then(|character| character.to_digit(base)) {
                Some(digit) => value = value.wrapping_mul(base).wrapping_add(digit),
                None => {
                    let at_end = self.advance().is_none();
                    return Err(self.failure(at_end, "invalid char escape"));
                }
            }
            self.end += 1;
        }
        Ok(value)
    }

    /// `\u{1F600}`.
    fn braced(&mut self) -> Result<u32, Failure> {
        self.end += 1;
        let start = self.end;
        while self.peek().is_some_and(|character| character.is_ascii_hexdigit()) && self.end - start < 6 {
            self.end += 1;
        }
        let digits: String = self.source[start..self.end].iter().collect();
        if digits.is_empty() || self.peek() != Some('}') {
            return Err(self.failure(false, "invalid char escape"));
        }
        self.end += 1;
        u32::from_str_radix(&digits, 16).map_err(|_| self.failure(false, "invalid char escape"))
    }
}

/// The text of a literal while it is read. An escape that stands for nothing is told at the literal's end.
struct Literal {
    bytes: Vec<u8>,
    problem: Option<&'static str>,
}

impl Literal {
    fn push(&mut self, character: char) {
        self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}
