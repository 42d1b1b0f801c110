//! Following symbolic links inside a tree: the one place that decides where a link may lead.
//!
//! A tree states its [`Nodes`] and answers [`crate::Tree`] with the four functions here.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{ContentId, DirEntry, Entry, Kind, TreeError, TreePath};

/// Links followed for one path before it counts as a loop; Linux allows as many.
pub const MOST_HOPS: usize = 40;

/// What lies where when links are not followed.
pub trait Nodes {
    /// What lies at exactly this path. A path through a link or a file has no node.
    fn node(&self, path: &TreePath) -> Result<Option<Node>, TreeError>;

    /// The entries of the folder at exactly this path, by name.
    fn children(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError>;

    /// The bytes of the file, or the target of the link, at exactly this path.
    fn content(&self, path: &TreePath) -> Result<Bytes, TreeError>;
}

/// One node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// What it holds, for a folder everything beneath it.
    pub id: ContentId,
}

/// Answers [`crate::Tree::entry`].
pub fn entry(nodes: &impl Nodes, path: &TreePath) -> Result<Option<Entry>, TreeError> {
    Ok(follow(nodes, path)?.map(|(path, node)| Entry { path, kind: node.kind }))
}

/// Answers [`crate::Tree::list`].
pub fn list(nodes: &impl Nodes, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
    match follow(nodes, directory)? {
        None => Err(TreeError::NotFound { path: directory.clone() }),
        Some((path, node)) if node.kind == Kind::Directory => nodes.children(&path),
        Some(_) => Err(TreeError::NotADirectory { path: directory.clone() }),
    }
}

/// Answers [`crate::Tree::read`].
pub fn read(nodes: &impl Nodes, path: &TreePath) -> Result<Bytes, TreeError> {
    match follow(nodes, path)? {
        None => Err(TreeError::NotFound { path: path.clone() }),
        Some((place, node)) if node.kind.is_file() => nodes.content(&place),
        Some(_) => Err(TreeError::NotAFile { path: path.clone() }),
    }
}

/// Answers [`crate::Tree::content_id`].
pub fn content_id(nodes: &impl Nodes, path: &TreePath) -> Result<Option<ContentId>, TreeError> {
    Ok(follow(nodes, path)?.map(|(_, node)| node.id))
}

/// Where `path` really lies and what is there.
fn follow(nodes: &impl Nodes, path: &TreePath) -> Result<Option<(TreePath, Node)>, TreeError> {
    if let Some(node) = nodes.node(path)?
        && node.kind != Kind::Link
    {
        return Ok(Some((path.clone(), node)));
    }
    // Each part carries the link it came from: that one is to blame when it climbs out.
    let mut ahead: VecDeque<(String, TreePath)> =
        path.components().map(|part| (part.to_owned(), path.clone())).collect();
    let mut place = TreePath::root();
    let mut last = nodes.node(&place)?;
    let mut hops = 0;
    while let Some((part, link)) = ahead.pop_front() {
        if part == ".." {
            place = place.parent().ok_or(TreeError::OutOfBounds { link })?;
            last = nodes.node(&place)?;
            continue;
        }
        let next = place.child(&part);
        let Some(node) = nodes.node(&next)? else { return Ok(None) };
        if node.kind != Kind::Link {
            place = next;
            last = Some(node);
            continue;
        }
        hops += 1;
        if hops > MOST_HOPS {
            return Err(TreeError::LinkLoop { path: path.clone() });
        }
        let target = target(nodes, &next)?;
        for part in target.split('/').rev().filter(|part| !matches!(*part, "" | ".")) {
            ahead.push_front((part.to_owned(), next.clone()));
        }
    }
    Ok(last.map(|node| (place, node)))
}

fn target(nodes: &impl Nodes, link: &TreePath) -> Result<String, TreeError> {
    let out_of_bounds = || TreeError::OutOfBounds { link: link.clone() };
    let target = String::from_utf8(nodes.content(link)?.into()).map_err(|_| out_of_bounds())?;
    if target.starts_with('/') || target.contains('\0') { Err(out_of_bounds()) } else { Ok(target) }
}
