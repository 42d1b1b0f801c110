//! Protobuf's wire format: reading fields from untrusted bytes, appending fields to a buffer.

/// What can be wrong with a message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedMessage {
    /// The bytes end in the middle of a field.
    #[error("message ends inside a field")]
    Truncated,
    /// A varint of more than ten bytes.
    #[error("varint is too long")]
    Varint,
    /// A field number that is zero, or a wire type that does not exist.
    #[error("invalid field tag")]
    Tag,
    /// A known field with a wire type that its type cannot have.
    #[error("field {0} has the wrong wire type")]
    WireType(u32),
    /// Messages inside messages beyond the limit.
    #[error("messages are nested too deeply")]
    Depth,
    /// A field that holds JSON text holds something else.
    #[error("embedded JSON is not valid: {0}")]
    Json(super::scan::SyntaxError),
}

/// The value of one field as it is on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64,
    Bytes(&'a [u8]),
    Fixed32,
}

/// Reads the fields of one message.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are left to read.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn varint(&mut self) -> Result<u64, MalformedMessage> {
        let mut value = 0u64;
        for index in 0..10 {
            let byte = *self.bytes.get(index).ok_or(MalformedMessage::Truncated)?;
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.bytes = &self.bytes[index + 1..];
                return Ok(value);
            }
        }
        Err(MalformedMessage::Varint)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], MalformedMessage> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(MalformedMessage::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// The next field's number and value; groups, which nobody sends any more, are stepped over.
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, MalformedMessage> {
        let mut open_groups = 0u32;
        while !self.bytes.is_empty() {
            let tag = self.varint()?;
            let number = u32::try_from(tag >> 3).map_err(|_| MalformedMessage::Tag)?;
            if number == 0 {
                return Err(MalformedMessage::Tag);
            }
            let value = match tag & 7 {
                0 => Value::Varint(self.varint()?),
                1 => self.take(8).map(|_| Value::Fixed64)?,
                2 => {
                    let length = usize::try_from(self.varint()?).map_err(|_| MalformedMessage::Truncated)?;
                    Value::Bytes(self.take(length)?)
                }
                5 => self.take(4).map(|_| Value::Fixed32)?,
                3 => {
                    open_groups += 1;
                    continue;
                }
                4 => {
                    open_groups = open_groups.checked_sub(1).ok_or(MalformedMessage::Tag)?;
                    continue;
                }
                _ => return Err(MalformedMessage::Tag),
            };
            if open_groups == 0 {
                return Ok(Some((number, value)));
            }
        }
        if open_groups == 0 { Ok(None) } else { Err(MalformedMessage::Truncated) }
    }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field with a varint: integers, booleans and enums.
pub(crate) fn put_integer(out: &mut Vec<u8>, number: u32, value: i64) {
    put_varint(out, u64::from(number) << 3);
    put_varint(out, value as u64);
}

/// A field with a length: strings, bytes and messages.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Turns everything after `start` into the value of the length-delimited field `number`.
pub(crate) fn wrap(out: &mut Vec<u8>, number: u32, start: usize) {
    let mut head = Vec::with_capacity(8);
    put_varint(&mut head, u64::from(number) << 3 | 2);
    put_varint(&mut head, (out.len() - start) as u64);
    out.splice(start..start, head);
}
