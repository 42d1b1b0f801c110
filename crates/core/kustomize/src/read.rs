//! From the text of a file to resources: documents apart, lists taken apart, what is no resource refused.

use crate::error::{Error, Result, Within as _};
use crate::node::{Content, Node, parse};
use crate::resource::Resource;
use serde_json::Value;
use std::collections::VecDeque;

/// Nested `List`s taken apart.
const MOST_LISTS: usize = 100_000;

/// The resources of a text.
pub(crate) fn resources(text: &[u8]) -> Result<Vec<Resource>> {
    let nodes = without_empty(documents(text)?)?;
    Ok(without_lists(nodes)?.into_iter().map(Resource::new).collect())
}

/// The documents of a text, those of a `List` each for itself.
pub(crate) fn documents(text: &[u8]) -> Result<Vec<Node>> {
    let text = std::str::from_utf8(text)
        .map_err(|_| Error::invalid("MalformedYAMLError: yaml: invalid leading UTF-8 octet"))?;
    let text =
        if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { std::borrow::Cow::from(text) };
    let pieces = split(&text)?;
    let alone = pieces.len() == 1;
    let mut nodes = Vec::new();
    for piece in pieces {
        let Some(node) = parse(piece)? else { continue };
        if node.is_null() {
            continue;
        }
        if alone { unwrap_list(node, &mut nodes) } else { nodes.push(node) }
    }
    Ok(nodes)
}

fn unwrap_list(mut node: Node, nodes: &mut Vec<Node>) {
    let kind = node.get("kind").map_or("", Node::text_value);
    let is_list = matches!(kind, "List" | "ResourceList");
    if !is_list || (node.get("items").is_none() && node.get("functionConfig").is_none()) {
        nodes.push(node);
        return;
    }
    if let Some(Node { content: Content::Sequence(items), .. }) = node.get_mut("items") {
        nodes.append(items);
    }
}

/// Documents end before a line that starts with `---`; the text of that line must be a comment.
fn split(text: &str) -> Result<Vec<&str>> {
    let mut pieces = Vec::new();
    if text.is_empty() {
        return Ok(pieces);
    }
    let mut start = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find("\n---").map(|at| from + at) {
        let Some(end) = text[at + 4..].find('\n').map(|end| at + 4 + end) else { break };
        let rest = text[at + 4..end].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(Error::invalid(format!("invalid document separator: ---{rest}")));
        }
        // The line break before the separator belongs to the document.
        pieces.push(&text[start..=at.max(start)]);
        start = end + 1;
        from = start;
    }
    pieces.push(&text[start..]);
    Ok(pieces)
}

fn without_empty(nodes: Vec<Node>) -> Result<Vec<Node>> {
    let mut result = Vec::with_capacity(nodes.len());
    for node in nodes {
        if !node.is_nothing() {
            check_metadata(&node)?;
            result.push(node);
        }
    }
    Ok(result)
}

/// A resource has a kind and, unless it is a list, a name.
pub(crate) fn check_metadata(node: &Node) -> Result<()> {
    let some = |node: Option<&Node>| node.is_some_and(|node| !node.is_nothing());
    let metadata = node.get("metadata").filter(|metadata| !metadata.is_nothing());
    let in_metadata = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let anything = some(node.get("apiVersion"))
        || some(node.get("kind"))
        || ["name", "namespace", "labels", "annotations"].iter().any(|name| some(in_metadata(name)));
    if !anything {
        return Err(Error::invalid("missing Resource metadata"));
    }
    let kind = node.get("kind").map_or("", Node::text_value);
    if kind.is_empty() {
        return Err(Error::invalid(format!("missing kind in object {}", described(node))));
    }
    if kind.ends_with("List") {
        return Ok(());
    }
    if in_metadata("name").is_none_or(|name| name.is_nothing() || name.text().is_empty()) {
        return Err(Error::invalid(format!("missing metadata.name in object {}", described(node))));
    }
    Ok(())
}

/// The metadata as Go prints the struct.
fn described(node: &Node) -> String {
    let text = |node: Option<&Node>| node.map_or("", Node::text_value).to_owned();
    let metadata = node.get("metadata");
    let in_metadata = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let map = |name: &str| {
        let mut pairs: Vec<String> = in_metadata(name)
            .map_or(&[][..], Node::fields)
            .iter()
            .map(|(key, value)| format!("{}:{}", key.text, value.text_value()))
            .collect();
        pairs.sort();
        pairs.join(" ")
    };
    format!(
        "{{{{{} {}}} {{{{{} {}}} map[{}] map[{}]}}}}",
        text(node.get("apiVersion")),
        text(node.get("kind")),
        text(in_metadata("name")),
        text(in_metadata("namespace")),
        map("labels"),
        map("annotations")
    )
}

/// The elements of lists come after everything else.
fn without_lists(nodes: Vec<Node>) -> Result<Vec<Node>> {
    if !nodes.iter().any(|node| node.get("kind").is_some_and(|kind| kind.text().ends_with("List"))) {
        return Ok(nodes);
    }
    let mut queue = VecDeque::from(nodes);
    let mut result = Vec::new();
    let mut lists = 0;
    while let Some(node) = queue.pop_front() {
        let kind = node.get("kind").map_or("", Node::text);
        if !kind.ends_with("List") {
            result.push(node);
            continue;
        }
        lists += 1;
        if lists > MOST_LISTS {
            return Err(Error::limit(format!("more than the limit of {MOST_LISTS} lists in one file")));
        }
        let value = node.to_value().within(|| format!("trouble expanding list of {kind}"))?;
        match value.get("items") {
            None => result.push(node),
            Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                let mut inner = Vec::new();
                for item in items.iter().filter(|item| !item.is_null()) {
                    unwrap_list(Node::from_json_text(item), &mut inner);
                }
                queue.extend(without_empty(inner)?);
            }
            Some(_) => return Err(Error::invalid(format!("expected array in {kind}/items"))),
        }
    }
    Ok(result)
}

/// Names the file an error of reading it belongs to.
pub(crate) fn in_file(error: Error, path: &str) -> Error {
    let message = error.message().to_owned();
    match error {
        Error::Invalid { .. } if message.contains("error converting YAML to JSON") => {
            Error::invalid(format!("YAML file [{path}] encounters a format error.\n{message}\n"))
        }
        Error::Invalid { .. } if message.contains("MalformedYAMLError") => {
            Error::invalid(format!("{message} in File: {path}"))
        }
        other => other,
    }
}
