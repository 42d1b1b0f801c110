//! Tar archives in memory: what one holds, a tree made of it, and one made of files. Knows no charts, no registries
//! and no file system.

mod members;
mod pack;
mod unpack;

pub use members::{Kind, Member, Members};
pub use pack::Packer;
pub use unpack::{Limits, gunzip, unpack, unpack_folder};

/// Why an archive cannot be taken. All are facts about the archive: asking again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The compression is broken.
    #[error("gzip: {0}")]
    Gzip(String),
    /// The headers cannot be read.
    #[error("archive/tar: invalid tar header")]
    Header,
    /// It ends in the middle of a member.
    #[error("unexpected EOF")]
    Cut,
    /// It holds more than it may.
    #[error("the archive holds more than the limit of {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A name that leads out of the archive. The text up to the name is the original's.
    #[error("illegal filepath in archive: {0}")]
    IllegalName(String),
    /// A link that leads out of the archive. The text up to the name is the original's.
    #[error("illegal filepath in symlink: {0}")]
    IllegalLink(String),
    /// There is not one folder that holds everything. The text is the original's.
    #[error("expected 1 directory, found {0}")]
    Folders(usize),
    /// A hard link to nothing.
    #[error("{name}: hard link to {target}, which is not in the archive before it")]
    DanglingHardLink {
        /// The link.
        name: String,
        /// What it names.
        target: String,
    },
    /// A sort of member this program does not read.
    #[error("{0}: sparse files are not supported")]
    Sparse(String),
    /// It lies beneath a file or a link.
    #[error("{0}: lies beneath a member that is no folder")]
    Misplaced(String),
}
