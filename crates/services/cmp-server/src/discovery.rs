//! Whether a folder holds what the plugin looks for.

use plugin::pattern::{BadPattern, Pattern, Syntax};
use std::path::{Path, PathBuf};

/// Files and folders looked at.
const MOST_ENTRIES: usize = 200_000;

/// Whether anything below `folder` has a path that the pattern matches. A pattern may climb to other parts of `root`.
pub(crate) fn matches(root: &Path, folder: &Path, pattern: &str, syntax: Syntax) -> Result<bool, BadPattern> {
    // What the pattern says before its first sign is the way to where it applies.
    let mut place = folder.to_owned();
    let mut parts: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    while let Some(first) = parts.first().copied() {
        if first == ".." {
            if place == root || !place.pop() {
                return Ok(false);
            }
        } else if parts.len() == 1 || first.contains(['*', '?', '[', '{', '\\']) {
            break;
        } else {
            place.push(first);
        }
        parts.remove(0);
    }
    let pattern = Pattern::parse(&parts.join("/"), syntax)?;
    let depth = if syntax == Syntax::Deep { usize::MAX } else { parts.len() };
    Ok(!parts.is_empty() && any(&place, &pattern, depth))
}

/// Links are matched and not followed.
fn any(top: &Path, pattern: &Pattern, depth: usize) -> bool {
    let mut waiting: Vec<(PathBuf, String, usize)> = vec![(top.to_owned(), String::new(), 1)];
    let mut seen = 0;
    while let Some((folder, relative, level)) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST_ENTRIES {
                return false;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = if relative.is_empty() { name.into_owned() } else { format!("{relative}/{name}") };
            if pattern.matches(&path) {
                return true;
            }
            if level < depth && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push((entry.path(), path, level + 1));
            }
        }
    }
    false
}
