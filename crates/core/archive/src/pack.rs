//! An archive out of files.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

const BLOCK: usize = 512;
/// The longest name a header holds.
const LONGEST_NAME: usize = 100;

/// Writes an archive packed with gzip, member by member. The same members give the same bytes.
pub struct Packer<W: Write> {
    out: GzEncoder<W>,
}

impl<W: Write> Packer<W> {
    /// An archive that goes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: GzEncoder::new(out, Compression::default()) }
    }

    /// Adds a folder.
    pub fn folder(&mut self, path: &str) -> io::Result<()> {
        self.header(&format!("{}/", path.trim_end_matches('/')), b'5', 0o755, 0, "")
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, content: &[u8], executable: bool) -> io::Result<()> {
        let mode = if executable { 0o755 } else { 0o644 };
        self.header(path, b'0', mode, content.len(), "")?;
        self.padded(content)
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.header(path, b'2', 0o777, 0, target)
    }

    /// Ends the archive and gives back what it went to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.finish()
    }

    fn header(&mut self, name: &str, kind: u8, mode: u32, size: usize, target: &str) -> io::Result<()> {
        let mut records = String::new();
        if name.len() > LONGEST_NAME {
            records.push_str(&record("path", name));
        }
        if target.len() > LONGEST_NAME {
            records.push_str(&record("linkpath", target));
        }
        if !records.is_empty() {
            self.block("././@PaxHeader", b'x', 0o644, records.len(), "")?;
            self.padded(records.as_bytes())?;
        }
        self.block(name, kind, mode, size, target)
    }

    fn block(&mut self, name: &str, kind: u8, mode: u32, size: usize, target: &str) -> io::Result<()> {
        let mut header = [0_u8; BLOCK];
        let mut put = |at: usize, most: usize, text: &[u8]| {
            let length = text.len().min(most);
            header[at..at + length].copy_from_slice(&text[..length]);
        };
        put(0, LONGEST_NAME, name.as_bytes());
        put(100, 8, format!("{mode:07o}\0").as_bytes());
        put(108, 8, b"0000000\0");
        put(116, 8, b"0000000\0");
        put(124, 12, format!("{size:011o}\0").as_bytes());
        put(136, 12, b"00000000000\0");
        put(148, 8, b"        ");
        put(156, 1, &[kind]);
        put(157, LONGEST_NAME, target.as_bytes());
        put(257, 8, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.out.write_all(&header)
    }

    fn padded(&mut self, content: &[u8]) -> io::Result<()> {
        self.out.write_all(content)?;
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        self.out.write_all(&[0; BLOCK][..padding])
    }
}

/// A record of an extended header, which begins with its own length.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}
