//! The files of a tree as a `tar.gz`: packed with limits on one side, unpacked with limits on the other. Links are
//! judged on both.

use crate::PluginError;
use crate::pattern::{BadPattern, Pattern, Syntax};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use source_tree::{Kind, Tree, TreeError, TreePath};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

/// What an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files, folders and links.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 200_000, bytes: 1 << 30 }
    }
}

/// A packed tree, in a file that has no name.
#[derive(Debug)]
pub struct Archive {
    /// The `tar.gz`.
    pub file: File,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub checksum: String,
}

/// What is left out: patterns of paths.
#[derive(Clone, Debug, Default)]
pub struct Exclusions(Vec<Pattern>);

impl Exclusions {
    /// Reads patterns as `filepath.Match` takes them; the first that is none is the error.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, (String, BadPattern)> {
        let read =
            |text: &'a str| Pattern::parse(text, Syntax::Plain).map_err(|error| (text.to_owned(), error));
        Ok(Self(texts.into_iter().map(read).collect::<Result<_, _>>()?))
    }

    fn hold(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(path))
    }
}

/// Packs everything below the paths `include`, or the whole tree when there are none. Blocks.
pub fn pack(
    tree: &dyn Tree,
    include: &[TreePath],
    exclusions: &Exclusions,
    limits: Limits,
) -> Result<Archive, PluginError> {
    let file = tempfile::tempfile().map_err(system("make a file for the plugin's files"))?;
    let sink = Hashing { file: BufWriter::new(file), hash: Sha256::new(), bytes: 0 };
    let builder = tar::Builder::new(GzEncoder::new(sink, Compression::fast()));
    let mut packer = Packer { tree, exclusions, limits, builder, seen: BTreeSet::new(), files: 0, bytes: 0 };
    let root = [TreePath::root()];
    for path in if include.is_empty() { &root[..] } else { include } {
        match tree.entry(path)? {
            Some(entry) if entry.kind == Kind::Directory => packer.folder(path)?,
            Some(entry) => packer.entry(path, entry.kind)?,
            None => {}
        }
    }
    if packer.files == 0 {
        let folder = include.first().map_or_else(|| ".".to_owned(), ToString::to_string);
        return Err(PluginError::Nothing { folder });
    }
    let finish = || {
        let sink = packer.builder.into_inner()?.finish()?;
        let mut file = sink.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok((file, sink.hash, sink.bytes))
    };
    let (file, hash, bytes) = finish().map_err(system("write the plugin's files"))?;
    let checksum = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Archive { file, bytes, checksum })
}

fn system(what: &'static str) -> impl Fn(io::Error) -> PluginError {
    move |error| PluginError::System { what, cause: error.to_string() }
}

struct Hashing {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.file.write(data)?;
        self.hash.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Packer<'a> {
    tree: &'a dyn Tree,
    exclusions: &'a Exclusions,
    limits: Limits,
    builder: tar::Builder<GzEncoder<Hashing>>,
    seen: BTreeSet<TreePath>,
    files: u64,
    bytes: u64,
}

impl Packer<'_> {
    /// The folders below are walked without recursion: a tree can be deeper than a stack.
    fn folder(&mut self, top: &TreePath) -> Result<(), PluginError> {
        let mut waiting = vec![top.clone()];
        while let Some(folder) = waiting.pop() {
            if !folder.is_root() {
                if self.exclusions.hold(folder.as_str()) || !self.count(&folder)? {
                    continue;
                }
                let path = format!("{folder}/");
                self.append(&path, tar::EntryType::Directory, 0o755, &[])?;
            }
            for entry in self.tree.list(&folder)?.iter().rev() {
                let path = folder.child(&entry.name);
                match entry.kind {
                    Kind::Directory => waiting.push(path),
                    kind => self.entry(&path, kind)?,
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &TreePath, kind: Kind) -> Result<(), PluginError> {
        if self.exclusions.hold(path.as_str()) || !self.count(path)? {
            return Ok(());
        }
        if kind == Kind::Link {
            return self.link(path);
        }
        let content = self.tree.read(path)?;
        self.bytes += content.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(PluginError::TooMuch { what: "the files' bytes", limit: self.limits.bytes });
        }
        self.files += 1;
        let mode = if kind == Kind::Executable { 0o755 } else { 0o644 };
        self.append(path.as_str(), tar::EntryType::Regular, mode, &content)
    }

    /// A link is sent with the place it really leads to; one that leads nowhere is left out, one that leads out of
    /// the tree refused.
    fn link(&mut self, path: &TreePath) -> Result<(), PluginError> {
        let Some(target) = self.tree.entry(path)? else { return Ok(()) };
        let from = path.parent().unwrap_or_else(TreePath::root);
        let target = relative(&from, &target.path);
        let mut header = header(tar::EntryType::Symlink, 0o777, 0);
        self.builder
            .append_link(&mut header, path.as_str(), target)
            .map_err(system("write the plugin's files"))
    }

    fn append(
        &mut self,
        path: &str,
        kind: tar::EntryType,
        mode: u32,
        content: &[u8],
    ) -> Result<(), PluginError> {
        let mut header = header(kind, mode, content.len() as u64);
        self.builder.append_data(&mut header, path, content).map_err(system("write the plugin's files"))
    }

    /// Whether the path was not there yet.
    fn count(&mut self, path: &TreePath) -> Result<bool, PluginError> {
        let new = self.seen.insert(path.clone());
        if self.seen.len() as u64 > self.limits.entries {
            return Err(PluginError::TooMuch { what: "the files", limit: self.limits.entries });
        }
        Ok(new)
    }
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header
}

/// The way from a folder to a path of the same tree.
fn relative(from: &TreePath, to: &TreePath) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&to[shared..]);
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be read, or a file cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A path, or where a link leads, is not below the folder.
    #[error("illegal filepath in archive: {0}")]
    Outside(String),
    /// A link leads out of the tree. The words are those of a tree.
    #[error("{0}")]
    Link(TreeError),
    /// There is more than the limits allow.
    #[error("the archive holds more than {0}")]
    TooMuch(String),
}

/// Unpacks an archive into an empty folder. Files are made first and links at the end, so that nothing is written
/// through a link. Without `modes`, no file is executable. Blocks.
pub fn unpack(archive: impl Read, folder: &Path, modes: bool, limits: Limits) -> Result<(), UnpackError> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let (mut entries, mut bytes) = (0, 0);
    let mut links = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        entries += 1;
        if entries > limits.entries {
            return Err(UnpackError::TooMuch(format!("{} files", limits.entries)));
        }
        let path = inside(&entry.path()?)?;
        let target = folder.join(&path);
        match entry.header().entry_type() {
            tar::EntryType::Directory => fs::create_dir_all(&target)?,
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                bytes += entry.size();
                if bytes > limits.bytes {
                    return Err(UnpackError::TooMuch(format!("{} bytes", limits.bytes)));
                }
                let mode = if modes { entry.header().mode()? & 0o777 } else { 0o644 };
                make_parent(&target)?;
                let mut options = OpenOptions::new();
                let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&target)?;
                io::copy(&mut entry, &mut file)?;
            }
            tar::EntryType::Symlink => {
                let leads = entry.link_name()?.map(Cow::into_owned).unwrap_or_default();
                links.push((path, leads));
            }
            // Global headers say nothing of files.
            tar::EntryType::XGlobalHeader => {}
            _ => return Err(UnpackError::Outside(path.display().to_string())),
        }
    }
    make_links(&links, folder)
}

fn make_links(links: &[(PathBuf, PathBuf)], folder: &Path) -> Result<(), UnpackError> {
    let outside = |path: &Path| {
        let link = TreePath::parse(&path.to_string_lossy()).unwrap_or_else(|_| TreePath::root());
        UnpackError::Link(TreeError::OutOfBounds { link })
    };
    for (path, leads) in links {
        if !stays_inside(path, leads) {
            return Err(outside(path));
        }
        // Parents are made before any link is, so none of them is made behind one.
        make_parent(&folder.join(path))?;
    }
    for (path, leads) in links {
        std::os::unix::fs::symlink(leads, folder.join(path))?;
    }
    // By its text a link may stay inside and still climb out through another one.
    let real = folder.canonicalize()?;
    for (path, _) in links {
        if folder.join(path).canonicalize().is_ok_and(|place| !place.starts_with(&real)) {
            return Err(outside(path));
        }
    }
    Ok(())
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// The path without `.`, if it stays below.
fn inside(path: &Path) -> Result<PathBuf, UnpackError> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            _ => return Err(UnpackError::Outside(path.display().to_string())),
        }
    }
    Ok(clean)
}

/// Whether a link's text leads to something below the folder.
fn stays_inside(link: &Path, leads: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for part in leads.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}
