//! JSON text as Go's `encoding/json` reads it: the same texts are valid, and the same words say why others are not.

/// How deep JSON may nest.
pub(crate) const MAX_DEPTH: usize = 1_000;

/// Why a text is not JSON, in Go's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Nothing but white space.
    #[error("EOF")]
    Empty,
    /// The text ends inside a value.
    #[error("unexpected EOF")]
    Truncated,
    /// Objects and arrays inside each other beyond the limit.
    #[error("exceeded max depth")]
    Depth,
    /// A character that cannot be where it is.
    #[error("invalid character {} {context}", Quoted(*.character))]
    Character {
        /// The offending byte.
        character: u8,
        /// Where it was met.
        context: &'static str,
    },
    /// A character that does not belong to `true`, `false` or `null`.
    #[error("invalid character {} in literal {literal} (expecting '{}')", Quoted(*.character), char::from(*.expected))]
    Literal {
        /// The offending byte.
        character: u8,
        /// The literal that was begun.
        literal: &'static str,
        /// The byte that had to follow.
        expected: u8,
    },
}

/// A byte between single quotes, escaped as Go does it.
struct Quoted(u8);

impl std::fmt::Display for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            b'\'' => f.write_str(r"'\''"),
            b'\\' => f.write_str(r"'\\'"),
            b'\n' => f.write_str(r"'\n'"),
            b'\r' => f.write_str(r"'\r'"),
            b'\t' => f.write_str(r"'\t'"),
            byte @ (0..=0x1f | 0x7f) => write!(f, r"'\x{byte:02x}'"),
            byte @ 0x80..=0x9f => write!(f, r"'\u{byte:04x}'"),
            byte => write!(f, "'{}'", char::from(byte)),
        }
    }
}

const VALUE: &str = "looking for beginning of value";

/// The offset just behind the first JSON value of `text`. What follows it is not looked at.
pub(crate) fn value_end(text: &[u8]) -> Result<usize, SyntaxError> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.skip_space();
    if scanner.at == text.len() {
        return Err(SyntaxError::Empty);
    }
    let mut open: Vec<u8> = Vec::new();
    loop {
        // At the beginning of a value.
        match scanner.peek()? {
            opening @ (b'{' | b'[') => {
                scanner.at += 1;
                if open.len() == MAX_DEPTH {
                    return Err(SyntaxError::Depth);
                }
                open.push(opening);
                scanner.skip_space();
                let closing = if opening == b'{' { b'}' } else { b']' };
                if scanner.peek()? == closing {
                    scanner.at += 1;
                    open.pop();
                } else {
                    if opening == b'{' {
                        scanner.key()?;
                    }
                    continue;
                }
            }
            b'"' => scanner.string()?,
            b'-' | b'0'..=b'9' => scanner.number()?,
            b't' => scanner.literal("true")?,
            b'f' => scanner.literal("false")?,
            b'n' => scanner.literal("null")?,
            character => return Err(SyntaxError::Character { character, context: VALUE }),
        }
        // Behind a value.
        loop {
            let Some(&opening) = open.last() else { return Ok(scanner.at) };
            scanner.skip_space();
            let character = scanner.peek()?;
            scanner.at += 1;
            match (opening, character) {
                (b'{', b',') => {
                    scanner.skip_space();
                    scanner.key()?;
                    break;
                }
                (b'[', b',') => {
                    scanner.skip_space();
                    break;
                }
                (b'{', b'}') | (b'[', b']') => {
                    open.pop();
                }
                (b'{', _) => {
                    return Err(SyntaxError::Character { character, context: "after object key:value pair" });
                }
                _ => return Err(SyntaxError::Character { character, context: "after array element" }),
            }
        }
    }
}

/// What keeps a text from being one JSON value, in the words of Go's `json.Unmarshal`.
#[must_use]
pub fn problem(text: &[u8]) -> Option<String> {
    let end = match value_end(text) {
        Ok(end) => end,
        Err(SyntaxError::Empty | SyntaxError::Truncated) => {
            return Some("unexpected end of JSON input".to_owned());
        }
        Err(error) => return Some(error.to_string()),
    };
    let mut rest = Scanner { text, at: end };
    rest.skip_space();
    let character = *text.get(rest.at)?;
    Some(SyntaxError::Character { character, context: "after top-level value" }.to_string())
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, SyntaxError> {
        self.text.get(self.at).copied().ok_or(SyntaxError::Truncated)
    }

    /// A key, its colon and the space behind it.
    fn key(&mut self) -> Result<(), SyntaxError> {
        let character = self.peek()?;
        if character != b'"' {
            return Err(SyntaxError::Character {
                character,
                context: "looking for beginning of object key string",
            });
        }
        self.string()?;
        self.skip_space();
        let character = self.peek()?;
        if character != b':' {
            return Err(SyntaxError::Character { character, context: "after object key" });
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn string(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        loop {
            let character = self.peek()?;
            self.at += 1;
            match character {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..=0x1f => return Err(SyntaxError::Character { character, context: "in string literal" }),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let character = self.peek()?;
        self.at += 1;
        match character {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    let character = self.peek()?;
                    if !character.is_ascii_hexdigit() {
                        let context = "in \\u hexadecimal character escape";
                        return Err(SyntaxError::Character { character, context });
                    }
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(SyntaxError::Character { character, context: "in string escape code" }),
        }
    }

    fn digits(&mut self) {
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    /// At least one digit must be here.
    fn need_digit(&self, context: &'static str) -> Result<(), SyntaxError> {
        match self.peek()? {
            b'0'..=b'9' => Ok(()),
            character => Err(SyntaxError::Character { character, context }),
        }
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        if self.peek()? == b'-' {
            self.at += 1;
            self.need_digit("in numeric literal")?;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.need_digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.need_digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), SyntaxError> {
        for &expected in literal.as_bytes() {
            let character = self.peek()?;
            if character != expected {
                return Err(SyntaxError::Literal { character, literal, expected });
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// Walks over JSON text that `value_end` found valid.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `text` is one valid value, with white space around it or not.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let mut cursor = Self { text, at: 0 };
        cursor.skip_space();
        cursor
    }

    fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The first byte of the value or mark that is next; 0 at the end.
    pub(crate) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Steps over one mark (`{`, `,`, `:` …) and the space behind it.
    pub(crate) fn mark(&mut self) {
        self.at += 1;
        self.skip_space();
    }

    /// After an opening mark or an element: whether another element follows. Steps over the comma or the closing mark.
    pub(crate) fn more(&mut self, first: bool) -> bool {
        match self.peek() {
            b',' => {
                self.mark();
                true
            }
            b'}' | b']' | 0 => {
                self.mark();
                false
            }
            _ => first,
        }
    }

    /// The text of the next value; steps over it.
    pub(crate) fn value(&mut self) -> &'a [u8] {
        let start = self.at;
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' | b'[' => {
                let mut depth = 0usize;
                loop {
                    match self.peek() {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth = depth.saturating_sub(1),
                        b'"' => {
                            self.skip_string();
                            continue;
                        }
                        0 => break,
                        _ => {}
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                while !matches!(self.peek(), b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\r' | b'\n' | 0) {
                    self.at += 1;
                }
            }
        }
        let value = self.text.get(start..self.at).unwrap_or_default();
        self.skip_space();
        value
    }

    fn skip_string(&mut self) {
        self.at += 1;
        loop {
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => self.at += 2,
                0 => return,
                _ => self.at += 1,
            }
        }
    }
}
