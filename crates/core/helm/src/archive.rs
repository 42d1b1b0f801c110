//! Packed charts: gzip and tar, with Helm's limits and refusals.

use crate::chart::File;
use bytes::Bytes;
use std::io::Read as _;

/// Largest chart unpacked, and largest file of one.
const LARGEST_CHART: u64 = 100 << 20;
const LARGEST_FILE: u64 = 5 << 20;

/// The files of an archive, without the folder they lie in.
pub(crate) fn files(packed: &[u8]) -> Result<Vec<File>, String> {
    let mut unpacked = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(packed);
    // Headers and padding come on top of the content.
    let most = LARGEST_CHART * 2;
    decoder.take(most + 1).read_to_end(&mut unpacked).map_err(|error| format!("gzip: {error}"))?;
    if unpacked.len() as u64 > most {
        return Err(too_large());
    }
    let mut reader = Reader { archive: Bytes::from(unpacked), at: 0, long_name: None };
    let mut files = Vec::new();
    let mut remaining = LARGEST_CHART;
    while let Some((name, size, data)) = reader.next()? {
        let name = inner_name(&name)?;
        if size > remaining {
            return Err(too_large());
        }
        if size > LARGEST_FILE {
            return Err(format!(
                "decompressed chart file {name:?} is larger than the maximum file size {LARGEST_FILE}"
            ));
        }
        remaining -= size;
        files.push(File { name, data: without_mark(data) });
    }
    if files.is_empty() {
        return Err("no files in chart archive".into());
    }
    Ok(files)
}

fn too_large() -> String {
    format!("decompressed chart is larger than the maximum file size {LARGEST_CHART}")
}

/// A file without the mark that says it is UTF-8.
pub(crate) fn without_mark(data: Bytes) -> Bytes {
    if data.starts_with(b"\xEF\xBB\xBF") { data.slice(3..) } else { data }
}

/// The path below the chart's own folder; refused when it leaves that.
fn inner_name(name: &str) -> Result<String, String> {
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let (folder, inner) = name.split_once(delimiter).unwrap_or((name, ""));
    let inner = inner.replace(delimiter, "/");
    if inner.starts_with('/') {
        return Err("chart illegally contains absolute paths".into());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in inner.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return Err("chart illegally references parent directory".into()),
            ".." => {}
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(format!("chart illegally contains content outside the base directory: {name:?}"));
    }
    let cleaned = parts.join("/");
    let drive = cleaned.as_bytes();
    if drive.len() > 2 && drive[0].is_ascii_alphabetic() && &drive[1..3] == b":/" {
        return Err("chart contains illegally named files".into());
    }
    if folder == "Chart.yaml" {
        return Err("chart yaml not in base directory".into());
    }
    Ok(cleaned)
}

struct Reader {
    archive: Bytes,
    at: usize,
    long_name: Option<String>,
}

const BLOCK: usize = 512;

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

impl Reader {
    /// The next regular file: name, size, content.
    fn next(&mut self) -> Result<Option<(String, u64, Bytes)>, String> {
        loop {
            let Some(header) = self.archive.get(self.at..self.at + BLOCK) else { return Ok(None) };
            if header.iter().all(|&byte| byte == 0) {
                return Ok(None);
            }
            let invalid = || "archive/tar: invalid tar header".to_owned();
            let size = octal(&header[124..136]).ok_or_else(invalid)?;
            let kind = header[156];
            let mut name = String::from_utf8_lossy(field(header, 0, 100)).into_owned();
            if header[257..262] == *b"ustar" && header[262] == 0 {
                let prefix = String::from_utf8_lossy(field(header, 345, 155)).into_owned();
                if !prefix.is_empty() {
                    name = format!("{prefix}/{name}");
                }
            }
            let length = usize::try_from(size).map_err(|_| invalid())?;
            let start = self.at + BLOCK;
            let end =
                start.checked_add(length).filter(|end| *end <= self.archive.len()).ok_or("unexpected EOF")?;
            let data = self.archive.slice(start..end);
            self.at = start + length.div_ceil(BLOCK) * BLOCK;
            match kind {
                b'L' => {
                    self.long_name = Some(String::from_utf8_lossy(field(&data, 0, data.len())).into_owned());
                }
                b'x' => self.long_name = extended_name(&data).or(self.long_name.take()),
                b'g' | b'K' => {}
                b'5' => self.long_name = None,
                _ => {
                    let name = self.long_name.take().unwrap_or(name);
                    if name.ends_with('/') {
                        continue;
                    }
                    return Ok(Some((name, size, data)));
                }
            }
        }
    }
}

/// The path in an extended header: records such as `30 path=a/b\n`.
fn extended_name(data: &[u8]) -> Option<String> {
    let mut rest = data;
    while !rest.is_empty() {
        let space = rest.iter().position(|&byte| byte == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(String::from_utf8_lossy(path.strip_suffix(b"\n").unwrap_or(path)).into_owned());
        }
        rest = &rest[length..];
    }
    None
}
