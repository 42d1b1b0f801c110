//! What Go's `encoding/json` says about a text that is no JSON. Only used once it is known to be none.

/// Go's message.
pub(crate) fn explain(bytes: &[u8]) -> String {
    let mut scanner = Scanner { bytes, at: 0 };
    match scanner.value(0).and_then(|()| scanner.end()) {
        Ok(()) => "unexpected end of JSON input".into(),
        Err(message) => message,
    }
}

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
}

type Checked = Result<(), String>;

impl Scanner<'_> {
    fn peek(&mut self) -> Result<u8, String> {
        while self.bytes.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.here()
    }

    fn here(&self) -> Result<u8, String> {
        self.bytes.get(self.at).copied().ok_or_else(|| "unexpected end of JSON input".to_owned())
    }

    fn invalid(&self, context: &str) -> Checked {
        let byte = self.here()?;
        let shown = match byte {
            b'\'' => r"'\''".to_owned(),
            b'"' => r#"'"'"#.to_owned(),
            _ => crate::quote::quote_with(char::from(byte).encode_utf8(&mut [0; 4]).as_bytes(), '\'', false),
        };
        Err(format!("invalid character {shown} {context}"))
    }

    fn end(&mut self) -> Checked {
        if self.peek().is_ok() { self.invalid("after top-level value") } else { Ok(()) }
    }

    fn value(&mut self, depth: usize) -> Checked {
        if depth > 120 {
            return Err("exceeded max depth".into());
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", "true"),
            b'f' => self.word(b"false", "false"),
            b'n' => self.word(b"null", "null"),
            _ => self.invalid("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Checked {
        self.at += 1;
        let mut first = true;
        loop {
            match self.peek()? {
                b'}' if first => break,
                b'"' => self.string()?,
                _ => return self.invalid("looking for beginning of object key string"),
            }
            first = false;
            if self.peek()? != b':' {
                return self.invalid("after object key");
            }
            self.at += 1;
            self.value(depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return self.invalid("after object key:value pair"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Checked {
        self.at += 1;
        if self.peek()? != b']' {
            loop {
                self.value(depth + 1)?;
                match self.peek()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return self.invalid("after array element"),
                }
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Checked {
        self.at += 1;
        loop {
            match self.here()? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    match self.here()? {
                        b'u' => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.here()?.is_ascii_hexdigit() {
                                    return self.invalid("in \\u hexadecimal character escape");
                                }
                            }
                        }
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        _ => return self.invalid("in string escape code"),
                    }
                }
                0..=0x1F => return self.invalid("in string literal"),
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    fn digits(&mut self) {
        while self.here().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Checked {
        if self.here()? == b'-' {
            self.at += 1;
            if !self.here()?.is_ascii_digit() {
                return self.invalid("in numeric literal");
            }
        }
        if self.here()? == b'0' {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.here().is_ok_and(|byte| byte == b'.') {
            self.at += 1;
            if !self.here()?.is_ascii_digit() {
                return self.invalid("after decimal point in numeric literal");
            }
            self.digits();
        }
        if self.here().is_ok_and(|byte| matches!(byte, b'e' | b'E')) {
            self.at += 1;
            if matches!(self.here()?, b'+' | b'-') {
                self.at += 1;
            }
            if !self.here()?.is_ascii_digit() {
                return self.invalid("in exponent of numeric literal");
            }
            self.digits();
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8], shown: &str) -> Checked {
        for expected in word {
            if self.here()? != *expected {
                let wanted = char::from(*expected);
                return self.invalid(&format!("in literal {shown} (expecting '{wanted}')"));
            }
            self.at += 1;
        }
        Ok(())
    }
}
