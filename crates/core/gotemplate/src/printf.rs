//! `fmt.Sprintf`: the format and its operands.

use crate::print::{Flags, Printer};
use crate::text::first_char;
use crate::value::Value;

/// The largest width or precision Go accepts.
const LARGEST: usize = 1_000_000;

/// Prints operands by a format.
pub(crate) fn sprintf(format: &[u8], arguments: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(format.len() + 16);
    Formatter { format, arguments, at: 0, operand: 0, reordered: false, good: true }.run(&mut out);
    out
}

struct Formatter<'f> {
    format: &'f [u8],
    arguments: &'f [Value],
    at: usize,
    operand: usize,
    reordered: bool,
    good: bool,
}

impl Formatter<'_> {
    fn byte(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn run(&mut self, out: &mut Vec<u8>) {
        while let Some(rest) = self.format.get(self.at..).filter(|rest| !rest.is_empty()) {
            let text = rest.iter().position(|&byte| byte == b'%').unwrap_or(rest.len());
            out.extend_from_slice(&rest[..text]);
            self.at += text;
            if self.byte().is_none() {
                break;
            }
            self.at += 1;
            if !self.verb(out) {
                out.extend_from_slice(b"%!(NOVERB)");
                break;
            }
        }
        if !self.reordered && self.operand < self.arguments.len() {
            out.extend_from_slice(b"%!(EXTRA ");
            for (index, argument) in self.arguments[self.operand..].iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                if argument.is_nil() {
                    out.extend_from_slice(b"<nil>");
                } else {
                    out.extend_from_slice(argument.type_name().as_bytes());
                    out.push(b'=');
                    crate::print::write_plain(out, argument);
                }
            }
            out.push(b')');
        }
    }

    /// One directive; false when the format ends inside it.
    fn verb(&mut self, out: &mut Vec<u8>) -> bool {
        self.good = true;
        let mut flags = Flags::default();
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut after_index = self.index();
        if self.byte() == Some(b'*') {
            self.at += 1;
            flags.width = self.star(&mut flags, out, b"%!(BADWIDTH)");
            after_index = false;
        } else {
            flags.width = self.number();
            if after_index && flags.width.is_some() {
                self.good = false;
            }
        }
        if self.byte() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            if after_index {
                self.good = false;
            }
            after_index = self.index();
            if self.byte() == Some(b'*') {
                self.at += 1;
                let mut unused = Flags::default();
                let precision = self.star(&mut unused, out, b"%!(BADPREC)");
                flags.precision = precision.filter(|_| !unused.minus);
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        let Some(rest) = self.format.get(self.at..).filter(|rest| !rest.is_empty()) else { return false };
        let (verb, width) = first_char(rest);
        self.at += width;
        self.operand_by(verb, flags, out);
        true
    }

    fn operand_by(&mut self, verb: char, mut flags: Flags, out: &mut Vec<u8>) {
        let mut complain = |what: &str| {
            out.extend_from_slice(format!("%!{verb}({what})").as_bytes());
        };
        if verb == '%' {
            out.push(b'%');
            return;
        }
        if !self.good {
            complain("BADINDEX");
            return;
        }
        let Some(argument) = self.arguments.get(self.operand) else {
            complain("MISSING");
            return;
        };
        self.operand += 1;
        if verb == 'v' {
            flags.sharp_v = std::mem::replace(&mut flags.sharp, false);
            flags.plus_v = std::mem::replace(&mut flags.plus, false);
        }
        if verb == 'w' {
            // Only errors wrap; in a template there are none.
            complain_wrap(out, argument);
            return;
        }
        Printer { out, flags, erroring: false }.argument(argument, verb);
    }

    /// A width or precision taken from the operands.
    fn star(&mut self, flags: &mut Flags, out: &mut Vec<u8>, complaint: &[u8]) -> Option<usize> {
        let number = self.arguments.get(self.operand).and_then(Value::integer);
        self.operand += usize::from(self.operand < self.arguments.len());
        let size = number.and_then(|number| usize::try_from(number.unsigned_abs()).ok());
        match size.filter(|&size| size <= LARGEST) {
            Some(size) => {
                if number.is_some_and(|number| number < 0) {
                    flags.minus = true;
                    flags.zero = false;
                }
                Some(size)
            }
            None => {
                out.extend_from_slice(complaint);
                None
            }
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut number = 0_usize;
        while let Some(digit) = self.byte().filter(u8::is_ascii_digit) {
            number = number * 10 + usize::from(digit - b'0');
            self.at += 1;
            if number > LARGEST {
                return None;
            }
        }
        (self.at > start).then_some(number)
    }

    /// An index such as `[2]`.
    fn index(&mut self) -> bool {
        if self.byte() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let Some(end) = rest.iter().position(|&byte| byte == b']').filter(|_| rest.len() >= 3) else {
            self.good = false;
            self.at += 1;
            return false;
        };
        let inner = std::str::from_utf8(&rest[1..end]).ok();
        let number =
            inner.and_then(|text| text.parse::<usize>().ok()).filter(|_| !rest[1..].starts_with(b"+"));
        self.at += end + 1;
        match number {
            Some(index) if index >= 1 && index <= self.arguments.len() => {
                self.operand = index - 1;
                true
            }
            Some(_) => {
                self.good = false;
                true
            }
            None => {
                self.good = false;
                false
            }
        }
    }
}

fn complain_wrap(out: &mut Vec<u8>, argument: &Value) {
    out.extend_from_slice(b"%!w(");
    out.extend_from_slice(argument.type_name().as_bytes());
    out.push(b'=');
    crate::print::write_plain(out, argument);
    out.push(b')');
}
