//! Removing by JSON pointer, as a JSON patch's `remove` does.

use serde_json::Value;

/// A parsed pointer.
#[derive(Debug)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// What stands before the first `/` counts for nothing.
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
    }

    /// Removes the value, where there is one.
    pub(crate) fn remove(&self, value: &mut Value) {
        let Some((last, parents)) = self.0.split_last() else { return };
        let mut current = value;
        for name in parents {
            let next = match current {
                Value::Object(members) => members.get_mut(name),
                Value::Array(items) => index(name, items.len()).and_then(|at| items.get_mut(at)),
                _ => None,
            };
            match next {
                Some(next) => current = next,
                None => return,
            }
        }
        match current {
            Value::Object(members) => {
                members.remove(last);
            }
            Value::Array(items) => {
                if let Some(at) = index(last, items.len()) {
                    items.remove(at);
                }
            }
            _ => {}
        }
    }
}

/// A position in a list; negative ones count from the end.
fn index(text: &str, length: usize) -> Option<usize> {
    let at: i64 = text.parse().ok()?;
    let at = if at < 0 { at + i64::try_from(length).ok()? } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}
