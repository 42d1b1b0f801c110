//! Cuts a list answer into its items while it arrives, so that a list of any length needs the memory of one
//! item.

/// No single object is larger: etcd takes a few megabytes at most.
const LARGEST_ITEM: usize = 64 << 20;
/// What surrounds the items is small: kind, metadata, a continue token.
const LARGEST_ENVELOPE: usize = 1 << 20;

/// Feeds on chunks of `{"kind":…,"metadata":…,"items":[…]}` and gives each item's bytes as soon as its last
/// byte is there. Members may come in any order.
#[derive(Debug, Default)]
pub struct ItemSplitter {
    /// Everything but the items, as JSON with an empty list.
    envelope: Vec<u8>,
    item: Vec<u8>,
    place: Place,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Where the last string directly inside the outermost object began and ended, in `envelope`.
    name: (usize, usize),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Outside the list of items.
    #[default]
    Envelope,
    /// After `"items":`.
    BeforeList,
    /// Between two items.
    List,
    /// Inside an item.
    Item,
}

impl ItemSplitter {
    /// Takes the next bytes; `each` gets every item that is complete with them.
    pub fn push(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), &'static str> {
        for &byte in chunk {
            match self.place {
                Place::Item => {
                    self.item.push(byte);
                    if self.item.len() > LARGEST_ITEM {
                        return Err("an item is too large");
                    }
                    self.step(byte);
                    if self.depth == 0 {
                        each(&self.item);
                        self.item.clear();
                        self.place = Place::List;
                    }
                }
                Place::List => match byte {
                    b'{' => {
                        self.item.push(byte);
                        self.depth = 1;
                        self.place = Place::Item;
                    }
                    b']' => {
                        self.envelope.push(byte);
                        self.depth = 1;
                        self.place = Place::Envelope;
                    }
                    b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
                    _ => return Err("an item is not an object"),
                },
                Place::BeforeList | Place::Envelope => self.outside(byte)?,
            }
        }
        Ok(())
    }

    /// Ends the input and gives what surrounded the items.
    pub fn finish(self) -> Result<Vec<u8>, &'static str> {
        let complete = self.place == Place::Envelope && self.depth == 0 && !self.envelope.is_empty();
        if complete { Ok(self.envelope) } else { Err("the list ends in the middle") }
    }

    fn outside(&mut self, byte: u8) -> Result<(), &'static str> {
        if self.envelope.len() >= LARGEST_ENVELOPE {
            return Err("the list's metadata is too large");
        }
        let at = self.envelope.len();
        self.envelope.push(byte);
        if self.place == Place::BeforeList && !byte.is_ascii_whitespace() {
            self.place = if byte == b'[' { Place::List } else { Place::Envelope };
            if self.place == Place::List {
                return Ok(());
            }
        }
        let (was_in_string, top) = (self.in_string, self.depth == 1);
        self.step(byte);
        match (was_in_string, self.in_string) {
            (false, true) if top => self.name.0 = at + 1,
            (true, false) if top => self.name.1 = at,
            (false, false) if top && byte == b':' => {
                let (start, end) = self.name;
                if self.envelope.get(start..end) == Some(b"items") {
                    self.place = Place::BeforeList;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn split(text: &str, size: usize) -> Result<(Vec<Value>, Value), &'static str> {
        let mut splitter = ItemSplitter::default();
        let mut items = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            splitter.push(chunk, |item| items.push(serde_json::from_slice(item).unwrap()))?;
        }
        Ok((items, serde_json::from_slice(&splitter.finish()?).unwrap()))
    }

    #[test]
    fn items_come_whole_whatever_the_chunks() {
        let list = json!({
            "metadata": {"resourceVersion": "7", "continue": "items\":[", "items": [1]},
            "items": [{"a": "}]{\"\\", "items": [{}]}, {"b": {"c": []}}],
            "kind": "List",
        });
        for text in [list.to_string(), serde_json::to_string_pretty(&list).unwrap()] {
            for size in [1, 2, 3, 7, 1000] {
                let (items, envelope) = split(&text, size).unwrap();
                assert_eq!(Value::Array(items), list["items"]);
                assert_eq!(envelope["metadata"], list["metadata"]);
                assert_eq!(envelope["items"], json!([]));
                assert_eq!(envelope["kind"], "List");
            }
        }
    }

    #[test]
    fn an_empty_or_absent_list_has_no_items() {
        for text in [r#"{"items":[],"metadata":{}}"#, r#"{"items":null,"metadata":{}}"#, r#"{"metadata":{}}"#]
        {
            assert_eq!(split(text, 3).unwrap().0, Vec::<Value>::new());
        }
    }

    #[test]
    fn a_cut_list_is_an_error() {
        for text in [r#"{"items":[{"a":1}"#, r#"{"items":[{"a":"#, r#"{"items""#, "", "{"] {
            assert!(split(text, 2).is_err(), "{text}");
        }
    }
}
