//! What an archive holds, in its order: ustar, with the extensions of GNU and POSIX for long names.

use crate::ArchiveError;
use bytes::Bytes;

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path as written.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it holds.
    pub data: Bytes,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A folder.
    Folder,
    /// A symbolic link.
    Link {
        /// Where it leads.
        target: String,
    },
    /// Another name for a member before it.
    HardLink {
        /// That member.
        target: String,
    },
    /// A file with holes.
    Sparse,
    /// A device, a pipe, or what nobody has heard of.
    Other,
}

/// The members of an unpacked archive.
#[derive(Clone, Debug)]
pub struct Members {
    archive: Bytes,
    at: usize,
    long: Extended,
    failed: bool,
}

/// What an extended header says of the member after it.
#[derive(Clone, Debug, Default)]
struct Extended {
    name: Option<String>,
    target: Option<String>,
    size: Option<u64>,
}

const BLOCK: usize = 512;

impl Members {
    /// Reads an archive without compression.
    pub fn new(archive: Bytes) -> Self {
        Self { archive, at: 0, long: Extended::default(), failed: false }
    }

    fn read(&mut self) -> Result<Option<Member>, ArchiveError> {
        loop {
            let Some(header) = self.archive.get(self.at..self.at + BLOCK) else { return Ok(None) };
            if header.iter().all(|&byte| byte == 0) {
                return Ok(None);
            }
            let kind = header[156];
            let written = octal(&header[124..136]).ok_or(ArchiveError::Header)?;
            let about_next = matches!(kind, b'L' | b'K' | b'x' | b'g');
            let size = if about_next { written } else { self.long.size.take().unwrap_or(written) };
            let name = own_name(header);
            let target = String::from_utf8_lossy(field(header, 157, 100)).into_owned();
            let executable = octal(&header[100..108]).is_some_and(|mode| mode & 0o100 != 0);
            // Links and folders have a size in some archives, and no content.
            let held = if matches!(kind, b'1' | b'2' | b'5') { 0 } else { size };
            let length = usize::try_from(held).map_err(|_| ArchiveError::Header)?;
            let start = self.at + BLOCK;
            let end = start.checked_add(length).filter(|end| *end <= self.archive.len());
            let data = self.archive.slice(start..end.ok_or(ArchiveError::Cut)?);
            self.at = start + length.div_ceil(BLOCK) * BLOCK;
            match kind {
                b'L' => self.long.name = Some(text(&data)),
                b'K' => self.long.target = Some(text(&data)),
                b'x' => self.extend(&data),
                b'g' => {}
                _ => {
                    let long = std::mem::take(&mut self.long);
                    let name = long.name.unwrap_or(name);
                    let target = long.target.unwrap_or(target);
                    let kind = match kind {
                        // Archives before POSIX mark folders by a slash only.
                        0 | b'0' | b'7' if name.ends_with('/') => Kind::Folder,
                        0 | b'0' | b'7' => Kind::File { executable },
                        b'1' => Kind::HardLink { target },
                        b'2' => Kind::Link { target },
                        b'5' => Kind::Folder,
                        b'S' => Kind::Sparse,
                        _ => Kind::Other,
                    };
                    return Ok(Some(Member { name, kind, data }));
                }
            }
        }
    }

    /// Reads an extended header: records such as `30 path=a/b\n`.
    fn extend(&mut self, data: &[u8]) {
        let mut rest = data;
        while let Some((record, after)) = record(rest) {
            let value = |prefix: &str| record.strip_prefix(prefix.as_bytes()).map(text);
            if let Some(path) = value("path=") {
                self.long.name = Some(path);
            } else if let Some(target) = value("linkpath=") {
                self.long.target = Some(target);
            } else if let Some(size) = value("size=") {
                self.long.size = size.parse().ok();
            }
            rest = after;
        }
    }
}

impl Iterator for Members {
    type Item = Result<Member, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = self.read().transpose();
        self.failed = matches!(read, Some(Err(_)));
        read
    }
}

/// The first record of an extended header, and what follows it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = data.iter().position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&data[..space]).ok()?.parse().ok()?;
    let record = data.get(space + 1..length)?;
    Some((record.strip_suffix(b"\n").unwrap_or(record), &data[length..]))
}

fn own_name(header: &[u8]) -> String {
    let name = String::from_utf8_lossy(field(header, 0, 100)).into_owned();
    if header[257..262] == *b"ustar" && header[262] == 0 {
        let prefix = String::from_utf8_lossy(field(header, 345, 155));
        if !prefix.is_empty() {
            return format!("{prefix}/{name}");
        }
    }
    name
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(field(bytes, 0, bytes.len())).into_owned()
}

fn field(header: &[u8], from: usize, length: usize) -> &[u8] {
    let bytes = &header[from..from + length];
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(length);
    &bytes[..end]
}

fn octal(bytes: &[u8]) -> Option<u64> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        // Base 256, for sizes that octal digits cannot hold.
        return bytes[1..]
            .iter()
            .try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}
