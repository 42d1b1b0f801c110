//! The resource tree as text.

use std::collections::BTreeMap;

use api::v1alpha1::ResourceNode;
use jiff::Timestamp;

use crate::output::moment;
use crate::output::states::State;
use crate::output::table::Table;

/// One node with the branches drawn before it.
pub(crate) struct Branch<'n> {
    pub(crate) prefix: String,
    pub(crate) node: &'n ResourceNode,
}

/// The nodes in the order of the picture: roots as they come, below each its children.
pub(crate) fn branches(nodes: &[ResourceNode]) -> Vec<Branch<'_>> {
    let mut children: BTreeMap<&str, Vec<&ResourceNode>> = BTreeMap::new();
    for node in nodes {
        if let Some(parent) = node.parent_refs.first() {
            children.entry(parent.uid.as_str()).or_default().push(node);
        }
    }
    let mut drawn = Vec::new();
    for root in nodes.iter().filter(|node| node.parent_refs.is_empty()) {
        draw(root, &mut Vec::new(), &children, &mut drawn);
    }
    drawn
}

/// `lasts` says for each level whether the node there is the last of its siblings.
fn draw<'n>(
    node: &'n ResourceNode,
    lasts: &mut Vec<bool>,
    children: &BTreeMap<&str, Vec<&'n ResourceNode>>,
    drawn: &mut Vec<Branch<'n>>,
) {
    let mut prefix = String::new();
    for (level, last) in lasts.iter().enumerate() {
        prefix += match (level + 1 == lasts.len(), last) {
            (true, true) => "└─",
            (true, false) => "├─",
            (false, true) => "  ",
            (false, false) => "│ ",
        };
    }
    drawn.push(Branch { prefix, node });
    // A parent that is its own child, or a cycle, must not hang the CLI.
    if lasts.len() >= 100 {
        return;
    }
    let below = children.get(node.resource_ref.uid.as_str()).map_or(&[][..], Vec::as_slice);
    for (index, child) in below.iter().enumerate() {
        lasts.push(index + 1 == below.len());
        draw(child, lasts, children, drawn);
        lasts.pop();
    }
}

/// The tree of `app get -o tree`.
pub(crate) fn of_application(nodes: &[ResourceNode], states: &[State], now: Option<Timestamp>) -> String {
    let mut table = Table::new();
    match now {
        None => table.row(&["KIND/NAME", "STATUS", "HEALTH", "MESSAGE"]),
        Some(_) => table.row(&["KIND/NAME", "STATUS", "HEALTH", "AGE", "MESSAGE", "REASON"]),
    }
    for branch in branches(nodes) {
        let node = branch.node;
        let of = &node.resource_ref;
        let name = format!("{}{}/{}", branch.prefix, of.kind, of.name);
        let own_health = node.health.as_ref().map(|health| health.status.clone()).unwrap_or_default();
        let reason = node.health.as_ref().map(|health| health.message.clone()).unwrap_or_default();
        let state = states.iter().rev().find(|state| state.kind == of.kind && state.name == of.name);
        let (status, health, message) = match state {
            Some(state) => (state.status.as_str(), state.health.as_str(), state.message.as_str()),
            None => ("", own_health.as_str(), ""),
        };
        match now {
            None => table.row(&[&name, status, health, message]),
            Some(now) => {
                let age = moment::age(node.created_at.as_ref(), now);
                table.row(&[&name, status, health, &age, message, &reason]);
            }
        }
    }
    table.finish()
}

/// Adds the lines of `app resources --output tree` to a table.
pub(crate) fn rows(table: &mut Table, nodes: &[ResourceNode], orphaned: &str, now: Option<Timestamp>) {
    for branch in branches(nodes) {
        let node = branch.node;
        let of = &node.resource_ref;
        let group = format!("{}{}", branch.prefix, of.group);
        let mut cells =
            vec![group, of.kind.clone(), of.namespace.clone(), of.name.clone(), orphaned.to_owned()];
        if let Some(now) = now {
            cells.push(moment::age(node.created_at.as_ref(), now));
            cells.push(node.health.as_ref().map(|health| health.status.clone()).unwrap_or_default());
            cells.push(node.health.as_ref().map(|health| health.message.clone()).unwrap_or_default());
        }
        table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
