//! The schema of Kubernetes v1.21.2 that the original carries, as tables written by `recorder`.

use super::{Definition, Field, Layer};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A line per definition: its name, the kinds it is for, and its fields: `oN` an object of definition N, `aN` a list
/// of such, `l` a list of scalars; `!keys` follows when elements merge.
const SCHEMA: &str = include_str!("builtin.txt");
/// A line per kind: API version, kind, `namespaced` or `cluster`.
const SCOPES: &str = include_str!("scopes.txt");

static LAYER: LazyLock<Arc<Layer>> = LazyLock::new(|| Arc::new(read()));
static NAMESPACED: LazyLock<HashMap<(&str, &str), bool>> = LazyLock::new(|| {
    SCOPES
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(((words.next()?, words.next()?), words.next()? == "namespaced"))
        })
        .collect()
});

pub(super) fn layer() -> Arc<Layer> {
    Arc::clone(&LAYER)
}

/// Whether a built-in kind has a namespace; nothing for other kinds.
pub(super) fn namespaced(api_version: &str, kind: &str) -> Option<bool> {
    NAMESPACED.get(&(api_version, kind)).copied()
}

fn read() -> Layer {
    let mut layer = Layer::default();
    for line in SCHEMA.lines() {
        let (head, fields) = line.split_once(':').unwrap_or((line, ""));
        let number = layer.definitions.len();
        let mut head = head.split(' ');
        if let Some(name) = head.next().filter(|name| *name != "-") {
            layer.names.insert(name.to_owned(), number);
        }
        for kind in head {
            if let Some((api_version, kind)) = kind.rsplit_once(',') {
                layer.kinds.insert((api_version.to_owned(), kind.to_owned()), number);
            }
        }
        let mut definition = Definition::default();
        for (name, text) in fields.split(' ').filter_map(|field| field.split_once('=')) {
            match name {
                "*" => definition.others = Some(field(text)),
                name => {
                    definition.fields.insert(name.to_owned(), field(text));
                }
            }
        }
        layer.definitions.push(definition);
    }
    layer
}

fn field(text: &str) -> Field {
    let (shape, keys) = match text.split_once('!') {
        Some((shape, keys)) => (shape, Some(keys)),
        None => (text, None),
    };
    let merge_keys =
        keys.map(|keys| keys.split(',').filter(|key| !key.is_empty()).map(ToOwned::to_owned).collect());
    Field { target: shape[1..].parse().ok(), list: !shape.starts_with('o'), merge_keys }
}
