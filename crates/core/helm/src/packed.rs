//! Packed charts: gzip and tar, with Helm's limits and refusals.

use crate::chart::File;
use archive::{ArchiveError, Kind, Member, Members};
use bytes::Bytes;

/// Largest chart unpacked, and largest file of one.
const LARGEST_CHART: u64 = 100 << 20;
const LARGEST_FILE: u64 = 5 << 20;

/// The files of an archive, without the folder they lie in.
pub(crate) fn files(packed: &[u8]) -> Result<Vec<File>, String> {
    // Headers and padding come on top of the content.
    let unpacked = archive::gunzip(packed, LARGEST_CHART * 2).map_err(|error| match error {
        ArchiveError::TooLarge { .. } => too_large(),
        other => other.to_string(),
    })?;
    let mut files = Vec::new();
    let mut remaining = LARGEST_CHART;
    for member in Members::new(unpacked) {
        let Member { name, kind, data } = member.map_err(|error| error.to_string())?;
        // As Helm does: whatever is no folder is a file, and a link an empty one.
        if kind == Kind::Folder || name.ends_with('/') {
            continue;
        }
        let name = inner_name(&name)?;
        let size = data.len() as u64;
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
