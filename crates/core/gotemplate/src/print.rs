//! Prints values as Go's `fmt` does: every verb, every flag, every complaint.

use crate::floats::format_float;
use crate::quote::quote_with;
use crate::text::{char_count, first_char};
use crate::value::Value;

/// Nesting beyond which values are cut short: only values that hold themselves get there.
const DEEPEST: usize = 200;

/// `%v` of a value.
pub(crate) fn plain(value: &Value) -> String {
    let mut out = Vec::new();
    write_plain(&mut out, value);
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes `%v` of a value.
pub(crate) fn write_plain(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        _ => Printer { out, flags: Flags::default(), erroring: false }.argument(value, 'v'),
    }
}

/// `fmt.Sprint`: a space between two operands that are both no strings.
pub(crate) fn sprint(arguments: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut was_text = true;
    for (index, argument) in arguments.iter().enumerate() {
        let is_text = matches!(argument, Value::String(_));
        if index > 0 && !is_text && !was_text {
            out.push(b' ');
        }
        write_plain(&mut out, argument);
        was_text = is_text;
    }
    out
}

/// `fmt.Sprintln`: a space between all operands, and a line break.
pub(crate) fn sprintln(arguments: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        write_plain(&mut out, argument);
    }
    out.push(b'\n');
    out
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) sharp: bool,
    pub(crate) zero: bool,
    pub(crate) plus: bool,
    pub(crate) minus: bool,
    pub(crate) space: bool,
    pub(crate) sharp_v: bool,
    pub(crate) plus_v: bool,
    pub(crate) width: Option<usize>,
    pub(crate) precision: Option<usize>,
}

pub(crate) struct Printer<'o> {
    pub(crate) out: &'o mut Vec<u8>,
    pub(crate) flags: Flags,
    pub(crate) erroring: bool,
}

impl Printer<'_> {
    /// One operand by its verb.
    pub(crate) fn argument(&mut self, value: &Value, verb: char) {
        if value.is_nil() {
            match verb {
                'T' | 'v' => self.pad(b"<nil>"),
                _ => self.bad_verb(value, verb),
            }
            return;
        }
        match verb {
            'T' => self.string(value.type_name().as_bytes(), 's', value),
            'p' => self.bad_verb(value, verb),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if depth > DEEPEST {
            self.out.extend_from_slice(b"...");
            return;
        }
        match value {
            Value::Missing | Value::Nil => {
                let nil: &[u8] = if self.flags.sharp_v { b"interface {}(nil)" } else { b"<nil>" };
                self.out.extend_from_slice(nil);
            }
            Value::Bool(flag) => match verb {
                't' | 'v' => self.pad(if *flag { b"true" } else { b"false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(number) | Value::Int64(number) => {
                self.integer(number.unsigned_abs(), *number < 0, true, verb, value);
            }
            Value::Int32(number) => {
                self.integer(u64::from(number.unsigned_abs()), *number < 0, true, verb, value);
            }
            Value::Uint8(number) => self.integer(u64::from(*number), false, false, verb, value),
            Value::Uint64(number) => self.integer(*number, false, false, verb, value),
            Value::Float(number) => self.float(*number, verb, value),
            Value::Complex(real, imaginary) => self.complex(*real, *imaginary, verb, value),
            Value::String(text) => self.string(text.as_bytes(), verb, value),
            Value::Bytes(bytes) => self.bytes(bytes.as_bytes(), verb, value),
            Value::Time(time) => self.stringer(&time.to_string(), verb, value),
            Value::Duration(duration) => {
                let text = crate::time::duration_text(*duration);
                if matches!(verb, 'd' | 'b' | 'o' | 'c' | 'U') {
                    self.integer(duration.unsigned_abs(), *duration < 0, true, verb, value);
                } else {
                    self.stringer(&text, verb, value);
                }
            }
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => {
                self.open_map(&value.type_name());
                let mut first = true;
                for (key, member) in map.entries() {
                    self.separate(&mut first);
                    self.value(&Value::String(key), verb, depth + 1);
                    self.out.push(b':');
                    self.value(&member, verb, depth + 1);
                }
                self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
            }
            Value::Object(object) => self.object(object.as_ref(), verb, depth, value),
        }
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.extend_from_slice(if self.flags.sharp_v { b", " } else { b" " });
        }
    }

    fn open_map(&mut self, type_name: &str) {
        if self.flags.sharp_v {
            self.out.extend_from_slice(type_name.as_bytes());
            self.out.push(b'{');
        } else {
            self.out.extend_from_slice(b"map[");
        }
    }

    fn list(&mut self, list: &crate::value::List, verb: char, depth: usize) {
        if self.flags.sharp_v {
            let name = format!("[]{}", list.element.name());
            self.out.extend_from_slice(name.as_bytes());
            if list.nil {
                self.out.extend_from_slice(b"(nil)");
                return;
            }
        }
        self.out.push(if self.flags.sharp_v { b'{' } else { b'[' });
        let mut first = true;
        for item in &list.items {
            self.separate(&mut first);
            self.value(item, verb, depth + 1);
        }
        self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
    }

    fn object(&mut self, object: &dyn crate::value::Object, verb: char, depth: usize, value: &Value) {
        if let Some(text) = object.text()
            && !self.flags.sharp_v
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
        {
            self.string(text.as_bytes(), if verb == 'v' { 's' } else { verb }, value);
            return;
        }
        match object.kind() {
            kind @ ("map" | "slice") => {
                if kind == "map" {
                    self.open_map(object.type_name());
                } else {
                    self.out.push(b'[');
                }
                let mut first = true;
                for (key, member) in object.members() {
                    self.separate(&mut first);
                    if kind == "map" {
                        self.value(&key, verb, depth + 1);
                        self.out.push(b':');
                    }
                    self.value(&member, verb, depth + 1);
                }
                self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
            }
            kind => {
                if self.flags.sharp_v {
                    self.out.extend_from_slice(object.type_name().as_bytes());
                } else if kind == "ptr" {
                    self.out.push(b'&');
                }
                self.out.push(b'{');
                let mut first = true;
                for (name, member) in object.fields() {
                    self.separate(&mut first);
                    if self.flags.sharp_v || self.flags.plus_v {
                        self.out.extend_from_slice(name.as_bytes());
                        self.out.push(b':');
                    }
                    self.value(&member, verb, depth + 1);
                }
                self.out.push(b'}');
            }
        }
    }

    /// Something with a `String` method.
    fn stringer(&mut self, text: &str, verb: char, value: &Value) {
        match verb {
            'v' | 's' => self.string(text.as_bytes(), 's', value),
            'x' | 'X' | 'q' => self.string(text.as_bytes(), verb, value),
            _ => self.bad_verb(value, verb),
        }
    }

    pub(crate) fn pad(&mut self, bytes: &[u8]) {
        let Some(width) = self.flags.width.filter(|&width| width > 0) else {
            self.out.extend_from_slice(bytes);
            return;
        };
        let missing = width.saturating_sub(char_count(bytes));
        if self.flags.minus {
            self.out.extend_from_slice(bytes);
            self.fill(missing);
        } else {
            self.fill(missing);
            self.out.extend_from_slice(bytes);
        }
    }

    fn fill(&mut self, count: usize) {
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.out.resize(self.out.len() + count, byte);
    }

    fn pad_without_zeros(&mut self, bytes: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(bytes);
        self.flags.zero = zero;
    }

    fn bad_verb(&mut self, value: &Value, verb: char) {
        let erroring = std::mem::replace(&mut self.erroring, true);
        self.out.extend_from_slice(b"%!");
        self.out.extend_from_slice(verb.encode_utf8(&mut [0; 4]).as_bytes());
        self.out.push(b'(');
        if value.is_nil() {
            self.out.extend_from_slice(b"<nil>");
        } else if !erroring {
            self.out.extend_from_slice(value.type_name().as_bytes());
            self.out.push(b'=');
            self.value(value, 'v', 0);
        }
        self.out.push(b')');
        self.erroring = erroring;
    }

    fn string(&mut self, bytes: &[u8], verb: char, value: &Value) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(bytes),
            'v' | 's' => {
                let cut = self.truncated(bytes);
                self.pad(cut);
            }
            'x' | 'X' => self.hex(bytes, verb == 'X'),
            'q' => self.quoted(bytes),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(&mut self, bytes: &[u8], verb: char, value: &Value) {
        match verb {
            'v' | 'd' => {
                let (open, close): (&[u8], u8) =
                    if self.flags.sharp_v { (b"[]byte{", b'}') } else { (b"[", b']') };
                self.out.extend_from_slice(open);
                let mut first = true;
                for byte in bytes {
                    self.separate(&mut first);
                    self.integer(u64::from(*byte), false, false, verb, value);
                }
                self.out.push(close);
            }
            _ => self.string(bytes, verb, value),
        }
    }

    /// As many characters as the precision allows.
    fn truncated<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(precision) = self.flags.precision else { return bytes };
        let mut at = 0;
        for _ in 0..precision {
            match bytes.get(at..).map(first_char) {
                Some((_, width)) if width > 0 => at += width,
                _ => return bytes,
            }
        }
        bytes.get(..at).unwrap_or(bytes)
    }

    fn quoted(&mut self, bytes: &[u8]) {
        let bytes = self.truncated(bytes);
        let raw = self.flags.sharp
            && std::str::from_utf8(bytes).is_ok_and(|text| {
                !text.chars().any(|c| c == '`' || c == '\u{FEFF}' || c == '\u{7F}' || c < ' ' && c != '\t')
            });
        if raw {
            let mut text = vec![b'`'];
            text.extend_from_slice(bytes);
            text.push(b'`');
            self.pad(&text);
        } else {
            let text = quote_with(bytes, '"', self.flags.plus);
            self.pad(text.as_bytes());
        }
    }

    fn hex(&mut self, bytes: &[u8], upper: bool) {
        let length = self.flags.precision.map_or(bytes.len(), |precision| precision.min(bytes.len()));
        let mut text = Vec::with_capacity(length * 2);
        let prefix: &[u8] = if upper { b"0X" } else { b"0x" };
        for (index, byte) in bytes.iter().take(length).enumerate() {
            if self.flags.space && index > 0 {
                text.push(b' ');
            }
            if self.flags.sharp && (index == 0 || self.flags.space) {
                text.extend_from_slice(prefix);
            }
            let digits = if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
            text.extend_from_slice(digits.as_bytes());
        }
        self.pad(&text);
    }

    fn integer(&mut self, magnitude: u64, negative: bool, signed: bool, verb: char, value: &Value) {
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(&format!("{magnitude:x}"), negative, 'x');
                self.flags.sharp = sharp;
            }
            'v' | 'd' => self.digits(&magnitude.to_string(), negative, verb),
            'b' => self.digits(&format!("{magnitude:b}"), negative, verb),
            'o' | 'O' => self.digits(&format!("{magnitude:o}"), negative, verb),
            'x' => self.digits(&format!("{magnitude:x}"), negative, verb),
            'X' => self.digits(&format!("{magnitude:X}"), negative, verb),
            'c' | 'q' => {
                let code = if negative { None } else { u32::try_from(magnitude).ok() };
                let character = code.and_then(char::from_u32).unwrap_or('\u{FFFD}');
                let mut buffer = [0; 4];
                let text = character.encode_utf8(&mut buffer);
                if verb == 'c' {
                    self.pad(text.as_bytes());
                } else {
                    let quoted = quote_with(text.as_bytes(), '\'', self.flags.plus);
                    self.pad(quoted.as_bytes());
                }
            }
            'U' => {
                let code = if negative { magnitude.wrapping_neg() } else { magnitude };
                let digits = self.flags.precision.unwrap_or(0).max(4);
                let mut text = format!("U+{code:0digits$X}");
                if let Some(character) = u32::try_from(code).ok().and_then(char::from_u32)
                    && self.flags.sharp
                    && crate::quote::is_print(character)
                {
                    text.push_str(&format!(" '{character}'"));
                }
                self.pad_without_zeros(text.as_bytes());
            }
            _ => self.bad_verb(value, verb),
        }
    }

    fn digits(&mut self, digits: &str, negative: bool, verb: char) {
        let flags = self.flags;
        let mut wanted = 0;
        if let Some(precision) = flags.precision {
            wanted = precision;
            if precision == 0 && digits == "0" {
                let zero = std::mem::replace(&mut self.flags.zero, false);
                self.fill(flags.width.unwrap_or(0));
                self.flags.zero = zero;
                return;
            }
        } else if let Some(width) = flags.width.filter(|_| flags.zero && !flags.minus) {
            wanted = width.saturating_sub(usize::from(negative || flags.plus || flags.space));
        }
        let mut text = String::new();
        if negative {
            text.push('-');
        } else if flags.plus {
            text.push('+');
        } else if flags.space {
            text.push(' ');
        }
        let padded = format!("{}{digits}", "0".repeat(wanted.saturating_sub(digits.len())));
        match verb {
            'O' => text.push_str("0o"),
            'b' if flags.sharp => text.push_str("0b"),
            'o' if flags.sharp && !padded.starts_with('0') => text.push('0'),
            'x' if flags.sharp => text.push_str("0x"),
            'X' if flags.sharp => text.push_str("0X"),
            _ => {}
        }
        text.push_str(&padded);
        self.pad_without_zeros(text.as_bytes());
    }

    fn float(&mut self, number: f64, verb: char, value: &Value) {
        let (format, default) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' | 'F' => (if verb == 'F' { 'f' } else { verb }, Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let text = self.float_text(number, format, self.flags.precision.or(default));
        self.signed_float(&text);
    }

    /// The text with a sign in front, `+` included.
    fn float_text(&self, number: f64, verb: char, precision: Option<usize>) -> String {
        let text = format_float(number, verb, precision);
        let mut text = if text.starts_with(['-', '+']) { text } else { format!("+{text}") };
        if self.flags.sharp && verb != 'b' && number.is_finite() {
            text = with_point(&text, verb, precision);
        }
        text
    }

    fn signed_float(&mut self, text: &str) {
        let flags = self.flags;
        let positive = text.starts_with('+');
        let digits = &text[1..];
        if digits.starts_with(['I', 'N']) {
            let text = match (positive, flags.plus, flags.space) {
                (true, true, _) | (false, ..) => text.to_owned(),
                (true, false, true) => format!(" {digits}"),
                (true, false, false) if digits.starts_with('N') => digits.to_owned(),
                (true, false, false) => text.to_owned(),
            };
            self.pad_without_zeros(text.as_bytes());
            return;
        }
        let sign = match (positive, flags.plus, flags.space) {
            (true, true, _) => "+",
            (true, false, true) => " ",
            (true, false, false) => "",
            (false, ..) => "-",
        };
        let width = flags.width.unwrap_or(0);
        if flags.zero && !flags.minus && width > digits.len() + 1 && !sign.is_empty() {
            self.out.extend_from_slice(sign.as_bytes());
            self.fill(width - digits.len() - 1);
            self.out.extend_from_slice(digits.as_bytes());
            return;
        }
        self.pad(format!("{sign}{digits}").as_bytes());
    }

    fn complex(&mut self, real: f64, imaginary: f64, verb: char, value: &Value) {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return self.bad_verb(value, verb);
        }
        let plus = self.flags.plus;
        self.out.push(b'(');
        self.float(real, verb, value);
        self.flags.plus = true;
        self.float(imaginary, verb, value);
        self.out.extend_from_slice(b"i)");
        self.flags.plus = plus;
    }
}

/// `%#g` and the like: always a point, and no zeros dropped.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let tail_at = if matches!(verb, 'x' | 'X') { text.find(['p', 'P']) } else { text.find(['e', 'E']) };
    let (number, tail) = text.split_at(tail_at.unwrap_or(text.len()));
    let mut digits = if matches!(verb, 'g' | 'G' | 'x' | 'X') { precision.unwrap_or(6) } else { 0 };
    let mut nonzero = false;
    for character in number.chars().skip(1).filter(|&character| character != '.') {
        nonzero |= character != '0';
        if nonzero {
            digits = digits.saturating_sub(1);
        }
    }
    let mut out = number.to_owned();
    if !out.contains('.') {
        if out.len() == 2 && out.ends_with('0') {
            digits = digits.saturating_sub(1);
        }
        out.push('.');
    }
    out.push_str(&"0".repeat(digits));
    out.push_str(tail);
    out
}
