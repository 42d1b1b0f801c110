//! An archive as a tree.

use crate::{ArchiveError, Kind, Member, Members};
use bytes::Bytes;
use source_tree::{MemoryTree, MemoryTreeBuilder, TreePath};
use std::collections::BTreeMap;
use std::io::Read as _;

/// What an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes once the compression is taken off, headers among them.
    pub bytes: u64,
    /// Members.
    pub members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1_000_000_000, members: 200_000 }
    }
}

/// Takes the compression off; ends when more than the limit comes out.
pub fn gunzip(packed: &[u8], limit: u64) -> Result<Bytes, ArchiveError> {
    let mut unpacked = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(packed);
    let read = decoder.take(limit.saturating_add(1)).read_to_end(&mut unpacked);
    read.map_err(|error| ArchiveError::Gzip(error.to_string()))?;
    if unpacked.len() as u64 > limit {
        return Err(ArchiveError::TooLarge { what: "bytes unpacked", limit });
    }
    Ok(Bytes::from(unpacked))
}

/// The tree an archive holds; `packed` says whether gzip was used.
pub fn unpack(archive: Bytes, packed: bool, limits: Limits) -> Result<MemoryTree, ArchiveError> {
    let mut builder = MemoryTree::builder();
    let mut files = BTreeMap::new();
    for (path, member) in members(archive, packed, limits)? {
        builder = add(builder, &mut files, path, member)?;
    }
    builder.build().map_err(|error| ArchiveError::Misplaced(error.path.to_string()))
}

/// The tree of the one folder that an archive holds, as charts are packed: the one of that name, else the only one.
pub fn unpack_folder(
    archive: Bytes,
    packed: bool,
    limits: Limits,
    name: Option<&str>,
) -> Result<MemoryTree, ArchiveError> {
    let members = members(archive, packed, limits)?;
    let top = |path: &TreePath| path.components().next().unwrap_or_default().to_owned();
    let mut folders: Vec<String> =
        members.iter().map(|(path, _)| top(path)).filter(|name| !name.is_empty()).collect();
    folders.sort_unstable();
    folders.dedup();
    let folder = match (name.filter(|name| folders.iter().any(|folder| folder == name)), folders.as_slice()) {
        (Some(named), _) => named,
        (None, [only]) => only,
        (None, several) => return Err(ArchiveError::Folders(several.len())),
    };
    let folder = TreePath::parse(folder).map_err(|_| ArchiveError::IllegalName(folder.to_owned()))?;
    let mut builder = MemoryTree::builder();
    let mut files = BTreeMap::new();
    for (path, member) in members {
        // What lies beside the folder is none of the chart's.
        let Some(inner) = path.strip_prefix(&folder) else { continue };
        let inner = TreePath::parse(inner).map_err(|_| ArchiveError::IllegalName(path.to_string()))?;
        let member = match member.kind {
            Kind::HardLink { target } => {
                let inner = target.trim_start_matches("./").strip_prefix(folder.as_str()).unwrap_or(&target);
                let target = inner.trim_start_matches('/').to_owned();
                Member { kind: Kind::HardLink { target }, ..member }
            }
            kind => Member { kind, ..member },
        };
        builder = add(builder, &mut files, inner, member)?;
    }
    builder.build().map_err(|error| ArchiveError::Misplaced(error.path.to_string()))
}

/// The members with their places, none of which is outside.
fn members(archive: Bytes, packed: bool, limits: Limits) -> Result<Vec<(TreePath, Member)>, ArchiveError> {
    let archive = if packed { gunzip(&archive, limits.bytes)? } else { archive };
    if archive.len() as u64 > limits.bytes {
        return Err(ArchiveError::TooLarge { what: "bytes unpacked", limit: limits.bytes });
    }
    let mut members = Vec::new();
    for member in Members::new(archive) {
        if members.len() >= limits.members {
            return Err(ArchiveError::TooLarge { what: "members", limit: limits.members as u64 });
        }
        let member = member?;
        let path =
            TreePath::parse(&member.name).map_err(|_| ArchiveError::IllegalName(member.name.clone()))?;
        members.push((path, member));
    }
    Ok(members)
}

/// Files by path, for hard links to them.
type Files = BTreeMap<TreePath, (bool, Bytes)>;

fn add(
    builder: MemoryTreeBuilder,
    files: &mut Files,
    path: TreePath,
    member: Member,
) -> Result<MemoryTreeBuilder, ArchiveError> {
    let Member { name, kind, data } = member;
    let (executable, data) = match kind {
        Kind::Folder | Kind::Other => return Ok(builder),
        Kind::Sparse => return Err(ArchiveError::Sparse(name)),
        Kind::Link { target } => {
            let illegal = || ArchiveError::IllegalLink(format!("{name} -> {target}"));
            let folder = path.parent().ok_or_else(illegal)?;
            folder.join(&target).map_err(|_| illegal())?;
            return Ok(builder.link(path, target));
        }
        Kind::HardLink { target } => {
            let found = TreePath::parse(&target).ok().and_then(|target| files.get(&target));
            found.cloned().ok_or(ArchiveError::DanglingHardLink { name: name.clone(), target })?
        }
        Kind::File { executable } => (executable, data),
    };
    if path.is_root() {
        return Err(ArchiveError::IllegalName(name));
    }
    files.insert(path.clone(), (executable, data.clone()));
    Ok(if executable { builder.executable(path, data) } else { builder.file(path, data) })
}
